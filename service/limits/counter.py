"""Counts what is asked for against limits, in Redis for all processes; while it is silent each counts by itself."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import structlog
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from service.limits.bucket import PART, Bucket
from service.limits.policy import SECONDS, Measure, Most, Subject

REDIS_SECONDS = 0.05  # that Redis has to answer
PAUSE_SECONDS = 5.0  # before it is asked again
MOST_BUCKETS = 20_000  # that a process remembers

_log = structlog.get_logger(__name__)

# For each key: what the bucket holds at most, its rate a second, what is needed, and what is wanted. Kept is the moment
# at which it is full again, by Redis's own clock. Nothing is taken unless all have what is needed.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local full, left, short = {}, {}, false
for i, key in ipairs(KEYS) do
  local most, rate = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local at = tonumber(redis.call('GET', key)) or now
  full[i] = math.min(math.max(at, now), now + most / rate)
  left[i] = most - (full[i] - now) * rate
  if left[i] < tonumber(ARGV[4 * i - 1]) then short = true end
end
local answer = {}
for i, key in ipairs(KEYS) do
  local given = 0
  if not short then
    local rate, need = tonumber(ARGV[4 * i - 2]), tonumber(ARGV[4 * i - 1])
    given = math.max(need, math.min(tonumber(ARGV[4 * i]), math.floor(left[i] / PART)))
    local ends = full[i] + given / rate
    redis.call('SET', key, string.format('%.6f', ends), 'PX', math.ceil((ends - now) * 1000) + 1)
  end
  answer[2 * i - 1] = tostring(given)
  answer[2 * i] = string.format('%.3f', left[i] - given)
end
return answer
""".replace("PART", str(PART))


class TooMany(Exception):
    """A limit is used up. `seconds`: until there may be enough of it again."""

    def __init__(self, bucket: Bucket, seconds: float) -> None:
        super().__init__(bucket.name)
        self.bucket = bucket
        self.seconds = seconds


class _Short(NamedTuple):
    """What a bucket must have beside what was taken of its lease."""

    bucket: Bucket
    need: float


def _refuse_hopeless(short: Sequence[_Short], now: float) -> None:
    """Raises TooMany where a bucket cannot have so much, as far as this process knows."""
    for bucket, need in short:
        if bucket.left(now) < need:
            raise TooMany(bucket, bucket.seconds_until(need, now))


class Counter:
    """The buckets of this process, of those who asked last."""

    def __init__(self, redis: Callable[[], Redis], clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, ...], Bucket] = OrderedDict()
        self._script: AsyncScript | None = None
        self._away_until = -math.inf

    def now(self) -> float:
        """The moment, of the clock of the buckets."""
        return self._clock()

    def bucket(self, measure: Measure, subject: Subject, most: Most, *who: str) -> Bucket | None:
        """The bucket of somebody; None where there is no limit."""
        known = (measure, subject, *who)
        bucket = self._buckets.get(known)
        if bucket is None:
            number = most.get(subject)
            if number is None:
                return None
            # What a token or an address says may be of any length.
            digest = blake2b(repr(who).encode(errors="surrogatepass"), digest_size=16).hexdigest()
            key = f"auto-enrichment:limit:{measure}:{subject}:{digest}"
            bucket = Bucket(key, measure, subject, number, number / SECONDS, float(number), self._clock())
            self._buckets[known] = bucket
            if len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(known)
        return bucket

    async def take(self, buckets: Sequence[Bucket], amount: float) -> None:
        """Take so much of each, or of none. Raises TooMany.

        What is more than a bucket ever holds takes all of it.
        """
        now = self._clock()
        short: list[_Short] = []
        taken: list[tuple[Bucket, float]] = []
        for bucket in buckets:
            need = min(amount, float(bucket.most))
            held = bucket.take(need, now)
            if held:
                taken.append((bucket, held))
            if held < need:
                short.append(_Short(bucket, need - held))
        if not short:
            return
        try:
            _refuse_hopeless(short, now)  # of which Redis would say the same
            await self._fill(short, now)
        except BaseException:
            for bucket, held in taken:
                bucket.lease += held
            raise

    async def _fill(self, short: Sequence[_Short], now: float) -> None:
        answer = None if now < self._away_until else await self._ask(short, now)
        now = self._clock()
        if answer is None:
            _refuse_hopeless(short, now)
            for bucket, need in short:
                bucket.take_alone(need, now)
            return
        for (bucket, need), (granted, available) in zip(short, answer, strict=True):
            bucket.filled(granted, need, available, now)
        for (bucket, need), (granted, available) in zip(short, answer, strict=True):
            if not granted and available < need:
                raise TooMany(bucket, (need - available) / bucket.rate)

    async def _ask(self, short: Sequence[_Short], now: float) -> list[tuple[float, float]] | None:
        """What Redis gives of each, and has left then; None where it is silent."""
        arguments: list[str | float] = []
        for bucket, need in short:
            arguments += [bucket.most, bucket.rate, need, bucket.wanted(need, now)]
        redis = self._redis()
        self._script = self._script or redis.register_script(_TAKE)
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                found = await self._script(keys=[bucket.key for bucket, _ in short], args=arguments, client=redis)
        except (RedisError, OSError, TimeoutError) as error:
            waited = self._clock() - now
            if not isinstance(error, TimeoutError) or waited < 2 * REDIS_SECONDS:  # else it was we who were slow
                self._away_until = self._clock() + PAUSE_SECONDS
                _log.warning("requests are counted without Redis", reason=type(error).__name__)
            return None
        numbers = [float(number) for number in found]
        return list(zip(numbers[::2], numbers[1::2], strict=True))
