"""No more calls than a provider allows: one limit for all processes, pauses that replies ask for, and Redis away."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from arq.connections import ArqRedis
from redis.asyncio import Redis

from providers.api import ProviderError
from providers.http.adapter import Reply
from providers.http.rate_limit import LimitUpdate, LocalRateLimiter, RateLimiter, RedisRateLimiter, read_limits
from service.redis_pool import redis_at

NOW = 1_790_000_000.0


def reply(status: int = 200, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


async def accepted(rate_limiter: RateLimiter, calls: int, per_minute: int, account: str = "a") -> tuple[int, float]:
    """How many of the calls made at once got their turn, and the longest wait of the others that was named."""
    results = await asyncio.gather(
        *(rate_limiter.acquire(account, "acme", per_minute) for _ in range(calls)), return_exceptions=True
    )
    errors = [error for error in results if isinstance(error, ProviderError)]
    assert all(error.code == "rate_limited" and error.retryable for error in errors)
    assert len(errors) == sum(result is not None for result in results)
    return calls - len(errors), max((error.retry_after_seconds or 0 for error in errors), default=0.0)


async def test_calls_beyond_the_limit_wait_shortly_or_are_refused(redis: ArqRedis) -> None:
    started = time.monotonic()
    turns, wait = await accepted(RedisRateLimiter(redis, max_wait_seconds=2), 30, 300)
    # 285 a minute, four at once, and two seconds' worth more that wait for their turn.
    assert 12 <= turns <= 15
    assert wait > 2.0
    assert 1.5 < time.monotonic() - started < 4.0


async def test_all_processes_share_one_limit(redis: ArqRedis, redis_url: str) -> None:
    other = redis_at(redis_url, tries=1)
    one, two = await asyncio.gather(
        accepted(RedisRateLimiter(redis, max_wait_seconds=2), 15, 300),
        accepted(RedisRateLimiter(other, max_wait_seconds=2), 15, 300),
    )
    assert 12 <= one[0] + two[0] <= 15
    await other.aclose(close_connection_pool=True)


async def test_one_account_does_not_use_up_anothers_limit(redis: ArqRedis) -> None:
    rate_limiter = RedisRateLimiter(redis, max_wait_seconds=2)
    await accepted(rate_limiter, 20, 60, account="a")
    started = time.monotonic()
    await rate_limiter.acquire("b", "acme", 60)
    await rate_limiter.acquire("a", "other", 60)
    assert time.monotonic() - started < 0.5


async def test_a_refusal_takes_no_turn(redis: ArqRedis) -> None:
    rate_limiter = RedisRateLimiter(redis, max_wait_seconds=2)
    for _ in range(3):
        _, wait = await accepted(rate_limiter, 10, 60)
    assert wait < 4.0


async def test_a_pause_that_a_reply_asks_for_holds_for_every_process(redis: ArqRedis, redis_url: str) -> None:
    other = redis_at(redis_url, tries=1)
    await RedisRateLimiter(redis, max_wait_seconds=2).observe("a", "acme", reply(429, retry_after="30"))
    with pytest.raises(ProviderError) as refusal:
        await RedisRateLimiter(other, max_wait_seconds=2).acquire("a", "acme", 300)
    assert refusal.value.retry_after_seconds == pytest.approx(30, abs=1)
    await other.aclose(close_connection_pool=True)


async def test_a_short_pause_is_waited_out(redis: ArqRedis) -> None:
    rate_limiter = RedisRateLimiter(redis, max_wait_seconds=2)
    await rate_limiter.observe("a", "acme", reply(429, retry_after="1"))
    started = time.monotonic()
    await rate_limiter.acquire("a", "acme", 300)
    assert 0.9 < time.monotonic() - started < 1.6


async def test_a_lower_limit_that_a_reply_tells_counts_and_a_higher_one_does_not(redis: ArqRedis) -> None:
    rate_limiter = RedisRateLimiter(redis, max_wait_seconds=2)
    await rate_limiter.observe("a", "acme", reply(x_rate_limit_minute="30"))
    turns, _ = await accepted(rate_limiter, 10, 300)
    assert turns == 1
    await rate_limiter.observe("b", "acme", reply(x_rate_limit_minute="60000"))
    turns, _ = await accepted(rate_limiter, 30, 300, account="b")
    assert turns <= 15


async def test_what_is_kept_of_an_account_names_no_key_and_goes_by_itself(redis: ArqRedis) -> None:
    rate_limiter = RedisRateLimiter(redis, max_wait_seconds=2)
    await rate_limiter.acquire("a", "acme", 300)
    assert await redis.keys("*") == [b"auto-enrichment:rate:acme:a"]
    assert 0 < await redis.ttl("auto-enrichment:rate:acme:a") <= 120
    await rate_limiter.observe("a", "acme", reply(429, retry_after="3000"))
    assert await redis.ttl("auto-enrichment:rate:acme:a") >= 3000


async def test_while_redis_is_away_a_process_takes_its_share_alone() -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:9", socket_connect_timeout=1)
    rate_limiter = RedisRateLimiter(nowhere, max_wait_seconds=2)
    started = time.monotonic()
    turns, _ = await accepted(rate_limiter, 30, 300)
    # A quarter of 285 a minute is one in 0.84 s.
    assert 1 <= turns <= 4
    assert time.monotonic() - started < 4.0
    await rate_limiter.observe("a", "acme", reply(429, retry_after="60"))
    with pytest.raises(ProviderError):
        await rate_limiter.acquire("a", "acme", 300)
    await nowhere.aclose()


async def test_a_redis_that_does_not_answer_is_not_waited_for() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    async with server:
        mute = Redis.from_url(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        rate_limiter = RedisRateLimiter(mute, max_wait_seconds=2)
        started = time.monotonic()
        await rate_limiter.acquire("a", "acme", 300)
        assert time.monotonic() - started < 1.0
        await rate_limiter.acquire("b", "acme", 300)
        assert time.monotonic() - started < 1.1
        await mute.aclose()


async def test_it_counts_in_the_stand_in_of_redis_too() -> None:
    standin = redis_at(None, tries=1)
    rate_limiter = RedisRateLimiter(standin, max_wait_seconds=2)
    turns, _ = await accepted(rate_limiter, 30, 300, account="standin")
    assert 12 <= turns <= 15
    await standin.aclose(close_connection_pool=True)


async def test_one_process_alone_may_use_the_whole_limit() -> None:
    turns, _ = await accepted(LocalRateLimiter(max_wait_seconds=2), 30, 300)
    assert 12 <= turns <= 15


@pytest.mark.parametrize(
    ("told", "pause"),
    [
        (reply(429, retry_after="7"), 7.0),
        (reply(429, x_ratelimit_reset=f"{NOW + 40:.0f}"), 40.0),
        (reply(429, x_ratelimit_reset=(datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=20)).isoformat()), 20.0),
        (reply(429), 10.0),
        (reply(429, retry_after="7200"), 7200.0),  # ZoomInfo names thousands
        (reply(429, retry_after="999999999"), 86400.0),
        (reply(429, retry_after="3", x_hourly_requests_left="0"), 3.0),  # it knows best
        (reply(429, x_hourly_requests_left="0"), 600.0),
        (reply(429, x_ratelimit_rejected_bucket="day"), 3600.0),
        (reply(429, x_ratelimit_rejected_bucket="Second"), 1.0),
        (reply(429, x_ratelimit_rejected_bucket="year"), 10.0),
        (reply(429, retry_after="soon", x_ratelimit_reset="later"), 10.0),
        (reply(503, retry_after="5"), 5.0),
        (reply(503), 0.0),
        (reply(200, retry_after="5"), 0.0),
        (reply(x_ratelimit_remaining="0", x_ratelimit_reset=f"{NOW + 30:.0f}"), 30.0),
        (reply(x_ratelimit_remaining="{'minute': 0}", x_ratelimit_reset="nonsense"), 10.0),
        (reply(x_ratelimit_remaining="{'minute': 99}"), 0.0),
        (reply(x_ratelimit_remaining="-1"), 0.0),
        (reply(x_minute_requests_left=""), 0.0),
        (reply(x_minute_requests_left="0"), 10.0),
        (reply(x_hourly_requests_left="0", x_minute_requests_left="40"), 600.0),
        (reply(x_24_hour_requests_left="0", x_hourly_requests_left="0"), 3600.0),
        (reply(x_hourly_requests_left="", x_24_hour_requests_left="-1"), 0.0),  # unlimited, or not known
        (reply(x_ratelimit_remaining_second="0", x_ratelimit_remaining_hour="53990"), 1.0),
        (reply(x_ratelimit_remaining_hour="0", x_ratelimit_reset=f"{NOW + 5:.0f}"), 600.0),
        (reply(x_ratelimit_remaining_day="0"), 3600.0),
        (reply(), 0.0),
    ],
)
def test_how_long_a_reply_asks_to_pause(told: Reply, pause: float) -> None:
    assert read_limits(told, NOW).pause_seconds == pytest.approx(pause)


@pytest.mark.parametrize(
    ("told", "limit"),
    [
        (reply(x_rate_limit_minute="50"), 50),
        (reply(x_ratelimit_limit_second="5"), 300),
        (reply(x_ratelimit_limit="{'minute': 100}"), 100),
        (reply(x_ratelimit_limit="600"), None),  # of which time it does not say
        (reply(x_rate_limit_minute="0"), None),
        (reply(x_rate_limit_minute="-3"), None),
        (reply(x_rate_limit_minute="many"), None),
    ],
)
def test_which_limit_a_reply_tells(told: Reply, limit: float | None) -> None:
    assert read_limits(told, NOW) == LimitUpdate(0.0, limit)
