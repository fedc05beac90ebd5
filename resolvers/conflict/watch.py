"""Watching conflicts as they are raised, or opened again."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from enrichment.enums import EntityType
from models.conflict.queries import conflicts_by_id
from models.conflict.table import Conflict
from models.event.cursor import EventCursor
from models.event.kinds import EventKind
from resolvers.context import Context, Role
from resolvers.events.follow import REREAD_SECONDS, follow, start_of
from resolvers.events.log import EventFilter

_OPENED = (EventKind.CONFLICT_RAISED, EventKind.CONFLICT_REOPENED)


async def watch_conflicts(
    ctx: Context, entity_type: EntityType | None = None, *, after: str | None = None
) -> AsyncIterator[tuple[Conflict, EventCursor]]:
    """Each conflict as it is raised or opened again, once, as it is now; after a cursor of the log, or from now on.

    One that was erased meanwhile is left out. Raises BadRequest and CursorExpired.
    """
    organization_id = ctx.require(Role.VIEWER).organization_id
    wanted = EventFilter(_OPENED, () if entity_type is None else (entity_type,))
    async with ctx.services.events.watch(organization_id, reread_every=REREAD_SECONDS) as notices:
        start = await start_of(organization_id, after)
        async with aclosing(follow(organization_id, start, notices)) as followed:
            async for read in followed:
                opened = [event for event in read.events if wanted.lets_through(event)]
                found = await conflicts_by_id(organization_id, list({e.conflict_id for e in opened if e.conflict_id}))
                for event in opened:
                    if event.conflict_id in found:
                        yield found[event.conflict_id], event.cursor
