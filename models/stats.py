"""What enrichment achieved in a period: counts of jobs, lookups and conflicts."""

from collections.abc import Sequence
from datetime import date, datetime

from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus
from models.db.period import DAY_MICROS, Period, within
from models.db.rows import fetch, query_row
from models.db.statements import json_items

_JOBS = within(table="job")
_ENDED = f"{_JOBS} AND job.status IN ('completed', 'partial', 'failed')"


@query_row
class ActiveJobs:
    """How many jobs of one status there are, and when the oldest of them was created."""

    status: JobStatus
    jobs: int
    oldest: datetime


@query_row
class JobTotals:
    """Of the period's jobs: how many asked any provider, how many of these matched, and the credits used."""

    asked: int
    matched: int
    credits: int


@query_row
class _JobsOfStatus:
    status: JobStatus
    jobs: int


@query_row
class _JobsOfType:
    entity_type: EntityType
    jobs: int


@query_row
class _FilledField:
    entity_type: EntityType
    field: str
    jobs: int


@query_row
class _FieldsOfReason:
    reason: str
    fields: int


@query_row
class ProviderCalls:
    """How one provider's lookups ended, and the credits it was paid.

    `p50` and `p95` are the median and the 95th percentile of the latencies of the calls really made, in milliseconds:
    values that did occur; None where there was no call.
    """

    provider: str
    matched: int
    no_match: int
    errors: int
    skipped: int
    credits: int
    p50: int | None
    p95: int | None

    @property
    def asked(self) -> int:
        return self.matched + self.no_match + self.errors


@query_row
class DayCounts:
    """Jobs created on one day (UTC), how they ended, and what they cost."""

    day: date
    jobs: int
    completed: int
    failed: int
    credits: int


@query_row
class _FieldsOfDay:
    day: date
    fields: int


@query_row
class _Count:
    counted: int


async def active_jobs(organization_id: str) -> dict[JobStatus, ActiveJobs]:
    """The jobs that wait and those that run, by status; a status without jobs is left out."""
    found = await fetch(
        ActiveJobs,
        "SELECT status, COUNT(*) AS jobs, MIN(created_at) AS oldest FROM job WHERE organization_id = ?"
        " AND status IN ('pending', 'in_progress') GROUP BY status",
        [organization_id],
    )
    return {row.status: row for row in found}


async def job_totals(period: Period) -> JobTotals:
    """The sums over the period's jobs."""
    sql = (
        "SELECT COALESCE(SUM(CASE WHEN matched IS NOT NULL THEN 1 ELSE 0 END), 0) AS asked,"
        " COALESCE(SUM(CASE WHEN matched THEN 1 ELSE 0 END), 0) AS matched,"
        f" COALESCE(SUM(credits_used), 0) AS credits FROM job WHERE {_JOBS}"
    )
    return (await fetch(JobTotals, sql, period.values))[0]


async def jobs_by_status(period: Period) -> dict[JobStatus, int]:
    """How many of the period's jobs have each status."""
    sql = f"SELECT status, COUNT(*) AS jobs FROM job WHERE {_JOBS} GROUP BY status"
    counted = {row.status: row.jobs for row in await fetch(_JobsOfStatus, sql, period.values)}
    return {status: counted.get(status, 0) for status in JobStatus}


async def ended_jobs_by_type(period: Period) -> dict[EntityType, int]:
    """How many of the period's jobs have ended, by entity type; a type without any is left out."""
    sql = f"SELECT entity_type, COUNT(*) AS jobs FROM job WHERE {_ENDED} GROUP BY entity_type"
    return {row.entity_type: row.jobs for row in await fetch(_JobsOfType, sql, period.values)}


async def jobs_with_filled(period: Period, *, after: bool) -> dict[tuple[EntityType, str], int]:
    """How many of the period's ended jobs had each field filled before, or `after` they ran."""
    source, name = json_items("job.filled_after" if after else "job.filled_before")
    sql = f"SELECT entity_type, {name} AS field, COUNT(*) AS jobs FROM job, {source} WHERE {_ENDED} GROUP BY 1, 2"
    return {(row.entity_type, row.field): row.jobs for row in await fetch(_FilledField, sql, period.values)}


async def fields_by_reason(period: Period) -> dict[FieldOutcomeReason, int]:
    """How many wanted fields of the period's ended jobs ended for each reason."""
    source, reason = json_items("job.outcomes", "reason")
    sql = (
        f"SELECT {reason} AS reason, COUNT(*) AS fields FROM job, {source} WHERE {_JOBS}"
        " AND job.status NOT IN ('pending', 'in_progress') GROUP BY 1"
    )
    counted = {row.reason: row.fields for row in await fetch(_FieldsOfReason, sql, period.values)}
    return {reason: counted.get(reason.value, 0) for reason in FieldOutcomeReason}


async def calls_by_provider(period: Period) -> list[ProviderCalls]:
    """The lookups of the period's jobs by provider, in order of their ids."""
    return await _calls(f"JOIN job ON job.id = step.job_id WHERE {_JOBS}", period.values)


async def calls_ever(organization_id: str) -> dict[str, ProviderCalls]:
    """All lookups that are kept of the organization, by provider."""
    return {row.provider: row for row in await _calls("WHERE step.organization_id = ?", [organization_id])}


async def _calls(which: str, values: Sequence[str | int]) -> list[ProviderCalls]:
    share = "CUME_DIST() OVER (PARTITION BY step.provider, step.latency_ms IS NULL ORDER BY step.latency_ms)"
    return await fetch(
        ProviderCalls,
        "SELECT provider, SUM(CASE WHEN outcome = 'match' THEN 1 ELSE 0 END) AS matched,"
        " SUM(CASE WHEN outcome = 'no_match' THEN 1 ELSE 0 END) AS no_match,"
        " SUM(CASE WHEN outcome = 'error' THEN 1 ELSE 0 END) AS errors,"
        " SUM(CASE WHEN outcome = 'skipped' THEN 1 ELSE 0 END) AS skipped, SUM(credits_charged) AS credits,"
        " MIN(CASE WHEN share >= 0.5 THEN latency_ms END) AS p50,"
        " MIN(CASE WHEN share >= 0.95 THEN latency_ms END) AS p95 FROM"
        f" (SELECT step.provider, step.outcome, step.latency_ms, step.credits_charged, {share} AS share"
        f" FROM step {which}) AS ranked GROUP BY provider ORDER BY provider",
        values,
    )


async def counts_by_day(period: Period) -> list[DayCounts]:
    """The period's jobs by the day (UTC) they were created, the first day first."""
    return await fetch(
        DayCounts,
        f"SELECT created_at / {DAY_MICROS} AS day, COUNT(*) AS jobs,"
        " SUM(CASE WHEN status = 'completed' THEN 1 ELSE 0 END) AS completed,"
        " SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) AS failed,"
        f" SUM(credits_used) AS credits FROM job WHERE {_JOBS} GROUP BY 1 ORDER BY 1",
        period.values,
    )


async def fields_written_by_day(period: Period) -> dict[date, int]:
    """How many fields the jobs of each day wrote."""
    source, _ = json_items("job.fields_updated")
    return await _fields_by_day(period, source, _JOBS)


async def fields_verified_by_day(period: Period) -> dict[date, int]:
    """How many fields the ended jobs of each day found unchanged."""
    source, reason = json_items("job.outcomes", "reason")
    return await _fields_by_day(period, source, f"{_ENDED} AND {reason} = '{FieldOutcomeReason.VERIFIED}'")


async def _fields_by_day(period: Period, items: str, condition: str) -> dict[date, int]:
    sql = (
        f"SELECT job.created_at / {DAY_MICROS} AS day, COUNT(*) AS fields FROM job, {items}"
        f" WHERE {condition} GROUP BY 1"
    )
    return {row.day: row.fields for row in await fetch(_FieldsOfDay, sql, period.values)}


async def count_open_conflicts(organization_id: str) -> int:
    """How many conflicts are open now, whenever they were raised."""
    sql = "SELECT COUNT(*) AS counted FROM conflict WHERE organization_id = ? AND status = 'open'"
    return (await fetch(_Count, sql, [organization_id]))[0].counted


async def count_resolved_conflicts(period: Period) -> int:
    """How many conflicts were resolved in the period."""
    sql = f"SELECT COUNT(*) AS counted FROM conflict WHERE {within('resolved_at')}"
    return (await fetch(_Count, sql, period.values))[0].counted
