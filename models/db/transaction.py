"""Units of work: transactions that a cancelled caller cannot tear apart, and that outlive a deadlock."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

P = ParamSpec("P")
T = TypeVar("T")

Transaction = BaseDBAsyncClient
"""An open transaction: what statements are given as `using`."""

_DEADLOCK_TRIES = 5


def unit_of_work(
    body: Callable[Concatenate[Transaction, P], Awaitable[T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make a function whose first argument is a transaction one that opens and commits it by itself.

    A task cancelled while a transaction opens or closes would keep SQLite's only lock, or a pooled connection,
    for ever. So `body` runs in a task of its own, and is waited for even then. It must do nothing but database
    work, and write first (SQLite cannot turn a reader into a writer). On a deadlock PostgreSQL ends one of the two;
    that one is run again, so `body` may be called more than once.

    A function that also takes part in other transactions stays plain, and is called as `unit_of_work(f)(…)`.
    """

    @wraps(body)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        task = asyncio.create_task(_committed(body, *args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():
                await asyncio.wait({task})
            raise

    return run


async def _committed(body: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    for attempt in range(1, _DEADLOCK_TRIES + 1):
        try:
            async with in_transaction("default") as tx:
                return await body(cast("Transaction", tx), *args, **kwargs)
        except Exception as error:
            if attempt == _DEADLOCK_TRIES or not is_caused_by(
                error, asyncpg.DeadlockDetectedError, asyncpg.SerializationError
            ):
                raise
            await asyncio.sleep(0.01 * attempt)
    raise AssertionError("unreachable")


def is_caused_by(error: BaseException | None, *kinds: type[BaseException]) -> bool:
    """Whether the error, or one that it was raised from or wraps as Tortoise does, is of one of these kinds."""
    while error is not None:
        if isinstance(error, kinds):
            return True
        error = error.__cause__ or (error.args[0] if error.args and isinstance(error.args[0], Exception) else None)
    return False
