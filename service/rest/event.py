"""`/events`: what changed, page by page, by waiting for more, or as a stream of server-sent events."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from enrichment.enums import EntityType
from models.event.kinds import EventKind
from models.event.single import SingleEvent
from resolvers.context import Context, Role
from resolvers.errors import OperationError
from resolvers.events.follow import REREAD_SECONDS, follow, start_of
from resolvers.events.log import EventFilter, external_ids, list_events, shown_to
from service.http.event_stream import HEARTBEAT_SECONDS, STREAM, stream
from service.http.json import dump, respond
from service.rest.operation import Parameter, RestOperation, RouteAnswer
from service.rest.paging import next_link
from service.rest.parameters import LIMIT, choice
from service.rest.query import QueryParameters
from service.rest.shapes import event as shape
from service.rest.shapes.event import Event

MOST_WAIT_SECONDS = 30


async def list_or_stream(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    wanted = EventFilter(query.choices("kinds", EventKind) or (), query.choices("entityTypes", EntityType) or ())
    after, wait, page = query.text("after"), query.seconds("wait", MOST_WAIT_SECONDS), query.page()
    query.check()
    if STREAM in request.headers.get("accept", ""):
        return await _stream(ctx, wanted, request.headers.get("last-event-id") or after)
    found = await list_events(ctx, wanted, after=after, first=page.first)
    if not found.events and not found.more and wait:
        async with ctx.services.events.watch(_organization(ctx), reread_every=REREAD_SECONDS) as notices:
            ends_at = time.monotonic() + wait
            found = await list_events(ctx, wanted, after=after, first=page.first)
            while not found.events and (left := ends_at - time.monotonic()) > 0:
                await notices.next_within(min(left, REREAD_SECONDS if not found.held else 0.05))
                found = await list_events(ctx, wanted, after=str(found.end), first=page.first)
    return respond(
        await _shown(ctx, found.events),
        headers={"Link": next_link(request, "after", str(found.end))},
    )


def _organization(ctx: Context) -> str:
    return ctx.require(Role.VIEWER).organization_id


async def _shown(ctx: Context, events: Sequence[SingleEvent]) -> list[Event]:
    named = await external_ids(ctx, events)
    return [Event.of(event, named.get(event.record_id or "")) for event in events]


async def _stream(ctx: Context, wanted: EventFilter, after: str | None) -> Response:
    """The stream, once it is known where it begins: what is refused is refused as a problem."""
    start = await start_of(_organization(ctx), after)

    async def lines() -> AsyncGenerator[bytes]:
        try:
            yield b": events\nretry: 1000\n" + _position(str(start.cursor))
            async with (
                ctx.services.events.watch(_organization(ctx), reread_every=HEARTBEAT_SECONDS) as watcher,
                aclosing(follow(_organization(ctx), start, watcher)) as followed,
            ):
                async for read in followed:
                    events = [shown_to(ctx.require(Role.VIEWER), e) for e in read.events if wanted.lets_through(e)]
                    text = b"".join([_message(event) for event in await _shown(ctx, events)])
                    if text or read.notice is None or read.notice.gap:
                        yield text + _position(str(read.cursor))
        except OperationError:
            return  # the service stops: the client comes back with its last id

    return stream(ctx.require(Role.VIEWER), lines())


def _message(event: Event) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.cursor.encode(), event.kind.encode(), dump(event))


def _position(cursor: str) -> bytes:
    """Where the stream is, without an event: a client that is cut off now goes on from here."""
    return b"id: %b\n\n" % cursor.encode()


def _parameter(name: str, description: str, schema: dict[str, Any], *, index: str = "query") -> Parameter:
    return Parameter(name=name, description=description, schema=schema, index=index)


OPERATIONS = (
    RestOperation(
        method="GET",
        path="/events",
        handler=list_or_stream,
        id="listEvents",
        tag="Events",
        summary="Read or follow what changed",
        description=(
            "Oldest first: what came after the cursor, or from the oldest event that is kept. `Link` always leads on,"
            " also from an empty answer; with `wait` the answer is held back until there is something. With"
            " `Accept: text/event-stream` the events are streamed: from now on, or after `Last-Event-ID` (or `after`;"
            " `0` is the oldest that is kept)."
        ),
        parameters=(
            _parameter("after", "A cursor of the log; `0`: the oldest that is kept.", {"type": "string"}),
            _parameter(
                "wait",
                "Seconds to wait for something where there is nothing yet.",
                {"type": "integer", "minimum": 0, "maximum": MOST_WAIT_SECONDS, "default": 0},
            ),
            choice("kinds", EventKind, "Which events:"),
            choice("entityTypes", EntityType, "Events of which entity types:"),
            LIMIT,
            _parameter("Last-Event-ID", "Where a stream goes on.", {"type": "string"}, index="header"),
        ),
        answer=RouteAnswer(description="What changed", shape=list[Event], example=[shape.EXAMPLE], headers=("Link",)),
        refusals=("CURSOR_EXPIRED",),
    ),
)
