"""Freshness: how fast the organization's fields change, and whom the scheduled refresh takes next."""

from datetime import date, datetime
from typing import Self

import strawberry

from enrichment.learn.half_life import YEAR_DAYS
from resolvers.paging import DEFAULT_SIZE, PageArgs
from resolvers.refresh import api as refresh_day
from resolvers.refresh import freshness as operations
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import EntityType
from schema.record.record import Record


@strawberry.type(description="How fast one field changes: after one half-life, half of its values still hold.")
class FieldFreshness:
    entity_type: EntityType
    field: str
    half_life_days: float = strawberry.field(description="By the prior and what was seen.")
    low_days: float = strawberry.field(description="The true one lies above this in 39 of 40 cases.")
    high_days: float = strawberry.field(description="The true one lies below this in 39 of 40 cases.")
    prior_days: float = strawberry.field(description="What was assumed before anything was seen.")
    changes: int = strawberry.field(description="Changes of values that were seen.")
    observed_years: float = strawberry.field(description="How long values were watched, all together.")
    fitted_at: datetime | None = strawberry.field(description="Null: not yet, this is the prior.")

    @classmethod
    def of(cls, view: operations.FieldFreshness) -> Self:
        half_life = view.half_life
        return cls(
            entity_type=view.entity_type,
            field=view.field,
            half_life_days=half_life.days,
            low_days=half_life.low_days,
            high_days=half_life.high_days,
            prior_days=half_life.prior_days,
            changes=half_life.changes,
            observed_years=half_life.observed_days / YEAR_DAYS,
            fitted_at=view.fitted_at,
        )


@strawberry.type(description="A record that is to be refreshed.")
class PlannedRefresh:
    record: Record
    staleness: float = strawberry.field(
        description="How many of enrichment's values are expected to hold no longer; under a budget, for each credit."
    )

    @classmethod
    def of(cls, view: refresh_day.PlannedRefresh) -> Self:
        return cls(record=Record.of(view.record), staleness=view.staleness)


@strawberry.type(description="The scheduled refreshes of today (UTC).")
class RefreshDay:
    day: date
    credit_budget: int | None
    credits_spent: int = strawberry.field(description="With what calls in flight hold.")
    records_started: int
    records_planned: int = strawberry.field(description="Ranked, and not started yet.")
    planned_at: datetime | None

    @classmethod
    def of(cls, view: refresh_day.RefreshDay) -> Self:
        return copied(cls, view, credits_spent=view.spent, records_started=view.started, records_planned=view.planned)

    @strawberry.field(description="Who comes next, the stalest first.")
    async def next(self, info: Info, first: int | None = DEFAULT_SIZE) -> list[PlannedRefresh]:
        found = await refresh_day.next_refreshes(info.context, PageArgs(first=first).size())
        return [PlannedRefresh.of(view) for view in found]


@strawberry.type
class FreshnessQuery:
    @strawberry.field(description="What the scheduled refresh does today, and who comes next.")
    async def refresh(self, info: Info) -> RefreshDay:
        return RefreshDay.of(await refresh_day.get_refresh_day(info.context))

    @strawberry.field(description="The half-life of every field, fitted daily from the organization's own changes.")
    async def freshness(self, info: Info) -> list[FieldFreshness]:
        return [FieldFreshness.of(view) for view in await operations.list_freshness(info.context)]
