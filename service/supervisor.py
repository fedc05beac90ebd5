"""Keeps an arq worker running inside this process, and stops it without losing work."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from arq.worker import Worker

RESTART_SECONDS = (0.2, 10.0)  # first and longest wait before a new worker takes over

_log = structlog.get_logger(__name__)


class WorkerSupervisor:
    """Runs the worker that `build` makes; when it ends, by an outage of Redis say, builds another."""

    def __init__(self, build: Callable[[], Worker], *, grace_seconds: float) -> None:
        self._build = build
        self._grace_seconds = grace_seconds
        self._worker: Worker | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="worker supervisor")

    async def stop(self) -> None:
        """Take nothing new, give running work `grace_seconds` to finish, then have it handed back."""
        worker = self._worker
        if worker is not None:
            worker.allow_pick_jobs = False
            running = [task for task in worker.tasks.values() if not task.done()]
            if running:
                await asyncio.wait(running, timeout=self._grace_seconds)
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        first, longest = RESTART_SECONDS
        wait = first
        while True:
            worker = self._worker = self._build()
            started_at = asyncio.get_running_loop().time()
            try:
                await worker.async_run()
            except Exception as error:
                _log.warning("worker ended, another takes over", error=type(error).__name__, exc_info=error)
            finally:
                await _wind_up(worker)
            ran_seconds = asyncio.get_running_loop().time() - started_at
            wait = first if ran_seconds > longest else min(wait * 2, longest)
            await asyncio.sleep(wait)


async def _wind_up(worker: Worker) -> None:
    """What `Worker.close` does for us, but without Redis, which may be gone, and leaving our pool open."""
    left = [task for task in (worker.main_task, *worker.tasks.values()) if task is not None and not task.done()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    if worker.on_shutdown is not None:
        try:
            await worker.on_shutdown(worker.ctx)
        except Exception as error:
            _log.warning("worker did not end cleanly", error=type(error).__name__)
