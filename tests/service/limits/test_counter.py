"""Counting against limits, by processes that share a Redis, and by each alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from arq.connections import ArqRedis

from service.limits import counter as counter_module
from service.limits.bucket import Bucket
from service.limits.counter import Counter, TooMany
from service.limits.policy import Measure, Subject
from service.redis_pool import redis_at


class Clock:
    """A clock that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def bucket_of(counter: Counter, most: int, who: str = "acme", subject: Subject = Subject.TOKEN) -> Bucket:
    bucket = counter.bucket(Measure.REQUESTS, subject, {subject: most}, who)
    assert bucket is not None
    return bucket


async def taken(counter: Counter, bucket: Bucket, tries: int, amount: float = 1.0) -> int:
    """How many of so many tries were let through."""
    passed = 0
    for _ in range(tries):
        with suppress(TooMany):
            await counter.take([bucket], amount)
            passed += 1
    return passed


async def asked(redis: ArqRedis) -> int:
    found = await redis.info("commandstats")
    return sum(int(found.get(f"cmdstat_{name}", {"calls": 0})["calls"]) for name in ("eval", "evalsha"))


async def test_processes_share_a_limit(redis: ArqRedis, clock: Clock) -> None:
    counters = [Counter(lambda: redis, clock) for _ in range(2)]
    passed = 0
    for _ in range(20):
        for counter in counters:
            passed += await taken(counter, bucket_of(counter, 30), 1)
    # Every request that Redis is asked for fills the bucket by what came in since the one before: next to nothing.
    assert passed in {30, 31}
    assert await taken(counters[0], bucket_of(counters[0], 30, "globex"), 3) == 3


async def test_redis_is_asked_for_few_of_many_requests(redis: ArqRedis, clock: Clock) -> None:
    counter = Counter(lambda: redis, clock)
    bucket = bucket_of(counter, 100_000)
    await redis.config_resetstat()
    assert await taken(counter, bucket, 5_000) == 5_000
    assert await asked(redis) < 20


async def test_what_redis_would_refuse_is_refused_without_it(redis: ArqRedis, clock: Clock) -> None:
    counter = Counter(lambda: redis, clock)
    bucket = bucket_of(counter, 3)
    assert await taken(counter, bucket, 3) == 3
    await redis.config_resetstat()
    assert await taken(counter, bucket, 50) == 0
    assert await asked(redis) == 0


async def test_nothing_is_taken_where_one_limit_of_several_is_used_up(redis: ArqRedis, clock: Clock) -> None:
    counter = Counter(lambda: redis, clock)
    wide, narrow = bucket_of(counter, 1000, subject=Subject.ORGANIZATION), bucket_of(counter, 2)
    for _ in range(2):
        await counter.take([wide, narrow], 1)
    left = wide.left(clock.now)
    for _ in range(5):
        with pytest.raises(TooMany) as refused:
            await counter.take([wide, narrow], 1)
        assert refused.value.bucket is narrow
    assert wide.left(clock.now) == left


async def test_more_than_a_limit_ever_holds_takes_all_of_it(redis: ArqRedis, clock: Clock) -> None:
    counter = Counter(lambda: redis, clock)
    assert await taken(counter, bucket_of(counter, 100), 2, amount=5_000) == 1


async def test_a_lease_ends_and_is_asked_for_anew(redis: ArqRedis, clock: Clock) -> None:
    counter = Counter(lambda: redis, clock)
    bucket = bucket_of(counter, 100_000)
    await taken(counter, bucket, 100)
    assert bucket.lease > 0
    clock.now += 2
    await redis.config_resetstat()
    assert await taken(counter, bucket, 1) == 1
    assert await asked(redis) == 1
    assert bucket.lease == 0  # nobody asked for much lately


@pytest.fixture
async def silent() -> AsyncIterator[ArqRedis]:
    """A Redis that takes connections, and says nothing."""
    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: connections.append(writer), "127.0.0.1", 0)
    client = redis_at(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}", tries=0)
    yield client
    await client.aclose(close_connection_pool=True)
    for writer in connections:
        writer.close()
    server.close()


async def test_a_process_counts_by_itself_while_redis_is_silent(
    silent: ArqRedis, redis: ArqRedis, clock: Clock
) -> None:
    used = [0]

    def current() -> ArqRedis:
        used[0] += 1
        return silent if used[0] == 1 else redis

    counter = Counter(current, clock)
    bucket = bucket_of(counter, 60)
    assert await taken(counter, bucket, 70) == 60
    assert used == [1]  # it is not asked again and again
    clock.now += 10
    assert await taken(counter, bucket, 30) == 30  # there it is again, and has counted nothing of the former
    assert used[0] > 1


async def test_alone_a_limit_fills_again(silent: ArqRedis, clock: Clock) -> None:
    counter = Counter(lambda: silent, clock)
    bucket = bucket_of(counter, 60)
    assert await taken(counter, bucket, 61) == 60
    clock.now += 4
    assert await taken(counter, bucket, 10) == 4


async def test_a_process_remembers_the_buckets_of_those_who_asked_last(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter_module, "MOST_BUCKETS", 2)
    counter = Counter(lambda: redis)
    acme, bolt = bucket_of(counter, 10, "acme"), bucket_of(counter, 10, "bolt")
    assert bucket_of(counter, 10, "acme") is acme
    bucket_of(counter, 10, "core")
    assert bucket_of(counter, 10, "acme") is acme
    assert bucket_of(counter, 10, "bolt") is not bolt
