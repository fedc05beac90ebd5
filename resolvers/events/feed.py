"""One organization's notices in this process, handed to everyone who watches them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Self

from resolvers.errors import Unavailable
from resolvers.events.notice import Notice, gap, merge

KEPT_NOTICES = 256  # of each organization; a watcher that is further behind receives a gap
BURST = 4  # notices of one organization that are delivered at once after a pause, as one job's way has
SPACING_SECONDS = 0.015  # of each delivery on average; notices that come closer together are delivered as one


class Feed:
    """The watchers of one organization, and its latest notices."""

    def __init__(self) -> None:
        self.head = 0  # how many notices have been delivered
        self._watchers: set[Watcher] = set()  # of the whole organization
        self._of_job: dict[str, set[Watcher]] = {}
        self._latest: deque[Notice] = deque(maxlen=KEPT_NOTICES)
        self._merged: dict[int, Notice] = {}
        self._undelivered: list[Notice] = []
        self._timer: asyncio.TimerHandle | None = None
        self._delivered_at = deque([float("-inf")] * BURST, maxlen=BURST)

    def publish(self, notice: Notice) -> None:
        """Deliver the notice: at once where it is one of few, together with its neighbours in a burst.

        A single job's notices (sent, begun, ended) wait for nothing; many jobs' come as often as the spacing says.
        """
        self._undelivered.append(notice)
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        due = self._delivered_at[0] + BURST * SPACING_SECONDS
        if loop.time() >= due:
            self._deliver()
        else:
            self._timer = loop.call_at(due, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        self._delivered_at.append(asyncio.get_running_loop().time())
        notice, self._undelivered = merge(self._undelivered), []
        self._latest.append(notice)
        self._merged.clear()
        self.head += 1
        jobs = self._of_job.keys() if notice.gap else notice.jobs & self._of_job.keys()
        for watchers in (self._watchers, *(self._of_job[job_id] for job_id in jobs)):
            for watcher in watchers:
                watcher.wake()

    def since(self, seen: int) -> Notice:
        """All notices after the first `seen` as one: the same object for every watcher that is as far behind."""
        merged = self._merged.get(seen)
        if merged is None:
            behind = self.head - seen
            missed = [self._latest[index] for index in range(-behind, 0)] if behind <= len(self._latest) else [gap()]
            merged = self._merged[seen] = merge(missed)
        return merged

    def enter(self, watcher: "Watcher") -> None:
        """Add a watcher."""
        watchers = self._watchers if watcher.job is None else self._of_job.setdefault(watcher.job, set())
        watchers.add(watcher)

    def leave(self, watcher: "Watcher") -> bool:
        """Remove a watcher. Whether nobody watches any more."""
        if watcher.job is None:
            self._watchers.discard(watcher)
        elif (watchers := self._of_job.get(watcher.job)) is not None:
            watchers.discard(watcher)
            if not watchers:
                del self._of_job[watcher.job]
        empty = not self._watchers and not self._of_job
        if empty and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return empty


class Watcher(AsyncIterator[Notice]):
    """One watcher's view of a feed. However slow it is, everything since its last notice comes as one notice.

    `job`: only what concerns this job wakes it. `reread_every`: seconds without a notice after which it gets a gap.
    `when_read` is called with the moment of an event that was read because of a notice.
    """

    def __init__(
        self, feed: Feed, job: str | None, reread_every: float | None, when_read: Callable[[datetime], None]
    ) -> None:
        self.job = job
        self._feed = feed
        self._seen = feed.head
        self._reread_every = reread_every
        self.when_read = when_read
        self._woken = asyncio.Event()
        self._stopped = False

    def wake(self) -> None:
        """Let the watcher read the feed."""
        self._woken.set()

    def stop(self) -> None:
        """Make the next read raise Unavailable."""
        self._stopped = True
        self._woken.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notice:
        return await self.next_within(self._reread_every) or gap()

    async def next_within(self, seconds: float | None) -> Notice | None:
        """The next notice, or None where none comes in this time. Raises Unavailable once the service stops."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return None
        if self._stopped:
            raise Unavailable("the service is stopping")
        self._woken.clear()
        notice, self._seen = self._feed.since(self._seen), self._feed.head
        return notice
