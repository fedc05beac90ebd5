"""What each worker does again and again by itself, without arq: Redis pays nothing for it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

_CHANCE = random.Random()  # noqa: S311 -- spreads load, guards nothing; the process's own is left to others

_log = structlog.get_logger(__name__)


async def repeat(work: Callable[[], Awaitable[Any]], every: Callable[[], float], name: str) -> None:
    """Do the work about every so many seconds, over faults of the stores, until cancelled.

    Workers do so at moments of their own: the pause is up to a fifth shorter or longer.
    """
    while True:
        await asyncio.sleep(every() * _CHANCE.uniform(0.8, 1.2))
        try:
            await work()
        except Exception as error:
            _log.warning("upkeep failed", part=name, error=type(error).__name__)
