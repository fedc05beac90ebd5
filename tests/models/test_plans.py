"""Every list and figure of the API is found by an index, after a past of a hundred thousand jobs as after none.

On PostgreSQL, whose plans depend on how many rows there are, each statement is run and may read no more rows of a table
than a page or a probe takes.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations
from typing import Any

import pytest

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, JobStatus, JobTrigger
from models import stats
from models.audit_list import AuditFilter, list_lines
from models.conflict.queries import ConflictFilter
from models.conflict.shown import conflict_page
from models.credit import usage
from models.credit.entry import entry_page
from models.credit.proof import grants_without_audit
from models.credit.proof_part import Part
from models.db.columns import first_id_of
from models.db.connection import dialect
from models.db.migrate import migrate
from models.db.paging import Keyset
from models.db.period import Period
from models.db.statements import execute
from models.job.due import organizations_with_due_jobs
from models.job.leases import anything_to_rescue
from models.job.page import job_page
from models.job.queries import JobFilter
from models.job.shown import jobs_of_last_change
from models.job.transitions import claim
from models.record.page import RecordFilter, record_page
from models.record.row import find_by_external_id
from models.record.value import current_values
from tests.support.filled import BEGAN_MS, ORGANIZATION, fill, fill_audit_log
from tests.support.plans import LARGE, pages_read, scans, statements_read

JOBS = 100_000
MANY_JOBS = 1_000_000
FEW_PAGES = 100  # of tables and indexes; an index of what waits has hundreds
MIDDLE = datetime.fromtimestamp(BEGAN_MS / 1000, UTC) + timedelta(days=500)
EARLY, LATE = MIDDLE - timedelta(days=495), MIDDLE + timedelta(days=495)
FIRST = Keyset(50)
PAGES = {
    "first page": FIRST,
    "last page": Keyset(50, backwards=True),
    "page in the middle": Keyset(50, after=f"{(BEGAN_MS + 500 * 86_400_000) >> 16:08x}-0000-7002-8000-000000000000"),
}
KEY = (BEGAN_MS + 500 * 86_400_000) * 1000
Read = Callable[[Keyset], Awaitable[Any]]


def by_key(column: str, key: int, read: Read) -> Read:
    """The same list in the order of a column, of which a page in the middle begins at this value."""

    def read_in_order(keyset: Keyset) -> Awaitable[Any]:
        return read(replace(keyset, by=column, after_key=None if keyset.after is None else key))

    return read_in_order


def every_combination(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each option alone, each two together, and all."""
    names = [*combinations(options, 1), *combinations(options, 2), tuple(options)]
    return ({name: options[name] for name in chosen} for chosen in [(), *names])


def lists() -> Iterator[tuple[str, Read]]:
    """The lists of the API by all that they can be filtered by: what many rows have, few, and none."""
    jobs: list[dict[str, Any]] = [
        {"status": (JobStatus.COMPLETED,), "entity_types": (EntityType.LEAD,), "trigger": (JobTrigger.MANUAL,)},
        {"status": (JobStatus.PENDING, JobStatus.CANCELLED), "trigger": (JobTrigger.CREDITS_RESTORED,)},
        {"external_id": "crm-77", "status": (JobStatus.FAILED,)},
        {"external_id": "nobody"},
        {"created_before": EARLY, "status": (JobStatus.COMPLETED,), "entity_types": (EntityType.LEAD,)},
        {"created_after": LATE, "trigger": (JobTrigger.MANUAL,)},
        {"created_after": EARLY, "created_before": LATE, "entity_types": (EntityType.LEAD,)},
    ]
    ended: list[dict[str, Any]] = [
        {"finished_after": LATE, "status": (JobStatus.FAILED,), "entity_types": (EntityType.LEAD,)},
        {"finished_after": EARLY, "finished_before": EARLY + timedelta(minutes=1), "trigger": (JobTrigger.MANUAL,)},
        {"finished_before": EARLY, "external_id": "crm-77", "created_after": MIDDLE},
    ]
    for options in [*jobs, *ended]:
        for named in every_combination(options):
            by_filter = partial(job_page, ORGANIZATION, JobFilter(**named))
            yield f"jobs by {named}", by_filter
            yield f"jobs by end and {named}", by_key("finished_at", KEY, by_filter)
    records: list[dict[str, Any]] = [
        {"entity_type": EntityType.LEAD, "search": "number 77777"},
        {"search": "no such text anywhere", "completeness_below": 0.5},
        {"external_ids": ("crm-5", "nobody"), "entity_type": EntityType.CONTACT},
        {"enriched_after": LATE + timedelta(days=400), "completeness_at_least": 0.999, "search": "number 77777"},
        {"enriched_after": EARLY, "enriched_before": EARLY + timedelta(minutes=1), "entity_type": EntityType.LEAD},
        {"never_enriched": True, "enriched_before": MIDDLE - timedelta(days=600), "completeness_below": 0.0},
    ]
    for options in records:
        for named in every_combination(options):
            found = partial(record_page, ORGANIZATION, RecordFilter(**named))
            yield f"records by {named}", found
            yield f"records by enrichment and {named}", by_key("last_enriched_at", KEY, found)
    conflicts: list[dict[str, Any]] = [
        {
            "status": (ConflictStatus.OPEN, ConflictStatus.RESOLVED),
            "entity_types": (EntityType.LEAD,),
            "reason": (ConflictReason.LOW_CONFIDENCE,),
            "field": "city",
        },
        {"field": "nothing", "reason": (ConflictReason.JOB_CHANGE, ConflictReason.EXISTING_DIFFERS)},
        {"external_id": "crm-77", "status": (ConflictStatus.SUPERSEDED,), "field": "city"},
        {"provider": "hunter", "status": tuple(ConflictStatus), "entity_types": (EntityType.LEAD,)},
        {"provider": "nobody", "reason": (ConflictReason.JOB_CHANGE,), "created_after": MIDDLE},
        {"created_before": EARLY, "status": (ConflictStatus.RESOLVED,), "field": "phone"},
        {"created_before": EARLY, "entity_types": (EntityType.ACCOUNT,), "provider": "zoominfo"},
        {"provider": "hunter", "field": "city", "status": tuple(ConflictStatus)},
        {"provider": "zoominfo", "field": "nothing", "created_after": LATE},
        {"search": "number 77776", "status": (ConflictStatus.OPEN,), "entity_types": (EntityType.LEAD,)},
        {"search": "oakland", "field": "city", "reason": (ConflictReason.LOW_CONFIDENCE,)},
        {"search": "no such text anywhere", "provider": "hunter", "created_after": LATE},
    ]
    for options in conflicts:
        for named in every_combination(options):
            yield f"conflicts by {named}", partial(conflict_page, ORGANIZATION, ConflictFilter(**named))
    yield "ledger", partial(entry_page, ORGANIZATION)


FIGURES: dict[str, Callable[[], Awaitable[Any]]] = {
    "stats": lambda: stats.job_counts(Period(ORGANIZATION)),
    "stats by provider": lambda: stats.calls_by_provider(Period(ORGANIZATION)),
    "stats by day": lambda: stats.counts_by_day(Period(ORGANIZATION, MIDDLE - timedelta(days=30), MIDDLE)),
    "stats of a day and a bit": lambda: stats.job_counts(
        Period(ORGANIZATION, MIDDLE - timedelta(hours=1), MIDDLE + timedelta(hours=25))
    ),
    "active jobs": lambda: stats.active_jobs(ORGANIZATION),
    "open conflicts": lambda: stats.count_open_conflicts(ORGANIZATION),
    "resolved conflicts": lambda: stats.count_resolved_conflicts(Period(ORGANIZATION)),
    "credits by provider": lambda: usage.charged_by("provider", Period(ORGANIZATION)),
    "credits by day": lambda: usage.charged_by_day(Period(ORGANIZATION)),
    "credits for nothing": lambda: usage.charged_for_nothing(Period(ORGANIZATION)),
}


async def read_what_is_sent_again() -> None:
    """What is looked up of a batch of records that are known, and of one that is new."""
    sent = [f"crm-{number}" for number in range(600)]
    for entity_type in EntityType:
        known = await find_by_external_id(ORGANIZATION, entity_type, sent)
        ids = [record.id for record in known][:100]
        assert ids
        await jobs_of_last_change(ORGANIZATION, ids, MIDDLE)
        await current_values(ids)
        assert not await find_by_external_id(ORGANIZATION, entity_type, [f"new-{external_id}" for external_id in sent])


async def claim_some() -> None:
    """What a worker reads and takes where a fifth of the jobs is due."""
    now = MIDDLE + timedelta(days=1_000)
    assert await organizations_with_due_jobs(now, 25) == [ORGANIZATION]
    assert len(await claim(ORGANIZATION, now, 250)) == 250


async def read_without_scan(jobs: int) -> None:
    await fill(jobs)
    await fill_audit_log(jobs)
    found: dict[str, list[str]] = {}
    reads = {f"{name}, {page}": partial(read, keyset) for name, read in lists() for page, keyset in PAGES.items()}
    for name, read in (reads | FIGURES | OTHERS).items():
        with statements_read() as statements:
            await read()
        assert statements, name
        for sql, values in statements.items():
            if scanned := await scans(sql, values, large=LARGE | {"audit_entry"}):
                found[name] = scanned
    assert found == {}


async def read_the_audit_log() -> None:
    """By each filter alone, by two and by all, of many lines and of none; the newest and the oldest."""
    found: list[dict[str, Any]] = [
        {"subject": "job 77", "actor": "user-1", "action": "job.retried"},
        {"action": "job", "actor": "user-2", "after": EARLY, "before": LATE},
        {"action": "config", "before": EARLY},
        {"action": "config.changed", "after": LATE, "actor": "nobody"},
        {"subject": "nothing", "action": "nothing", "after": LATE + timedelta(days=400)},
    ]
    for options in found:
        for named in every_combination(options):
            for oldest_first in (False, True):
                wanted = AuditFilter(**named)
                await list_lines(ORGANIZATION, wanted, below=None, above=None, limit=51, oldest_first=oldest_first)


async def prove_a_new_grant() -> None:
    """Against the lines of the audit log about it."""
    new = first_id_of(MIDDLE + timedelta(days=900))
    await execute(
        "INSERT INTO credit_entry (id, organization_id, kind, amount, reserved_change, actor, created_at)"
        " VALUES (?, ?, 'grant', 5, 0, 'user-1', ?)",
        [new, ORGANIZATION, BEGAN_MS * 1000],
    )
    part = Part(after=first_id_of(MIDDLE + timedelta(days=800)), until=new, ended_since=MIDDLE, audit_after=0)
    assert await grants_without_audit(None, ORGANIZATION, part) == [new]


OTHERS = {
    "a new grant": prove_a_new_grant,
    "what is sent again": read_what_is_sent_again,
    "audit log": read_the_audit_log,
}


async def test_every_list_and_figure_is_found_by_an_index(new_database: str) -> None:
    await migrate()
    await read_without_scan(JOBS)


async def test_due_jobs_are_claimed_by_an_index_whatever_is_pending(new_database: str) -> None:
    await migrate()
    await fill(JOBS // 2)
    await execute(
        "UPDATE job SET status = 'pending', finished_at = NULL, next_attempt_at = created_at WHERE id IN"
        " (SELECT id FROM job ORDER BY id DESC LIMIT ?)",
        [JOBS // 10],
    )
    await execute("ANALYZE job")
    with statements_read() as statements:
        await claim_some()
    assert any("UPDATE job SET" in sql for sql in statements)
    assert {sql: found for sql, values in statements.items() if (found := await scans(sql, values))} == {}
    if dialect() != "sqlite":
        await none_is_due()


async def none_is_due() -> None:
    """What waits for later is not gone through, to find that nothing is due or what is due of less priority."""
    await execute("UPDATE job SET priority = 30 WHERE id IN (SELECT id FROM job WHERE status = 'pending' LIMIT 100)")
    with statements_read() as statements:
        now = MIDDLE - timedelta(days=1_000)
        assert await organizations_with_due_jobs(now, 25) == []
        assert await claim(ORGANIZATION, now, 250) == []
        assert not await anything_to_rescue(now)
    assert len(statements) == 3
    for sql, values in statements.items():
        assert await pages_read(sql, values) < FEW_PAGES, sql


async def test_a_kind_of_which_there_is_none_is_found_by_an_index_where_all_jobs_are_of_another(
    new_database: str,
) -> None:
    await migrate()
    await fill(JOBS // 5)
    await execute("UPDATE job SET status = 'completed', entity_type = 'account', trigger_kind = 'record_created'")
    await execute("ANALYZE job")
    found: dict[str, list[str]] = {}
    kinds = {"status": (JobStatus.FAILED,), "entity_types": (EntityType.LEAD,), "trigger": (JobTrigger.MANUAL,)}
    for options in every_combination(kinds):
        for name, keyset in PAGES.items():
            with statements_read() as statements:
                await job_page(ORGANIZATION, JobFilter(**options, created_after=MIDDLE - timedelta(days=600)), keyset)
            for sql, values in statements.items():
                if scanned := await scans(sql, values):
                    found[f"{options}, {name}"] = scanned
    assert found == {}


@pytest.mark.long
async def test_every_list_and_figure_is_found_by_an_index_among_a_million(new_database: str) -> None:
    await migrate()
    await read_without_scan(MANY_JOBS)
