"""When enrichment starts by itself, and for which records."""

from typing import Annotated

from pydantic import Field, StrictBool

from enrichment.config.part import MAX_LIMIT, Confidence, Credits, Part
from enrichment.enums import EntityType


class Triggers(Part):
    """When enrichment starts by itself. `refresh_after_days`: None means never."""

    on_create: StrictBool = True
    on_update: StrictBool = True
    refresh_after_days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = None


class Refresh(Part):
    """How far a scheduled refresh goes; `triggers.refresh_after_days` starts it, for records that old.

    `credit_budget`: most credits that the refreshes of one day (UTC) may cost together. `min_freshness`: records
    that are fresher than this (0-1) are left alone; None: their age alone decides. `max_per_day`: most records a day.
    """

    credit_budget: Credits | None = None
    min_freshness: Confidence | None = None
    max_per_day: Annotated[int, Field(ge=1, le=MAX_LIMIT, strict=True)] | None = None


class EntityTypes(Part):
    """Whether records of each type are enriched at all."""

    lead: StrictBool = True
    contact: StrictBool = True
    account: StrictBool = True

    def allows(self, entity_type: EntityType) -> bool:
        allowed: bool = getattr(self, entity_type.value)
        return allowed
