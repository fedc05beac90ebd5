"""The one Redis subscription of a process, whose notices go to everyone who watches.

Notices may be lost with Redis, so a watcher receives a notice of every gap, and may ask to be woken now and then
regardless.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import orjson
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from resolvers.events.feed import Feed, Watcher
from resolvers.events.notice import Notice, gap
from resolvers.events.publisher import CHANNEL

_log = structlog.get_logger(__name__)

QUIET_SECONDS = 10.0  # a connection without a message for this long is pinged
ANSWER_SECONDS = 5.0
BACKOFF_SECONDS = (0.05, 5.0)  # first and longest wait before connecting again


def _ignore(_: datetime) -> None:
    """Nobody measures."""


class EventSubscriber:
    """Subscribes to Redis from `start` to `stop`, over outages, and delivers the notices to the watchers."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._feeds: dict[str, Feed] = {}
        self._watchers: set[Watcher] = set()
        self._listener: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self.when_read: Callable[[datetime], None] = _ignore  # the moment of an event that somebody follows

    @property
    def connected(self) -> bool:
        """Whether notices arrive at the moment."""
        return self._connected.is_set()

    @property
    def watching(self) -> int:
        """How many watchers there are at the moment."""
        return len(self._watchers)

    async def start(self, *, wait_seconds: float = 2.0) -> None:
        """Begin to listen. Returns once Redis has confirmed, or after `wait_seconds` without Redis."""
        self._listener = asyncio.create_task(self._listen(), name="event subscriber")
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await self._connected.wait()

    async def stop(self) -> None:
        """End the subscription. Whoever still watches gets Unavailable."""
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener
            self._listener = None
        for watcher in self._watchers:
            watcher.stop()

    @asynccontextmanager
    async def watch(
        self, organization_id: str, *, job: str | None = None, reread_every: float | None = None
    ) -> AsyncIterator[Watcher]:
        """Notices of one organization from now on, or of one of its jobs only.

        Read the state after entering: nothing that changes from here on is missed. With `reread_every`
        (seconds) a quiet spell of that length gives a notice with `gap`, in case a notice was lost.
        """
        feed = self._feeds.get(organization_id)
        if feed is None:
            feed = self._feeds[organization_id] = Feed()
        watcher = Watcher(feed, job, reread_every, self.when_read)
        feed.enter(watcher)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            if feed.leave(watcher):
                self._feeds.pop(organization_id, None)

    async def _listen(self) -> None:
        first, longest = BACKOFF_SECONDS
        wait = first
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    while True:
                        await self._receive(pubsub)
                        wait = first
            except (RedisError, OSError) as error:
                if self._connected.is_set():
                    _log.warning("event subscription lost", error=type(error).__name__)
            self._connected.clear()
            await asyncio.sleep(wait)
            wait = min(wait * 2, longest)

    async def _receive(self, pubsub: PubSub) -> None:
        """Deliver one message. Raises ConnectionError when the connection has died, even silently."""
        message = await pubsub.get_message(timeout=QUIET_SECONDS)
        if message is None:
            await pubsub.ping()
            message = await pubsub.get_message(timeout=ANSWER_SECONDS)
            if message is None:
                raise ConnectionError("no answer from Redis")
        if message["type"] == "subscribe":
            # Also after the client library has connected again by itself: what came between is lost.
            self._connected.set()
            for feed in self._feeds.values():
                feed.publish(gap())
        elif message["type"] == "message":
            self._publish(message["data"])

    def _publish(self, data: bytes | str) -> None:
        try:
            message = orjson.loads(data)
            feed = self._feeds.get(message["organization"])
            if feed is None:
                return
            notice = Notice(
                jobs=frozenset(message.get("jobs", ())),
                conflicts=frozenset(message.get("conflicts", ())),
                pipeline=bool(message.get("pipeline")),
                credits=bool(message.get("credits")),
                log=bool(message.get("log")),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            _log.warning("unreadable notice received")
            return
        feed.publish(notice)
