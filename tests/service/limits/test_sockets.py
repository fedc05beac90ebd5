"""Open sockets and streams, counted over processes that share a Redis, and as clients see the limit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from arq.connections import ArqRedis
from websockets.exceptions import InvalidStatus

from resolvers.errors import RateLimited
from service.limits import sockets
from service.limits.policy import Measure, Subject
from service.limits.sockets import OpenSockets
from service.redis_pool import redis_at
from tests.support.factories import StandIn, services
from tests.support.rest_client import rest_app, token
from tests.support.socket_client import client_of, running
from tests.support.waiting import until

STREAM = {"Accept": "text/event-stream"}


class Process:
    """One process's count, with a limit of `most` for a user."""

    def __init__(self, redis: ArqRedis, most: int = 2) -> None:
        self.refused: list[tuple[Measure, Subject]] = []
        self.sockets = OpenSockets({Subject.TOKEN: most}, lambda: redis, lambda *what: self.refused.append(what))
        self.held = AsyncExitStack()

    async def open(self, user: str = "ann") -> bool:
        try:
            await self.held.enter_async_context(self.sockets.held([self.sockets.holder(Subject.TOKEN, user)]))
        except RateLimited:
            return False
        return True


@pytest.fixture
async def processes(redis: ArqRedis) -> AsyncIterator[list[Process]]:
    made = [Process(redis), Process(redis)]
    yield made
    for process in made:
        await process.held.aclose()
        await process.sockets.close()


async def test_processes_share_a_limit(processes: list[Process]) -> None:
    one, other = processes
    assert [await one.open(), await other.open(), await other.open(), await one.open()] == [True, True, False, False]
    assert one.refused == other.refused == [(Measure.SOCKETS, Subject.TOKEN)]
    assert await one.open("bob")


async def test_what_was_closed_counts_no_more(processes: list[Process]) -> None:
    one, other = processes
    assert [await one.open(), await one.open(), await other.open()] == [True, True, False]
    await one.held.aclose()

    async def opens() -> bool:
        return await other.open()

    await until(opens)


async def test_what_was_closed_while_redis_was_silent_counts_no_more_after_the_pause(
    processes: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = processes
    monkeypatch.setattr(sockets, "PAUSE_SECONDS", 0.2)
    assert [await one.open(), await one.open(), await other.open()] == [True, True, False]
    await one.sockets._within(lambda: asyncio.sleep(1))  # no answer in time
    await one.held.aclose()
    assert await one.open("bob")  # the process goes on

    async def opens() -> bool:
        return await other.open()

    await until(opens)


async def test_what_a_lost_process_had_open_counts_no_more(processes: list[Process], redis: ArqRedis) -> None:
    one, other = processes
    assert [await one.open(), await one.open(), await other.open()] == [True, True, False]
    await redis.delete(one.sockets._sign())  # no sign of life for long
    assert await other.open()


async def test_an_empty_redis_is_right_again_with_the_next_socket(processes: list[Process], redis: ArqRedis) -> None:
    one, other = processes
    assert await one.open()
    await redis.flushall()
    assert [await one.open(), await other.open()] == [True, False]


async def test_a_process_counts_its_own_while_redis_is_away() -> None:
    away = redis_at("redis://127.0.0.1:1", tries=0)
    process = Process(away)
    assert [await process.open(), await process.open(), await process.open()] == [True, True, False]
    await process.held.aclose()
    assert await process.open()
    await process.held.aclose()
    await process.sockets.close()


async def test_a_process_gives_signs_of_life_while_something_is_open(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "SIGN_SECONDS", 0.01)
    process = Process(redis)
    await process.open()
    await redis.delete(process.sockets._sign())

    async def lives() -> bool:
        return bool(await redis.exists(process.sockets._sign()))

    await until(lives)
    await process.held.aclose()
    await process.sockets.close()
    assert not await lives()


async def test_a_process_that_ends_has_no_socket_any_more(redis: ArqRedis) -> None:
    current = [redis]
    counted = OpenSockets({Subject.TOKEN: 2}, lambda: current[0], lambda *_: None)
    async with counted.held([counted.holder(Subject.TOKEN, "ann")]):
        assert await redis.exists(counted._sign())
    current.clear()  # its stores are closing
    await counted.close()
    assert not await redis.exists(counted._sign())


@pytest.mark.usefixtures("db")
async def test_a_socket_over_the_limit_of_its_user_is_closed_and_of_its_address_denied(redis: ArqRedis) -> None:
    async with running(services(redis, StandIn()), limit_sockets="token=1,address=2") as service:
        async with client_of(service) as ann, client_of(service) as again:
            await ann.begin()
            await again.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {token()}"}})
            assert await again.closed() == 4429
        async with client_of(service) as ann, client_of(service) as bob:
            await ann.begin()
            await bob.begin(token(user="bob"))
            with pytest.raises(InvalidStatus) as denied:
                async with client_of(service):
                    pass
        assert denied.value.response.status_code == 429
        async with client_of(service):
            pass


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("path", ["/v1/auto-enrichment/events", "/graphql?query=subscription{jobEvents{kind}}"])
async def test_streams_are_counted_as_sockets_are(redis: ArqRedis, path: str) -> None:
    shared = services(redis, StandIn())
    async with running(shared, limit_sockets="token=1") as service:
        url = service.address.replace("ws://", "http://").removesuffix("/graphql")
        headers = {"Authorization": f"Bearer {token()}", **STREAM}
        async with httpx.AsyncClient(base_url=url, headers=headers) as client:
            async with client.stream("GET", path) as first:
                assert first.status_code == 200
                refused = await client.get(path)
                assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
                await until(lambda: shared.events.watching == 1)  # of the refused one nothing is left

            async def opens() -> bool:
                async with client.stream("GET", path) as again:
                    return again.status_code == 200

            await until(opens)
            await until(lambda: shared.events.watching == 0)


@pytest.mark.usefixtures("db")
async def test_an_answer_that_is_no_stream_is_no_socket(redis: ArqRedis) -> None:
    app = rest_app(services(redis, StandIn()), limit_sockets="token=1")
    transport, headers = httpx.ASGITransport(app), {"Authorization": f"Bearer {token()}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        for _ in range(2):
            assert (await client.get("/v1/auto-enrichment/events")).status_code == 200
    assert await redis.keys("auto-enrichment:sockets:*") == []
