"""How soon who watches hears that a record has been enriched: from the answer to the upsert to the message of its end.

The service is API and worker in one process, with its local sources, and has nothing else to do: each record is sent
once the one before has ended, and a moment later. Beside it arq with jobs that do nothing, from the answer of Redis
that a job is queued to the moment at which its result is seen, as arq comes and with a poll of 10 ms.
"""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from statistics import quantiles
from typing import Any

import orjson
from arq import func
from arq.worker import Worker
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.drawn_records import drawn_records
from benchmarks.load import Request, once
from benchmarks.measurement import Contender, Measurement, Plan, Round, take_turns
from benchmarks.servers import Server, free_port, own_environment, own_headers, server
from models.db import connection
from models.db.migrate import migrate
from service.embedded.redis import EmbeddedRedis
from service.redis_pool import redis_at

_WATCHED = "subscription { jobEvents { job { id status } } }"
_UNDER_WAY = frozenset({"PENDING", "IN_PROGRESS"})
_PROTOCOL = Subprotocol("graphql-transport-ws")
_PATIENCE_SECONDS = 30.0
_Once = Callable[[], Awaitable[float]]


async def measure(plan: Plan) -> list[Measurement]:
    """The median over some records, and the 99th percentile, in turns with arq."""
    redis = EmbeddedRedis(plan.folder)
    await redis.start()
    await connection.connect(plan.database_url or f"sqlite://{plan.folder}/benchmark.db")
    try:
        await migrate()
    finally:
        await connection.close()
    port = free_port()
    environment = {**own_environment(plan, redis.url), "AUTO_ENRICHMENT_PORT": str(port)}
    command = (sys.executable, "-m", "auto_enrichment_command", "serve", "--embedded")
    try:
        async with (
            server(*command, environment=environment, port=port) as running,
            _watching(running) as watcher,
            _arq(redis, poll_seconds=0.5) as as_it_comes,
            _arq(redis, poll_seconds=0.01) as polling,
        ):
            work = f"idle system, from upsert answered to the end heard, {_stores(plan)}"
            times = plan.of(tiny=2, quick=15, full=60)
            records = drawn_records(f"heard{time.time_ns():x}", 1_000_000)
            return await take_turns(
                [
                    Contender(work, "ours", "ms", _turn(lambda: _heard(running, watcher, records), times), ours=True),
                    Contender(work, "arq as it comes, jobs that do nothing", "ms", _turn(as_it_comes, times)),
                    Contender(work, "arq with a poll of 10 ms", "ms", _turn(polling, times)),
                ],
                plan.rounds,
            )
    finally:
        await redis.stop()


def _stores(plan: Plan) -> str:
    return "SQLite" if plan.database_url is None else "PostgreSQL"


def _turn(once_measured: _Once, times: int) -> Callable[[], Awaitable[Round]]:
    async def turn() -> Round:
        took = []
        for _ in range(times):
            await asyncio.sleep(random.uniform(0.05, 0.15))  # noqa: S311 (so that no poll is met at the same moment)
            async with asyncio.timeout(_PATIENCE_SECONDS):
                took.append(1000 * await once_measured())
        percentiles = quantiles(took, n=100, method="inclusive")
        return Round(percentiles[49], p50_ms=percentiles[49], p99_ms=percentiles[98])

    return turn


class _Watcher:
    """Hears of all jobs, and notes when each ended."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ended: dict[str, asyncio.Future[float]] = {}

    def end_of(self, job_id: str) -> asyncio.Future[float]:
        """The moment of the message that it has ended."""
        return self._ended.setdefault(job_id, asyncio.get_running_loop().create_future())

    async def listen(self) -> None:
        async for message in self._socket:
            content = orjson.loads(message)
            if content["type"] == "next":
                job = content["payload"]["data"]["jobEvents"]["job"]
                if job["status"] not in _UNDER_WAY and not (end := self.end_of(job["id"])).done():
                    end.set_result(time.perf_counter())


async def _heard(running: Server, watcher: _Watcher, records: Iterator[dict[str, Any]]) -> float:
    """Seconds from the answer to an upsert to the message that its job has ended."""
    body = orjson.dumps({"records": [next(records)]})
    answer = await once(Request(f"{running.url}/v1/auto-enrichment/records", own_headers(), body))
    answered = time.perf_counter()
    [result] = orjson.loads(answer)["results"]
    return max(await watcher.end_of(result["jobId"]) - answered, 0.0)


@asynccontextmanager
async def _watching(running: Server) -> AsyncIterator[_Watcher]:
    """Who watches the events of all jobs."""
    async with connect(f"{running.url.replace('http', 'ws', 1)}/graphql", subprotocols=[_PROTOCOL]) as socket:
        await socket.send(orjson.dumps({"type": "connection_init", "payload": own_headers()}).decode())
        assert orjson.loads(await socket.recv())["type"] == "connection_ack"
        await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": {"query": _WATCHED}}).decode())
        await asyncio.sleep(0.5)  # nothing says that a subscription has begun
        watcher = _Watcher(socket)
        listening = asyncio.create_task(watcher.listen())
        try:
            yield watcher
        finally:
            listening.cancel()


async def nothing(ctx: dict[str, object]) -> None:
    """What arq's jobs do."""


@asynccontextmanager
async def _arq(redis: EmbeddedRedis, *, poll_seconds: float) -> AsyncIterator[_Once]:
    """A worker of arq in this process, and what measures one of its jobs."""
    queue = f"heard:{poll_seconds}"
    pool = redis_at(redis.url, tries=3)
    worker = Worker(
        functions=[func(nothing, name="nothing")],
        queue_name=queue,
        redis_pool=pool,
        poll_delay=poll_seconds,
        handle_signals=False,
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
    )
    running = asyncio.create_task(worker.async_run())

    async def measured() -> float:
        job = await pool.enqueue_job("nothing", _queue_name=queue)
        assert job is not None
        queued = time.perf_counter()
        await job.result(poll_delay=0.001)
        return time.perf_counter() - queued

    try:
        yield measured
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await worker.close()
