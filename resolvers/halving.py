"""One statement for many items, of which one may be bad: the batch is halved until that one is alone."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

Ping = Callable[[], Awaitable[None]]


async def run_halving(
    run: Callable[[Sequence[A]], Awaitable[Sequence[B]]], items: Sequence[A], ping: Ping | None
) -> list[B | Exception]:
    """One result for each item, in order; the error of `run` for those that it cannot be run with.

    `run` returns one result for each item. When it raises, it must have left nothing behind. It is only run again,
    with each half, where `ping` shows by not raising that the store is there; otherwise all items get the error.
    """
    try:
        return list(await run(items))
    except Exception as error:
        if len(items) < 2 or not await _is_there(ping):
            return [error] * len(items)
    middle = len(items) // 2
    return [*await run_halving(run, items[:middle], ping), *await run_halving(run, items[middle:], ping)]


async def _is_there(ping: Ping | None) -> bool:
    if ping is None:
        return False
    try:
        await ping()
    except Exception:
        return False
    return True
