"""Server-sent events: what every stream has, whatever it says."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from starlette.responses import StreamingResponse

from resolvers.context import Caller
from resolvers.revocation import until_refused

STREAM = "text/event-stream"
HEARTBEAT_SECONDS = 15.0  # a stream that says nothing for so long shows that it is there

_open: set[asyncio.Task[None]] = set()  # of each stream of this process what it ends with


def end_streams() -> None:
    """End every stream of this process, which leaves: a client goes on elsewhere, after the last id that it has."""
    for stop in _open:
        stop.cancel()


def stream(caller: Caller, lines: AsyncGenerator[bytes]) -> StreamingResponse:
    """An answer of events, which ends with the caller's token."""
    return StreamingResponse(_until_refused(caller, lines), media_type=STREAM, headers={"X-Accel-Buffering": "no"})


async def _until_refused(caller: Caller, lines: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    """What a stream says until the caller's token expires or is revoked, or the process leaves."""
    refused = asyncio.create_task(until_refused(caller), name="token of a stream")
    _open.add(refused)
    try:
        async with aclosing(lines):
            while (line := await _next_before(refused, lines)) is not None:
                yield line
    finally:
        _open.discard(refused)
        refused.cancel()


async def _next_before(refused: asyncio.Task[None], lines: AsyncGenerator[bytes]) -> bytes | None:
    """The next line; None where there is none any more, or the token is refused first."""
    coming = asyncio.ensure_future(_next(lines))
    try:
        await asyncio.wait({coming, refused}, return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() and not refused.done() else None
    finally:
        await _end(coming)


async def _next(lines: AsyncGenerator[bytes]) -> bytes | None:
    return await anext(lines, None)


async def _end(coming: asyncio.Future[bytes | None]) -> None:
    """End what reads the lines, and wait until it has: nobody else may close them before.

    The server goes on cancelling the answer of a client that is gone until it ends: one wait is not enough.
    """
    coming.cancel()
    cancelled: asyncio.CancelledError | None = None
    while not coming.done():
        try:
            await asyncio.wait({coming})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
