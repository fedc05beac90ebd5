"""The log: read page by page, and followed; of everything, or of records, conflicts, the config or providers."""

from collections.abc import AsyncIterator, Sequence

import strawberry

from enrichment.enums import EntityType as Entity
from models.event.kinds import EventKind
from resolvers.events.follow import watch_events
from resolvers.events.log import EventFilter, cursor_now, list_events
from resolvers.paging import DEFAULT_SIZE, check_id
from schema.base.context import Info
from schema.base.enums import EntityType
from schema.base.streams import closing
from schema.event.event import Event, EventConnection

_AFTER = "With `after`, a cursor of the log (`0`: the oldest that is kept), what came after it comes first."


@strawberry.type
class EventQuery:
    @strawberry.field(
        description="What changed, oldest first: after a cursor, or from the oldest event that is kept. CURSOR_EXPIRED"
        " where the log does not reach back to the cursor."
    )
    async def events(
        self,
        info: Info,
        after: str | None = None,
        first: int | None = DEFAULT_SIZE,
        kinds: list[EventKind] | None = None,
        entity_types: list[EntityType] | None = None,
    ) -> EventConnection:
        wanted = EventFilter(tuple(kinds or ()), tuple(entity_types or ()))
        return EventConnection.of(await list_events(info.context, wanted, after=after, first=first), after=after)

    @strawberry.field(
        description="The end of the log now. Read what you keep after this, then follow from here, and nothing is"
        " missed."
    )
    async def event_cursor(self, info: Info) -> str:
        return str(await cursor_now(info.context))


def _of(noun: str) -> tuple[EventKind, ...]:
    return tuple(kind for kind in EventKind if kind.startswith(f"{noun}."))


@strawberry.type
class EventSubscription:
    @strawberry.subscription(description=f"Every event of the log from now on. {_AFTER}")
    async def events(
        self,
        info: Info,
        after: str | None = None,
        kinds: list[EventKind] | None = None,
        entity_types: list[EntityType] | None = None,
    ) -> AsyncIterator[Event]:
        async with closing(_watch(info, tuple(kinds or ()), tuple(entity_types or ()), after=after)) as events:
            async for event in events:
                yield event

    @strawberry.subscription(
        description=f"Records that are created, changed, enriched or erased from now on, or one alone. {_AFTER}"
    )
    async def record_changed(
        self,
        info: Info,
        entity_type: EntityType | None = None,
        record_id: strawberry.ID | None = None,
        after: str | None = None,
    ) -> AsyncIterator[Event]:
        one = None if record_id is None else check_id(str(record_id), path="recordId")
        async with closing(_watch(info, _of("record"), _one(entity_type), record_id=one, after=after)) as events:
            async for event in events:
                yield event

    @strawberry.subscription(
        description=f"Conflicts that are raised, resolved, superseded or reopened from now on. {_AFTER}"
    )
    async def conflict_changed(
        self, info: Info, entity_type: EntityType | None = None, after: str | None = None
    ) -> AsyncIterator[Event]:
        async with closing(_watch(info, _of("conflict"), _one(entity_type), after=after)) as events:
            async for event in events:
                yield event

    @strawberry.subscription(description=f"Changes of the configuration from now on. {_AFTER}")
    async def config_changed(self, info: Info, after: str | None = None) -> AsyncIterator[Event]:
        async with closing(_watch(info, _of("config"), after=after)) as events:
            async for event in events:
                yield event

    @strawberry.subscription(
        description=f"Providers that are asked no more, or again, or for another reason not, from now on. {_AFTER}"
    )
    async def provider_changed(self, info: Info, after: str | None = None) -> AsyncIterator[Event]:
        async with closing(_watch(info, _of("provider"), after=after)) as events:
            async for event in events:
                yield event


def _one(entity_type: Entity | None) -> tuple[Entity, ...]:
    return () if entity_type is None else (entity_type,)


async def _watch(
    info: Info,
    kinds: Sequence[EventKind],
    entity_types: Sequence[Entity] = (),
    *,
    record_id: str | None = None,
    after: str | None,
) -> AsyncIterator[Event]:
    wanted = EventFilter(kinds, entity_types, record_id)
    async with closing(watch_events(info.context, wanted, after=info.context.after(after))) as events:
        async for event in events:
            info.context.message.at(event.cursor)
            yield Event.of(event)
