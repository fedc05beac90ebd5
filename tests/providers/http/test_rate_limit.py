"""No more calls than a provider allows: one limit for all processes, pauses that replies ask for, and Redis away."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from arq.connections import ArqRedis
from redis.asyncio import Redis

from providers.api import ProviderError
from providers.http.adapter import Limit, Reply
from providers.http.rate_limit import (
    PROCESSES,
    LocalRateLimiter,
    RateLimiter,
    RedisRateLimiter,
)
from providers.http.stated_limits import LimitUpdate, read_limits
from providers.hunter.adapter import Hunter
from providers.zoominfo.adapter import ZoomInfo
from service.redis_pool import redis_at
from tests.support.waiting import PATIENCE_SECONDS

NOW = 1_790_000_000.0
MAX_WAIT = 2.0


def reply(status: int = 200, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@dataclass
class Burst:
    """What became of calls made at once: the waits of those that got their turn, and those named to the others."""

    waits: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def turns(self) -> int:
        return len(self.waits)

    def most_turns(self, per_second: float, at_once: int) -> float:
        """How many may have got their turn, as long as it took to make the calls."""
        return at_once + (MAX_WAIT + self.seconds) * per_second + 1


def named_wait(refusal: ProviderError) -> float:
    """After how many seconds a refused call may be tried again."""
    assert refusal.code == "rate_limited" and refusal.retryable
    return refusal.retry_after_seconds or 0.0


@dataclass
class Limited:
    """An account's calls through a rate limiter whose waits are noted, not waited."""

    redis: Redis | None
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limiter: RateLimiter = (
            RedisRateLimiter(self.redis, max_wait_seconds=MAX_WAIT, sleep=self._sleep)
            if self.redis is not None
            else LocalRateLimiter(max_wait_seconds=MAX_WAIT, sleep=self._sleep)
        )

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def call(self, account: str = "a", provider_id: str = "acme", *, per_minute: int = 300) -> float:
        """The wait of one call, in seconds. Raises as the limiter does."""
        self.waits.clear()
        await self.limiter.acquire(account, provider_id, per_minute)
        return self.waits[0] if self.waits else 0.0

    async def burst(self, calls: int, per_minute: int = 300, account: str = "a") -> Burst:
        burst = Burst()
        started = time.monotonic()
        for _ in range(calls):
            try:
                burst.waits.append(await self.call(account, per_minute=per_minute))
            except ProviderError as error:
                burst.refusals.append(named_wait(error))
        burst.seconds = time.monotonic() - started
        return burst


async def test_calls_beyond_the_limit_wait_shortly_or_are_refused(redis: ArqRedis) -> None:
    burst = await Limited(redis).burst(40)
    # 285 a minute, four at once, and two seconds' worth more that wait for their turn.
    assert 12 <= burst.turns <= burst.most_turns(285 / 60, 4)
    assert burst.waits[:4] == [0.0] * 4
    assert max(burst.waits) <= MAX_WAIT < min(burst.refusals)


async def test_all_processes_share_one_limit(redis: ArqRedis, redis_url: str) -> None:
    other = redis_at(redis_url, tries=1)
    here, there = await asyncio.gather(Limited(redis).burst(20), Limited(other).burst(20))
    longer = max(here, there, key=lambda burst: burst.seconds)
    assert 12 <= here.turns + there.turns <= longer.most_turns(285 / 60, 4)
    await other.aclose(close_connection_pool=True)


async def test_one_account_does_not_use_up_anothers_limit(redis: ArqRedis) -> None:
    limited = Limited(redis)
    assert (await limited.burst(20, 60)).refusals
    assert await limited.call("b", "acme", per_minute=60) == 0.0
    assert await limited.call("a", "other", per_minute=60) == 0.0


async def test_a_refusal_takes_no_turn(redis: ArqRedis) -> None:
    limited = Limited(redis)
    for _ in range(3):
        assert max((await limited.burst(10, 60)).refusals) < MAX_WAIT + 60 / 57


async def test_a_pause_that_a_reply_asks_for_holds_for_every_process(redis: ArqRedis, redis_url: str) -> None:
    other = redis_at(redis_url, tries=1)
    await Limited(redis).limiter.observe("a", "acme", reply(429, retry_after="3000"))
    with pytest.raises(ProviderError) as refusal:
        await Limited(other).call()
    assert refusal.value.retry_after_seconds == pytest.approx(3000, abs=PATIENCE_SECONDS)
    await other.aclose(close_connection_pool=True)


@pytest.mark.parametrize("shared", [True, False])
async def test_a_pause_is_forgotten_in_all_limits_of_the_account_and_in_no_others(
    redis: ArqRedis, redis_url: str, shared: bool
) -> None:
    """By whom it was asked to forget counts for all processes; a pause that is asked for afterwards holds."""
    limited, other = Limited(redis if shared else None), redis_at(redis_url, tries=1)
    for name in ("a", "a:people", "b"):
        await limited.limiter.observe(name, "acme", reply(429, retry_after="3000"))
    await (Limited(other) if shared else limited).limiter.forget_pauses("a", "acme")
    assert await limited.call() == 0.0
    assert await limited.call("a:people") == 0.0
    with pytest.raises(ProviderError):
        await limited.call("b")
    await limited.limiter.observe("a", "acme", reply(429, retry_after="40"))
    with pytest.raises(ProviderError) as refusal:
        await limited.call()
    assert (refusal.value.retry_after_seconds or 0) <= 40
    await other.aclose(close_connection_pool=True)


async def test_a_short_pause_is_waited_out(redis: ArqRedis) -> None:
    limited = Limited(redis)
    started = time.monotonic()
    await limited.limiter.observe("a", "acme", reply(429, retry_after="2"))
    waited = await limited.call()
    assert 2 - (time.monotonic() - started) <= waited <= 2


async def test_a_lower_limit_that_a_reply_tells_counts_and_a_higher_one_does_not(redis: ArqRedis) -> None:
    limited = Limited(redis)
    await limited.limiter.observe("a", "acme", reply(x_rate_limit_minute="30"))
    burst = await limited.burst(10)
    assert 1 <= burst.turns <= burst.most_turns(30 * 0.95 / 60, 0)
    await limited.limiter.observe("b", "acme", reply(x_rate_limit_minute="60000"))
    burst = await limited.burst(40, account="b")
    assert burst.turns <= burst.most_turns(285 / 60, 4)


async def test_what_is_kept_of_an_account_names_no_key_and_goes_by_itself(redis: ArqRedis) -> None:
    limited = Limited(redis)
    await limited.call()
    assert await redis.keys("*") == [b"auto-enrichment:rate:acme:a"]
    assert 0 < await redis.ttl("auto-enrichment:rate:acme:a") <= 120
    await limited.limiter.observe("a", "acme", reply(429, retry_after="3000"))
    assert await redis.ttl("auto-enrichment:rate:acme:a") >= 3000


async def test_while_redis_is_away_a_process_takes_its_share_alone() -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:9", socket_connect_timeout=1)
    limited = Limited(nowhere)
    burst = await limited.burst(30)
    assert 1 <= burst.turns <= burst.most_turns(285 / 60 / PROCESSES, 0)
    await limited.limiter.observe("a", "acme", reply(429, retry_after="3000"))
    with pytest.raises(ProviderError):
        await limited.call()
    await nowhere.aclose()


async def test_a_redis_that_does_not_answer_is_tried_once_and_then_left_alone_for_a_while() -> None:
    commands: list[bytes] = []

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            commands.append(data)
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    async with server:
        mute = Redis.from_url(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        limiter = RedisRateLimiter(mute, clock=lambda: 7.0)  # no time passes
        await limiter.acquire("a", "acme", 300)
        tried = list(commands)
        assert tried != []
        await limiter.acquire("b", "acme", 300)
        assert commands == tried
        await mute.aclose()


async def test_it_counts_in_the_stand_in_of_redis_too() -> None:
    stand_in = redis_at(None, tries=1)
    burst = await Limited(stand_in).burst(40, account="stand-in")
    assert 12 <= burst.turns <= burst.most_turns(285 / 60, 4)
    await stand_in.aclose(close_connection_pool=True)


async def test_one_process_alone_may_use_the_whole_limit() -> None:
    burst = await Limited(None).burst(40)
    assert 12 <= burst.turns <= burst.most_turns(285 / 60, 4)


@pytest.mark.parametrize(
    ("told", "pause"),
    [
        (reply(429, retry_after="7"), 7.0),
        (reply(429, x_ratelimit_reset=f"{NOW + 40:.0f}"), 40.0),
        (reply(429, x_ratelimit_reset=(datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=20)).isoformat()), 20.0),
        (reply(429), 10.0),
        (reply(429, retry_after="7200"), 7200.0),  # ZoomInfo names thousands
        (reply(429, retry_after="86400"), 86400.0),
        (reply(429, retry_after="86401"), 10.0),
        (reply(429, retry_after="99999999999999999999"), 10.0),
        (reply(429, retry_after="Wed, 21 Oct 2099 07:28:00 GMT"), 10.0),
        (reply(503, retry_after="Wed, 21 Oct 2099 07:28:00 GMT"), 0.0),
        (reply(429, x_ratelimit_reset="4000000000"), 10.0),
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
        (reply(x_rate_limit_minute="50"), (50, None)),
        (reply(x_ratelimit_limit_second="5"), (300, 5)),
        (reply(x_ratelimit_limit_second="-1"), (None, None)),
        (reply(x_ratelimit_limit="{'minute': 100}"), (100, None)),
        (reply(x_ratelimit_limit="600"), (None, None)),  # of which time it does not say
        (reply(x_rate_limit_minute="0"), (None, None)),
        (reply(x_rate_limit_minute="-3"), (None, None)),
        (reply(x_rate_limit_minute="many"), (None, None)),
    ],
)
def test_which_limit_a_reply_tells(told: Reply, limit: tuple[float | None, float | None]) -> None:
    assert read_limits(told, NOW) == LimitUpdate(0.0, *limit)


class Moments:
    """A clock that only waiting moves; `left` are the moments at which calls went out."""

    def __init__(self) -> None:
        self.now = 0.0
        self.left: list[float] = []

    async def call(self, limiter: LocalRateLimiter, limit: Limit) -> None:
        waits: list[float] = []

        async def wait(seconds: float) -> None:
            waits.append(seconds)

        limiter._sleep = wait
        await limiter.acquire("a", "acme", limit.calls_per_minute, limit.calls_per_second)
        self.left.append(self.now + sum(waits))

    def most_within(self, seconds: float) -> int:
        return max(sum(start <= at < start + seconds for at in self.left) for start in self.left)


@pytest.mark.parametrize(
    ("limit", "documented"),
    [
        (ZoomInfo().limit_of("", "/data/v1/contacts/enrich"), 5),
        (ZoomInfo().limit_of("legacy", "/enrich/contact"), 5),
        (ZoomInfo().limit_of("legacy", "/authenticate"), 1),
        (Hunter().limit_of("", "/people/find"), 15),
    ],
)
async def test_no_second_has_more_calls_than_are_documented_whatever_the_burst(limit: Limit, documented: int) -> None:
    moments = Moments()
    limiter = LocalRateLimiter(max_wait_seconds=100, clock=lambda: moments.now)
    for _ in range(60):
        await moments.call(limiter, limit)
    assert moments.most_within(1.0) <= documented
    moments.now, moments.left = 500.0, []
    await limiter.observe("a", "acme", reply(429, retry_after="5"))
    for _ in range(30):  # all of which wait for the end of the pause
        await moments.call(limiter, limit)
    assert min(moments.left) == 505
    assert moments.most_within(1.0) <= documented


async def test_seconds_are_limited_over_all_processes(redis: ArqRedis, redis_url: str) -> None:
    other = redis_at(redis_url, tries=1)
    here, there = Limited(redis), Limited(other)
    started, waits = time.monotonic(), []
    for _ in range(4):
        for limited in (here, there):
            limited.waits.clear()
            await limited.limiter.acquire("a", "acme", 6000, 5)
            waits += limited.waits or [0.0]
    elapsed = time.monotonic() - started
    assert sum(wait + elapsed < 1 for wait in waits) <= 5
    assert max(waits) + elapsed >= 7 / 4
    await other.aclose(close_connection_pool=True)


async def test_a_limit_of_a_second_that_a_reply_names_counts_where_none_is_declared() -> None:
    moments = Moments()
    limiter = LocalRateLimiter(max_wait_seconds=100, clock=lambda: moments.now)
    await limiter.observe("a", "acme", reply(x_ratelimit_limit_second="2"))
    for _ in range(20):
        await moments.call(limiter, Limit("", 6000))
    assert moments.most_within(1.0) <= 2
