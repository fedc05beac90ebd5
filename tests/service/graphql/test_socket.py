"""GraphQL over WebSockets: the protocol, who is let in, for how long, and what is left behind."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import uvicorn
from arq.connections import ArqRedis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from resolvers.context import Services
from service.graphql import socket as graphql_socket
from service.http.server import Server
from tests.support.factories import StandIn, context, send, services, work
from tests.support.rest_client import rest_app, token

pytestmark = pytest.mark.usefixtures("db")

PROTOCOL = "graphql-transport-ws"
EVENTS = "subscription { jobEvents { at } }"


@dataclass
class Place:
    """A running server."""

    address: str
    shared: Services


@asynccontextmanager
async def running(shared: Services, **settings: Any) -> AsyncIterator[Place]:
    config = uvicorn.Config(rest_app(shared, **settings), port=0, lifespan="off", log_config=None, access_log=False)
    server = Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110 (nothing tells that it has started)
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Place(f"ws://127.0.0.1:{port}/graphql", shared)
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def index(redis: ArqRedis) -> AsyncIterator[Place]:
    shared = services(redis, StandIn(knows={"acme.com": {"industry": "Software"}}))
    await shared.events.start()
    async with running(shared) as index:
        yield index
    await shared.events.stop()
    assert shared.events.watching == 0


class Client:
    """One connection, message by message."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, message: Any) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else orjson.dumps(message).decode())

    async def hear(self, *, seconds: float = 5.0) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            text = await self.connection.recv()
        assert isinstance(text, str)  # the protocol knows no binary messages
        heard: dict[str, Any] = orjson.loads(text)
        return heard

    async def begin(self, bearer: str | None = None) -> None:
        await self.say({"type": "connection_init", "payload": {"Authorization": f"Bearer {bearer or token()}"}})
        assert await self.hear() == {"type": "connection_ack"}

    async def start(self, operation: str, query: str, **variables: Any) -> None:
        await self.say({"type": "subscribe", "id": operation, "payload": {"query": query, "variables": variables}})

    async def closed(self, *, seconds: float = 5.0) -> int:
        """With which code the server ends the connection; whatever it said before is passed over."""
        async with asyncio.timeout(seconds):
            with suppress(ConnectionClosed):
                while True:
                    await self.connection.recv()
        assert self.connection.close_code is not None
        return self.connection.close_code


@asynccontextmanager
async def client_of(index: Place, *protocols: str, **options: Any) -> AsyncIterator[Client]:
    wanted = [Subprotocol(protocol) for protocol in protocols or (PROTOCOL,)]
    async with connect(index.address, subprotocols=wanted, **options) as connection:
        yield Client(connection)


async def watched_by(shared: Services, number: int) -> None:
    async with asyncio.timeout(5):
        while shared.events.watching != number:  # noqa: ASYNC110 (nothing tells who watches)
            await asyncio.sleep(0.005)


async def test_a_job_is_watched_from_pending_to_completed(index: Place) -> None:
    sent = await send(context(index.shared), "account", "A1", name="Acme", domain="acme.com")
    assert sent.job is not None
    async with client_of(index) as client:
        await client.begin()
        query = "subscription ($id: ID!) { jobProgress(jobId: $id) { status progress } }"
        await client.start("watch", query, id=sent.job.id)
        first = await client.hear()
        assert first["payload"] == {"data": {"jobProgress": {"status": "PENDING", "progress": 0}}}
        worker = asyncio.create_task(work(index.shared))
        heard = [first]
        while heard[-1]["type"] != "complete":
            heard.append(await client.hear(seconds=10))
        await worker
        assert {message["id"] for message in heard} == {"watch"}
        assert heard[-2]["payload"] == {"data": {"jobProgress": {"status": "COMPLETED", "progress": 100}}}
        await client.start("watch", "{ __typename }")  # the id is free again
        assert (await client.hear())["payload"] == {"data": {"__typename": "Query"}}


async def test_the_token_may_come_with_the_handshake(index: Place) -> None:
    headers = {"Authorization": f"Bearer {token()}"}
    begin: dict[str, Any]
    for begin in ({}, {"payload": None}, {"payload": {}}):
        async with client_of(index, additional_headers=headers) as client:
            await client.say({"type": "connection_init", **begin})
            assert await client.hear() == {"type": "connection_ack"}


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "Authorization"])
async def test_the_name_of_the_token_is_read_in_any_case(index: Place, name: str) -> None:
    async with client_of(index) as client:
        await client.say({"type": "connection_init", "payload": {name: f"bearer {token()}"}})
        assert await client.hear() == {"type": "connection_ack"}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({}, 4401),
        (None, 4401),
        ({"Authorization": 7}, 4401),
        ({"Authorization": "Bearer nonsense"}, 4403),
        ({"Authorization": f"Bearer {token(exp=1)}"}, 4403),
        ({"Authorization": f"Bearer {token(org='')}"}, 4403),
        ({"Authorization": token()}, 4403),
    ],
)
async def test_who_has_no_good_token_is_turned_away(index: Place, payload: Any, code: int) -> None:
    async with client_of(index) as client:
        await client.say({"type": "connection_init", "payload": payload})
        assert await client.closed() == code


async def test_a_bad_token_in_the_message_is_not_saved_by_the_handshake(index: Place) -> None:
    async with client_of(index, additional_headers={"Authorization": f"Bearer {token()}"}) as client:
        await client.say({"type": "connection_init", "payload": {"Authorization": "Bearer nonsense"}})
        assert await client.closed() == 4403


async def test_nothing_is_answered_before_the_token(index: Place) -> None:
    async with client_of(index) as client:
        await client.start("1", "{ __typename }")
        assert await client.closed() == 4401


async def test_who_says_nothing_is_cut_off(index: Place, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql_socket, "INIT_SECONDS", 0.1)
    async with running(index.shared) as hasty, client_of(hasty) as client:
        assert await client.closed() == 4408


async def test_a_connection_ends_with_its_token(index: Place) -> None:
    async with client_of(index) as client:
        await client.begin(token(exp=int(time.time()) + 2))
        await client.start("1", EVENTS)
        await watched_by(index.shared, 1)
        assert await client.closed() == 4403
    await watched_by(index.shared, 0)


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        "7",
        b"{}",
        {},
        {"type": 7},
        {"type": "start"},
        {"type": "subscribe"},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": []},
        {"type": "subscribe", "id": "1", "payload": {"query": 7}},
        {"type": "subscribe", "id": 7, "payload": {"query": "{ __typename }"}},
        {"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }", "variables": []}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }", "operationName": 7}},
        {"type": "complete"},
        {"type": "complete", "id": 7},
    ],
)
async def test_what_is_no_message_ends_the_connection(index: Place, message: Any) -> None:
    async with client_of(index) as client:
        await client.begin()
        await client.say(message)
        assert await client.closed() == 4400


async def test_beginning_twice_ends_the_connection(index: Place) -> None:
    async with client_of(index) as client:
        await client.begin()
        await client.say({"type": "connection_init", "payload": {}})
        assert await client.closed() == 4429


async def test_two_operations_with_one_name_end_the_connection(index: Place) -> None:
    async with client_of(index) as client:
        await client.begin()
        await client.start("1", EVENTS)
        await client.start("1", EVENTS)
        assert await client.closed() == 4409


@pytest.mark.parametrize("query", ["{ ", "{ nope }", "", "query A { __typename } query B { __typename }", "{ a " * 13])
async def test_an_operation_that_cannot_be_does_not_end_the_others(index: Place, query: str) -> None:
    async with client_of(index) as client:
        await client.begin()
        await client.start("bad", query)
        refusal = await client.hear()
        assert (refusal["type"], refusal["id"]) == ("error", "bad")
        assert refusal["payload"][0]["extensions"]["code"] in {"BAD_REQUEST", "QUERY_TOO_COMPLEX"}
        await client.start("good", "{ config { version } }")
        assert (await client.hear())["payload"] == {"data": {"config": {"version": 1}}}
        assert await client.hear() == {"type": "complete", "id": "good"}


async def test_pings_are_answered(index: Place) -> None:
    async with client_of(index) as client:
        await client.say({"type": "ping"})
        assert await client.hear() == {"type": "pong"}
        await client.begin()
        await client.say({"type": "ping", "payload": {"at": 1}})
        assert (await client.hear())["type"] == "pong"
        await client.say({"type": "pong"})


async def test_who_stops_watching_leaves_nothing_behind(index: Place) -> None:
    async with client_of(index) as client:
        await client.begin()
        await client.start("1", EVENTS)
        await client.start("2", EVENTS)
        await watched_by(index.shared, 2)
        await client.say({"type": "complete", "id": "1"})
        await watched_by(index.shared, 1)
        await client.say({"type": "complete", "id": "1"})  # known no more, and no harm
        client.connection.transport.abort()  # the network is gone, without a word
        await watched_by(index.shared, 0)


async def test_a_connection_may_have_so_many_operations_and_no_more(
    index: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_socket, "MOST_OPERATIONS", 2)
    async with client_of(index) as client:
        await client.begin()
        for operation in ("1", "2"):
            await client.start(operation, EVENTS)
        await watched_by(index.shared, 2)
        await client.start("3", EVENTS)
        refusal = await client.hear()
        assert (refusal["type"], refusal["id"]) == ("error", "3")
        assert refusal["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await client.say({"type": "complete", "id": "1"})
        await watched_by(index.shared, 1)
        await client.start("3", "{ __typename }")
        assert (await client.hear())["type"] == "next"


async def test_a_user_may_have_so_many_connections_and_no_more(index: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql_socket, "MOST_CONNECTIONS", 1)
    async with client_of(index) as first:
        await first.begin()
        async with client_of(index) as second, client_of(index) as other:
            await second.say({"type": "connection_init", "payload": {"Authorization": f"Bearer {token()}"}})
            assert await second.closed() == 4429
            await other.begin(token(user="bob"))
    async with client_of(index) as third:
        await third.begin()


async def test_only_the_current_protocol_is_spoken(index: Place) -> None:
    async with client_of(index, "graphql-ws", PROTOCOL) as client:
        assert client.connection.subprotocol == PROTOCOL
    async with connect(index.address) as connection:
        assert await Client(connection).closed() == 4406


async def test_a_page_from_elsewhere_is_not_let_in(index: Place) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with client_of(index, additional_headers={"Origin": "https://elsewhere.example"}):
            pass
    assert refused.value.response.status_code == 403
    allowed = {"Origin": "https://crm.example.com"}
    async with (
        running(index.shared, allowed_origins=("https://crm.example.com",)) as open_place,
        client_of(open_place, additional_headers=allowed) as client,
    ):
        await client.begin()


async def test_a_slow_client_holds_up_nobody(index: Place) -> None:
    async with client_of(index, max_queue=1) as slow, client_of(index) as quick:
        for client in (slow, quick):
            await client.begin()
            await client.start("1", "subscription { jobEvents { job { id record { fields } } } }")
        await watched_by(index.shared, 2)
        slow.connection.transport.pause_reading()
        for number in range(30):
            await send(context(index.shared), "lead", f"L{number}", lastName="Ng", notes="x" * 50_000)
        seen = 0
        while seen < 30:
            assert (await quick.hear())["type"] == "next"
            seen += 1
        slow.connection.transport.abort()


async def test_when_the_server_stops_clients_are_told_to_come_back(redis: ArqRedis) -> None:
    shared = services(redis)
    await shared.events.start()
    async with connect_while(shared) as client:
        assert await client.closed() in {1001, 1012}
    await shared.events.stop()
    assert shared.events.watching == 0


@asynccontextmanager
async def connect_while(shared: Services) -> AsyncIterator[Client]:
    """A client that watches while its server stops."""
    async with running(shared) as index:
        connection = await connect(index.address, subprotocols=[Subprotocol(PROTOCOL)])
        client = Client(connection)
        await client.begin()
        await client.start("1", EVENTS)
        await watched_by(shared, 1)
    try:
        yield client
    finally:
        await connection.close()
