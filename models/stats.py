"""What enrichment achieved in a period: counts of jobs, lookups and conflicts.

All but what is there at this moment comes from the daily counts (`models.daily_count`), so that it costs the same after
ten million jobs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate

from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus, StepOutcome
from models.daily_count.raw import Counted
from models.daily_count.read import Tally, counted, counted_now, tallied_by_day
from models.daily_count.table import Measure
from models.db.period import Period
from models.db.rows import fetch, query_row

_EPOCH = date(1970, 1, 1)
_JOB_MEASURES = (
    Measure.JOB,
    Measure.JOB_ASKED,
    Measure.JOB_MATCHED,
    Measure.FIELD_OUTCOME,
    Measure.FILLED_BEFORE,
    Measure.FILLED_AFTER,
)
_RAN = (JobStatus.COMPLETED, JobStatus.PARTIAL, JobStatus.FAILED)


@query_row
class ActiveJobs:
    """How many jobs of one status there are, and when the oldest of them was created."""

    status: JobStatus
    jobs: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class JobCounts:
    """The jobs that were created in a period.

    `by_status`: how many have each status. `asked`: how many asked any provider; `matched`: how many of these some
    provider matched. `ran_by_type`: how many were completed, partial or failed; `filled_before` and `filled_after`: of
    how many of these a field was filled before and after. `outcomes`: how many wanted fields of ended jobs ended for
    each reason.
    """

    by_status: Mapping[JobStatus, int]
    asked: int
    matched: int
    credits: int
    ran_by_type: Mapping[EntityType, int]
    filled_before: Mapping[tuple[EntityType, str], int]
    filled_after: Mapping[tuple[EntityType, str], int]
    outcomes: Mapping[FieldOutcomeReason, int]


@dataclass(frozen=True, slots=True)
class ProviderCalls:
    """How one provider's lookups ended, and the credits it was paid.

    `p50` and `p95` are the median and the 95th percentile of the latencies of the calls really made, in milliseconds,
    from 64 on at most 3.2 % too low; None where there was no call.
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


@dataclass(slots=True)
class DayCounts:
    """Jobs created on one day (UTC), how they ended, what they cost, and the fields they wrote and found unchanged."""

    day: date
    jobs: int = 0
    completed: int = 0
    failed: int = 0
    credits: int = 0
    fields_written: int = 0
    fields_verified: int = 0


async def active_jobs(organization_id: str) -> dict[JobStatus, ActiveJobs]:
    """The jobs that wait and those that run, by status; a status without jobs is left out."""
    found = await fetch(
        ActiveJobs,
        "SELECT status, COUNT(*) AS jobs, MIN(created_at) AS oldest FROM job WHERE organization_id = ?"
        " AND status IN ('pending', 'in_progress') GROUP BY status",
        [organization_id],
    )
    return {row.status: row for row in found}


async def job_counts(period: Period) -> JobCounts:
    """What came of the jobs that were created in the period."""
    rows = await counted(period, _JOB_MEASURES, ["entity_type", "name"])
    jobs = [row for row in rows if row.measure is Measure.JOB]
    ran: Counter[EntityType] = Counter()
    for row in jobs:
        if row.name in _RAN:
            ran[EntityType(row.entity_type)] += row.events
    by_status, reasons = _by_name(jobs), _by_name(row for row in rows if row.measure is Measure.FIELD_OUTCOME)
    return JobCounts(
        by_status={status: by_status[status.value] for status in JobStatus},
        asked=sum(row.events for row in rows if row.measure is Measure.JOB_ASKED),
        matched=sum(row.events for row in rows if row.measure is Measure.JOB_MATCHED),
        credits=sum(row.credits for row in jobs),
        ran_by_type=ran,
        filled_before=_by_field(rows, Measure.FILLED_BEFORE),
        filled_after=_by_field(rows, Measure.FILLED_AFTER),
        outcomes={reason: reasons[reason.value] for reason in FieldOutcomeReason},
    )


def _by_name(rows: Iterable[Counted]) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row.name] += row.events
    return found


def _by_field(rows: Sequence[Counted], measure: Measure) -> dict[tuple[EntityType, str], int]:
    return {(EntityType(row.entity_type), row.name): row.events for row in rows if row.measure is measure}


async def calls_by_provider(period: Period) -> list[ProviderCalls]:
    """The lookups of the period's jobs by provider, in order of their ids."""
    found: dict[str, _Calls] = {}
    for row in await counted(period, [Measure.LOOKUP, Measure.LATENCY], ["provider", "name"]):
        found.setdefault(row.provider, _Calls()).add(row)
    return [found[provider].shown(provider) for provider in sorted(found)]


async def calls_ever(organization_id: str) -> dict[str, ProviderCalls]:
    """All lookups of the organization, by provider."""
    return {calls.provider: calls for calls in await calls_by_provider(Period(organization_id))}


@dataclass(slots=True)
class _Calls:
    outcomes: Counter[str] = field(default_factory=Counter)
    latencies: Counter[int] = field(default_factory=Counter)
    credits: int = 0

    def add(self, row: Counted) -> None:
        if row.measure is Measure.LATENCY:
            self.latencies[int(row.name)] += row.events
        else:
            self.outcomes[row.name] += row.events
            self.credits += row.credits

    def shown(self, provider: str) -> ProviderCalls:
        return ProviderCalls(
            provider=provider,
            matched=self.outcomes[StepOutcome.MATCH],
            no_match=self.outcomes[StepOutcome.NO_MATCH],
            errors=self.outcomes[StepOutcome.ERROR],
            skipped=self.outcomes[StepOutcome.SKIPPED],
            credits=self.credits,
            p50=percentile(self.latencies, 0.5),
            p95=percentile(self.latencies, 0.95),
        )


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The least value that this share (0-1) of all that were counted does not exceed; None where nothing was."""
    values = sorted(counts)
    sums = list(accumulate(counts[value] for value in values))
    total = sums[-1] if sums else 0
    return next((value for value, sum_ in zip(values, sums, strict=True) if sum_ >= share * total), None)


async def counts_by_day(period: Period) -> list[DayCounts]:
    """The period's jobs by the day (UTC) they were created, the first day first."""
    found = await tallied_by_day(period, _OF_A_DAY)
    days = (DayCounts(_EPOCH + timedelta(days=day), *found[day]) for day in sorted(found))
    return [day for day in days if day.jobs]


_OF_A_DAY = (  # in the order of DayCounts
    Tally(Measure.JOB),
    Tally(Measure.JOB, JobStatus.COMPLETED),
    Tally(Measure.JOB, JobStatus.FAILED),
    Tally(Measure.JOB, column="credits"),
    Tally(Measure.FIELD_WRITTEN),
    Tally(Measure.FIELD_OUTCOME, FieldOutcomeReason.VERIFIED),
)


@dataclass(slots=True)
class ProviderDay:
    """The lookups of one provider that belong to jobs created on one day (UTC), and the credits it was paid."""

    day: date
    provider: str
    asked: int = 0
    matched: int = 0
    errors: int = 0
    credits: int = 0


@dataclass(slots=True)
class EntityTypeDay:
    """The jobs for one type of records that were created on one day (UTC): see DayCounts."""

    day: date
    entity_type: EntityType
    jobs: int = 0
    completed: int = 0
    failed: int = 0
    credits: int = 0
    fields_written: int = 0
    fields_verified: int = 0


async def providers_by_day(period: Period) -> list[ProviderDay]:
    """The period's lookups by day and provider, the first day first. A day on which one was not asked is left out."""
    found: dict[tuple[int, str], ProviderDay] = {}
    for row in await counted(period, [Measure.LOOKUP], ["day", "provider", "name"]):
        key = row.day, row.provider
        of_day = found.setdefault(key, ProviderDay(_EPOCH + timedelta(days=row.day), row.provider))
        of_day.credits += row.credits
        if row.name != StepOutcome.SKIPPED:
            of_day.asked += row.events
        if row.name == StepOutcome.MATCH:
            of_day.matched += row.events
        elif row.name == StepOutcome.ERROR:
            of_day.errors += row.events
    return [found[key] for key in sorted(found) if found[key].asked or found[key].credits]


async def entity_types_by_day(period: Period) -> list[EntityTypeDay]:
    """The period's jobs by day and type of record, the first day first."""
    found: dict[tuple[int, str], EntityTypeDay] = {}
    measures = [Measure.JOB, Measure.FIELD_WRITTEN, Measure.FIELD_OUTCOME]
    for row in await counted(period, measures, ["day", "entity_type", "name"]):
        key, kind = (row.day, row.entity_type), EntityType(row.entity_type)
        of_day = found.setdefault(key, EntityTypeDay(_EPOCH + timedelta(days=row.day), kind))
        if row.measure is Measure.FIELD_WRITTEN:
            of_day.fields_written += row.events
        elif row.measure is Measure.FIELD_OUTCOME:
            of_day.fields_verified += row.events if row.name == FieldOutcomeReason.VERIFIED else 0
        else:
            of_day.jobs += row.events
            of_day.credits += row.credits
            of_day.completed += row.events if row.name == JobStatus.COMPLETED else 0
            of_day.failed += row.events if row.name == JobStatus.FAILED else 0
    return [found[key] for key in sorted(found) if found[key].jobs]


async def count_open_conflicts(organization_id: str) -> int:
    """How many conflicts are open now, whenever they were raised."""
    return await counted_now(organization_id, Measure.CONFLICT_OPEN)


async def count_resolved_conflicts(period: Period) -> int:
    """How many conflicts were resolved in the period."""
    return sum(row.events for row in await counted(period, [Measure.CONFLICT_RESOLVED], []))
