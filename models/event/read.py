"""Reading the log: rows in order, and never past one that may still get a neighbour before it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.enums import EntityType
from models.db.connection import dialect
from models.db.rows import Json, fetch, query_row
from models.db.statements import marks, query
from models.event.cursor import LAST_PART, OLDEST, EventCursor
from models.event.kinds import EventKind


@query_row
class EventRow:
    """A row of the log. `settled`: every transaction that could write a row before it has ended."""

    position: int
    number: int
    at: datetime
    kind: EventKind
    entity_type: EntityType | None
    record_id: str | None
    data: Json[dict[str, Any]]
    settled: bool


@dataclass(frozen=True, slots=True)
class EventRows:
    """Rows in order. `more`: there are others, which may be read now.

    `held`: there are others, which wait until a transaction that began before them has ended.
    """

    rows: list[EventRow]
    more: bool
    held: bool


@dataclass(frozen=True, slots=True)
class LogEnds:
    """Where a log begins and ends: the last row that was pruned, if any, and the last position that there can be."""

    floor: tuple[int, int] | None
    last: int

    def has(self, cursor: EventCursor) -> bool:
        """Whether all that comes after the cursor is in the log."""
        if cursor == OLDEST:
            return True
        reached = self.floor is None or (cursor.position, cursor.number) >= self.floor
        return reached and cursor.position <= self.last


HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
"""On PostgreSQL: rows at smaller positions may be read; others may still get a neighbour before them."""


async def rows_after(
    organization_id: str,
    after: EventCursor,
    most: int,
    *,
    kinds: Collection[EventKind] = (),
    entity_types: Collection[EntityType] = (),
) -> EventRows:
    """The next rows from the one that the cursor names on (`most` at most), of these kinds and types; none: of all."""
    settled = "TRUE" if dialect() == "sqlite" else f"position < {HORIZON}"
    of_kind = f" AND kind IN ({marks(kinds)})" if kinds else ""
    of_type = f" AND entity_type IN ({marks(entity_types)})" if entity_types else ""
    found = await fetch(
        EventRow,
        f"SELECT position, number, at, kind, entity_type, record_id, data, {settled} AS settled FROM event"
        f" WHERE organization_id = ? AND (position, number) >= (?, ?){of_kind}{of_type}"
        " ORDER BY position, number LIMIT ?",
        [organization_id, after.position, after.number, *kinds, *entity_types, most + 1],
    )
    rows = [row for row in found if row.settled]
    return EventRows(rows[:most], more=len(rows) > most, held=len(rows) < len(found))


async def ends_of(organization_id: str) -> LogEnds:
    """Where the log of an organization begins and ends."""
    pruned = await query("SELECT position, number FROM event_floor WHERE organization_id = ?", [organization_id])
    floor = (pruned[0]["position"], pruned[0]["number"]) if pruned else None
    if dialect() == "sqlite":
        [found] = await query("SELECT MAX(position) AS last FROM event WHERE organization_id = ?", [organization_id])
    else:
        [found] = await query("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS last")
    return LogEnds(floor, max(found["last"] or 0, floor[0] if floor else 0))


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The end of a log at a moment: what comes after `cursor` is new, but for the rows `seen`, which were there."""

    cursor: EventCursor
    seen: frozenset[tuple[int, int]]


async def end_of(organization_id: str) -> LogEnd:
    """The end of the log now. Whatever commits after this is after it."""
    if dialect() == "sqlite":
        last = (
            "SELECT position, number FROM event WHERE organization_id = ? ORDER BY position DESC, number DESC LIMIT 1"
        )
        pruned = "SELECT position, number FROM event_floor WHERE organization_id = ?"
        found = await query(last, [organization_id]) or await query(pruned, [organization_id])
        position, number = (found[0]["position"], found[0]["number"]) if found else (0, 0)
        return LogEnd(EventCursor(position, number, LAST_PART), frozenset())
    rows = await query(
        f"SELECT {HORIZON} AS horizon, e.position, e.number FROM (SELECT 1) AS once"
        f" LEFT JOIN event e ON e.organization_id = ? AND e.position >= {HORIZON}",
        [organization_id],
    )
    seen = frozenset((row["position"], row["number"]) for row in rows if row["position"] is not None)
    return LogEnd(EventCursor(rows[0]["horizon"], 0, -1), seen)
