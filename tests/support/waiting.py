"""Waiting for what a test needs to have happened: as long as a busy machine may take, and not a moment longer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

PATIENCE_SECONDS = 120.0
"""Longer than anything takes, however busy the machine: only what never happens lasts so long."""

_PAUSE_SECONDS = 0.01


def wait_until(happened: Callable[[], bool], otherwise: object = "it did not happen") -> None:
    """Wait until `happened()` is true. Raises AssertionError with `otherwise`, called if it can be, after that."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < until, otherwise() if callable(otherwise) else otherwise
        time.sleep(_PAUSE_SECONDS)


async def until(
    happened: Callable[[], Any | Awaitable[Any]],
    otherwise: object = "it did not happen",
    *,
    pause: float = _PAUSE_SECONDS,
) -> Any:
    """The first true value of `happened()`, which may be awaitable. Raises AssertionError like `wait_until`."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = happened()
        if isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < end, otherwise() if callable(otherwise) else otherwise
        await asyncio.sleep(pause)
