"""The one Redis subscription of a process, handed on to everyone who watches.

A notice says "look again" and names what changed; the database says what it looks like now. Notices may be
lost with Redis, so a watcher is told of every gap, and may ask to be woken now and then regardless.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import orjson
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from resolvers.errors import Unavailable
from resolvers.events.publisher import CHANNEL

T = TypeVar("T")
_log = structlog.get_logger(__name__)

KEPT_NOTICES = 256  # for each organization; who is further behind is told of a gap
SPACING_SECONDS = 0.03  # notices of one organization that come closer together are handed on as one
QUIET_SECONDS = 10.0  # a connection this long without a word is asked for a sign of life
ANSWER_SECONDS = 5.0
BACKOFF_SECONDS = (0.05, 5.0)  # first and longest wait before connecting again


@dataclass(frozen=True, slots=True)
class Notice:
    """What may have changed. `gap`: anything may have, because notices could have been missed."""

    jobs: frozenset[str] = frozenset()
    conflicts: frozenset[str] = frozenset()
    pipeline: bool = False
    credits: bool = False
    gap: bool = False
    _shared: dict[str, asyncio.Task[Any]] = field(default_factory=dict, repr=False, compare=False)

    async def once(self, key: str, load: Callable[[], Awaitable[T]]) -> T:
        """What `load` gives, loaded once for all watchers that were handed this notice.

        `key` must name everything that the answer depends on besides the notice itself.
        """
        task = self._shared.get(key)
        if task is None:
            task = self._shared[key] = asyncio.create_task(_run(load))
            task.add_done_callback(_note_failure)
        # One watcher that leaves must not cancel the others' load.
        answer: T = await asyncio.shield(task)
        return answer


async def _run(load: Callable[[], Awaitable[T]]) -> T:
    return await load()


def _note_failure(task: asyncio.Task[Any]) -> None:
    """Keep a failed load quiet when everyone who asked for it has left."""
    if not task.cancelled():
        task.exception()


def _gap() -> Notice:
    """A new one each time: `once` must not answer one organization, or one moment, with another's load."""
    return Notice(gap=True)


def _merge(notices: list[Notice]) -> Notice:
    if len(notices) == 1:
        return notices[0]
    return Notice(
        jobs=frozenset[str]().union(*(notice.jobs for notice in notices)),
        conflicts=frozenset[str]().union(*(notice.conflicts for notice in notices)),
        pipeline=any(notice.pipeline for notice in notices),
        credits=any(notice.credits for notice in notices),
        gap=any(notice.gap for notice in notices),
    )


class _Room:
    """Everyone who watches one organization, and its latest notices."""

    def __init__(self) -> None:
        self.watchers: set[Watcher] = set()
        self.of_job: dict[str, set[Watcher]] = {}
        self.head = 0  # how many notices there have been
        self._kept: deque[Notice] = deque(maxlen=KEPT_NOTICES)
        self._merged: dict[int, Notice] = {}
        self._waiting: list[Notice] = []
        self._timer: asyncio.TimerHandle | None = None
        self._handed_on_at = float("-inf")

    def tell(self, notice: Notice) -> None:
        """Hand the notice on: at once after a pause, with its neighbours in a burst."""
        self._waiting.append(notice)
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        due = self._handed_on_at + SPACING_SECONDS
        if loop.time() >= due:
            self._hand_on()
        else:
            self._timer = loop.call_at(due, self._hand_on)

    def _hand_on(self) -> None:
        self._timer = None
        self._handed_on_at = asyncio.get_running_loop().time()
        notice, self._waiting = _merge(self._waiting), []
        self._kept.append(notice)
        self._merged.clear()
        self.head += 1
        if notice.gap:
            self.wake_all()
            return
        for watcher in self.watchers:
            watcher.wake()
        for job_id in notice.jobs & self.of_job.keys():
            for watcher in self.of_job[job_id]:
                watcher.wake()

    def wake_all(self) -> None:
        for group in (self.watchers, *self.of_job.values()):
            for watcher in group:
                watcher.wake()

    def since(self, seen: int) -> Notice:
        """All notices after the first `seen` as one: the same object for everyone as far behind."""
        merged = self._merged.get(seen)
        if merged is None:
            behind = self.head - seen
            complete = behind <= len(self._kept)
            missed = [self._kept[index] for index in range(-behind, 0)] if complete else [_gap()]
            merged = self._merged[seen] = _merge(missed)
        return merged

    def enter(self, watcher: "Watcher") -> None:
        group = self.watchers if watcher.job is None else self.of_job.setdefault(watcher.job, set())
        group.add(watcher)

    def leave(self, watcher: "Watcher") -> bool:
        """Whether the room is empty now."""
        if watcher.job is None:
            self.watchers.discard(watcher)
        elif (group := self.of_job.get(watcher.job)) is not None:
            group.discard(watcher)
            if not group:
                del self.of_job[watcher.job]
        empty = not self.watchers and not self.of_job
        if empty and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return empty


class Watcher(AsyncIterator[Notice]):
    """One watcher's view: what it has not been told yet, however slow it is, is one notice."""

    def __init__(self, room: _Room, job: str | None, reread_every: float | None) -> None:
        self.job = job
        self._room = room
        self._seen = room.head
        self._reread_every = reread_every
        self._woken = asyncio.Event()
        self._stopped = False

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        self._stopped = True
        self._woken.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notice:
        try:
            async with asyncio.timeout(self._reread_every):
                await self._woken.wait()
        except TimeoutError:
            return _gap()
        if self._stopped:
            raise Unavailable("the service is stopping")
        self._woken.clear()
        notice, self._seen = self._room.since(self._seen), self._room.head
        return notice


class EventSubscriber:
    """Listens to Redis from `start` to `stop`, over outages, and tells the watchers."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._rooms: dict[str, _Room] = {}
        self._watchers: set[Watcher] = set()
        self._listener: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether notices arrive at the moment."""
        return self._connected.is_set()

    @property
    def watching(self) -> int:
        """How many watch at the moment."""
        return len(self._watchers)

    async def start(self, *, wait_seconds: float = 2.0) -> None:
        """Begin to listen. Returns once Redis has confirmed, or after `wait_seconds` without Redis."""
        self._listener = asyncio.create_task(self._listen(), name="live")
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
        """Notices of one organization from now on, of one job only if asked.

        Read the state after entering: nothing that changes from here on is missed. With `reread_every`
        (seconds) a quiet spell of that length gives a notice with `gap`, in case a notice was lost.
        """
        room = self._rooms.get(organization_id)
        if room is None:
            room = self._rooms[organization_id] = _Room()
        watcher = Watcher(room, job, reread_every)
        room.enter(watcher)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            if room.leave(watcher):
                self._rooms.pop(organization_id, None)

    async def _listen(self) -> None:
        first, longest = BACKOFF_SECONDS
        wait = first
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    while True:
                        await self._hear(pubsub)
                        wait = first
            except (RedisError, OSError) as error:
                if self._connected.is_set():
                    _log.warning("live feed lost", error=type(error).__name__)
            self._connected.clear()
            await asyncio.sleep(wait)
            wait = min(wait * 2, longest)

    async def _hear(self, pubsub: PubSub) -> None:
        """Take in one message. Raises when the connection has died, even silently."""
        message = await pubsub.get_message(timeout=QUIET_SECONDS)
        if message is None:
            await pubsub.ping()
            message = await pubsub.get_message(timeout=ANSWER_SECONDS)
            if message is None:
                raise ConnectionError("no answer from Redis")
        if message["type"] == "subscribe":
            # Also after the client library has connected again by itself: what came between is lost.
            self._connected.set()
            for room in self._rooms.values():
                room.tell(_gap())
        elif message["type"] == "message":
            self._tell(message["data"])

    def _tell(self, data: bytes | str) -> None:
        try:
            said = orjson.loads(data)
            room = self._rooms.get(said["organization"])
            if room is None:
                return
            notice = Notice(
                jobs=frozenset(said.get("jobs", ())),
                conflicts=frozenset(said.get("conflicts", ())),
                pipeline=bool(said.get("pipeline")),
                credits=bool(said.get("credits")),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            _log.warning("live feed heard an unreadable notice")
            return
        room.tell(notice)
