"""Server-sent events: what every stream has, whatever it says."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress

from starlette.responses import StreamingResponse

from resolvers.context import Caller
from resolvers.revocation import until_refused

STREAM = "text/event-stream"
HEARTBEAT_SECONDS = 15.0  # a stream that says nothing for so long shows that it is there


def stream(caller: Caller, lines: AsyncGenerator[bytes]) -> StreamingResponse:
    """An answer of events, which ends with the caller's token."""
    return StreamingResponse(_until_refused(caller, lines), media_type=STREAM, headers={"X-Accel-Buffering": "no"})


async def _until_refused(caller: Caller, lines: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    """What a stream says until the caller's token expires or is revoked."""
    refused = asyncio.create_task(until_refused(caller), name="token of a stream")
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as bound, aclosing(lines):
                refused.add_done_callback(lambda task: None if task.cancelled() else bound.reschedule(0.0))
                async for line in lines:
                    yield line
    finally:
        refused.cancel()
