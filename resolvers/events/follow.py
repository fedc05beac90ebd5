"""Following an organization's log: what it has after a cursor, then what is added, without a gap and without doubles.

Notices only wake who follows; a lost one costs `REREAD_SECONDS` at most.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass

from models.event.cursor import EventCursor
from models.event.read import LogEnd, end_of
from models.event.single import SingleEvent
from resolvers.context import Context, Role
from resolvers.events.feed import Watcher
from resolvers.events.log import ALL_EVENTS, ROWS_AT_ONCE, EventFilter, EventPage, check_cursor, read_page, shown_to
from resolvers.events.notice import Notice

REREAD_SECONDS = 5.0
_HELD_SECONDS = (0.02, 1.0)  # first and longest wait for a transaction that keeps later ones from being read


@dataclass(frozen=True, slots=True)
class Followed:
    """What a reading has brought: events in order, the cursor after them, and the notice that led to it.

    `caught_up`: nothing more could be read then.
    """

    events: list[SingleEvent]
    cursor: EventCursor
    notice: Notice | None
    caught_up: bool


async def start_of(organization_id: str, after: str | None, path: str = "after") -> LogEnd:
    """Where to begin: after this cursor, or now. Raises BadRequest and CursorExpired."""
    if after is None:
        return await end_of(organization_id)
    return LogEnd(await check_cursor(organization_id, after, path), frozenset())


async def follow(organization_id: str, start: LogEnd, notices: Watcher) -> AsyncGenerator[Followed]:
    """What was written since `start`, then what each notice leads to, which may be nothing.

    The log is read before the first notice is waited for. Raises Unavailable once the service stops.
    """
    cursor, notice, held_for = start.cursor, None, 0.0
    while True:
        page = await _read(organization_id, cursor, notice)
        cursor = page.end
        events = [event for event in page.events if (event.cursor.position, event.cursor.number) not in start.seen]
        if events and notice is not None:
            notices.when_read(events[0].at)
        yield Followed(events, cursor, notice, caught_up=not page.more)
        if page.more:
            continue
        first, longest = _HELD_SECONDS
        held_for = min(max(held_for * 2, first), longest) if page.held else 0.0
        notice = await (notices.next_within(held_for) if page.held else anext(notices))


async def _read(organization_id: str, after: EventCursor, notice: Notice | None) -> EventPage:
    """The next page, read once for all who got this notice and are as far."""

    def read() -> Awaitable[EventPage]:
        return read_page(organization_id, after, ROWS_AT_ONCE)

    return await (read() if notice is None else notice.once(f"log after {after}", read))


async def watch_events(
    ctx: Context, wanted: EventFilter = ALL_EVENTS, *, after: str | None = None
) -> AsyncIterator[SingleEvent]:
    """The events that the filter lets through: after a cursor of the log, or from now on.

    Raises BadRequest and CursorExpired.
    """
    caller = ctx.require(Role.VIEWER)
    async with ctx.services.events.watch(caller.organization_id, reread_every=REREAD_SECONDS) as notices:
        start = await start_of(caller.organization_id, after)
        async with aclosing(follow(caller.organization_id, start, notices)) as followed:
            async for read in followed:
                for event in read.events:
                    if wanted.lets_through(event):
                        yield shown_to(caller, event)
