"""Notices reach those whom they concern, through bursts, slow watchers and outages of Redis."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from resolvers.errors import Unavailable
from resolvers.events import feed, subscriber
from resolvers.events.feed import Watcher
from resolvers.events.notice import Notice
from resolvers.events.publisher import CHANNEL, announce
from resolvers.events.subscriber import EventSubscriber
from service.embedded.redis import EmbeddedRedis
from service.redis_pool import redis_at
from tests.support.waiting import PATIENCE_SECONDS, until


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
async def events(redis: ArqRedis) -> AsyncIterator[EventSubscriber]:
    events = EventSubscriber(redis)
    await events.start()
    assert events.connected
    yield events
    await events.stop()


async def next_notice(watcher: Watcher, *, seconds: float = PATIENCE_SECONDS) -> Notice:
    async with asyncio.timeout(seconds):
        return await anext(watcher)


async def receives_nothing(watcher: Watcher) -> bool:
    try:
        await next_notice(watcher, seconds=0.2)
    except TimeoutError:
        return True
    return False


async def notices_until_jobs(watcher: Watcher, wanted: set[str]) -> int:
    """How many notices it took until they named all of these jobs."""
    named: set[str] = set()
    for count in range(1, 1000):
        named |= (await next_notice(watcher)).jobs
        if wanted <= named:
            return count
    raise AssertionError("not all jobs were named")


async def test_watchers_receive_notices_of_their_own_organization_only(
    events: EventSubscriber, redis: ArqRedis
) -> None:
    async with events.watch("one") as mine, events.watch("two") as other:
        await announce(redis, "one", jobs=["j1", "j2"], conflicts=["c1"])
        assert await next_notice(mine) == Notice(frozenset({"j1", "j2"}), frozenset({"c1"}))
        await announce(redis, "one", pipeline=True)
        assert await next_notice(mine) == Notice(pipeline=True)
        assert await receives_nothing(other)


async def test_a_watcher_of_one_job_is_woken_by_that_job_only(events: EventSubscriber, redis: ArqRedis) -> None:
    async with events.watch("one", job="j1") as watcher:
        await announce(redis, "one", jobs=["j2", "j3"])
        assert await receives_nothing(watcher)
        await announce(redis, "one", jobs=["j1"])
        assert "j1" in (await next_notice(watcher)).jobs


async def test_notices_of_a_burst_are_delivered_together(events: EventSubscriber, redis: ArqRedis) -> None:
    ids = {f"j{number}" for number in range(200)}
    async with events.watch("one") as watcher:
        listening = asyncio.create_task(notices_until_jobs(watcher, ids))
        for job_id in ids:
            await announce(redis, "one", jobs=[job_id])
        assert await listening < 50


async def test_the_notices_of_one_job_wait_for_none_of_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "SPACING_SECONDS", 3600.0)
    notices = feed.Feed()
    for number in range(feed.BURST):
        notices.publish(Notice(frozenset({"j1"})))
        assert notices.head == number + 1
    notices.publish(Notice(frozenset({"j2"})))
    assert notices.head == feed.BURST


async def test_a_slow_watcher_loses_nothing_and_holds_up_nobody(events: EventSubscriber, redis: ArqRedis) -> None:
    async with events.watch("one") as slow, events.watch("one") as quick:
        for number in range(5):
            await announce(redis, "one", jobs=[f"j{number}"])
            await notices_until_jobs(quick, {f"j{number}"})
        assert await next_notice(slow) == Notice(frozenset({"j0", "j1", "j2", "j3", "j4"}))


async def test_a_watcher_that_is_too_far_behind_receives_a_gap(
    events: EventSubscriber, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "SPACING_SECONDS", 0.0)
    last = feed.KEPT_NOTICES + 1
    async with events.watch("one") as slow, events.watch("one") as quick:
        for number in range(last + 1):
            await announce(redis, "one", jobs=[f"j{number}"])
        await notices_until_jobs(quick, {f"j{last}"})
        notice = await next_notice(slow)
        assert (notice.gap, notice.jobs) == (True, frozenset())


async def test_a_process_subscribes_once_however_many_watch(events: EventSubscriber, redis: ArqRedis) -> None:
    async with AsyncExitStack() as stack:
        for number in range(30):
            await stack.enter_async_context(events.watch(f"org-{number % 3}"))
        assert await redis.pubsub_numsub(CHANNEL) == [(CHANNEL.encode(), 1)]


async def test_a_restart_of_redis_is_a_gap_and_then_notices_arrive_again(
    events: EventSubscriber, redis: ArqRedis, server: EmbeddedRedis
) -> None:
    assert server.pid is not None
    async with events.watch("one") as watcher, events.watch("one", job="j1") as of_job:
        os.kill(server.pid, signal.SIGKILL)
        assert (await next_notice(watcher)).gap
        assert (await next_notice(of_job)).gap
        await announce(redis, "one", jobs=["j1"])
        assert (await next_notice(watcher)).jobs == {"j1"}
        assert (await next_notice(of_job)).jobs == {"j1"}


async def test_a_connection_that_ends_unnoticed_is_a_gap(events: EventSubscriber, redis: ArqRedis) -> None:
    async with events.watch("one") as watcher:
        await redis.client_kill_filter(_type="pubsub")
        assert (await next_notice(watcher)).gap


async def test_a_connection_that_goes_silent_is_replaced(
    events: EventSubscriber, redis: ArqRedis, server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(subscriber, "ANSWER_SECONDS", 0.2)
    assert server.pid is not None
    async with events.watch("one") as watcher:
        await redis.client_kill_filter(_type="pubsub")  # begin again with these times
        assert (await next_notice(watcher)).gap
        os.kill(server.pid, signal.SIGSTOP)
        await until(lambda: not events.connected)
        os.kill(server.pid, signal.SIGCONT)
        assert (await next_notice(watcher)).gap


async def test_without_redis_at_the_start_watchers_wait_for_it(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    redis = redis_at(server.url, tries=0)
    events = EventSubscriber(redis)
    await events.start(wait_seconds=0.1)
    try:
        assert not events.connected
        async with events.watch("one") as watcher:
            await server.start()
            assert (await next_notice(watcher)).gap
    finally:
        await events.stop()
        await redis.aclose(close_connection_pool=True)
        await server.stop()


async def test_a_quiet_spell_asks_for_another_look(events: EventSubscriber) -> None:
    async with events.watch("one", reread_every=0.05) as watcher:
        assert (await next_notice(watcher)).gap
        assert (await next_notice(watcher)).gap


async def test_an_unreadable_message_does_not_end_the_subscription(events: EventSubscriber, redis: ArqRedis) -> None:
    async with events.watch("one") as watcher:
        for nonsense in (b"{", b"[]", b"7", b'{"organization": "one", "jobs": 7}', b'{"jobs": ["j1"]}', b"\xff"):
            await redis.publish(CHANNEL, nonsense)
        await announce(redis, "one", jobs=["j1"])
        assert (await next_notice(watcher)).jobs == {"j1"}


async def test_a_load_is_made_once_for_all_watchers_of_a_notice(events: EventSubscriber, redis: ArqRedis) -> None:
    loads: list[str] = []

    async def load() -> str:
        loads.append("load")
        await asyncio.sleep(0.05)
        return f"answer {len(loads)}"

    async def look(watcher: Watcher) -> str:
        return await (await next_notice(watcher)).once("jobs", load)

    async with events.watch("one") as first, events.watch("one") as second:
        await announce(redis, "one", jobs=["j1"])
        assert set(await asyncio.gather(look(first), look(second))) == {"answer 1"}
        await announce(redis, "one", jobs=["j1"])
        assert await look(first) == "answer 2"


async def test_a_watcher_that_leaves_does_not_end_the_load_of_the_others(
    events: EventSubscriber, redis: ArqRedis
) -> None:
    async def load() -> str:
        await asyncio.sleep(0.1)
        return "answer"

    async with events.watch("one") as first, events.watch("one") as second:
        await announce(redis, "one", jobs=["j1"])
        leaving = asyncio.create_task((await next_notice(first)).once("jobs", load))
        staying = asyncio.create_task((await next_notice(second)).once("jobs", load))
        await asyncio.sleep(0.01)
        leaving.cancel()
        assert await staying == "answer"


async def test_two_gaps_never_share_a_load(events: EventSubscriber) -> None:
    async def mine() -> str:
        return "mine"

    async def theirs() -> str:
        return "theirs"

    async with (
        events.watch("one", reread_every=0.01) as first,
        events.watch("two", reread_every=0.01) as second,
    ):
        assert await (await next_notice(first)).once("state", mine) == "mine"
        assert await (await next_notice(second)).once("state", theirs) == "theirs"


async def test_watchers_get_unavailable_when_the_process_stops(events: EventSubscriber) -> None:
    async with events.watch("one") as watcher:
        await events.stop()
        with pytest.raises(Unavailable):
            await next_notice(watcher)
