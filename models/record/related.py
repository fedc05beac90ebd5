"""What the filters of rows that belong to records, as jobs and conflicts do, have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tortoise.models import Model
from tortoise.queryset import QuerySet

from enrichment.enums import EntityType
from models.db.columns import EPOCH, first_id_of, to_micros
from models.db.where import Where

M = TypeVar("M", bound=Model)
CLOCKS_DIFFER = timedelta(days=1)  # at most, between a machine that makes ids and the database
FAR_AHEAD = datetime(9000, 1, 1, tzinfo=UTC)


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
        """What the filter says besides the times, in Tortoise's spelling, for `narrow` and `where`."""
        return {
            "entity_type__in": self.entity_types,
            "record__external_id": self.external_id,
            "record_id": self.record_id,
        }

    def times(self) -> dict[str, Any]:
        """What the filter says of when the rows were created, in the same spelling."""
        return {"created_at__gt": self.created_after, "created_at__lt": self.created_before}


def created_between(filter: RelatedFilter) -> Where:
    """The condition of the times that a filter names, by which an index by id finds the newest rows of a time.

    Ids are in order of creation, by the clock of the machine that made them, so that bounds of ids let an index pass by
    nothing that came before or since; a row's own moment is looked at besides. What is compared is `created_at + 0`:
    the planner takes both bounds for independent, and would expect next to no rows of those that are most, read all of
    the time and sort them, instead of the newest alone.
    """
    bounds = Where()
    if filter.created_after is not None:
        after = max(filter.created_after, EPOCH)
        bounds += Where(" AND id >= ? AND created_at + 0 > ?", (first_id_of(after - CLOCKS_DIFFER), to_micros(after)))
    if filter.created_before is not None:
        before = min(max(filter.created_before, EPOCH), FAR_AHEAD)
        bounds += Where(" AND id < ? AND created_at + 0 < ?", (first_id_of(before + CLOCKS_DIFFER), to_micros(before)))
    return bounds


def narrow(rows: QuerySet[M], conditions: Mapping[str, Any]) -> QuerySet[M]:
    """The rows for which all the conditions hold. One that is None or an empty tuple is left out."""
    given = {name: value for name, value in conditions.items() if value is not None and value != ()}
    return rows.filter(**given)
