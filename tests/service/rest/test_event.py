"""The log over REST, and over every transport: a client that is cut off again and again has exactly the log."""

import asyncio
import random
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from arq.connections import ArqRedis

from models.db.connection import dialect
from models.event.cursor import OLDEST
from resolvers.context import Services
from resolvers.events.log import read_page
from resolvers.job.api import cancel_job
from resolvers.record.api import upsert_records
from tests.support.factories import StandIn, configure, context, send, services
from tests.support.log import settled
from tests.support.rest_client import token
from tests.support.socket_client import RunningService, client_of, running
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("db")

CUTS = 100
HEADERS = {"Authorization": f"Bearer {token()}"}


@pytest.fixture
async def service(redis: ArqRedis) -> AsyncIterator[RunningService]:
    shared = services(redis, StandIn())
    await configure(context(shared), cooldownHours=0)
    await shared.events.start()
    async with running(shared) as service:
        yield service
    await shared.events.stop()
    assert shared.events.watching == 0


@pytest.fixture
async def client(service: RunningService) -> AsyncIterator[httpx.AsyncClient]:
    address = service.address.replace("ws://", "http://").replace("/graphql", "")
    async with httpx.AsyncClient(base_url=address, headers=HEADERS, timeout=PATIENCE_SECONDS) as client:
        yield client


async def changes(shared: Services, stop: asyncio.Event) -> None:
    """Records come and jobs end until there are enough."""
    for number in count():
        if stop.is_set():
            return
        records = [
            {"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"acme{number}-{n}.com"}}
            for n in range(12)
        ]
        started = [sent.job.id for sent in await upsert_records(context(shared), records) if sent.job]
        for job_id in started[:3]:
            await cancel_job(context(shared), job_id)


async def late_changes(url: str, stop: asyncio.Event) -> None:
    """Transactions that begin early and end late, one after the other. SQLite has one writer, and so none of these."""
    if dialect() == "sqlite":
        return
    writer = await asyncpg.connect(url)
    sql = "INSERT INTO event (organization_id, number, at, kind, data) VALUES ('acme', $1, 0, 'config.changed', '{}')"
    try:
        for number in count():
            if stop.is_set():
                return
            async with writer.transaction():
                await writer.execute(sql, number)
                await asyncio.sleep(0.03)
    finally:
        await writer.close()


async def the_log() -> list[str]:
    await settled()
    page = await read_page("acme", OLDEST, 100_000)
    return [str(event.cursor) for event in page.events]


class Listener:
    """Goes on from its last cursor whenever it is cut off, after some events, by chance."""

    def __init__(self, service: RunningService, client: httpx.AsyncClient, seed: int) -> None:
        self.service, self.client, self.chance = service, client, random.Random(seed)  # noqa: S311 -- when it is cut off is no secret
        self.heard: list[str] = []
        self.after = "0"

    def hear(self, cursor: str) -> None:
        self.heard.append(cursor)
        self.after = cursor

    async def by_socket(self, most: int) -> None:
        async with client_of(self.service) as socket:
            await socket.begin()
            await socket.start("log", "subscription ($a: String) { events(after: $a) { cursor } }", a=self.after)
            for _ in range(most):
                self.hear((await socket.receive())["payload"]["data"]["events"]["cursor"])
            socket.connection.transport.abort()  # without a farewell

    async def by_stream(self, most: int) -> None:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": self.after}
        async with self.client.stream("GET", "/v1/auto-enrichment/events", headers=headers) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    self.hear(orjson.loads(line.removeprefix("data: "))["cursor"])
                    most -= 1
                    if most == 0:
                        return

    async def by_long_poll(self, most: int) -> None:
        params: dict[str, Any] = {"after": self.after, "wait": 5, "limit": most}
        response = await self.client.get("/v1/auto-enrichment/events", params=params)
        assert response.status_code == 200, response.text
        for event in response.json():
            self.hear(event["cursor"])


@pytest.mark.parametrize("transport", ["by_socket", "by_stream", "by_long_poll"])
async def test_a_client_that_is_cut_off_a_hundred_times_has_exactly_the_log(
    db: str, service: RunningService, client: httpx.AsyncClient, transport: str
) -> None:
    listener, stop = Listener(service, client, seed=len(transport)), asyncio.Event()
    busy = asyncio.gather(changes(service.shared, stop), late_changes(db, stop))
    try:
        for _ in range(CUTS):
            await getattr(listener, transport)(listener.chance.randint(1, 8))
    finally:
        stop.set()
        await busy
    log = await the_log()
    assert len(listener.heard) > CUTS
    assert listener.heard == log[: len(listener.heard)]


async def test_an_event_says_what_it_is_about_and_a_filter_picks(
    service: RunningService, client: httpx.AsyncClient
) -> None:
    sent = await send(context(service.shared), "account", "A1", domain="acme.com")
    assert sent.record is not None
    params: dict[str, Any] = {"kinds": "record.created", "entityTypes": "account", "wait": 2}
    [event] = (await client.get("/v1/auto-enrichment/events", params=params)).json()
    assert (event["kind"], event["entityType"], event["externalId"]) == ("record.created", "account", "A1")
    assert event["recordId"] == sent.record.id
    await settled()
    response = await client.get("/v1/auto-enrichment/events", params={"after": "0", "kinds": "config.changed"})
    assert [event["configVersion"] for event in response.json()] == [2]
    assert "after=" in response.headers["link"]


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_cursor_that_the_log_does_not_have_is_refused_with_how_to_start_over(
    service: RunningService, client: httpx.AsyncClient, accept: str
) -> None:
    params = {"after": "999999999999-1-1"}
    response = await client.get("/v1/auto-enrichment/events", params=params, headers={"Accept": accept})
    problem = response.json()
    assert (response.status_code, problem["code"], problem["startOver"]) == (410, "CURSOR_EXPIRED", "0")
    response = await client.get("/v1/auto-enrichment/events", params={"after": "x"}, headers={"Accept": accept})
    assert (response.status_code, response.json()["code"]) == (400, "BAD_REQUEST")
