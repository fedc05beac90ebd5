"""Reading an organization's log: pages of single events, each after the cursor of one before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from enrichment.enums import EntityType
from models.event.cursor import LAST_PART, OLDEST, EventCursor
from models.event.kinds import EventKind
from models.event.read import end_of, ends_of, rows_after
from models.event.single import STANDING_FOR, SingleEvent, single_events
from models.record.queries import external_ids_of
from resolvers.context import Caller, Context, Role
from resolvers.errors import BadRequest, CursorExpired, Fault
from resolvers.paging import PageArgs

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: all that is given must hold, and of a list any one. An empty list lets all through."""

    kinds: Sequence[EventKind] = ()
    entity_types: Sequence[EntityType] = ()
    record_id: str | None = None

    def lets_through(self, event: SingleEvent) -> bool:
        return (
            (not self.kinds or event.kind in self.kinds)
            and (not self.entity_types or event.entity_type in self.entity_types)
            and (self.record_id is None or event.record_id == self.record_id)
        )

    @property
    def row_kinds(self) -> set[EventKind]:
        """The kinds of rows that may stand for such events; none: all."""
        return {row for kind in self.kinds for row in (kind, *STANDING_FOR.get(kind, ()))}


ALL_EVENTS = EventFilter()


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order. `end`: the cursor up to which all has been looked at. `more`: there is more to read now.

    `held`: there is more, which may be read once a transaction that is under way has ended.
    """

    events: Sequence[SingleEvent]
    end: EventCursor
    more: bool
    held: bool


async def read_page(organization_id: str, after: EventCursor, most: int, wanted: EventFilter = ALL_EVENTS) -> EventPage:
    """The next events after a cursor, `most` at most."""
    found: list[SingleEvent] = []
    begin = end = after
    while True:
        rows = await rows_after(
            organization_id, begin, ROWS_AT_ONCE, kinds=wanted.row_kinds, entity_types=wanted.entity_types
        )
        for row in rows.rows:
            for event in single_events(row):
                if event.cursor > after and wanted.lets_through(event):
                    if len(found) == most:
                        return EventPage(found, end, more=True, held=False)
                    found.append(event)
                end = max(end, event.cursor)
        if not rows.more:
            return EventPage(found, end, more=False, held=rows.held)
        begin = EventCursor(rows.rows[-1].position, rows.rows[-1].number, LAST_PART)


async def check_cursor(organization_id: str, text: str, path: str = "after") -> EventCursor:
    """The cursor that a client sent. Raises BadRequest for what is none, and CursorExpired."""
    cursor = EventCursor.read(text.strip())
    if cursor is None:
        message = "not a cursor of the log"
        raise BadRequest(f"{path}: {message}", faults=[Fault(path, message)])
    if not (await ends_of(organization_id)).has(cursor):
        raise CursorExpired(path)
    return cursor


async def list_events(ctx: Context, wanted: EventFilter, *, after: str | None, first: int | None) -> EventPage:
    """A page of the log, oldest first; without a cursor from the oldest event that is kept.

    Raises BadRequest for a size or cursor that cannot be, and CursorExpired.
    """
    caller = ctx.require(Role.VIEWER)
    size = PageArgs(first=first).size()
    cursor = OLDEST if after is None else await check_cursor(caller.organization_id, after)
    page = await read_page(caller.organization_id, cursor, size, wanted)
    return replace(page, events=[shown_to(caller, event) for event in page.events])


async def cursor_now(ctx: Context) -> EventCursor:
    """The end of the log now: whatever is written from now on comes after it."""
    return (await end_of(ctx.require(Role.VIEWER).organization_id)).cursor


async def external_ids(ctx: Context, events: Sequence[SingleEvent]) -> dict[str, str]:
    """The external ids of the records that these events are about, by id, of those that are still there."""
    ids = list({event.record_id for event in events if event.record_id is not None})
    return await external_ids_of(ctx.require(Role.VIEWER).organization_id, ids)


def shown_to(caller: Caller, event: SingleEvent) -> SingleEvent:
    """The event as this caller may see it: certificates of erasures are an admin's."""
    if event.certificate_id is None or caller.role.covers(Role.ADMIN):
        return event
    return replace(event, certificate_id=None)
