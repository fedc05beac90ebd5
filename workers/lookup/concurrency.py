"""How many calls run at once: so many for each provider and organization; the other jobs wait for a permit.

A permit is held while the provider is being called, and no longer. So that the next call begins the moment that one
ends, a few more jobs than that may prepare theirs, with the question and the credits in hand (a turn); the rest wait
with empty hands.
"""

import asyncio
import random
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from providers.api import CallDeferred, ProviderInfo

CALLS_AT_ONCE = 100  # to one provider, in one process
CALLS_OF_AN_ORGANIZATION = 10  # of these
TURNS = 2  # jobs that prepare a call or make one, for each call that may be under way
TOGETHER = 10  # times as many where questions go out together: whole batches of them are prepared
PERMIT_WAIT_SECONDS = 10.0  # for a permit; then the job goes back to the queue and comes again
SHORTEST_RECHECK, LONGEST_RECHECK = timedelta(seconds=2), timedelta(minutes=3)
_CHANCE = random.Random()  # noqa: S311 -- spreads load, guards nothing; the process's own is left to others


class FairSemaphore:
    """At most `limit` permits at once, and of one organization `limit_per_organization`.

    A permit that becomes free goes to the waiting organization that holds the fewest, whoever waits longer: neither a
    backlog nor calls that hang keep another organization's call out for long.
    """

    def __init__(self, limit: int, limit_per_organization: int) -> None:
        self._free = limit
        self._limit_per_organization = limit_per_organization
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def is_free(self, organization_id: str) -> bool:
        """Whether a permit is free for this organization."""
        return self._free > 0 and self._held[organization_id] < self._limit_per_organization

    @asynccontextmanager
    async def permit(self, organization_id: str, wait_seconds: float) -> AsyncIterator[None]:
        """Hold a permit. Raises TimeoutError when none is free within the time."""
        await self.acquire(organization_id, wait_seconds)
        try:
            yield
        finally:
            self.release(organization_id)

    def acquire_now(self, organization_id: str) -> bool:
        """Take a permit if one is free; it has to be released. Returns whether there was one."""
        if not self.is_free(organization_id):
            return False
        self._grant(organization_id)
        return True

    async def acquire(self, organization_id: str, wait_seconds: float) -> None:
        """Take a permit, which has to be released. Raises TimeoutError when none is free within the time."""
        if not self.acquire_now(organization_id):
            async with asyncio.timeout(wait_seconds):
                await self._wait(organization_id)

    async def _wait(self, organization_id: str) -> None:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(organization_id, deque()).append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.release(organization_id)  # the permit came in the moment of the cancellation
            raise

    def _grant(self, organization_id: str) -> None:
        self._free -= 1
        self._held[organization_id] += 1

    def release(self, organization_id: str) -> None:
        """Give a permit back."""
        self._free += 1
        self._held[organization_id] -= 1
        if not self._held[organization_id]:
            del self._held[organization_id]
        for fewest in sorted(self._waiting, key=self._held.__getitem__):
            if self._held[fewest] >= self._limit_per_organization:
                return
            if waiter := self._next_waiter(fewest):
                self._grant(fewest)
                waiter.set_result(None)
                return

    def _next_waiter(self, organization_id: str) -> "asyncio.Future[None] | None":
        """The first of the organization's waiters that has not given up."""
        waiting = self._waiting[organization_id]
        waiter = None
        while waiting and (waiter is None or waiter.done()):
            waiter = waiting.popleft()
        if not waiting:
            del self._waiting[organization_id]
        return waiter if waiter is not None and not waiter.done() else None


class Turn:
    """The right to prepare a call, and to make it, until it is left."""

    def __init__(self, turns: FairSemaphore, organization_id: str) -> None:
        self._turns, self._organization_id = turns, organization_id

    def leave(self) -> None:
        """Let another job have it. To be called once."""
        self._turns.release(self._organization_id)


class CallConcurrency:
    """The turns and permits for the calls of one worker process. Providers that are not remote need none."""

    def __init__(self) -> None:
        self._turns: defaultdict[str, FairSemaphore] = defaultdict(
            lambda: FairSemaphore(TURNS * CALLS_AT_ONCE, TURNS * CALLS_OF_AN_ORGANIZATION)
        )
        self._turns_together: defaultdict[str, FairSemaphore] = defaultdict(
            lambda: FairSemaphore(TOGETHER * TURNS * CALLS_AT_ONCE, TOGETHER * TURNS * CALLS_OF_AN_ORGANIZATION)
        )
        self._permits: defaultdict[str, FairSemaphore] = defaultdict(
            lambda: FairSemaphore(CALLS_AT_ONCE, CALLS_OF_AN_ORGANIZATION)
        )

    def turn_now(self, provider_id: str, organization_id: str, *, together: bool = False) -> Turn | None:
        """The next turn, if a job need not wait for it. `together`: its question may go out with others."""
        turns = (self._turns_together if together else self._turns)[provider_id]
        return Turn(turns, organization_id) if turns.acquire_now(organization_id) else None

    async def turn(self, info: ProviderInfo, organization_id: str, *, together: bool = False) -> Turn:
        """Wait for the next turn. Raises CallDeferred when none becomes free soon."""
        turns = (self._turns_together if together else self._turns)[info.id]
        await _acquire(turns, info, organization_id)
        return Turn(turns, organization_id)

    @asynccontextmanager
    async def permit(self, info: ProviderInfo, organization_id: str) -> AsyncIterator[None]:
        """Hold the permit for a call. Raises CallDeferred when none becomes free soon."""
        if not info.remote:
            yield
            return
        permits = self._permits[info.id]
        await _acquire(permits, info, organization_id)
        try:
            yield
        finally:
            permits.release(organization_id)


async def _acquire(semaphore: FairSemaphore, info: ProviderInfo, organization_id: str) -> None:
    try:
        await semaphore.acquire(organization_id, PERMIT_WAIT_SECONDS)
    except TimeoutError:
        raise CallDeferred(f"too many calls to {info.name} are under way", PERMIT_WAIT_SECONDS) from None


def next_recheck(waiting_since: datetime, now: datetime) -> datetime:
    """When a job checks again whether what it waits for is there: the longer it has waited, the more seldom.

    The moment is drawn by chance within that time, so that jobs of one age do not come all at once and then none.
    """
    longest = min(max((now - waiting_since) / 4, SHORTEST_RECHECK), LONGEST_RECHECK)
    return now + longest * _CHANCE.uniform(0.25, 1.0)
