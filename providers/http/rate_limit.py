"""Rate limits: no more calls than a provider allows an account, counted over all processes in Redis."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from providers.api import CallDeferred, ProviderError
from providers.http.adapter import Reply
from providers.http.replies import LONGEST_PAUSE
from providers.http.stated_limits import LimitUpdate, read_limits

LONGEST_WAIT_SECONDS = 10.0  # a call that would wait longer is left to the next attempt
REDIS_SECONDS = 0.5  # for Redis to answer; then this process counts alone
REDIS_PAUSE_SECONDS = 5.0  # before Redis is tried again
PROCESSES = 4  # counting alone, while Redis is away: each takes a fourth of the limit
_SHARE = 0.95  # of the provider's limit, since its windows begin at other moments than ours
_SHARE_OF_SECOND = 0.8  # of its limit of a second, within which calls may bunch on their way
_OBSERVED_SECONDS = 3600
_MOST_ACCOUNTS = 10_000

Sleep = Callable[[float], Awaitable[object]]

_log = structlog.get_logger(__name__)

# A leaky bucket: `due` is the moment by which the calls so far have drained, `until` the end of a pause, `rate` the
# calls a minute that the provider named, `said` when the pause was asked for: one from before somebody said to ask
# again (KEYS[2]) is over. Where seconds are limited too, calls are spaced besides: `next` is the moment before which
# none goes out, also after a pause, `second` the calls a second that the provider named. Redis's own clock counts,
# which is the same for all processes; if it was set back, moments are cut to the furthest that they can be.
_ACQUIRE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local kept = redis.call('HMGET', KEYS[1], 'due', 'until', 'rate', 'said', 'next', 'second')
local forgotten = tonumber(redis.call('GET', KEYS[2])) or -1
local rate = math.min(tonumber(ARGV[1]), tonumber(kept[3]) or math.huge)
local longest = tonumber(ARGV[2])
local every = 60 / rate
local ahead = every * (math.max(1, math.floor(rate / 60)) - 1)
local due = math.min(math.max(tonumber(kept[1]) or 0, now), now + ahead + longest + every)
local second = math.min(tonumber(ARGV[3]) or math.huge, tonumber(kept[6]) or math.huge)
local space = 1 / second
local nextcall = math.min(tonumber(kept[5]) or 0, now + longest + space)
local turn = math.max(due - ahead - now, nextcall - now, 0)
local pause = math.max((tonumber(kept[2]) or 0) - now, 0)
if (tonumber(kept[4]) or 0) <= forgotten then pause = 0 end
local wait = math.max(turn, pause)
if wait <= longest then
  redis.call('HSET', KEYS[1], 'due', string.format('%.6f', due + every))
  if space > 0 then redis.call('HSET', KEYS[1], 'next', string.format('%.6f', now + wait + space)) end
  if redis.call('TTL', KEYS[1]) < 120 then redis.call('EXPIRE', KEYS[1], 120) end
end
return {string.format('%.6f', turn), string.format('%.6f', pause)}
"""
_OBSERVE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local pause = tonumber(ARGV[1])
if pause > 0 then
  local before = tonumber(redis.call('HGET', KEYS[1], 'until')) or 0
  local said = tonumber(redis.call('HGET', KEYS[1], 'said')) or 0
  if said <= (tonumber(redis.call('GET', KEYS[2])) or -1) then before = 0 end
  redis.call('HSET', KEYS[1], 'until', string.format('%.6f', math.max(before, now + pause)))
  redis.call('HSET', KEYS[1], 'said', string.format('%.6f', now))
end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'rate', ARGV[2]) end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'second', ARGV[4]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


_FORGET = """
local clock = redis.call('TIME')
redis.call('SET', KEYS[2], string.format('%.6f', clock[1] + clock[2] / 1000000), 'EX', ARGV[1])
return 1
"""


class RateLimiter(Protocol):
    """Holds calls back so that an account stays within its provider's limits."""

    async def acquire(
        self, account: str, provider_id: str, calls_per_minute: int, calls_per_second: int | None = None
    ) -> None:
        """Wait until the account may make its next call.

        Raises CallDeferred when the wait is too long, ProviderError `rate_limited` when the provider asked for a
        longer pause.
        """

    async def observe(self, account: str, provider_id: str, reply: Reply) -> None:
        """Apply what a reply says of the account's limits. Never raises."""

    async def forget_pauses(self, account: str, provider_id: str) -> None:
        """Let calls through again that replies so far asked to hold back, in all of the account's limits.

        The name of one limit of an account begins with the account's, up to a colon.
        """


class RedisRateLimiter:
    """Calls counted in Redis, so that all workers share one limit; while it is away, each process takes its share."""

    def __init__(
        self,
        redis: Redis,
        *,
        max_wait_seconds: float = LONGEST_WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._acquire_script = redis.register_script(_ACQUIRE)
        self._observe_script = redis.register_script(_OBSERVE)
        self._forget_script = redis.register_script(_FORGET)
        self._local = LocalRateLimiter(
            processes=PROCESSES, max_wait_seconds=max_wait_seconds, clock=clock, wall=wall, sleep=sleep
        )
        self._max_wait_seconds = max_wait_seconds
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._away_until = -math.inf

    async def acquire(
        self, account: str, provider_id: str, calls_per_minute: int, calls_per_second: int | None = None
    ) -> None:
        second = "" if calls_per_second is None else f"{calls_per_second * _SHARE_OF_SECOND:.3f}"
        arguments = [f"{calls_per_minute * _SHARE:.3f}", f"{self._max_wait_seconds:.3f}", second]
        waits = await self._run(self._acquire_script, account, provider_id, arguments)
        if waits is None:
            await self._local.acquire(account, provider_id, calls_per_minute, calls_per_second)
        else:
            turn, pause = map(float, waits)
            if seconds := _wait_seconds(turn, pause, self._max_wait_seconds):
                await self._sleep(seconds)

    async def observe(self, account: str, provider_id: str, reply: Reply) -> None:
        update = read_limits(reply, self._wall())
        if update == LimitUpdate():
            return
        self._local.apply(account, provider_id, update)
        rate = "" if update.calls_per_minute is None else f"{max(update.calls_per_minute * _SHARE, 1):.3f}"
        second = "" if update.calls_per_second is None else f"{update.calls_per_second * _SHARE_OF_SECOND:.3f}"
        kept_seconds = _OBSERVED_SECONDS + math.ceil(update.pause_seconds)
        arguments = [f"{update.pause_seconds:.3f}", rate, kept_seconds, second]
        await self._run(self._observe_script, account, provider_id, arguments)

    async def forget_pauses(self, account: str, provider_id: str) -> None:
        await self._local.forget_pauses(account, provider_id)
        await self._run(self._forget_script, account, provider_id, [math.ceil(LONGEST_PAUSE)])

    async def _run(self, script: Any, account: str, provider_id: str, arguments: list[Any]) -> Any:
        """The result of the script; None while Redis is away."""
        if self._clock() < self._away_until:
            return None
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                bucket = f"auto-enrichment:rate:{provider_id}:{account}"
                forgotten = f"auto-enrichment:rate-forgotten:{provider_id}:{_whole(account)}"
                return await script(keys=[bucket, forgotten], args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = self._clock() + REDIS_PAUSE_SECONDS
            _log.warning("calls are counted without Redis", provider=provider_id, reason=type(error).__name__)
            return None


@dataclass(slots=True)
class _Bucket:
    due: float = -math.inf
    until: float = -math.inf
    rate: float = math.inf
    next: float = -math.inf
    second: float = math.inf


class LocalRateLimiter:
    """Calls counted in this process alone, which takes the share of one of `processes`."""

    def __init__(
        self,
        *,
        processes: int = 1,
        max_wait_seconds: float = LONGEST_WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._processes = processes
        self._max_wait_seconds = max_wait_seconds
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    async def acquire(
        self, account: str, provider_id: str, calls_per_minute: int, calls_per_second: int | None = None
    ) -> None:
        bucket, now = self._bucket(account, provider_id), self._clock()
        rate = min(calls_per_minute * _SHARE, bucket.rate) / self._processes
        every = 60 / rate
        ahead = every * (max(1, math.floor(rate / 60)) - 1)
        due = max(bucket.due, now)
        second = min((calls_per_second or math.inf) * _SHARE_OF_SECOND, bucket.second)
        turn, pause = max(due - ahead - now, bucket.next - now, 0.0), max(bucket.until - now, 0.0)
        if max(turn, pause) <= self._max_wait_seconds:
            bucket.due = due + every
            bucket.next = now + max(turn, pause) + self._processes / second
        if seconds := _wait_seconds(turn, pause, self._max_wait_seconds):
            await self._sleep(seconds)

    async def observe(self, account: str, provider_id: str, reply: Reply) -> None:
        self.apply(account, provider_id, read_limits(reply, self._wall()))

    async def forget_pauses(self, account: str, provider_id: str) -> None:
        for (provider, name), bucket in self._buckets.items():
            if provider == provider_id and _whole(name) == account:
                bucket.until = -math.inf

    def apply(self, account: str, provider_id: str, update: LimitUpdate) -> None:
        """Apply what a reply said of the account's limits."""
        if update == LimitUpdate():
            return
        bucket = self._bucket(account, provider_id)
        if update.pause_seconds > 0:
            bucket.until = max(bucket.until, self._clock() + update.pause_seconds)
        if update.calls_per_minute is not None:
            bucket.rate = max(update.calls_per_minute * _SHARE, 1.0)
        if update.calls_per_second is not None:
            bucket.second = update.calls_per_second * _SHARE_OF_SECOND

    def _bucket(self, account: str, provider_id: str) -> _Bucket:
        bucket = self._buckets.setdefault((provider_id, account), _Bucket())
        self._buckets.move_to_end((provider_id, account))
        if len(self._buckets) > _MOST_ACCOUNTS:
            self._buckets.popitem(last=False)
        return bucket


def _whole(account: str) -> str:
    """The account of which this may name one limit."""
    return account.partition(":")[0]


def _wait_seconds(turn: float, pause: float, longest: float) -> float:
    """The longer of two waits: `turn` for our own limit, `pause` because the provider asked for it.

    Raises for one above `longest`; all are seconds.
    """
    if pause > longest:
        message = "the provider asked for no calls meanwhile"
        raise ProviderError("rate_limited", message, retryable=True, retry_after_seconds=pause)
    if turn > longest:
        raise CallDeferred("the limit of calls to the provider is reached", turn)
    return max(turn, pause)
