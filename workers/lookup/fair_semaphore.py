"""Places for the calls to a provider that run at once, shared out so that no organization keeps the others waiting."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairSemaphore:
    """At most `most` calls at once, and of one organization `most_of_one`.

    A place that becomes free goes to the organization that has the fewest, whoever waits longer: neither a backlog
    nor calls that hang keep another organization's call out for long.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._free = most
        self._most_of_one = most_of_one
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def is_free(self, organization_id: str) -> bool:
        """Whether there is a place for a call of this organization."""
        return self._free > 0 and self._taken[organization_id] < self._most_of_one

    @asynccontextmanager
    async def one(self, organization_id: str, wait_seconds: float) -> AsyncIterator[None]:
        """Hold a place. Raises TimeoutError when none is free within the time."""
        async with asyncio.timeout(wait_seconds):
            await self._take(organization_id)
        try:
            yield
        finally:
            self._give_back(organization_id)

    async def _take(self, organization_id: str) -> None:
        if self.is_free(organization_id):
            self._hold(organization_id)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(organization_id, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(organization_id)  # it was given the place in the moment that it gave up
            raise

    def _hold(self, organization_id: str) -> None:
        self._free -= 1
        self._taken[organization_id] += 1

    def _give_back(self, organization_id: str) -> None:
        self._free += 1
        self._taken[organization_id] -= 1
        if not self._taken[organization_id]:
            del self._taken[organization_id]
        for fewest in sorted(self._waiting, key=self._taken.__getitem__):
            if self._taken[fewest] >= self._most_of_one:
                return
            if turn := self._next(fewest):
                self._hold(fewest)
                turn.set_result(None)
                return

    def _next(self, organization_id: str) -> "asyncio.Future[None] | None":
        """The first of the organization that still waits."""
        waiting = self._waiting[organization_id]
        turn = None
        while waiting and (turn is None or turn.done()):
            turn = waiting.popleft()
        if not waiting:
            del self._waiting[organization_id]
        return turn if turn is not None and not turn.done() else None
