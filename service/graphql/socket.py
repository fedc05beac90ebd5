"""GraphQL over WebSockets, with the protocol graphql-transport-ws."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any, Protocol

import orjson
import structlog
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation as RunningOperation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    SubscribeMessage,
)

from resolvers.context import Caller
from resolvers.errors import Forbidden, OperationError, RateLimited, Unauthenticated, Unavailable
from resolvers.revocation import until_refused
from schema.base.context import GraphQLContext
from schema.root import ApiSchema
from service.graphql.counted import CountedOperations
from service.graphql.documents import Documents
from service.graphql.listener import SocketListener
from service.graphql.operation import Operation
from service.graphql.sharing import SharedSubscriptions
from service.http import request as rest
from service.http.json import dump
from service.http.metrics import Metrics
from service.http.socket_connection import CONNECTION
from service.settings import Settings

INIT_SECONDS = 5.0
MOST_OPERATIONS = 20  # under way at once on one connection
LONGEST_ID = 1_000  # characters of the name that a client gives an operation

BAD_MESSAGE, NO_TOKEN, BAD_TOKEN, ALREADY_BEGUN, TOO_MANY, TRY_LATER = 4400, 4401, 4403, 4429, 4429, 1013

_log = structlog.get_logger(__name__)


class SocketRuntime(rest.RestRuntime, Protocol):
    """What GraphQL needs of the running service."""

    @property
    def settings(self) -> Settings: ...

    @property
    def metrics(self) -> Metrics: ...


class _Socket(ASGIWebSocketAdapter):
    """Sends JSON as text frames, as the protocol wants, also where it was encoded to bytes. Closes once."""

    closed = False

    async def close(self, code: int, reason: str) -> None:
        if not self.closed:
            self.closed = True
            await super().close(code, reason)

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.ws.send_text(dump(message).decode())
        except (RuntimeError, OSError) as error:  # RuntimeError: we have closed it in the meantime
            raise WebSocketDisconnected from error


class _Connection(BaseGraphQLTransportWSHandler[GraphQLContext, None]):
    """One client's connection: who it is, for how long, and what it has under way."""

    view: "GraphQLSockets"
    websocket: _Socket
    _expiry: asyncio.Task[None] | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._held = AsyncExitStack()  # its place among the sockets that are counted

    async def handle_message(self, message: Any) -> None:
        await asyncio.sleep(0)  # others have their turn, however fast a client sends
        if self.websocket.closed:
            return
        if not _is_well_formed(message):
            await self.handle_invalid_message("not a message of graphql-transport-ws")
        elif message["type"] != "connection_init" and not self.connection_acknowledged:
            await self.websocket.close(NO_TOKEN, "Unauthorized")
        else:
            await super().handle_message(message)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        if self.connection_timed_out:
            return
        if self.connection_init_received:
            await self.websocket.close(ALREADY_BEGUN, "Too many initialisation requests")
            return
        self.connection_init_received = True
        if self.connection_init_timeout_task is not None:
            self.connection_init_timeout_task.cancel()
        authorization = _authorization(message.get("payload") or {}, self.websocket.ws)
        try:
            caller = await self.view.runtime.authenticator.caller(authorization)
            rest.check_organization(caller, _organizations(message.get("payload") or {}, self.websocket.ws))
        except Forbidden as refusal:
            await self.websocket.close(BAD_TOKEN, refusal.message)
        except Unauthenticated as refusal:
            await self.websocket.close(BAD_TOKEN if authorization else NO_TOKEN, refusal.message)
        except Unavailable as refusal:
            await self.websocket.close(TRY_LATER, refusal.message)
        else:
            await self._admit(caller)

    async def _admit(self, caller: Caller) -> None:
        try:
            await self._held.enter_async_context(self.view.runtime.limits.socket_of_caller(caller))
        except RateLimited as refusal:
            await self.websocket.close(TOO_MANY, refusal.message)
            return
        self.context.caller = caller
        self.context.meter = self.view.runtime.limits.meter(self.websocket.ws, caller)
        self._expiry = asyncio.create_task(self._end_with_token(caller))
        await self.send_message({"type": "connection_ack"})
        self.connection_acknowledged = True

    async def _end_with_token(self, caller: Caller) -> None:
        await until_refused(caller)
        for operation_id in list(self.operations):
            await self.cleanup_operation(operation_id)
        with suppress(RuntimeError, OSError):  # it has been closed in the meantime
            await self.websocket.close(BAD_TOKEN, "Token expired")

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if self.connection_acknowledged:
            try:
                await self._check_operation(message)
            except OperationError as refusal:
                error = GraphQLError(refusal.message, extensions=refusal.extensions)
                await self.send_message({"id": message["id"], "type": "error", "payload": [error.formatted]})
                return
        await super().handle_subscribe(message)

    async def _check_operation(self, message: SubscribeMessage) -> None:
        """Raises RateLimited, BadRequest or Forbidden."""
        if len(self.operations) >= MOST_OPERATIONS:
            raise RateLimited(f"at most {MOST_OPERATIONS} operations at once on a connection", retry_after=1)
        rest.check_size(message["payload"], "the payload")
        self.view.documents.check(message["payload"]["query"])
        assert self.context.caller is not None
        await self.view.runtime.limits.admit(self.websocket.ws, self.context.caller)

    async def run_operation(self, operation: RunningOperation[GraphQLContext, None]) -> None:
        """Execute it; a subscription together with those of others that are the same."""
        asked = Operation(operation.query, operation.variables, operation.operation_name)
        sharing, connection = self.view.sharing, self.websocket.ws.scope["extensions"].get(CONNECTION)
        key = None if connection is None else sharing.key_of(asked, self.context)
        self.view.counts.started(asked)
        if key is None:
            await super().run_operation(operation)
            return
        if not await self._pays_for(operation):
            return
        shared = sharing.of(key, asked, self.context)
        listener = SocketListener(connection, operation.id, latest_only=key.latest_only)
        try:
            shared.join(listener)
            ending = await listener.ending
            sharing.leave(key, shared, listener)
            await listener.all_taken()
            await operation.send_operation_message(ending.message(operation.id))
        finally:
            sharing.leave(key, shared, listener)
            listener.leave()

    async def _pays_for(self, operation: RunningOperation[GraphQLContext, None]) -> bool:
        """Whether the cost of a subscription that is shared is within the limits; if not, the client is told."""
        if self.context.meter is None:
            return True
        schema = self.view.api
        cost = schema.subscription_cost(operation.query, operation.operation_name, operation.variables)
        try:
            await self.context.meter.take(cost)
        except RateLimited as refusal:
            error = GraphQLError(refusal.message, extensions=refusal.extensions)
            await operation.send_operation_message({"id": operation.id, "type": "error", "payload": [error.formatted]})
            return False
        return True

    async def handle_task_exception(self, error: Exception) -> None:
        if not isinstance(error, WebSocketDisconnected):
            _log.error("unexpected error in an operation", exc_info=error)

    async def shutdown(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        await self._held.aclose()
        await super().shutdown()


class GraphQLSockets(GraphQL[GraphQLContext, None]):
    """The WebSocket side of /graphql."""

    websocket_adapter_class = _Socket
    graphql_transport_ws_handler_class = _Connection

    def __init__(
        self,
        runtime: SocketRuntime,
        schema: ApiSchema,
        documents: Documents,
        sharing: SharedSubscriptions,
        counts: CountedOperations,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS),
            max_subscriptions_per_connection=None,  # counted by the handler, whose refusal has a code
            allowed_origins=runtime.settings.allowed_origins,
        )
        self.runtime = runtime
        self.api = schema
        self.documents = documents
        self.sharing = sharing
        self.counts = counts

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> GraphQLContext:
        # Not yet anybody's: the token comes with the first message.
        return GraphQLContext(services=self.runtime.services, origin=rest.origin_of("graphql", request))

    def encode_json(self, data: object) -> bytes:
        return dump(data)

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)


def _authorization(params: Mapping[str, Any], websocket: WebSocket) -> str | None:
    """The token that came with the first message, or with the handshake."""
    for name, value in params.items():
        if name.lower() == "authorization" and isinstance(value, str):
            return value
    return websocket.headers.get("authorization")


def _organizations(params: Mapping[str, Any], websocket: WebSocket) -> list[str]:
    """The organizations that the first message and the handshake name, as a request does in a header."""
    header = rest.ORGANIZATION_HEADER.lower()
    named = [value for name, value in params.items() if name.lower() == header and isinstance(value, str)]
    return [*named, *websocket.headers.getlist(header)]


def _is_well_formed(message: Any) -> bool:
    """Whether the handler can read the message; whether it may be sent now is another question."""
    match message:
        case {"type": "connection_init"}:
            return isinstance(message.get("payload"), dict | None)
        case {"type": "subscribe", "id": str() as operation_id, "payload": {"query": str()} as payload}:
            variables, name = payload.get("variables"), payload.get("operationName")
            return (
                0 < len(operation_id) <= LONGEST_ID
                and isinstance(variables, dict | None)
                and isinstance(name, str | None)
            )
        case {"type": "complete", "id": str()} | {"type": "ping" | "pong"}:
            return True
        case _:
            return False
