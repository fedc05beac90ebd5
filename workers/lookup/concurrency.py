"""Whose call it is: so many run at once for each provider and organization, and the other jobs wait for their turn."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

from providers.api import OutOfTurn, Provider
from workers.lookup.fair_semaphore import FairSemaphore

MOST = 100  # calls to one provider at once, in one process
MOST_OF_ONE = 10  # of these, calls of one organization
TURN_SECONDS = 10.0  # for a turn to come; then the job gives its place back and comes again
SOONEST_LOOK, LATEST_LOOK = timedelta(seconds=2), timedelta(minutes=3)
_CHANCE = random.Random()  # noqa: S311 -- spreads load, guards nothing; the process's own is left to others


class CallConcurrency:
    """The calls of one worker process."""

    def __init__(self) -> None:
        self._places: defaultdict[str, FairSemaphore] = defaultdict(lambda: FairSemaphore(MOST, MOST_OF_ONE))

    def is_now(self, provider: Provider, organization_id: str) -> bool:
        """Whether a call need not wait."""
        return not provider.info.remote or self._places[provider.info.id].is_free(organization_id)

    @asynccontextmanager
    async def one(self, provider: Provider, organization_id: str) -> AsyncIterator[None]:
        """Hold a turn, once it has come. Raises OutOfTurn when it does not come soon."""
        if not provider.info.remote:
            yield
            return
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._places[provider.info.id].one(organization_id, TURN_SECONDS))
            except TimeoutError:
                raise OutOfTurn(f"too many calls to {provider.info.name} are under way", TURN_SECONDS) from None
            yield


def next_look(waiting_since: datetime, now: datetime) -> datetime:
    """When a job sees again whether what it waits for is there: the longer it has waited, the more seldom.

    It is left to chance within that time, so that jobs of one age do not come all at once and then none.
    """
    longest = min(max((now - waiting_since) / 4, SOONEST_LOOK), LATEST_LOOK)
    return now + longest * _CHANCE.uniform(0.25, 1.0)
