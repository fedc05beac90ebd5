"""Whether the service is up and ready, and what it measures: `/healthz`, `/readyz`, `/metrics`."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from enrichment.compiled import form
from models.db.acting import across_organizations
from models.db.health import needs_room, ping
from models.db.transaction import is_caused_by
from models.db.version import VERSION
from models.job.queries import count_unfinished_jobs, longest_waits
from models.provider_state import count_open_breakers
from service.http.json import respond
from service.http.metrics import CONTENT_TYPE, MOST_WAITS, Wait
from service.runtime import Runtime, uses_data_dir
from workers import heartbeat

CHECK_SECONDS = 2.0
LEAST_FREE_BYTES = 64 * 1024**2  # for the embedded stores

_log = structlog.get_logger(__name__)


class Check:
    """Something that must work. A check that hangs counts as failed until it ends."""

    def __init__(self, name: str, run: Callable[[], Awaitable[str | None]]) -> None:
        self.name = name
        self._run = run
        self._running: asyncio.Task[str | None] | None = None

    async def fault(self) -> str | None:
        """What is wrong, in plain words without addresses; None when nothing is."""
        if self._running is None:
            # Never cancelled: a cancelled query may keep its connection for ever.
            self._running = asyncio.ensure_future(self._guarded())
        running = self._running
        done, _ = await asyncio.wait({running}, timeout=CHECK_SECONDS)
        if not done:
            return "does not answer"
        self._running = None
        return running.result()

    async def _guarded(self) -> str | None:
        try:
            return await self._run()
        except Exception as error:
            _log.warning("not ready", check=self.name, error=type(error).__name__)
            return "out of reach"


def health_routes(runtime: Runtime) -> list[BaseRoute]:
    """`/healthz` and `/readyz`, and `/metrics` unless it is switched off."""
    checks = [
        Check("database", _database),
        Check("redis", lambda: _redis(runtime)),
        Check("worker", lambda: _worker(runtime)),
    ]
    if uses_data_dir(runtime.settings):
        checks.append(Check("disk", lambda: _disk(runtime.settings.data_dir)))

    async def healthz(_: Request) -> Response:
        return respond({"status": "ok", "version": VERSION, "decisions": form()})

    async def readyz(_: Request) -> Response:
        faults = await asyncio.gather(*(check.fault() for check in checks))
        shown = {
            check.name: {"status": "ok"} if fault is None else {"status": "failed", "detail": fault}
            for check, fault in zip(checks, faults, strict=True)
        }
        ready = not any(faults)
        return respond({"status": "ok" if ready else "failed", "checks": shown}, status=200 if ready else 503)

    async def metrics(_: Request) -> Response:
        await _measure(runtime)
        return Response(runtime.metrics.render(runtime.services.measures.registry), media_type=CONTENT_TYPE)

    routes: list[BaseRoute] = [Route("/healthz", healthz), Route("/readyz", readyz)]
    if runtime.settings.metrics:
        routes.append(Route("/metrics", metrics))
    return routes


async def _database() -> str | None:
    await ping()
    try:
        await needs_room()
    except Exception as error:
        if not is_caused_by(error, asyncpg.DiskFullError):
            raise
        return "its disk is full: nothing more can be stored"
    return None


async def _redis(runtime: Runtime) -> str | None:
    await runtime.services.redis.ping()
    return None


async def _worker(runtime: Runtime) -> str | None:
    return None if await heartbeat.alive(runtime.services.redis) else "no worker gives a sign of life"


async def _disk(data_dir: Path) -> str | None:
    return None if shutil.disk_usage(data_dir).free >= LEAST_FREE_BYTES else "nearly full: nothing more can be stored"


async def _measure(runtime: Runtime) -> None:
    """Read what is not counted as it happens. What cannot be read keeps its last value."""
    try:
        with across_organizations():
            await _measure_queue(runtime)
        runtime.metrics.workers.set(await heartbeat.alive(runtime.services.redis))
    except Exception as error:
        _log.warning("not measured", error=type(error).__name__)


async def _measure_queue(runtime: Runtime) -> None:
    for status, count in (await count_unfinished_jobs()).items():
        runtime.metrics.jobs.labels(status.value).set(count)
    now = runtime.services.now()
    longest = await longest_waits(MOST_WAITS)
    runtime.metrics.queued([Wait((now - wait.oldest).total_seconds(), wait.jobs) for wait in longest])
    runtime.metrics.broken(await count_open_breakers())
