"""Rate limits: no more calls than a provider allows an account, counted over all processes in Redis."""

import asyncio
import math
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from providers.api import CallDeferred, ProviderError
from providers.http.adapter import Reply
from providers.http.replies import moment, number, retry_after, seconds_until

LONGEST_WAIT_SECONDS = 10.0  # a call that would wait longer is left to the next attempt
REDIS_SECONDS = 0.5  # for Redis to answer; then this process counts alone
REDIS_PAUSE_SECONDS = 5.0  # before Redis is tried again
PROCESSES = 4  # counting alone, while Redis is away: each takes a fourth of the limit
_SHARE = 0.95  # of the provider's limit, since its windows begin at other moments than ours
_PAUSE_SECONDS = 10.0  # after a refusal that does not say how long to wait
_LONGEST_PAUSE_SECONDS = 86400.0
_OBSERVED_SECONDS = 3600
_MOST_ACCOUNTS = 10_000
_MINUTE = re.compile(r"'minute'\s*:\s*(-?[0-9]+)")

Sleep = Callable[[float], Awaitable[object]]

_log = structlog.get_logger(__name__)

# A leaky bucket: `due` is the moment by which the calls so far have drained, `until` the end of a pause, `rate` the
# calls a minute that the provider named. Redis's own clock counts, which is the same for all processes; if it was set
# back, `due` is cut to the furthest moment that it can be.
_ACQUIRE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local kept = redis.call('HMGET', KEYS[1], 'due', 'until', 'rate')
local rate = math.min(tonumber(ARGV[1]), tonumber(kept[3]) or math.huge)
local longest = tonumber(ARGV[2])
local every = 60 / rate
local ahead = every * (math.max(1, math.floor(rate / 60)) - 1)
local due = math.min(math.max(tonumber(kept[1]) or 0, now), now + ahead + longest + every)
local turn = math.max(due - ahead - now, 0)
local pause = math.max((tonumber(kept[2]) or 0) - now, 0)
local wait = math.max(turn, pause)
if wait <= longest then
  redis.call('HSET', KEYS[1], 'due', string.format('%.6f', due + every))
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
  redis.call('HSET', KEYS[1], 'until', string.format('%.6f', math.max(before, now + pause)))
end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'rate', ARGV[2]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


class RateLimiter(Protocol):
    """Holds calls back so that an account stays within its provider's limits."""

    async def acquire(self, account: str, provider_id: str, calls_per_minute: int) -> None:
        """Wait until the account may make its next call.

        Raises CallDeferred when the wait is too long, ProviderError `rate_limited` when the provider asked for a
        longer pause.
        """

    async def observe(self, account: str, provider_id: str, reply: Reply) -> None:
        """Apply what a reply says of the account's limits. Never raises."""


@dataclass(frozen=True, slots=True)
class LimitUpdate:
    """Limits that a reply names: no calls for `pause_seconds`, and no more than `calls_per_minute` from then on."""

    pause_seconds: float = 0.0
    calls_per_minute: float | None = None


# By the window in which calls are counted: the headers of the calls left in it, and after how many seconds to look
# again when there are none, where no moment is named. Windows are fixed, so that they end sooner than they last.
_WINDOWS: Mapping[str, tuple[tuple[str, ...], float]] = {
    "second": (("x-ratelimit-remaining-second",), 1.0),
    "minute": (("x-ratelimit-remaining", "x-minute-requests-left", "x-ratelimit-remaining-minute"), _PAUSE_SECONDS),
    "hour": (("x-hourly-requests-left", "x-ratelimit-remaining-hour"), 600.0),
    "day": (("x-24-hour-requests-left", "x-ratelimit-remaining-day"), 3600.0),
}
_RESETS = "minute"  # the window whose end `X-RateLimit-Reset` names on a reply that is no refusal


def read_limits(reply: Reply, now: float) -> LimitUpdate:
    """What a reply's headers say of the limits. `now` is in seconds since 1970."""
    pause = 0.0
    if reply.status == 429:
        named = _first(retry_after(reply, now), _until_reset(reply, now), -1.0)
        pause = named if named >= 0 else max(_of_rejected(reply), _until_windows_end(reply, now))
    elif reply.status == 503:
        pause = retry_after(reply, now) or 0.0
    else:
        pause = _until_windows_end(reply, now)
    return LimitUpdate(min(pause, _LONGEST_PAUSE_SECONDS), _minute_limit(reply))


def _until_windows_end(reply: Reply, now: float) -> float:
    """Seconds to wait until all windows have calls left again."""
    pause = 0.0
    for window, (headers, again_after) in _WINDOWS.items():
        left = (_count(reply.headers[name]) for name in headers if name in reply.headers)
        if next((count for count in left if count is not None), None) == 0:
            reset = _until_reset(reply, now) if window == _RESETS else None
            pause = max(pause, _first(reset, again_after))
    return pause


def _of_rejected(reply: Reply) -> float:
    """Seconds to wait after a refusal, by the window that it names as full."""
    window = reply.headers.get("x-ratelimit-rejected-bucket", "").strip().lower()
    return _WINDOWS[window][1] if window in _WINDOWS else _PAUSE_SECONDS


def _first(*seconds: float | None) -> float:
    return next(found for found in seconds if found is not None)


def _until_reset(reply: Reply, now: float) -> float | None:
    """Seconds until the moment that `X-RateLimit-Reset` names, as seconds since 1970 or as a time, or counts."""
    written = reply.headers.get("x-ratelimit-reset", "").strip()
    seconds = number(written)
    if seconds is not None:
        return seconds_until(seconds, now) if seconds > 1e9 else float(seconds)
    when = moment(written)
    return None if when is None else seconds_until(when.timestamp(), now)


def _minute_limit(reply: Reply) -> float | None:
    """The limit of a minute, where a header says that it is one."""
    named = _count(reply.headers.get("x-rate-limit-minute", "")) or _count(
        reply.headers.get("x-ratelimit-limit-minute", "")
    )
    second = _count(reply.headers.get("x-ratelimit-limit-second", ""))
    bare = reply.headers.get("x-ratelimit-limit", "")
    return named or (second * 60 if second else None) or (_count(bare) if _MINUTE.search(bare) else None) or None


def _count(written: str) -> float | None:
    """A count of calls, also from a mapping written as text; None for what is none."""
    inside = _MINUTE.search(written)
    return number(inside[1] if inside else written)


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
        self._local = LocalRateLimiter(
            processes=PROCESSES, max_wait_seconds=max_wait_seconds, clock=clock, wall=wall, sleep=sleep
        )
        self._max_wait_seconds = max_wait_seconds
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._away_until = -math.inf

    async def acquire(self, account: str, provider_id: str, calls_per_minute: int) -> None:
        arguments = [f"{calls_per_minute * _SHARE:.3f}", f"{self._max_wait_seconds:.3f}"]
        waits = await self._run(self._acquire_script, account, provider_id, arguments)
        if waits is None:
            await self._local.acquire(account, provider_id, calls_per_minute)
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
        arguments = [f"{update.pause_seconds:.3f}", rate, _OBSERVED_SECONDS + math.ceil(update.pause_seconds)]
        await self._run(self._observe_script, account, provider_id, arguments)

    async def _run(self, script: Any, account: str, provider_id: str, arguments: list[Any]) -> Any:
        """The result of the script; None while Redis is away."""
        if self._clock() < self._away_until:
            return None
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                return await script(keys=[f"auto-enrichment:rate:{provider_id}:{account}"], args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = self._clock() + REDIS_PAUSE_SECONDS
            _log.warning("calls are counted without Redis", provider=provider_id, reason=type(error).__name__)
            return None


@dataclass(slots=True)
class _Bucket:
    due: float = -math.inf
    until: float = -math.inf
    rate: float = math.inf


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

    async def acquire(self, account: str, provider_id: str, calls_per_minute: int) -> None:
        bucket, now = self._bucket(account, provider_id), self._clock()
        rate = min(calls_per_minute * _SHARE, bucket.rate) / self._processes
        every = 60 / rate
        ahead = every * (max(1, math.floor(rate / 60)) - 1)
        due = max(bucket.due, now)
        turn, pause = max(due - ahead - now, 0.0), max(bucket.until - now, 0.0)
        if max(turn, pause) <= self._max_wait_seconds:
            bucket.due = due + every
        if seconds := _wait_seconds(turn, pause, self._max_wait_seconds):
            await self._sleep(seconds)

    async def observe(self, account: str, provider_id: str, reply: Reply) -> None:
        self.apply(account, provider_id, read_limits(reply, self._wall()))

    def apply(self, account: str, provider_id: str, update: LimitUpdate) -> None:
        """Apply what a reply said of the account's limits."""
        if update == LimitUpdate():
            return
        bucket = self._bucket(account, provider_id)
        if update.pause_seconds > 0:
            bucket.until = max(bucket.until, self._clock() + update.pause_seconds)
        if update.calls_per_minute is not None:
            bucket.rate = max(update.calls_per_minute * _SHARE, 1.0)

    def _bucket(self, account: str, provider_id: str) -> _Bucket:
        bucket = self._buckets.setdefault((provider_id, account), _Bucket())
        self._buckets.move_to_end((provider_id, account))
        if len(self._buckets) > _MOST_ACCOUNTS:
            self._buckets.popitem(last=False)
        return bucket


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
