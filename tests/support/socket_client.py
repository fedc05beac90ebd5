"""A client of GraphQL over WebSockets, and a server for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from resolvers.context import Services
from service.http.server import Server
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
    config = uvicorn.Config(rest_app(shared, **settings), port=0, lifespan="off", log_config=None, access_log=False)
    server = Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield RunningService(f"ws://127.0.0.1:{port}/graphql", shared)
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
