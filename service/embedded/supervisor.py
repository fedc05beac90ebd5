"""Keeps an arq worker running inside this process, and stops it without losing work."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from arq.worker import Worker

RESTART_SECONDS = (0.2, 10.0)  # first and longest wait before a new worker takes over
CANCEL_AGAIN_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class WorkerSupervisor:
    """Runs the worker that `build` makes; when it ends, by an outage of Redis say, builds another."""

    def __init__(self, build: Callable[[], Worker], *, grace_seconds: float) -> None:
        self._build = build
        self._grace_seconds = grace_seconds
        self._worker: Worker | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="worker supervisor")

    async def stop(self) -> None:
        """Claim nothing new, give running work `grace_seconds` to finish, then return it to the queue."""
        self._stopping.set()
        if self._worker is not None:
            self._worker.allow_pick_jobs = False
            at_work = [task for task in self._worker.tasks.values() if not task.done()]
            if at_work:
                await asyncio.wait(at_work, timeout=self._grace_seconds)
        if self._running is not None:
            await cancel_until_done(self._running)
        if self._task is not None:
            await self._task
            self._task = None

    async def _run(self) -> None:
        """Run one worker after another. Ends by itself after `stop`: no cancellation interrupts the clean-up."""
        first, longest = RESTART_SECONDS
        wait = first
        while not self._stopping.is_set():
            worker = self._worker = self._build()
            started_at = asyncio.get_running_loop().time()
            self._running = asyncio.create_task(worker.async_run(), name="worker")
            await asyncio.wait({self._running})
            await _wind_up(worker)
            if self._stopping.is_set():
                return
            error = None if self._running.cancelled() else self._running.exception()
            _log.warning("worker ended, another takes over", error=type(error).__name__, exc_info=error)
            ran_seconds = asyncio.get_running_loop().time() - started_at
            wait = first if ran_seconds > longest else min(wait * 2, longest)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._stopping.wait()


async def _wind_up(worker: Worker) -> None:
    """Does what `Worker.close` does, but without Redis, which may be gone, and leaves our pool open."""
    main = () if worker.main_task is None else (worker.main_task,)
    await cancel_until_done(*main, *worker.tasks.values())
    if worker.on_shutdown is not None:
        try:
            await worker.on_shutdown(worker.ctx)
        except Exception as error:
            _log.warning("worker did not end cleanly", error=type(error).__name__)


async def cancel_until_done(*tasks: asyncio.Task[Any]) -> None:
    """Cancel the tasks until they have ended: before Python 3.12 one cancellation may get lost."""
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=CANCEL_AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.debug("ended with an error while stopping", task=task.get_name(), error=type(error).__name__)
