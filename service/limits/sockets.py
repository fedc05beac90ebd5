"""How many WebSockets and streams are open at once, of each organization, token and address, over all processes.

Redis keeps for each of them how many each process has open, and which processes are alive: what a lost process had open
counts no more after LIFE_SECONDS. A process writes how many it has, not that it has one more or less, so that an empty
Redis is right again with the next socket. While Redis is silent each process counts its own.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from resolvers.errors import RateLimited
from service.limits.counter import PAUSE_SECONDS, REDIS_SECONDS
from service.limits.policy import Measure, Most, Subject

LIFE_SECONDS = 30
SIGN_SECONDS = 10.0  # between two signs of life
TELL_SECONDS = 0.05  # after which Redis knows what was closed
RETRY_SECONDS = 30  # what is open now may be open for long
_KEPT_SECONDS = 86_400  # for which a count is kept that nobody touches
_PREFIX = "auto-enrichment:sockets"

_log = structlog.get_logger(__name__)

# For each key: how many may be open, and how many this process (ARGV[1]) has open with the new one. ARGV[2] is what the
# keys of living processes begin with. The answer is the number of the key of which there are too many, or 0.
_OPEN = """
for i, key in ipairs(KEYS) do
  local open = tonumber(ARGV[2 * i + 3])
  local counts = redis.call('HGETALL', key)
  for n = 1, #counts, 2 do
    if counts[n] ~= ARGV[1] then
      if redis.call('EXISTS', ARGV[2] .. counts[n]) == 1 then
        open = open + tonumber(counts[n + 1])
      else
        redis.call('HDEL', key, counts[n])
      end
    end
  end
  if open > tonumber(ARGV[2 * i + 2]) then return i end
end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, ARGV[1], ARGV[2 * i + 3])
  redis.call('EXPIRE', key, KEPT)
end
redis.call('SET', ARGV[2] .. ARGV[1], 1, 'EX', ARGV[3])
return 0
""".replace("KEPT", str(_KEPT_SECONDS))


class Holder(NamedTuple):
    """Somebody whose sockets are counted, and how many may be open."""

    subject: Subject
    key: str
    most: int


class OpenSockets:
    """The sockets and streams of this process, counted with those of the others."""

    def __init__(self, most: Most, redis: Callable[[], Redis], refused: Callable[[Measure, Subject], None]) -> None:
        self._most = most
        self._redis = redis
        self._refused = refused
        self._process = uuid4().hex
        self._here: Counter[str] = Counter()
        self._closed: set[str] = set()  # keys of which Redis does not know yet that one has closed
        self._telling: asyncio.Task[None] | None = None
        self._living: asyncio.Task[None] | None = None
        self._script: AsyncScript | None = None
        self._used: Redis | None = None  # as long as it is open: a process that ends has no other any more
        self._away_until = -math.inf

    def holder(self, subject: Subject, *who: str) -> Holder | None:
        """Whom to count a socket for; None where there is no limit."""
        most = self._most.get(subject)
        if most is None:
            return None
        digest = blake2b(repr(who).encode(errors="surrogatepass"), digest_size=16).hexdigest()
        return Holder(subject, f"{_PREFIX}:{subject}:{digest}", most)

    @asynccontextmanager
    async def held(self, holders: Sequence[Holder | None]) -> AsyncIterator[None]:
        """One more is open while the block runs. Raises RateLimited where there are too many."""
        counted = [holder for holder in holders if holder is not None]
        for holder in counted:
            self._here[holder.key] += 1
        try:
            too_many = await self._open(counted) if counted else None
            if too_many is not None:
                self._refused(Measure.SOCKETS, too_many.subject)
                text = f"at most {too_many.most:,} sockets and streams of one {too_many.subject} at once"
                raise RateLimited(text, retry_after=RETRY_SECONDS)
            yield
        finally:
            for holder in counted:
                self._here[holder.key] -= 1
                if self._here[holder.key] <= 0:
                    del self._here[holder.key]
            self._tell([holder.key for holder in counted])

    async def close(self) -> None:
        """What this process had open counts no more."""
        for task in (self._telling, self._living):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        redis, self._used = self._used, None
        if redis is not None:
            await self._within(lambda: redis.delete(self._sign()))

    async def _open(self, holders: Sequence[Holder]) -> Holder | None:
        """The one of whom there would be too many."""
        for holder in holders:
            if self._here[holder.key] > holder.most:
                return holder
        arguments: list[str | int] = [self._process, f"{_PREFIX}:process:", LIFE_SECONDS]
        for holder in holders:
            arguments += [holder.most, self._here[holder.key]]
        redis = self._used = self._redis()
        script = self._script = self._script or redis.register_script(_OPEN)
        keys = [holder.key for holder in holders]
        found = await self._within(lambda: script(keys=keys, args=arguments, client=redis))
        if self._living is None or self._living.done():
            self._living = asyncio.create_task(self._live(), name="sign of life for sockets")
        return holders[found - 1] if found else None

    async def _within(self, send: Callable[[], Any]) -> Any:
        """What Redis answers in its time to what is sent; None where it does not."""
        if time.monotonic() < self._away_until:
            return None
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                return await send()
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = time.monotonic() + PAUSE_SECONDS
            _log.warning("sockets are counted without Redis", reason=type(error).__name__)
            return None

    def _tell(self, keys: Sequence[str]) -> None:
        self._closed.update(keys)
        if self._closed and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell_soon(), name="count of closed sockets")

    async def _tell_soon(self) -> None:
        while self._closed:
            await asyncio.sleep(TELL_SECONDS)  # many close at once
            keys, self._closed = self._closed, set()
            if self._used is None:
                return
            async with self._used.pipeline(transaction=False) as pipeline:
                for key in keys:
                    if self._here[key]:
                        pipeline.hset(key, self._process, str(self._here[key]))
                    else:
                        pipeline.hdel(key, self._process)
                sent = await self._within(pipeline.execute) is not None
            if not sent:
                self._closed |= keys
                await asyncio.sleep(PAUSE_SECONDS)

    async def _live(self) -> None:
        """Give signs of life as long as something is open."""
        while self._here and (redis := self._used) is not None:
            await self._within(partial(redis.set, self._sign(), 1, ex=LIFE_SECONDS))
            await asyncio.sleep(SIGN_SECONDS)

    def _sign(self) -> str:
        return f"{_PREFIX}:process:{self._process}"
