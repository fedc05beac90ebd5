"""The single connection mode of graphql-sse: many operations of one client come in one stream."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from arq.connections import ArqRedis

from resolvers.config import get_config
from resolvers.context import Services
from service.graphql import single_connection
from tests.support.factories import StandIn, context, send, services
from tests.support.rest_client import rest_app, token
from tests.support.socket_client import served
from tests.support.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.usefixtures("db")

TOKEN = single_connection.TOKEN
CREATED = "subscription ($after: String) { recordChanged(after: $after) { record { externalId } } }"
Told = tuple[str, str, Any]  # the name of an event, the operation, and the payload


@pytest.fixture
async def shared(redis: ArqRedis) -> AsyncIterator[Services]:
    opened = services(redis, StandIn())
    await opened.events.start()
    yield opened
    await opened.events.stop()
    assert opened.events.watching == 0


@pytest.fixture
async def client(shared: Services) -> AsyncIterator[httpx.AsyncClient]:
    sent = {"Authorization": f"Bearer {token()}"}
    async with (
        served(rest_app(shared)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=sent, timeout=PATIENCE_SECONDS) as client,
    ):
        yield client


@asynccontextmanager
async def opened(client: httpx.AsyncClient) -> AsyncIterator[tuple[str, AsyncIterator[Told]]]:
    reserved = await client.put("/graphql")
    assert reserved.status_code == 201
    accept = {"Accept": "text/event-stream"}
    async with client.stream("GET", f"/graphql?token={reserved.text}", headers=accept) as answer:
        assert answer.status_code == 200
        yield reserved.text, events_of(answer)


async def events_of(answer: httpx.Response) -> AsyncIterator[Told]:
    name = ""
    async for line in answer.aiter_lines():
        key, _, value = line.partition(": ")
        if key == "event":
            name = value
        elif key == "data":
            data = orjson.loads(value)
            yield name, data["id"], data.get("payload")


async def post(client: httpx.AsyncClient, of: str, operation_id: str | None, query: str, **variables: Any) -> int:
    body = {"query": query, "variables": variables, "extensions": {"operationId": operation_id}}
    return (await client.post("/graphql", json=body, headers={TOKEN: of})).status_code


async def test_many_operations_come_in_one_stream_until_each_is_ended(
    client: httpx.AsyncClient, shared: Services
) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), opened(client) as (of, told):
        assert await post(client, of, "query", "{ __typename }") == 202
        assert await anext(told) == ("next", "query", {"data": {"__typename": "Query"}})
        assert await anext(told) == ("complete", "query", None)
        assert await post(client, of, "new", CREATED) == 202
        await until(lambda: shared.events.watching == 1)
        for number in range(3):
            await send(context(shared), "account", f"A{number}", name="Acme")
        assert await post(client, of, "old", CREATED, after="0") == 202
        got: dict[str, list[str]] = {"new": [], "old": []}
        while sum(map(len, got.values())) < 6:
            name, operation_id, payload = await anext(told)
            assert name == "next"
            got[operation_id].append(payload["data"]["recordChanged"]["record"]["externalId"])
        assert got == {"new": ["A0", "A1", "A2"], "old": ["A0", "A1", "A2"]}
        ended = await client.delete("/graphql?operationId=old", headers={TOKEN: of})
        assert ended.status_code == 200
        await until(lambda: shared.events.watching == 1)
        await send(context(shared), "account", "A3", name="Acme")
        assert (await anext(told))[1] == "new"
    await until(lambda: shared.events.watching == 0)


async def test_what_cannot_begin_is_refused(client: httpx.AsyncClient, shared: Services) -> None:
    async with opened(client) as (of, _):
        assert await post(client, of, None, CREATED) == 400
        assert await post(client, of, "1", "{") == 400
        assert await post(client, of, "1", "{ nothing }") == 400
        assert await post(client, "nonsense", "1", CREATED) == 404
        assert await post(client, of, "1", CREATED) == 202
        assert await post(client, of, "1", CREATED) == 409
        accept = {"Accept": "text/event-stream"}
        assert (await client.get(f"/graphql?token={of}", headers=accept)).status_code == 409
        other = {"Authorization": f"Bearer {token(sub='bob')}"}
        assert (await client.get(f"/graphql?token={of}", headers={**accept, **other})).status_code == 404
        body = {"query": CREATED, "extensions": {"operationId": "2"}}
        assert (await client.post("/graphql", json=body, headers={TOKEN: of, **other})).status_code == 404
    await until(lambda: shared.events.watching == 0)
    assert await post(client, of, "1", CREATED) == 404


async def test_a_stream_that_was_refused_may_be_opened_later(shared: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_connection, "MOST_RESERVED", 1)
    sent = {"Authorization": f"Bearer {token()}"}
    async with (
        served(rest_app(shared, limit_sockets="token=1")) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=sent, timeout=PATIENCE_SECONDS) as client,
    ):
        async with opened(client):
            reserved = (await client.put("/graphql")).text
            address, accept = f"/graphql?token={reserved}", {"Accept": "text/event-stream"}
            for _ in range(2):
                refused = await client.get(address, headers=accept)
                assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
        async with client.stream("GET", address, headers=accept) as answer:
            assert answer.status_code == 200
            assert (await client.put("/graphql")).status_code == 201  # what is open is reserved no more


async def test_an_operation_ends_with_the_token_that_began_it(client: httpx.AsyncClient) -> None:
    soon = {"Authorization": f"Bearer {token(exp=int(time.time()) + 2)}"}
    body = {"query": CREATED, "extensions": {"operationId": "1"}}
    async with opened(client) as (of, told):
        assert (await client.post("/graphql", json=body, headers={TOKEN: of, **soon})).status_code == 202
        name, _, payload = await anext(told)
        assert (name, payload["errors"][0]["extensions"]["code"]) == ("next", "UNAUTHENTICATED")
        assert (await anext(told))[0] == "complete"


async def test_of_two_operations_of_one_name_one_runs(client: httpx.AsyncClient, shared: Services) -> None:
    before = (await get_config(context(shared))).version
    async with opened(client) as (of, _):
        mutation = "mutation { updateConfig(input: { cooldownHours: %d }) { version } }"
        answers = await asyncio.gather(*(post(client, of, "1", mutation % hours) for hours in (31, 32, 33)))
        assert sorted(answers) == [202, 409, 409]
    assert (await get_config(context(shared))).version == before + 1


async def test_refusals_have_the_form_of_graphql(client: httpx.AsyncClient) -> None:
    for refused in (
        await client.delete("/graphql?token=none&operationId=1"),
        await client.get("/graphql?token=none", headers={"Accept": "text/event-stream"}),
        await client.post("/graphql", json={"query": CREATED}, headers={TOKEN: "none"}),
    ):
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


async def test_a_reserved_stream_counts_until_it_is_given_up(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_connection, "MOST_RESERVED", 1)
    monkeypatch.setattr(single_connection, "OPEN_SECONDS", 0.2)
    assert (await client.put("/graphql")).status_code == 201
    assert (await client.put("/graphql")).status_code == 429
    await asyncio.sleep(0.3)
    assert (await client.put("/graphql")).status_code == 201
