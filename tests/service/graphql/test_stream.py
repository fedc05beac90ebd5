"""GraphQL over server-sent events: what comes as a stream, in which form, and where it ends."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from arq.connections import ArqRedis

from resolvers.context import Services
from service.graphql import stream
from tests.support.factories import StandIn, context, send, services, work
from tests.support.rest_client import rest_app, token
from tests.support.socket_client import served
from tests.support.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.usefixtures("db")

EVENTS = "subscription ($after: String) { events(after: $after) { kind cursor } }"
Told = tuple[str, str | None, Any]  # the name of an event, its id, and what it holds


@pytest.fixture
async def shared(redis: ArqRedis) -> AsyncIterator[Services]:
    opened = services(redis, StandIn(knows={"acme.com": {"industry": "Software"}}))
    await opened.events.start()
    yield opened
    await opened.events.stop()
    assert opened.events.watching == 0


@asynccontextmanager
async def client_of(shared: Services, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    sent = {"Authorization": f"Bearer {token()}", "Accept": "text/event-stream", **headers}
    async with (
        served(rest_app(shared)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=sent, timeout=PATIENCE_SECONDS) as client,
    ):
        yield client


async def events_of(answer: httpx.Response) -> AsyncIterator[Told]:
    name, cursor, data = "", None, ""
    async for line in answer.aiter_lines():
        key, _, value = line.partition(": ")
        if key == "event":
            name = value
        elif key == "id":
            cursor = value
        elif key == "data":
            data = value
        elif not line and name:
            yield name, cursor, orjson.loads(data) if data else None
            name, cursor, data = "", None, ""


@asynccontextmanager
async def subscribed(
    client: httpx.AsyncClient, query: str, last_event_id: str | None = None, **variables: Any
) -> AsyncIterator[AsyncIterator[Told]]:
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    body = {"query": query, "variables": variables}
    async with client.stream("POST", "/graphql", json=body, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events_of(answer)


async def test_a_job_is_watched_to_its_end(shared: Services) -> None:
    sent = await send(context(shared), "account", "A1", name="Acme", domain="acme.com")
    assert sent.job is not None
    query = "subscription ($id: ID!) { jobProgress(jobId: $id) { status } }"
    async with client_of(shared) as client, subscribed(client, query, id=sent.job.id) as told:
        assert await anext(told) == ("next", None, {"data": {"jobProgress": {"status": "PENDING"}}})
        await work(shared)
        rest = [event async for event in told]
    assert rest[-2] == ("next", None, {"data": {"jobProgress": {"status": "COMPLETED"}}})
    assert rest[-1] == ("complete", None, None)


@pytest.mark.parametrize("after", [None, "0"], ids=["shared", "alone"])
async def test_events_have_their_cursor_as_id(shared: Services, after: str | None) -> None:
    async with client_of(shared) as client, subscribed(client, EVENTS, after=after) as told:
        await until(lambda: shared.events.watching == 1)
        await send(context(shared), "account", "A1", name="Acme")
        name, cursor, content = await anext(told)
    assert (name, content["data"]["events"]) == ("next", {"kind": "RECORD_CREATED", "cursor": cursor})
    await until(lambda: shared.events.watching == 0)


async def test_a_client_that_was_cut_off_goes_on_after_the_last_event_it_got(shared: Services) -> None:
    """The header wins over the variable: a client sends its request again as it was."""
    for number in range(3):
        await send(context(shared), "account", f"A{number}", name="Acme")
    created = "subscription ($after: String) { recordChanged(after: $after) { record { externalId } } }"
    async with client_of(shared) as client:
        async with subscribed(client, created, after="0") as told:
            _, cursor, _ = await anext(told)
            assert cursor is not None
        async with subscribed(client, created, last_event_id=cursor, after="0") as told:
            rest = [(await anext(told))[2]["data"]["recordChanged"]["record"]["externalId"] for _ in range(2)]
        assert rest == ["A1", "A2"]
        async with subscribed(client, "subscription { events { kind } }", last_event_id="nonsense") as told:
            _, _, content = await anext(told)
        assert content["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    await until(lambda: shared.events.watching == 0)


@pytest.mark.parametrize("query", ["{ __typename }", "subscription { nothing }", "subscription {"])
async def test_whatever_has_one_answer_is_a_stream_of_one(shared: Services, query: str) -> None:
    async with client_of(shared) as client, subscribed(client, query) as told:
        (name, _, content), ending = [event async for event in told]
    assert (name, ending) == ("next", ("complete", None, None))
    assert ("errors" in content) == ("subscription" in query)


async def test_who_takes_json_as_well_gets_a_stream_for_a_subscription_alone(shared: Services) -> None:
    async with client_of(shared, Accept="application/json, text/event-stream") as client:
        answer = await client.post("/graphql", json={"query": "{ __typename }"})
        assert answer.json() == {"data": {"__typename": "Query"}}
        async with subscribed(client, EVENTS):
            await until(lambda: shared.events.watching == 1)
    async with client_of(shared, Accept="application/json") as client:
        answer = await client.post("/graphql", json={"query": EVENTS})
        assert "text/event-stream" in answer.json()["errors"][0]["message"]


async def test_a_stream_by_get_changes_nothing(shared: Services) -> None:
    async with client_of(shared) as client:
        refused = await client.get("/graphql", params={"query": "mutation { pausePipeline { paused } }"})
        assert refused.status_code == 405
        async with client.stream("GET", "/graphql", params={"query": EVENTS}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")


async def test_who_may_not_ask_is_refused_as_elsewhere(shared: Services) -> None:
    async with client_of(shared, Authorization="Bearer nonsense") as client:
        answer = await client.post("/graphql", json={"query": EVENTS})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")


async def test_a_stream_ends_with_its_token(shared: Services) -> None:
    bearer = f"Bearer {token(exp=int(time.time()) + 2)}"
    async with client_of(shared, Authorization=bearer) as client, subscribed(client, EVENTS) as told:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert [event async for event in told] == []


async def test_a_client_that_leaves_is_no_fault(shared: Services, caplog: pytest.LogCaptureFixture) -> None:
    async with client_of(shared) as client, subscribed(client, EVENTS, after="0"):
        await until(lambda: shared.events.watching == 1)
    await until(lambda: shared.events.watching == 0)
    assert [record.getMessage() for record in caplog.records if record.name == "uvicorn.error"] == []


@pytest.mark.parametrize("after", [None, "0"], ids=["shared", "alone"])
async def test_a_quiet_stream_shows_that_it_is_there(
    shared: Services, monkeypatch: pytest.MonkeyPatch, after: str | None
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    body = {"query": EVENTS, "variables": {"after": after}}
    async with client_of(shared) as client, client.stream("POST", "/graphql", json=body) as answer:
        lines = answer.aiter_lines()
        seen = [await anext(lines) for _ in range(6)]
    assert seen == [":", ""] * 3
