"""Freshness: how fast the organization's fields change."""

from datetime import datetime
from typing import Self

import strawberry

from enrichment.half_life import YEAR_DAYS
from resolvers import freshness as operations
from schema.context import Info
from schema.enums import EntityType


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


@strawberry.type
class FreshnessQuery:
    @strawberry.field(description="The half-life of every field, fitted daily from the organization's own changes.")
    async def freshness(self, info: Info) -> list[FieldFreshness]:
        return [FieldFreshness.of(view) for view in await operations.list_freshness(info.context)]
