"""Many small requests, answered by one statement: each caller awaits its own answer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Batcher(Generic[A, B]):
    """Collects what is asked, up to `most` items, and asks `run` once for all.

    What comes within `wait` seconds goes together; with a `wait` of 0, what comes while an earlier batch runs, so that
    a single caller does not wait and many at once still share.

    `run` answers for each item, in order. If it raises, everyone who was waiting gets that error. A caller
    that is cancelled leaves the others' batch alone.
    """

    def __init__(self, run: Callable[[Sequence[A]], Awaitable[Sequence[B]]], *, most: int, wait: float) -> None:
        self._run = run
        self._most = most
        self._wait = wait
        self._waiting: list[tuple[A, asyncio.Future[B]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, item: A) -> B:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[B] = loop.create_future()
        self._waiting.append((item, answer))
        if len(self._waiting) >= self._most:
            self._flush()
        elif self._timer is None and (self._wait or not self._running):
            self._timer = loop.call_later(self._wait, self._flush)
        return await answer

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        if batch:
            task = asyncio.create_task(self._answer(batch))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not self._wait and not self._running:
            self._flush()

    async def _answer(self, batch: list[tuple[A, asyncio.Future[B]]]) -> None:
        try:
            answers = await self._run([item for item, _ in batch])
        except Exception as error:
            for _, waiting in batch:
                if not waiting.done():
                    waiting.set_exception(error)
            return
        for (_, waiting), answer in zip(batch, answers, strict=True):
            if not waiting.done():
                waiting.set_result(answer)

    async def close(self) -> None:
        """Answer everyone who still waits."""
        self._flush()
        if self._running:
            await asyncio.wait(self._running)
