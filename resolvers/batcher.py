"""Batches: many small requests are served by one statement, and each caller awaits its own result."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from resolvers.halving import Ping, run_halving

A = TypeVar("A")
B = TypeVar("B")


class Batcher(Generic[A, B]):
    """Collects items, up to `most`, and calls `run` once for all of them.

    A lone caller is served at once. What comes while a batch runs, and in the `wait` seconds after its end, goes
    together: the more callers, the fewer batches.

    `run` returns one result for each item, in order. If it raises, everyone in the batch gets that error; where
    `ping` is given, and shows by not raising that the store is there, the batch is halved until the bad item is
    alone: `run` must have left nothing behind then. A caller that is cancelled leaves the others' batch alone.
    """

    def __init__(
        self,
        run: Callable[[Sequence[A]], Awaitable[Sequence[B]]],
        *,
        most: int,
        wait: float,
        ping: Ping | None = None,
    ) -> None:
        self._run = run
        self._ping = ping
        self._most = most
        self._wait = wait
        self._waiting: list[tuple[A, asyncio.Future[B]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._next_at = 0.0  # on the loop's clock, when a next batch may begin

    async def __call__(self, item: A) -> B:
        loop = asyncio.get_running_loop()
        result: asyncio.Future[B] = loop.create_future()
        self._waiting.append((item, result))
        if len(self._waiting) >= self._most:
            self._flush()
        else:
            self._flush_soon(loop)
        return await result

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is None and not self._running:
            self._timer = loop.call_at(max(self._next_at, loop.time()), self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        if batch:
            task = asyncio.create_task(self._run_batch(batch))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        loop = asyncio.get_running_loop()
        self._next_at = loop.time() + self._wait
        if self._waiting:
            self._flush_soon(loop)

    async def _run_batch(self, batch: list[tuple[A, asyncio.Future[B]]]) -> None:
        results = await run_halving(self._run, [item for item, _ in batch], self._ping)
        for (_, waiting), result in zip(batch, results, strict=True):
            if waiting.done():
                continue
            if isinstance(result, Exception):
                waiting.set_exception(result)
            else:
                waiting.set_result(result)

    async def close(self) -> None:
        """Serve everyone who still waits."""
        self._flush()
        if self._running:
            await asyncio.wait(self._running)
