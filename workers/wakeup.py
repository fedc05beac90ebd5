"""Wake-ups without polling: a blocking wait on Redis starts arq's next look at its queue.

arq finds its messages by asking for them again and again; how often decides between latency and load. Here a worker
waits in Redis for a token that `resolvers.queue_wakeup` leaves with each message, and has arq look when one comes. A
token that is lost costs at most FALLBACK_SECONDS, after which arq looks by itself.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

import arq.worker
import structlog
from arq.worker import Worker
from redis.asyncio import Redis
from redis.exceptions import RedisError

from resolvers.queue_wakeup import WAKE_KEY

FALLBACK_SECONDS = 2.0  # until arq looks by itself; its schedule is looked at as often
WAIT_SECONDS = 3  # for a token, in one command; shorter than a connection waits for its answer
PAUSE_SECONDS = 1.0  # after an outage of Redis, before the next wait

_log = structlog.get_logger(__name__)


async def _log_nothing(*_: object) -> None:
    """Replaces arq's greeting, which calls INFO: the stand-in lacks it, and a user of Redis may not be allowed it."""


arq.worker.log_redis_info = _log_nothing  # type: ignore[attr-defined,assignment] # no setting turns it off


class WokenWorker(Worker):
    """An arq worker that looks at its queue when it is woken, and seldom by itself."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at the queue now."""
        self._woken.set()

    async def _poll_iteration(self) -> None:
        self._woken.clear()
        await super()._poll_iteration()
        if not self.burst:
            with suppress(TimeoutError):
                async with asyncio.timeout(FALLBACK_SECONDS):
                    await self._woken.wait()

    async def run_cron(self, n: datetime, delay: float, num_windows: int = 2) -> None:
        """Queue what the schedule has until the look after the next one.

        All workers do so before the moment comes, so that arq knows what is queued already from what has not run.
        """
        await super().run_cron(n, max(delay, FALLBACK_SECONDS), num_windows)


async def wake_forever(redis: Redis, worker: WokenWorker) -> None:
    """Wake the worker for every token, over outages of Redis, until cancelled."""
    while True:
        try:
            if await cast("Awaitable[Any]", redis.blpop([WAKE_KEY], timeout=WAIT_SECONDS)) is not None:
                worker.wake()
        except (RedisError, OSError) as error:
            _log.warning("wake-ups are waited for by polling", error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
