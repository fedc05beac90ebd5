"""The live feed: who hears what, through bursts, slow watchers and a Redis that goes away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from resolvers.errors import Unavailable
from resolvers.events import subscriber as live_module
from resolvers.events.publisher import CHANNEL, announce
from resolvers.events.subscriber import EventSubscriber, Notice, Watcher
from service.embedded.redis import EmbeddedRedis
from service.redis_pool import redis_at


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def redis(server: EmbeddedRedis) -> AsyncIterator[ArqRedis]:
    redis = redis_at(server.url, tries=3)
    yield redis
    await redis.aclose(close_connection_pool=True)


@pytest.fixture
async def live(redis: ArqRedis) -> AsyncIterator[EventSubscriber]:
    live = EventSubscriber(redis)
    await live.start()
    assert live.connected
    yield live
    await live.stop()


async def heard(watcher: Watcher, *, seconds: float = 3.0) -> Notice:
    async with asyncio.timeout(seconds):
        return await anext(watcher)


async def hears_nothing(watcher: Watcher) -> bool:
    try:
        await heard(watcher, seconds=0.2)
    except TimeoutError:
        return True
    return False


async def heard_jobs(watcher: Watcher, wanted: set[str]) -> int:
    """Listens until all of these jobs have been told of; how many notices that took."""
    told: set[str] = set()
    for count in range(1, 1000):
        told |= (await heard(watcher)).jobs
        if wanted <= told:
            return count
    raise AssertionError("never told")


async def test_an_organization_hears_of_its_own_changes_only(live: EventSubscriber, redis: ArqRedis) -> None:
    async with live.watch("one") as mine, live.watch("two") as other:
        await announce(redis, "one", jobs=["j1", "j2"], conflicts=["c1"])
        assert await heard(mine) == Notice(frozenset({"j1", "j2"}), frozenset({"c1"}))
        await announce(redis, "one", pipeline=True)
        assert await heard(mine) == Notice(pipeline=True)
        assert await hears_nothing(other)


async def test_a_watcher_of_one_job_is_woken_by_that_job_only(live: EventSubscriber, redis: ArqRedis) -> None:
    async with live.watch("one", job="j1") as watcher:
        await announce(redis, "one", jobs=["j2", "j3"])
        assert await hears_nothing(watcher)
        await announce(redis, "one", jobs=["j1"])
        assert "j1" in (await heard(watcher)).jobs


async def test_a_burst_is_handed_on_together(live: EventSubscriber, redis: ArqRedis) -> None:
    ids = {f"j{number}" for number in range(200)}
    async with live.watch("one") as watcher:
        listening = asyncio.create_task(heard_jobs(watcher, ids))
        for job_id in ids:
            await announce(redis, "one", jobs=[job_id])
        assert await listening < 50


async def test_a_slow_watcher_loses_nothing_and_holds_up_nobody(live: EventSubscriber, redis: ArqRedis) -> None:
    async with live.watch("one") as slow, live.watch("one") as quick:
        for number in range(5):
            await announce(redis, "one", jobs=[f"j{number}"])
            await heard_jobs(quick, {f"j{number}"})
        assert await heard(slow) == Notice(frozenset({"j0", "j1", "j2", "j3", "j4"}))


async def test_who_is_too_far_behind_is_told_of_a_gap(
    live: EventSubscriber, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "SPACING_SECONDS", 0.0)
    last = live_module.KEPT_NOTICES + 1
    async with live.watch("one") as slow, live.watch("one") as quick:
        for number in range(last + 1):
            await announce(redis, "one", jobs=[f"j{number}"])
        await heard_jobs(quick, {f"j{last}"})
        notice = await heard(slow)
        assert (notice.gap, notice.jobs) == (True, frozenset())


async def test_a_process_subscribes_once_however_many_watch(live: EventSubscriber, redis: ArqRedis) -> None:
    async with AsyncExitStack() as stack:
        for number in range(30):
            await stack.enter_async_context(live.watch(f"org-{number % 3}"))
        assert await redis.pubsub_numsub(CHANNEL) == [(CHANNEL.encode(), 1)]


async def test_a_restart_of_redis_is_a_gap_and_then_notices_arrive_again(
    live: EventSubscriber, redis: ArqRedis, server: EmbeddedRedis
) -> None:
    assert server.pid is not None
    async with live.watch("one") as watcher, live.watch("one", job="j1") as of_job:
        os.kill(server.pid, signal.SIGKILL)
        assert (await heard(watcher, seconds=15)).gap
        assert (await heard(of_job, seconds=15)).gap
        await announce(redis, "one", jobs=["j1"])
        assert (await heard(watcher)).jobs == {"j1"}
        assert (await heard(of_job)).jobs == {"j1"}


async def test_a_connection_that_ends_unnoticed_is_a_gap(live: EventSubscriber, redis: ArqRedis) -> None:
    async with live.watch("one") as watcher:
        await redis.client_kill_filter(_type="pubsub")
        assert (await heard(watcher)).gap


async def test_a_connection_that_goes_silent_is_given_up(
    live: EventSubscriber, redis: ArqRedis, server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(live_module, "ANSWER_SECONDS", 0.2)
    assert server.pid is not None
    async with live.watch("one") as watcher:
        await redis.client_kill_filter(_type="pubsub")  # begin again with these times
        assert (await heard(watcher)).gap
        os.kill(server.pid, signal.SIGSTOP)
        await asyncio.sleep(1)
        os.kill(server.pid, signal.SIGCONT)
        assert (await heard(watcher, seconds=15)).gap


async def test_without_redis_at_the_start_watchers_wait_for_it(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    redis = redis_at(server.url, tries=0)
    live = EventSubscriber(redis)
    await live.start(wait_seconds=0.1)
    try:
        assert not live.connected
        async with live.watch("one") as watcher:
            await server.start()
            assert (await heard(watcher, seconds=15)).gap
    finally:
        await live.stop()
        await redis.aclose(close_connection_pool=True)
        await server.stop()


async def test_a_quiet_spell_asks_for_another_look(live: EventSubscriber) -> None:
    async with live.watch("one", reread_every=0.05) as watcher:
        assert (await heard(watcher)).gap
        assert (await heard(watcher)).gap


async def test_a_message_that_makes_no_sense_does_not_end_the_feed(live: EventSubscriber, redis: ArqRedis) -> None:
    async with live.watch("one") as watcher:
        for nonsense in (b"{", b"[]", b"7", b'{"organization": "one", "jobs": 7}', b'{"jobs": ["j1"]}', b"\xff"):
            await redis.publish(CHANNEL, nonsense)
        await announce(redis, "one", jobs=["j1"])
        assert (await heard(watcher)).jobs == {"j1"}


async def test_what_a_notice_leads_to_is_loaded_once_for_all(live: EventSubscriber, redis: ArqRedis) -> None:
    loads: list[str] = []

    async def load() -> str:
        loads.append("load")
        await asyncio.sleep(0.05)
        return f"answer {len(loads)}"

    async def look(watcher: Watcher) -> str:
        return await (await heard(watcher)).once("jobs", load)

    async with live.watch("one") as first, live.watch("one") as second:
        await announce(redis, "one", jobs=["j1"])
        assert set(await asyncio.gather(look(first), look(second))) == {"answer 1"}
        await announce(redis, "one", jobs=["j1"])
        assert await look(first) == "answer 2"


async def test_a_watcher_that_leaves_does_not_end_the_load_of_the_others(
    live: EventSubscriber, redis: ArqRedis
) -> None:
    async def load() -> str:
        await asyncio.sleep(0.1)
        return "answer"

    async with live.watch("one") as first, live.watch("one") as second:
        await announce(redis, "one", jobs=["j1"])
        leaving = asyncio.create_task((await heard(first)).once("jobs", load))
        staying = asyncio.create_task((await heard(second)).once("jobs", load))
        await asyncio.sleep(0.01)
        leaving.cancel()
        assert await staying == "answer"


async def test_two_gaps_are_never_answered_with_the_same_load(live: EventSubscriber) -> None:
    async def mine() -> str:
        return "mine"

    async def theirs() -> str:
        return "theirs"

    async with (
        live.watch("one", reread_every=0.01) as first,
        live.watch("two", reread_every=0.01) as second,
    ):
        assert await (await heard(first)).once("state", mine) == "mine"
        assert await (await heard(second)).once("state", theirs) == "theirs"


async def test_watchers_are_told_when_the_process_stops(live: EventSubscriber) -> None:
    async with live.watch("one") as watcher:
        await live.stop()
        with pytest.raises(Unavailable):
            await heard(watcher)
