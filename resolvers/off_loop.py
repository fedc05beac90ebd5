"""Long arithmetic, beside the event loop: a replay, or the decisions of a preview."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# One at a time in a process: each takes a processor for seconds, and must leave the rest to everyone else. With more
# of them the loop would wait for the interpreter as many times as long, each time that it wants to go on.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="off-loop")


async def off_loop(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """The result of what only computes, in the one thread that does so; it waits for those before it."""
    return await asyncio.get_running_loop().run_in_executor(_thread, lambda: work(*arguments, **named))
