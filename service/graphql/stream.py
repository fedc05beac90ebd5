"""GraphQL over server-sent events, with the protocol graphql-sse: an operation is a request, its answer a stream."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from resolvers.context import Caller
from schema.base.context import GraphQLContext, MessageCursor
from schema.root import ApiSchema
from service.graphql.listener import COMPLETE, Listener
from service.graphql.operation import Operation
from service.graphql.sharing import SharedSubscriptions, payload_of
from service.http.event_stream import HEARTBEAT_SECONDS, STREAM, stream
from service.http.json import dump
from service.http.wishes import wishes

_COMPLETE = b"event: complete\ndata: \n\n"
HEARTBEAT = b":\n\n"


def accepts_stream(request: Request) -> bool:
    """Whether a stream of events is named among what the request accepts."""
    return any(name == STREAM and quality > 0 for name, quality in wishes(request.headers.get("accept", "")))


class StreamListener(Listener):
    """An operation whose client is sent what waits whenever the one before has been taken."""

    def __init__(self, *, latest_only: bool) -> None:
        super().__init__(latest_only=latest_only)
        self._woken = asyncio.Event()
        self.ending.add_done_callback(lambda _: self._woken.set())

    def hand_over(self) -> None:
        self._woken.set()

    async def lines(self) -> AsyncGenerator[bytes]:
        """Everything until the end, and a sign of life where there is nothing."""
        while True:
            self._woken.clear()
            while self.waiting:
                yield _next(*self.waiting.popleft())
            if self.ending.done():
                ending = self.ending.result()
                yield (_next(dump({"errors": ending.errors}), None) if ending is not COMPLETE else b"") + _COMPLETE
                return
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                yield HEARTBEAT


class GraphQLStreams:
    """Subscriptions as streams. How many there may be is counted where their answers begin (`service.limits`)."""

    def __init__(self, schema: ApiSchema, sharing: SharedSubscriptions) -> None:
        self._schema = schema
        self._sharing = sharing

    def answer(self, operation: Operation, context: GraphQLContext, caller: Caller) -> Response:
        """The stream of a subscription."""
        return stream(caller, self._lines(operation, context))

    async def _lines(self, operation: Operation, context: GraphQLContext) -> AsyncGenerator[bytes]:
        yield HEARTBEAT  # the operation is accepted
        key = self._sharing.key_of(operation, context)
        if key is None:
            async with aclosing(self._alone(operation, context)) as lines:
                async for line in lines:
                    yield line
            return
        shared, listener = self._sharing.of(key, operation, context), StreamListener(latest_only=key.latest_only)
        try:
            shared.join(listener)
            async with aclosing(listener.lines()) as lines:
                async for line in lines:
                    yield line
        finally:
            self._sharing.leave(key, shared, listener)

    async def _alone(self, operation: Operation, context: GraphQLContext) -> AsyncGenerator[bytes]:
        """What is executed for this client alone. It is read one by one, as the client takes it."""
        position = context.followed = MessageCursor()
        results = await self._schema.stream(
            operation.document, operation.variables, context, operation_name=operation.name
        )
        async with aclosing(_ahead(results)) as ahead:
            async for result in ahead:
                yield HEARTBEAT if result is None else _next(dump(payload_of(result)), position.position)
        yield _COMPLETE


async def _ahead(results: Any) -> AsyncGenerator[Any]:
    """The results one by one, and None for each spell in which none came."""
    coming: asyncio.Future[Any] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(results))
            while not (await asyncio.wait({coming}, timeout=HEARTBEAT_SECONDS))[0]:
                yield None
            try:
                yield coming.result()
            except StopAsyncIteration:
                return
    finally:
        if coming is not None and coming.cancel():
            await asyncio.wait({coming})
        await results.aclose()


async def single(answer: dict[str, Any]) -> AsyncGenerator[bytes]:
    """The stream of an operation that has one answer."""
    yield _next(dump(answer), None) + _COMPLETE


def _next(payload: bytes, cursor: str | None) -> bytes:
    before = b"" if cursor is None else b"id: %b\n" % cursor.encode()
    return before + b"event: next\ndata: %b\n\n" % payload
