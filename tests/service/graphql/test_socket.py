"""GraphQL over WebSockets: the protocol, who is let in, for how long, and what is left behind."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from arq.connections import ArqRedis

from service.graphql import socket as graphql_socket
from tests.support.factories import StandIn, context, send, services, work
from tests.support.rest_client import token
from tests.support.socket_client import EVENTS, Client, RunningService, client_of, running, watched_by
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
async def service(redis: ArqRedis) -> AsyncIterator[RunningService]:
    shared = services(redis, StandIn(knows={"acme.com": {"industry": "Software"}}))
    await shared.events.start()
    async with running(shared) as service:
        yield service
    await shared.events.stop()
    assert shared.events.watching == 0


async def test_a_job_is_watched_from_pending_to_completed(service: RunningService) -> None:
    sent = await send(context(service.shared), "account", "A1", name="Acme", domain="acme.com")
    assert sent.job is not None
    async with client_of(service) as client:
        await client.begin()
        query = "subscription ($id: ID!) { jobProgress(jobId: $id) { status progress } }"
        await client.start("watch", query, id=sent.job.id)
        first = await client.receive()
        assert first["payload"] == {"data": {"jobProgress": {"status": "PENDING", "progress": 0}}}
        worker = asyncio.create_task(work(service.shared))
        messages = [first]
        while messages[-1]["type"] != "complete":
            messages.append(await client.receive(seconds=10))
        await worker
        assert {message["id"] for message in messages} == {"watch"}
        assert messages[-2]["payload"] == {"data": {"jobProgress": {"status": "COMPLETED", "progress": 100}}}
        await client.start("watch", "{ __typename }")  # the id is free again
        assert (await client.receive())["payload"] == {"data": {"__typename": "Query"}}


async def test_the_token_may_come_with_the_handshake(service: RunningService) -> None:
    headers = {"Authorization": f"Bearer {token()}"}
    begin: dict[str, Any]
    for begin in ({}, {"payload": None}, {"payload": {}}):
        async with client_of(service, additional_headers=headers) as client:
            await client.send({"type": "connection_init", **begin})
            assert await client.receive() == {"type": "connection_ack"}


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "Authorization"])
async def test_the_name_of_the_token_is_read_in_any_case(service: RunningService, name: str) -> None:
    async with client_of(service) as client:
        await client.send({"type": "connection_init", "payload": {name: f"bearer {token()}"}})
        assert await client.receive() == {"type": "connection_ack"}


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
async def test_who_has_no_good_token_is_turned_away(service: RunningService, payload: Any, code: int) -> None:
    async with client_of(service) as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert await client.closed() == code


async def test_a_bad_token_in_the_message_is_not_saved_by_the_handshake(service: RunningService) -> None:
    async with client_of(service, additional_headers={"Authorization": f"Bearer {token()}"}) as client:
        await client.send({"type": "connection_init", "payload": {"Authorization": "Bearer nonsense"}})
        assert await client.closed() == 4403


async def test_nothing_is_answered_before_the_token(service: RunningService) -> None:
    async with client_of(service) as client:
        await client.start("1", "{ __typename }")
        assert await client.closed() == 4401


async def test_who_says_nothing_is_cut_off(
    service: RunningService, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_socket, "INIT_SECONDS", 0.1)
    async with running(service.shared) as hasty, client_of(hasty) as client:
        assert await client.closed() == 4408


async def test_a_connection_ends_with_its_token(service: RunningService) -> None:
    async with client_of(service) as client:
        await client.begin(token(exp=int(time.time()) + 3))
        await client.start("1", EVENTS)
        await watched_by(service.shared, 1)
        assert await client.closed() == 4403
    await watched_by(service.shared, 0)


async def test_a_subscription_goes_on_with_a_new_token_where_the_old_one_ended(service: RunningService) -> None:
    query = "subscription ($after: String) { events(after: $after) { cursor kind record { externalId } } }"
    got: list[str] = []

    async def take(client: Client) -> str:
        event = (await client.receive())["payload"]["data"]["events"]
        if event["kind"] == "RECORD_CREATED":
            got.append(event["record"]["externalId"])
        cursor: str = event["cursor"]
        return cursor

    async def add(*external_ids: str) -> None:
        for external_id in external_ids:
            await send(context(service.shared), "account", external_id, name="Acme")

    await add("A0", "A1")
    async with client_of(service) as client:
        await client.begin(token(exp=int(time.time()) + 3))
        await client.start("1", query, after="0")
        cursor = await take(client)
        assert await client.closed() == 4403  # what was sent and not taken is lost
    await add("A2")
    async with client_of(service) as client:
        await client.begin()
        await client.start("1", query, after=cursor)
        await add("A3")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(got) < 4:
                await take(client)
    assert got == ["A0", "A1", "A2", "A3"]
    await watched_by(service.shared, 0)


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
async def test_what_is_no_message_ends_the_connection(service: RunningService, message: Any) -> None:
    async with client_of(service) as client:
        await client.begin()
        await client.send(message)
        assert await client.closed() == 4400


async def test_beginning_twice_ends_the_connection(service: RunningService) -> None:
    async with client_of(service) as client:
        await client.begin()
        await client.send({"type": "connection_init", "payload": {}})
        assert await client.closed() == 4429


async def test_two_operations_with_one_name_end_the_connection(service: RunningService) -> None:
    async with client_of(service) as client:
        await client.begin()
        await client.start("1", EVENTS)
        await client.start("1", EVENTS)
        assert await client.closed() == 4409


@pytest.mark.parametrize("query", ["{ ", "{ nope }", "", "query A { __typename } query B { __typename }", "{ a " * 13])
async def test_an_operation_that_cannot_be_does_not_end_the_others(service: RunningService, query: str) -> None:
    async with client_of(service) as client:
        await client.begin()
        await client.start("bad", query)
        refusal = await client.receive()
        assert (refusal["type"], refusal["id"]) == ("error", "bad")
        assert refusal["payload"][0]["extensions"]["code"] in {"BAD_REQUEST", "QUERY_TOO_COMPLEX"}
        await client.start("good", "{ config { version } }")
        assert (await client.receive())["payload"] == {"data": {"config": {"version": 1}}}
        assert await client.receive() == {"type": "complete", "id": "good"}


@pytest.mark.parametrize(
    "message",
    [{"type": "ping"}, {"type": "pong"}, {"type": "complete", "id": "1"}],
)
async def test_nothing_but_the_token_is_taken_before_the_acknowledgement(
    service: RunningService, message: dict[str, str]
) -> None:
    async with client_of(service) as client:
        await client.send(message)
        assert await client.closed() == 4401


async def test_pings_are_answered(service: RunningService) -> None:
    async with client_of(service) as client:
        await client.begin()
        await client.send({"type": "ping", "payload": {"at": 1}})
        assert (await client.receive())["type"] == "pong"
        await client.send({"type": "pong"})
