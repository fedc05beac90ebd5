"""Statistics: what enrichment did in a period."""

from datetime import date, datetime
from typing import Annotated, Self

import strawberry

from models import stats as models
from resolvers import stats as operations
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import EntityType, FieldOutcomeReason, JobStatus
from schema.base.node import NO_BOUNDS, Bounds, Node, id_of_period


@strawberry.type
class JobStatusCount:
    status: JobStatus
    count: int


@strawberry.type
class FieldOutcomeCount:
    reason: FieldOutcomeReason
    count: int


@strawberry.type(description="How often one field was filled, before enrichment and after.")
class FieldFillRate:
    entity_type: EntityType
    field: str
    before: float = strawberry.field(description="From 0 to 1.")
    after: float = strawberry.field(description="From 0 to 1.")
    records: int

    @classmethod
    def of(cls, rate: operations.FieldFillRate) -> Self:
        return copied(cls, rate)


@strawberry.type(description="How one provider did.")
class ProviderStats:
    provider: str
    asked: int
    matched: int
    no_match: int
    errors: int
    skipped: int
    latency_p50_ms: int | None
    latency_p95_ms: int | None
    credits: int

    @classmethod
    def of(cls, stats: operations.ProviderStats) -> Self:
        return copied(cls, stats)


@strawberry.type(description="What was done on one day (UTC).")
class DayStats:
    day: date
    jobs: int
    completed: int
    failed: int
    fields_written: int
    fields_verified: int
    credits: int

    @classmethod
    def of(cls, day: operations.DayStats) -> Self:
        return copied(cls, day)


@strawberry.type(description="What one provider did for the jobs that were created on one day (UTC).")
class ProviderDayStats:
    day: date
    provider: str
    asked: int
    matched: int
    errors: int
    credits: int

    @classmethod
    def of(cls, day: models.ProviderDay) -> Self:
        return copied(cls, day)


@strawberry.type(description="What was done on one day (UTC) for one type of records.")
class EntityTypeDayStats:
    day: date
    entity_type: EntityType
    jobs: int
    completed: int
    failed: int
    fields_written: int
    fields_verified: int
    credits: int

    @classmethod
    def of(cls, day: models.EntityTypeDay) -> Self:
        return copied(cls, day)


@strawberry.type(description="What enrichment did in a period.")
class Stats(Node):
    id: strawberry.ID = strawberry.field(
        resolver=id_of_period("stats"), description="The organization's own, one for each period that is asked for."
    )
    records: int
    jobs_by_status: list[JobStatusCount]
    match_rate: float | None = strawberry.field(description="Share of the jobs that a provider knew.")
    fill_rate_before: float | None
    fill_rate_after: float | None
    fill_rates: list[FieldFillRate]
    providers: list[ProviderStats]
    field_outcomes: list[FieldOutcomeCount]
    conflicts_open: int
    conflicts_resolved: int
    credits_used: int
    fields_verified: int = strawberry.field(description="Values that a source saw again, unchanged.")
    by_day: list[DayStats]
    asked: strawberry.Private[Bounds]

    @strawberry.field(description="`byDay` apart by provider: days on which each was asked.")
    async def by_day_and_provider(self, info: Info) -> list[ProviderDayStats]:
        return [ProviderDayStats.of(day) for day in await operations.providers_by_day(info.context, *self.asked)]

    @strawberry.field(description="`byDay` apart by entity type.")
    async def by_day_and_entity_type(self, info: Info) -> list[EntityTypeDayStats]:
        return [EntityTypeDayStats.of(day) for day in await operations.entity_types_by_day(info.context, *self.asked)]

    @classmethod
    def of(cls, stats: operations.Stats, asked: Bounds = NO_BOUNDS) -> Self:
        return copied(
            cls,
            stats,
            jobs_by_status=[
                JobStatusCount(status=status, count=stats.jobs_by_status.get(status, 0)) for status in JobStatus
            ],
            fill_rates=[FieldFillRate.of(rate) for rate in stats.fill_rates],
            providers=[ProviderStats.of(provider) for provider in stats.providers],
            field_outcomes=[
                FieldOutcomeCount(reason=reason, count=stats.field_outcomes.get(reason, 0))
                for reason in FieldOutcomeReason
            ],
            by_day=[DayStats.of(day) for day in stats.by_day],
            asked=asked,
        )


@strawberry.type
class StatsQuery:
    @strawberry.field(description="What was done in a period; without one in all time.")
    async def stats(
        self,
        info: Info,
        start: Annotated[datetime | None, strawberry.argument(name="from")] = None,
        end: Annotated[datetime | None, strawberry.argument(name="to")] = None,
    ) -> Stats:
        return Stats.of(await operations.get_stats(info.context, start, end), (start, end))
