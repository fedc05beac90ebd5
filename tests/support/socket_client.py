"""A client of GraphQL over WebSockets, and a server for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from resolvers.context import Services
from service.http.server import build_server, listen
from service.settings import Settings
from tests.support.rest_client import rest_app, token
from tests.support.waiting import PATIENCE_SECONDS, until

PROTOCOL = "graphql-transport-ws"
EVENTS = "subscription { jobEvents { at } }"


@dataclass
class RunningService:
    """A running server."""

    address: str
    shared: Services


@asynccontextmanager
async def running(shared: Services, **settings: Any) -> AsyncIterator[RunningService]:
    async with served(rest_app(shared, **settings), **settings) as port:
        yield RunningService(f"ws://127.0.0.1:{port}/graphql", shared)


@asynccontextmanager
async def served(app: Starlette, **settings: Any) -> AsyncIterator[int]:
    """The port of this machine at which the service's server serves an application."""
    with_free_port = Settings(port=0, **settings)
    listening = listen(with_free_port)
    server = build_server(app, with_free_port)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await until(lambda: server.started)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await task


class Client:
    """One connection, message by message."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else orjson.dumps(message).decode())

    async def receive(self, *, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            text = await self.connection.recv()
        assert isinstance(text, str)  # the protocol knows no binary messages
        message: dict[str, Any] = orjson.loads(text)
        return message

    async def begin(self, bearer: str | None = None) -> None:
        await self.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {bearer or token()}"}})
        assert await self.receive() == {"type": "connection_ack"}

    async def start(self, operation: str, query: str, **variables: Any) -> None:
        await self.send({"type": "subscribe", "id": operation, "payload": {"query": query, "variables": variables}})

    async def closed(self, *, seconds: float = PATIENCE_SECONDS) -> int:
        """With which code the server ends the connection; whatever it sent before is passed over."""
        async with asyncio.timeout(seconds):
            with suppress(ConnectionClosed):
                while True:
                    await self.connection.recv()
        assert self.connection.close_code is not None
        return self.connection.close_code


@asynccontextmanager
async def client_of(service: RunningService, *protocols: str, **options: Any) -> AsyncIterator[Client]:
    wanted = [Subprotocol(protocol) for protocol in protocols or (PROTOCOL,)]
    async with connect(service.address, subprotocols=wanted, **options) as connection:
        yield Client(connection)


async def watched_by(shared: Services, number: int) -> None:
    await until(lambda: shared.events.watching == number)
