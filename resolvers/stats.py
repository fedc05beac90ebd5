"""What enrichment achieved: jobs, match rate, fill rates, providers, reasons and conflicts of a period."""

from dataclasses import dataclass
from datetime import date, datetime

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus
from models import stats
from models.db.period import Period
from models.record.queries import count_records
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault
from resolvers.organizations import organization_of


@dataclass(frozen=True, slots=True)
class FieldFillRate:
    """The share (0-1) of jobs whose record had this field filled, before and after. `records` is how many jobs."""

    entity_type: EntityType
    field: str
    before: float
    after: float
    records: int


@dataclass(frozen=True, slots=True)
class ProviderStats:
    """How one provider did. Latencies in milliseconds, of the calls really made; credits charged."""

    provider: str
    asked: int
    matched: int
    no_match: int
    errors: int
    skipped: int
    latency_p50_ms: int | None
    latency_p95_ms: int | None
    credits: int


@dataclass(frozen=True, slots=True)
class DayStats:
    """Jobs created on one day (UTC), how they ended, and what they wrote, found unchanged and cost."""

    day: date
    jobs: int
    completed: int
    failed: int
    fields_written: int
    fields_verified: int
    credits: int


@dataclass(frozen=True, slots=True)
class Stats:
    """The jobs created in a period. Rates are 0 to 1 and None where nothing was counted.

    `match_rate`: jobs whose record some provider knew, of those where any was asked. The fill rates are over
    all enrichable fields. `field_outcomes` counts every wanted field of every ended job under one reason;
    `fields_verified` is one of these: values that a source saw again, unchanged.
    """

    records: int
    jobs_by_status: dict[JobStatus, int]
    match_rate: float | None
    fill_rate_before: float | None
    fill_rate_after: float | None
    fill_rates: list[FieldFillRate]
    providers: list[ProviderStats]
    field_outcomes: dict[FieldOutcomeReason, int]
    conflicts_open: int
    conflicts_resolved: int
    credits_used: int
    fields_verified: int
    by_day: list[DayStats]


async def get_stats(ctx: Context, start: datetime | None = None, end: datetime | None = None) -> Stats:
    """Statistics of the jobs created from `start` (inclusive) to `end` (exclusive); by default of all."""
    caller = ctx.require(Role.VIEWER)
    if start is not None and end is not None and start >= end:
        raise BadRequest("from must be before to", faults=[Fault("from", "must be before to")])
    await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now())
    period = Period(caller.organization_id, start, end)
    jobs = await stats.job_counts(period)
    rates = _fill_rates(jobs)
    slots = sum(rate.records for rate in rates)
    return Stats(
        records=await count_records(caller.organization_id),
        jobs_by_status=dict(jobs.by_status),
        match_rate=jobs.matched / jobs.asked if jobs.asked else None,
        fill_rate_before=sum(rate.before * rate.records for rate in rates) / slots if slots else None,
        fill_rate_after=sum(rate.after * rate.records for rate in rates) / slots if slots else None,
        fill_rates=rates,
        providers=[_provider(calls) for calls in await stats.calls_by_provider(period)],
        field_outcomes=dict(jobs.outcomes),
        conflicts_open=await stats.count_open_conflicts(caller.organization_id),
        conflicts_resolved=await stats.count_resolved_conflicts(period),
        credits_used=jobs.credits,
        fields_verified=jobs.outcomes[FieldOutcomeReason.VERIFIED],
        by_day=await _by_day(period),
    )


async def providers_by_day(ctx: Context, start: datetime | None, end: datetime | None) -> list[stats.ProviderDay]:
    """The lookups of the jobs of a period (see `get_stats`) by day and provider."""
    return await stats.providers_by_day(Period(ctx.require(Role.VIEWER).organization_id, start, end))


async def entity_types_by_day(ctx: Context, start: datetime | None, end: datetime | None) -> list[stats.EntityTypeDay]:
    """The jobs of a period (see `get_stats`) by day and type of record."""
    return await stats.entity_types_by_day(Period(ctx.require(Role.VIEWER).organization_id, start, end))


def _fill_rates(jobs: stats.JobCounts) -> list[FieldFillRate]:
    return [
        FieldFillRate(
            entity_type,
            field.name,
            jobs.filled_before.get((entity_type, field.name), 0) / jobs.ran_by_type[entity_type],
            jobs.filled_after.get((entity_type, field.name), 0) / jobs.ran_by_type[entity_type],
            jobs.ran_by_type[entity_type],
        )
        for entity_type in EntityType
        if jobs.ran_by_type.get(entity_type)
        for field in fields_of(entity_type).values()
        if field.enrichable
    ]


def _provider(calls: stats.ProviderCalls) -> ProviderStats:
    return ProviderStats(
        provider=calls.provider,
        asked=calls.asked,
        matched=calls.matched,
        no_match=calls.no_match,
        errors=calls.errors,
        skipped=calls.skipped,
        latency_p50_ms=calls.p50,
        latency_p95_ms=calls.p95,
        credits=calls.credits,
    )


async def _by_day(period: Period) -> list[DayStats]:
    return [
        DayStats(
            day=day.day,
            jobs=day.jobs,
            completed=day.completed,
            failed=day.failed,
            fields_written=day.fields_written,
            fields_verified=day.fields_verified,
            credits=day.credits,
        )
        for day in await stats.counts_by_day(period)
    ]
