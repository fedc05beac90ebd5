"""Statistics as REST shows them."""

from datetime import date
from typing import Annotated, Self

from msgspec import Meta

from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus
from resolvers import stats as operations
from service.http.shape import Count, Part, Shape, Share


class JobStatusCount(Part, frozen=True):
    """Jobs of one status."""

    status: JobStatus
    count: Count


class FieldOutcomeCount(Part, frozen=True):
    """Fields that ended so."""

    reason: FieldOutcomeReason
    count: Count


class FieldFillRate(Shape, frozen=True):
    """The share of records with a value in a field, before and after enrichment."""

    entity_type: EntityType
    field: str
    before: Share
    after: Share
    records: Count


class ProviderStats(Shape, frozen=True):
    """How one provider did."""

    provider: str
    asked: Count
    matched: Count
    no_match: Count
    errors: Count
    skipped: Count
    latency_p50_ms: Count | None
    latency_p95_ms: Count | None
    credits: Count


class DayStats(Shape, frozen=True):
    """One day in UTC."""

    day: date
    jobs: Count
    completed: Count
    failed: Count
    fields_written: Count
    fields_verified: Count
    credits: Count


class Stats(Shape, frozen=True):
    """What enrichment did in a period; rates are null where nothing was counted."""

    records: Count
    jobs_by_status: list[JobStatusCount]
    match_rate: Share | None
    fill_rate_before: Share | None
    fill_rate_after: Share | None
    fill_rates: list[FieldFillRate]
    providers: list[ProviderStats]
    field_outcomes: list[FieldOutcomeCount]
    conflicts_open: Count
    conflicts_resolved: Count
    credits_used: Count
    fields_verified: Annotated[Count, Meta(description="Values that a source saw again, unchanged.")]
    by_day: list[DayStats]

    @classmethod
    def of(cls, stats: operations.Stats) -> Self:
        """Every status and every reason has its count, also where that is 0."""
        return cls.copied(
            stats,
            jobs_by_status=[
                JobStatusCount(status=status, count=stats.jobs_by_status.get(status, 0)) for status in JobStatus
            ],
            fill_rates=[FieldFillRate.copied(rate) for rate in stats.fill_rates],
            providers=[ProviderStats.copied(provider) for provider in stats.providers],
            field_outcomes=[
                FieldOutcomeCount(reason=reason, count=stats.field_outcomes.get(reason, 0))
                for reason in FieldOutcomeReason
            ],
            by_day=[DayStats.copied(day) for day in stats.by_day],
        )


EXAMPLE = Stats.example(
    records=300,
    jobs_by_status=[
        JobStatusCount(status=JobStatus.COMPLETED, count=290),
        JobStatusCount(status=JobStatus.SKIPPED, count=10),
    ],
    match_rate=0.71,
    fill_rate_before=0.34,
    fill_rate_after=0.58,
    fill_rates=[FieldFillRate(entity_type=EntityType.ACCOUNT, field="industry", before=0.2, after=0.75, records=200)],
    providers=[
        ProviderStats.example(
            provider="directory",
            asked=290,
            matched=205,
            no_match=85,
            skipped=10,
            latency_p50_ms=1,
            latency_p95_ms=3,
        )
    ],
    field_outcomes=[
        FieldOutcomeCount(reason=FieldOutcomeReason.WRITTEN, count=1240),
        FieldOutcomeCount(reason=FieldOutcomeReason.VERIFIED, count=15),
        FieldOutcomeCount(reason=FieldOutcomeReason.CONFLICT, count=42),
    ],
    conflicts_open=40,
    conflicts_resolved=2,
    credits_used=60,
    fields_verified=15,
    by_day=[DayStats.example(jobs=300, completed=290, fields_written=1240, fields_verified=15, credits=60)],
)
