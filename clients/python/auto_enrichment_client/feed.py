"""The live feed: every event of the organization's log, in order, each once, over cuts, restarts and token renewal.

The log gives each event a cursor. After a cut the feed connects anew, with a token that it asks for anew, and goes on
after the last cursor that it gave out, so that nothing is missed and nothing comes twice.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing
from typing import Any, cast

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from auto_enrichment_client.asynchronous import AsyncClient
from auto_enrichment_client.asynchronous.enums import EntityType, EventKind
from auto_enrichment_client.asynchronous.events import Events, EventsEvents
from auto_enrichment_client.asynchronous.exceptions import GraphQLClientError, GraphQLClientGraphQLMultiError
from auto_enrichment_client.connect import bearer
from auto_enrichment_client.waiting import MOST_SECONDS, pause_of

OLDEST = "0"  # the cursor before the oldest event that is kept
_REFUSED = frozenset({4401, 4403})  # codes with which a socket without a valid token is closed
REFUSED_WITHIN_SECONDS, MOST_REFUSALS = 5.0, 5  # a token that is refused at once so often in a row is no good one
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 30.0


class CursorExpired(Exception):
    """The log does not reach back to the cursor. `start_over` is the cursor of its beginning."""

    def __init__(self, start_over: str) -> None:
        super().__init__("the log does not reach back to this cursor")
        self.start_over = start_over


class FeedRefused(Exception):
    """The service refuses the subscription itself; asking again would not help. `code` is the error's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def live_events(
    url: str,
    token: Callable[[], str],
    *,
    after: str = OLDEST,
    kinds: Sequence[EventKind] | None = None,
    entity_types: Sequence[EntityType] | None = None,
) -> AsyncGenerator[EventsEvents, None]:
    """The events after a cursor, without end. Keep the cursor of the last one that was dealt with, to go on from it.

    `token` is called for each connection, so that a token that ended is replaced by what it returns then. Raises
    CursorExpired, and FeedRefused for what no further try would mend.
    """
    pause, refusals = FIRST_PAUSE_SECONDS, 0
    while True:
        began, told = time.monotonic(), 0.0
        try:
            async with aclosing(_connection(url, token(), after, kinds, entity_types)) as events:
                async for event in events:
                    after, pause, refusals = event.cursor, FIRST_PAUSE_SECONDS, 0
                    yield event
        except GraphQLClientGraphQLMultiError as error:
            told = _raise_final(error)
        except InvalidStatus as error:
            told = pause_of(error.response.status_code, error.response.headers) or 0.0
        except ConnectionClosed as error:
            refused = error.rcvd is not None and error.rcvd.code in _REFUSED
            refusals = refusals + 1 if refused and time.monotonic() - began < REFUSED_WITHIN_SECONDS else 0
            if refusals == MOST_REFUSALS:
                raise FeedRefused("UNAUTHENTICATED", "the service takes none of the tokens") from error
        except (OSError, TimeoutError, WebSocketException, GraphQLClientError):
            pass  # cut off, restarting, or with a token that ended: it goes on with the next connection
        told += pause * random.uniform(0.5, 1.0)  # noqa: S311 -- spreads clients, guards nothing
        await asyncio.sleep(min(told, MOST_SECONDS))
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _connection(
    url: str,
    token: str,
    after: str,
    kinds: Sequence[EventKind] | None,
    entity_types: Sequence[EntityType] | None,
) -> AsyncGenerator[EventsEvents, None]:
    """The events that come over one connection."""
    client = AsyncClient(
        ws_url=f"ws{url.removeprefix('http').rstrip('/')}/graphql", ws_connection_init_payload=bearer(token)
    )
    async with client:
        messages = client.events(
            after=after,
            kinds=None if kinds is None else list(kinds),
            entity_types=None if entity_types is None else list(entity_types),
        )
        async with aclosing(cast("AsyncGenerator[Events, None]", messages)):
            async for message in messages:
                yield message.events


def _raise_final(error: GraphQLClientGraphQLMultiError) -> float:
    """Raise what no further try would mend; a service that is not there at the moment is waited for.

    For how many seconds it asks to wait.
    """
    first = error.errors[0]
    told: dict[str, Any] = first.extensions or {}
    code = str(told.get("code", ""))
    if code == "CURSOR_EXPIRED":
        raise CursorExpired(str(told.get("startOver", OLDEST))) from error
    if code not in {"UNAVAILABLE", "RATE_LIMITED", "INTERNAL", "UNAUTHENTICATED"}:
        raise FeedRefused(code, first.message) from error
    pause = told.get("retryAfter")
    return float(pause) if isinstance(pause, int) else 0.0


async def _next(events: AsyncGenerator[EventsEvents, None]) -> EventsEvents:
    return await anext(events)


def live_events_blocking(
    url: str,
    token: Callable[[], str],
    *,
    after: str = OLDEST,
    kinds: Sequence[EventKind] | None = None,
    entity_types: Sequence[EntityType] | None = None,
) -> Generator[EventsEvents, None, None]:
    """As `live_events`, for code without asyncio: each event is waited for where it is asked for."""
    with asyncio.Runner() as runner:
        events = live_events(url, token, after=after, kinds=kinds, entity_types=entity_types)
        try:
            while True:
                yield runner.run(_next(events))
        finally:
            runner.run(events.aclose())
