"""How many clients and operations there may be on WebSockets, who is let in, and how they end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from arq.connections import ArqRedis
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from resolvers.context import Services
from service.graphql import socket as graphql_socket
from tests.support.factories import StandIn, context, send, services
from tests.support.socket_client import EVENTS, PROTOCOL, Client, RunningService, client_of, running, watched_by

pytestmark = pytest.mark.usefixtures("db")

OTHER_EVENTS = "subscription { jobEvents { kind } }"


@pytest.fixture
async def service(redis: ArqRedis) -> AsyncIterator[RunningService]:
    shared = services(redis, StandIn(knows={"acme.com": {"industry": "Software"}}))
    await shared.events.start()
    async with running(shared) as service:
        yield service
    await shared.events.stop()
    assert shared.events.watching == 0


async def test_who_stops_watching_leaves_nothing_behind(service: RunningService) -> None:
    async with client_of(service) as client:
        await client.begin()
        await client.start("1", EVENTS)
        await client.start("2", OTHER_EVENTS)
        await watched_by(service.shared, 2)
        await client.send({"type": "complete", "id": "1"})
        await watched_by(service.shared, 1)
        await client.send({"type": "complete", "id": "1"})  # known no more, and no harm
        client.connection.transport.abort()  # the network is gone, without a word
        await watched_by(service.shared, 0)


async def test_a_connection_may_have_so_many_operations_and_no_more(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_socket, "MOST_OPERATIONS", 2)
    async with client_of(service) as client:
        await client.begin()
        await client.start("1", EVENTS)
        await client.start("2", OTHER_EVENTS)
        await watched_by(service.shared, 2)
        await client.start("3", EVENTS)
        refusal = await client.receive()
        assert (refusal["type"], refusal["id"]) == ("error", "3")
        assert refusal["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await client.send({"type": "complete", "id": "1"})
        await watched_by(service.shared, 1)
        await client.start("3", "{ __typename }")
        assert (await client.receive())["type"] == "next"


async def test_only_the_current_protocol_is_spoken(service: RunningService) -> None:
    async with client_of(service, "graphql-ws", PROTOCOL) as client:
        assert client.connection.subprotocol == PROTOCOL
    async with connect(service.address) as connection:
        assert await Client(connection).closed() == 4406


async def test_a_page_from_elsewhere_is_not_let_in(service: RunningService) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with client_of(service, additional_headers={"Origin": "https://elsewhere.example"}):
            pass
    assert refused.value.response.status_code == 403
    allowed = {"Origin": "https://crm.example.com"}
    async with (
        running(service.shared, allowed_origins=("https://crm.example.com",)) as open_place,
        client_of(open_place, additional_headers=allowed) as client,
    ):
        await client.begin()


async def test_a_slow_client_holds_up_nobody(service: RunningService) -> None:
    async with client_of(service, max_queue=1) as slow, client_of(service) as quick:
        for client in (slow, quick):
            await client.begin()
            await client.start("1", "subscription { jobEvents { job { id record { fields } } } }")
            await client.start("2", "{ __typename }")
            assert [(await client.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await watched_by(service.shared, 1)
        slow.connection.transport.pause_reading()
        for number in range(30):
            await send(context(service.shared), "lead", f"L{number}", lastName="Ng", notes="x" * 50_000)
        seen = 0
        while seen < 30:
            assert (await quick.receive())["type"] == "next"
            seen += 1
        slow.connection.transport.abort()


async def test_when_the_server_stops_clients_are_told_to_come_back(redis: ArqRedis) -> None:
    shared = services(redis)
    await shared.events.start()
    async with client_of_stopped(shared) as client:
        assert await client.closed() in {1001, 1012}
    await shared.events.stop()
    assert shared.events.watching == 0


@asynccontextmanager
async def client_of_stopped(shared: Services) -> AsyncIterator[Client]:
    """A client that watches while its server stops."""
    async with running(shared) as service:
        connection = await connect(service.address, subprotocols=[Subprotocol(PROTOCOL)])
        client = Client(connection)
        await client.begin()
        await client.start("1", EVENTS)
        await watched_by(shared, 1)
    try:
        yield client
    finally:
        await connection.close()
