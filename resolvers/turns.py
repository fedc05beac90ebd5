"""Turns: what reads a whole selection goes one at a time for an organization in a process, and few wait for theirs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from resolvers.context import Context, Role
from resolvers.errors import RateLimited

P = ParamSpec("P")
T = TypeVar("T")

MOST_WAITING = 8  # of an organization, in a process
_RETRY_SECONDS = 5


@dataclass(slots=True)
class _Turns:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    here: int = 0  # under way or waiting


_turns: dict[str, _Turns] = {}


def one_at_a_time(
    run: Callable[Concatenate[Context, P], Awaitable[T]],
) -> Callable[Concatenate[Context, P], Awaitable[T]]:
    """The operation, of which an organization has one under way; others wait. Raises RateLimited for one too many."""

    @wraps(run)
    async def in_turn(ctx: Context, /, *args: P.args, **kwargs: P.kwargs) -> T:
        organization_id = ctx.require(Role.VIEWER).organization_id
        turns = _turns.setdefault(organization_id, _Turns())
        if turns.here > MOST_WAITING:
            raise RateLimited(f"{MOST_WAITING} of the organization wait for this already", retry_after=_RETRY_SECONDS)
        turns.here += 1
        try:
            async with turns.lock:
                return await run(ctx, *args, **kwargs)
        finally:
            turns.here -= 1
            if not turns.here:
                del _turns[organization_id]

    return in_turn
