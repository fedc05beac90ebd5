"""A database with a long past, written by a few statements: jobs of every kind over years, and all that is theirs."""

from models.db.connection import dialect
from models.db.statements import execute, query

ORGANIZATION = "acme"
_AT_ONCE = 50_000
_COUNTED = ("record", "job", "step", "field_value", "conflict", "credit_entry")
_DAYS = 1_000  # over which the past is spread, up to BEGAN_MS + 1,000 days
BEGAN_MS = 1_700_000_000_000
_TYPES = ("lead", "contact", "account")
_TRIGGERS = ("record_created", "record_updated", "manual", "scheduled_refresh", "credits_restored")
_STATUSES = ("completed", "completed", "completed", "partial", "failed", "skipped", "cancelled")
_CONFLICT_FIELDS = ("city", "industry", "jobTitle", "phone", "website")
_CONFLICT_PROVIDERS = (" apollo ", " apollo hunter ", " zoominfo ")
_REASONS = ("existing_differs", "providers_disagree", "low_confidence")
_PROVIDERS = ("directory", "signals", "apollo", "hunter", "zoominfo")


def _pick(values: tuple[str, ...], number: str) -> str:
    cases = " ".join(f"WHEN {index} THEN '{value}'" for index, value in enumerate(values))
    return f"CASE {number} % {len(values)} {cases} END"


def _id(prefix: str) -> str:
    """A UUIDv7 of the moment `ms` and the number `n`: in order of creation, as the ids that the service makes."""
    if dialect() == "sqlite":
        return f"printf('%08x-%04x-7{prefix}-8000-%012x', ms >> 16, ms & 65535, n)"
    parts = ["lpad(to_hex(ms >> 16), 8, '0')", "lpad(to_hex(ms & 65535), 4, '0')", f"'7{prefix}-8000'"]
    return " || '-' || ".join([*parts, "lpad(to_hex(n), 12, '0')"])


def _numbers(jobs: int) -> str:
    step = _DAYS * 86_400_000 // jobs
    series = (
        "(WITH RECURSIVE s(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM s WHERE n < ?) SELECT n FROM s)"
        if dialect() == "sqlite"
        else "(SELECT n FROM generate_series(CAST(? AS BIGINT), CAST(? AS BIGINT)) AS n)"
    )
    return f"(SELECT n, {BEGAN_MS} + n * {step} AS ms FROM {series} AS numbers) AS numbers"


async def fill(jobs: int) -> None:
    """Add this many records, each with a job, its two steps and a value, and to some a conflict and a charge.

    Of the daily counts there are only those of jobs: SQLite would make them row by row.
    """
    for table in _COUNTED if dialect() == "postgresql" else ():
        await execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for trigger in (
        await query("SELECT name FROM sqlite_master WHERE type = 'trigger'") if dialect() == "sqlite" else ()
    ):
        if "_counted" in trigger["name"]:
            await execute(f"DROP TRIGGER {trigger['name']}")
    await execute(
        "INSERT INTO organization (id, created_at, config, config_updated_at) VALUES (?, 1, '{}', 1)", [ORGANIZATION]
    )
    await execute("INSERT INTO credit_account (organization_id) VALUES (?)", [ORGANIZATION])
    for start in range(0, jobs, _AT_ONCE):
        for statement in _statements(jobs):
            await execute(statement, [start, min(start + _AT_ONCE, jobs) - 1])
    await execute(
        "INSERT INTO daily_count (organization_id, measure, day, entity_type, trigger_kind, provider, name, events,"
        " credits, is_merged) SELECT organization_id, 'job', created_at / 86400000000, entity_type, trigger_kind, '',"
        " status, COUNT(*), 0, TRUE FROM job GROUP BY 1, 3, 4, 5, 7"
    )
    await execute("ANALYZE")


async def fill_audit_log(lines: int) -> None:
    """As many lines of the audit log of ORGANIZATION, four about each subject and a third of them of each user.

    One of a thousand is of a change of the configuration, made by all three.
    """
    now = "ms * 1000"
    action = "CASE WHEN n % 1000 = 0 THEN 'config.changed' WHEN n % 5 = 0 THEN 'credits.granted' ELSE 'job.retried' END"
    for start in range(0, lines, _AT_ONCE):
        await execute(
            "INSERT INTO audit_entry (organization_id, number, at, actor, action, subject, details, previous, hash)"
            f" SELECT '{ORGANIZATION}', n + 1, {now}, 'user-' || (n % 3), {action}, 'job ' || (n / 4), '{{}}',"
            f" '', '' FROM {_numbers(lines)}",
            [start, min(start + _AT_ONCE, lines) - 1],
        )
    await execute("ANALYZE")


def _statements(jobs: int) -> list[str]:
    numbers, org = _numbers(jobs), f"'{ORGANIZATION}'"
    record, job = _id("001"), _id("002")
    entity_type, trigger = _pick(_TYPES, "n"), _pick(_TRIGGERS, "(n / 3)")
    now = "ms * 1000"
    nothing = "'{}'" if dialect() == "sqlite" else "CAST('{}' AS JSONB)"
    outcomes = '\'[{"field": "city", "reason": "written", "provider": "directory"}]\''
    return [
        "INSERT INTO record (id, organization_id, entity_type, external_id, fields, received, search_text,"
        f" completeness, last_enriched_at, created_at, updated_at) SELECT {record}, {org}, {entity_type}, 'crm-' || n,"
        f" '{{\"city\": \"Oakland\"}}', '{{}}', 'oakland company number ' || n, (n % 100) / 100.0, {now}, {now}, {now}"
        f" FROM {numbers}",
        "INSERT INTO job (id, organization_id, record_id, entity_type, trigger_kind, status, fields_updated, outcomes,"
        " filled_before, filled_after, matched, credits_used, created_at, started_at, finished_at, updated_at)"
        f" SELECT {job}, {org}, {record}, {entity_type}, {trigger}, {_pick(_STATUSES, '(n / 15)')}, '[\"city\"]',"
        f" {outcomes}, '[]', '[\"city\"]', TRUE, n % 3, {now}, {now}, {now}, {now} FROM {numbers}",
        *(
            "INSERT INTO step (id, organization_id, job_id, position, provider, outcome, latency_ms, credits_charged,"
            f" fields_found, candidates, asked_at) SELECT {_id(f'00{3 + position}')}, {org}, {job}, {position},"
            f" {_pick(_PROVIDERS, f'(n + {position})')}, 'match', n % 5000, n % 3, '[\"city\"]', '[]', {now}"
            f" FROM {numbers}"
            for position in (0, 1)
        ),
        "INSERT INTO field_value (id, organization_id, record_id, field, value, source, confidence, job_id,"
        f" observed_at, written_at) SELECT {_id('005')}, {org}, {record}, 'city', '\"Oakland\"', 'directory', 0.9,"
        f" {job}, {now}, {now} FROM {numbers}",
        "INSERT INTO conflict (id, organization_id, record_id, job_id, entity_type, field, reason, status, candidates,"
        f" providers, resolution, created_at, updated_at, resolved_at) SELECT {_id('006')}, {org}, {record}, {job},"
        f" {entity_type}, {_pick(_CONFLICT_FIELDS, '(n / 4)')}, {_pick(_REASONS, '(n / 20)')},"
        " CASE WHEN n % 8 = 0 THEN 'open' ELSE 'resolved' END, '[]',"
        f" {_pick(_CONFLICT_PROVIDERS, '(n / 60)')}, CASE WHEN n % 8 = 0 THEN NULL ELSE {nothing} END, {now}, {now},"
        f" CASE WHEN n % 8 = 0 THEN NULL ELSE {now} END FROM {numbers} WHERE n % 4 = 0",
        "INSERT INTO credit_entry (id, organization_id, kind, amount, reserved_change, job_id, provider, entity_type,"
        f" trigger_kind, created_at) SELECT {_id('007')}, {org}, 'reservation', 0, n % 3, {job}, 'apollo',"
        f" {entity_type}, {trigger}, {now} FROM {numbers} WHERE n % 3 > 0",
        "INSERT INTO credit_entry (id, organization_id, kind, amount, reserved_change, settles, job_id, provider,"
        f" entity_type, trigger_kind, created_at) SELECT {_id('008')}, {org}, 'charge', -(n % 3), -(n % 3),"
        f" {_id('007')}, {job}, 'apollo', {entity_type}, {trigger}, {now} FROM {numbers} WHERE n % 3 > 0",
    ]
