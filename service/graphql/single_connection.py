"""The single connection mode of graphql-sse: many operations of a client, whose results come in one stream.

PUT reserves a stream and answers with its token. With the token GET opens the stream, POST begins an operation that
`extensions.operationId` names, and DELETE ends one. A reservation is its user's alone, in the process that made it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from secrets import token_urlsafe

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from strawberry.types.execution import PreExecutionError

from resolvers.context import Caller
from resolvers.errors import BadRequest, NotFound, RateLimited, StateConflict, Unauthenticated
from resolvers.revocation import until_refused
from schema.base.context import GraphQLContext, MessageCursor
from schema.root import ApiSchema
from service.graphql.listener import COMPLETE, Ending, Listener
from service.graphql.operation import Operation
from service.graphql.sharing import Key, SharedSubscriptions, broken, payload_of
from service.graphql.socket import LONGEST_ID, MOST_OPERATIONS
from service.graphql.stream import HEARTBEAT, accepts_stream
from service.http.event_stream import HEARTBEAT_SECONDS, stream
from service.http.json import dump

TOKEN = "X-GraphQL-Event-Stream-Token"  # noqa: S105 -- the name of a header
OPEN_SECONDS = 30.0  # after which a reserved stream that nobody opened is given up
MOST_RESERVED = 50  # of one user, and not opened


class Part(Listener):
    """An operation of a stream, which `woken` lets send what waits. It is the stream's until `leave`."""

    def __init__(self, parts: "dict[str, Part]", operation_id: str, woken: asyncio.Event) -> None:
        super().__init__(latest_only=False)
        self.task: asyncio.Task[None] | None = None
        self.taken = asyncio.Event()
        self._parts = parts
        self._id = operation_id
        self._woken = woken
        self.ending.add_done_callback(lambda _: woken.set())
        parts[operation_id] = self

    def send_latest_only(self) -> None:
        """Each message takes the place of the one before."""
        self._latest_only = True

    @property
    def is_there(self) -> bool:
        """Whether the operation is the stream's still, and no other of its name."""
        return self._parts.get(self._id) is self

    def leave(self) -> None:
        """The operation is no part of the stream any more."""
        if self.is_there:
            del self._parts[self._id]

    def hand_over(self) -> None:
        self._woken.set()

    async def all_taken(self) -> None:
        """Wait until the stream has sent what waits."""
        while self.waiting:
            self.taken.clear()
            await self.taken.wait()

    def stop(self) -> None:
        """End the operation."""
        if self.task is not None:
            self.task.cancel()


class _Reserved:
    """A reserved stream, and its operations by their ids."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.parts: dict[str, Part] = {}
        self.woken = asyncio.Event()
        self.given_up: asyncio.TimerHandle | None = None  # None: it has been opened

    @property
    def user(self) -> tuple[str, str]:
        return self.caller.organization_id, self.caller.user


class SingleConnections:
    """The reserved streams of this process, by their tokens."""

    def __init__(self, schema: ApiSchema, sharing: SharedSubscriptions) -> None:
        self._schema = schema
        self._sharing = sharing
        self._not_opened: Counter[tuple[str, str]] = Counter()
        self.reserved: dict[str, _Reserved] = {}

    def manage(self, request: Request, caller: Caller) -> Response:
        """Reserve a stream (PUT), open it (GET), or end an operation of it (DELETE)."""
        if request.method == "PUT":
            return self.reserve(caller)
        return self.open(request, caller) if request.method == "GET" else self.end(request, caller)

    def reserve(self, caller: Caller) -> Response:
        """The token of a new stream. Raises RateLimited."""
        token, found = token_urlsafe(24), _Reserved(caller)
        if self._not_opened[found.user] >= MOST_RESERVED:
            raise RateLimited(f"at most {MOST_RESERVED} reserved streams of one user at once", retry_after=5)
        self._not_opened[found.user] += 1
        self.reserved[token] = found
        found.given_up = asyncio.get_running_loop().call_later(OPEN_SECONDS, self._give_up, token)
        return PlainTextResponse(token, 201)

    def open(self, request: Request, caller: Caller) -> Response:
        """The stream of a token. Raises NotFound, and StateConflict where it is open already."""
        token, found = self._find(request, caller)
        if not accepts_stream(request):
            raise BadRequest("a stream is opened with Accept: text/event-stream")
        if found.given_up is None:
            raise StateConflict("the stream is open already")
        return stream(caller, self._lines(token, found))

    def end(self, request: Request, caller: Caller) -> Response:
        """End an operation; one that has ended already is no fault. Raises NotFound and BadRequest."""
        _, found = self._find(request, caller)
        operation_id = request.query_params.get("operationId")
        if not operation_id:
            raise BadRequest("operationId is missing")
        part = found.parts.pop(operation_id, None)
        if part is not None:
            part.stop()
        return Response(status_code=200)

    def begin(self, request: Request, caller: Caller, operation: Operation) -> Part:
        """Take the id of an operation, which is executed then, or left if it is refused.

        Raises NotFound, BadRequest, StateConflict or RateLimited where it cannot begin.
        """
        _, found = self._find(request, caller)
        if operation.id is None or not 0 < len(operation.id) <= LONGEST_ID:
            raise BadRequest("extensions.operationId must name the operation")
        if operation.id in found.parts:
            raise StateConflict("an operation with this operationId is under way")
        if len(found.parts) >= MOST_OPERATIONS:
            raise RateLimited(f"at most {MOST_OPERATIONS} operations at once on a stream", retry_after=1)
        return Part(found.parts, operation.id, found.woken)

    def give(self, part: Part, answer: bytes) -> Response:
        """Send the one answer of an operation in the stream."""
        part.give(answer, None)
        part.end(COMPLETE)
        return Response(status_code=202)

    def subscribe(self, part: Part, caller: Caller, operation: Operation, context: GraphQLContext) -> Response:
        """Begin a subscription whose messages come in the stream, until the token of who begins it ends."""
        key = self._sharing.key_of(operation, context)
        if key is not None and key.latest_only:
            part.send_latest_only()
        if part.is_there:  # else the stream has ended in the meantime
            part.task = asyncio.create_task(self._run_until_refused(caller, operation, context, part, key))
        return Response(status_code=202)

    def _find(self, request: Request, caller: Caller) -> tuple[str, _Reserved]:
        token = token_of(request)
        found = self.reserved.get(token or "")
        if token is None or found is None or found.user != (caller.organization_id, caller.user):
            raise NotFound("no such stream: reserve one with PUT")
        return token, found

    async def _run_until_refused(
        self, caller: Caller, operation: Operation, context: GraphQLContext, part: Part, key: Key | None
    ) -> None:
        running = asyncio.create_task(self._run(operation, context, part, key))
        refused = asyncio.create_task(until_refused(caller), name="token of an operation")
        try:
            await asyncio.wait({running, refused}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                refusal = Unauthenticated("the token has ended with which the operation was begun")
                part.end(Ending([{"message": refusal.message, "extensions": refusal.extensions}]))
        finally:
            running.cancel()
            refused.cancel()
            await asyncio.wait({running})

    async def _run(self, operation: Operation, context: GraphQLContext, part: Part, key: Key | None) -> None:
        if key is None:
            try:
                part.end(await self._alone(operation, context, part))
            except Exception as error:
                part.end(broken(error))
            return
        shared = self._sharing.of(key, operation, context)
        try:
            shared.join(part)
            await asyncio.wait({part.ending})
        finally:
            self._sharing.leave(key, shared, part)

    async def _alone(self, operation: Operation, context: GraphQLContext, part: Part) -> Ending:
        """What is executed for this client alone is read as the stream takes it."""
        position = context.followed = MessageCursor()
        results = await self._schema.stream(
            operation.document, operation.variables, context, operation_name=operation.name
        )
        async with aclosing(results):
            async for result in results:
                if isinstance(result, PreExecutionError):
                    return Ending([error.formatted for error in result.errors or ()])
                part.give(dump(payload_of(result)), position.position)
                await part.all_taken()
        return COMPLETE

    async def _lines(self, token: str, found: _Reserved) -> AsyncGenerator[bytes]:
        if self.reserved.get(token) is not found or found.given_up is None:
            return  # another request has opened it meanwhile, or it was given up
        found.given_up.cancel()  # now that it begins: an answer may be refused before
        self._opened(found)
        try:
            yield HEARTBEAT
            while True:
                found.woken.clear()
                for operation_id, part in list(found.parts.items()):
                    while part.waiting and part.is_there:
                        yield _event("next", operation_id, part.waiting.popleft()[0])
                    part.taken.set()
                    if part.ending.done() and part.is_there:
                        part.leave()
                        if errors := part.ending.result().errors:
                            yield _event("next", operation_id, dump({"errors": errors}))
                        yield _event("complete", operation_id)
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await found.woken.wait()
                except TimeoutError:
                    yield HEARTBEAT
        finally:
            self._end(token)

    def _opened(self, found: _Reserved) -> None:
        found.given_up = None
        self._not_opened[found.user] -= 1
        if not self._not_opened[found.user]:
            del self._not_opened[found.user]

    def _give_up(self, token: str) -> None:
        self._opened(self.reserved[token])
        self._end(token)

    def _end(self, token: str) -> None:
        found = self.reserved.pop(token)
        for part in list(found.parts.values()):
            part.leave()
            part.stop()


def token_of(request: Request) -> str | None:
    """The token of a reserved stream that a request names."""
    return request.headers.get(TOKEN) or request.query_params.get("token") or None


def _event(name: str, operation_id: str, payload: bytes | None = None) -> bytes:
    rest = b"" if payload is None else b',"payload":%b' % payload
    return b'event: %b\ndata: {"id":%b%b}\n\n' % (name.encode(), dump(operation_id), rest)
