"""What the filters of rows that belong to records, as jobs and conflicts do, have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tortoise.models import Model
from tortoise.queryset import QuerySet

from enrichment.enums import EntityType
from models.db.columns import EPOCH, first_id_of
from models.db.where import Where

M = TypeVar("M", bound=Model)
_CLOCKS_DIFFER = timedelta(days=1)  # at most, between a machine that makes ids and the database
_FAR_AHEAD = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedFilter:
    """Which rows, by their record and by when they were created.

    None and an empty tuple let every row through. Both times are exclusive.
    """

    entity_types: tuple[EntityType, ...] = ()
    external_id: str | None = None
    record_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def conditions(self) -> dict[str, Any]:
        """The conditions of the filter in Tortoise's spelling, for `narrow`."""
        return {
            "entity_type__in": self.entity_types,
            "record__external_id": self.external_id,
            "record_id": self.record_id,
            "created_at__gt": self.created_after,
            "created_at__lt": self.created_before,
        }


def created_between(filter: RelatedFilter) -> Where:
    """Bounds of ids for the rows that a filter finds by when they were created.

    Ids are in order of creation, by the clock of the machine that made them: a row's own moment still has to be looked
    at. An index by id then finds the rows of a time long ago without passing by all that came since.
    """
    bounds = Where()
    if filter.created_after is not None:
        bounds += Where(" AND id >= ?", (first_id_of(max(filter.created_after, EPOCH) - _CLOCKS_DIFFER),))
    if filter.created_before is not None:
        bounds += Where(" AND id < ?", (first_id_of(min(filter.created_before, _FAR_AHEAD) + _CLOCKS_DIFFER),))
    return bounds


def narrow(rows: QuerySet[M], conditions: Mapping[str, Any]) -> QuerySet[M]:
    """The rows for which all the conditions hold. One that is None or an empty tuple is left out."""
    given = {name: value for name, value in conditions.items() if value is not None and value != ()}
    return rows.filter(**given)
