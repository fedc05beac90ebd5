"""The same counts from the rows themselves: for a part of a day, and to check the daily counts against."""

from collections.abc import Callable, Mapping, Sequence

from models.daily_count.table import Measure
from models.db.period import DAY_MICROS, Period, within
from models.db.rows import fetch, query_row
from models.db.statements import json_items


@query_row
class Counted:
    """A count: see `Measure`. Columns that the caller did not ask for are empty, and `day` is 0."""

    measure: Measure
    day: int
    entity_type: str
    trigger_kind: str
    provider: str
    name: str
    events: int
    credits: int


_ENDED = "job.status NOT IN ('pending', 'in_progress')"
_RAN = "job.status IN ('completed', 'partial', 'failed')"
_BUCKETS = " ".join(
    f"WHEN latency_ms < {64 << power} THEN latency_ms / {1 << power} * {1 << power}" for power in range(12)
)
LATENCY_BUCKET = f"CASE {_BUCKETS} ELSE latency_ms / 4096 * 4096 END"


def _counts(
    source: str,
    condition: str,
    *,
    entity_type: str = "''",
    trigger_kind: str = "''",
    provider: str = "''",
    name: str = "''",
    events: str = "COUNT(*)",
    credits: str = "0",
    table: str = "job",
    moment: str = "created_at",
) -> str:
    return (
        f"SELECT {table}.{moment} / {DAY_MICROS} AS day, {entity_type} AS entity_type,"
        f" {trigger_kind} AS trigger_kind, {provider} AS provider, {name} AS name, {events} AS events,"
        f" {credits} AS credits FROM {source} WHERE {within(moment, table)} AND {condition}"
        " GROUP BY 1, 2, 3, 4, 5"
    )


def _jobs(condition: str, *, name: str = "''", credits: str = "0") -> str:
    return _counts(
        "job",
        condition,
        entity_type="job.entity_type",
        trigger_kind="job.trigger_kind",
        name=name,
        credits=credits,
    )


def _fields(column: str, condition: str, key: str | None = None, *, named: bool = True) -> str:
    items, element = json_items(f"job.{column}", key)
    name = f"CAST({element} AS TEXT)" if named else "''"
    return _counts(f"job, {items}", condition, entity_type="job.entity_type", name=name)


def _steps(condition: str, name: str, credits: str = "0") -> str:
    source = "step JOIN job ON job.id = step.job_id"
    return _counts(source, condition, provider="step.provider", name=name, credits=credits)


def _entries(kind: str, amount: str, name: str = "''") -> str:
    return _counts(
        "credit_entry",
        f"kind = '{kind}'",
        entity_type="COALESCE(entity_type, '')",
        trigger_kind="COALESCE(trigger_kind, '')",
        provider="COALESCE(provider, '')",
        name=name,
        credits=f"SUM({amount})",
        table="credit_entry",
    )


def _stated(amount: str) -> str:
    return _counts(
        "credit_entry",
        "kind IN ('charge', 'release') AND stated_thousandths IS NOT NULL",
        provider="COALESCE(provider, '')",
        credits=f"SUM({amount})",
        table="credit_entry",
    )


def _wasted() -> str:
    """Charges of jobs that are still there: of an erased one nobody can tell what it wrote."""
    return _counts(
        "credit_entry",
        "kind = 'charge' AND EXISTS (SELECT 1 FROM job WHERE job.id = credit_entry.job_id)"
        " AND NOT EXISTS (SELECT 1 FROM field_value AS f"
        " WHERE f.job_id = credit_entry.job_id AND f.source = credit_entry.provider)",
        provider="COALESCE(provider, '')",
        credits="SUM(-amount)",
        table="credit_entry",
    )


def _resolved() -> str:
    return _counts(
        "conflict",
        "conflict.resolved_at IS NOT NULL",
        entity_type="conflict.entity_type",
        table="conflict",
        moment="resolved_at",
    )


_STATEMENTS: Mapping[Measure, Callable[[], str]] = {
    Measure.JOB: lambda: _jobs("TRUE", name="job.status", credits="SUM(job.credits_used)"),
    Measure.JOB_ASKED: lambda: _jobs("job.matched IS NOT NULL"),
    Measure.JOB_MATCHED: lambda: _jobs("job.matched"),
    Measure.FIELD_WRITTEN: lambda: _fields("fields_updated", "TRUE", named=False),
    Measure.FIELD_OUTCOME: lambda: _fields("outcomes", _ENDED, "reason"),
    Measure.FILLED_BEFORE: lambda: _fields("filled_before", _RAN),
    Measure.FILLED_AFTER: lambda: _fields("filled_after", _RAN),
    Measure.LOOKUP: lambda: _steps("TRUE", "step.outcome", "SUM(step.credits_charged)"),
    Measure.LATENCY: lambda: _steps("step.latency_ms IS NOT NULL", f"CAST({LATENCY_BUCKET} AS TEXT)"),
    Measure.GRANT: lambda: _entries("grant", "amount"),
    Measure.CHARGE: lambda: _entries("charge", "-amount"),
    Measure.RELEASE: lambda: _entries("release", "-reserved_change", "SUBSTR(COALESCE(note, ''), 1, 255)"),
    Measure.STATED: lambda: _stated("stated_thousandths"),
    Measure.STATED_CHARGED: lambda: _stated("-amount"),
    Measure.WASTED: _wasted,
    Measure.CONFLICT_RESOLVED: _resolved,
}


async def counted_from_rows(period: Period, measures: Sequence[Measure]) -> list[Counted]:
    """The counts of a period, each row that there is now counted. Its cost grows with the period's rows."""
    found: list[Counted] = []
    for measure in measures:
        sql = f"SELECT '{measure}' AS measure, counts.* FROM ({_STATEMENTS[measure]()}) AS counts"
        found += await fetch(Counted, sql, period.values)
    return found
