"""What the benchmarks of the worker share: processes that print what they took, and arq as the peer."""

import asyncio
import json
import os
import resource
import sys
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC
from statistics import median
from typing import Any

import orjson
from arq import func
from arq.typing import WorkerCoroutine
from arq.worker import Worker
from uvicorn.loops.auto import auto_loop_factory

from service.redis_pool import redis_at

AT_ONCE = 100  # jobs of arq's worker, and calls to one provider that a worker of ours makes
LONGEST_SECONDS = 240.0
REDIS_URL = "AUTO_ENRICHMENT_REDIS_URL"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a unit of work took: units a second, and CPU (user and system) of the process, in ms a unit."""

    per_second: float
    cpu_ms: float


def median_of(costs: Sequence[Cost]) -> Cost:
    """Each figure's median."""
    return Cost(median(cost.per_second for cost in costs), median(cost.cpu_ms for cost in costs))


class Stopwatch:
    """Wall time and CPU of this process, from when it is made."""

    def __init__(self) -> None:
        self._started, self._cpu = time.perf_counter(), _cpu()

    def cost(self, units: int) -> Cost:
        """The cost of so many units."""
        seconds = time.perf_counter() - self._started
        return Cost(units / seconds, 1000 * (_cpu() - self._cpu) / units)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def report(cost: Cost) -> None:
    """Print what a process took, as `result_of` reads it."""
    print(json.dumps(asdict(cost)))


@asynccontextmanager
async def process(
    module: str, *arguments: str, environment: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of a benchmark, ended with the block."""
    started = await create_subprocess_exec(
        sys.executable, "-m", module, *arguments, env={**os.environ, **environment}, stdout=PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.terminate()
        await started.wait()


async def cost_of(module: str, *arguments: str, environment: Mapping[str, str]) -> Cost:
    """Run a process of a benchmark to its end. Returns what it reports."""
    async with process(module, *arguments, environment=environment) as started:
        output, _ = await asyncio.wait_for(started.communicate(), LONGEST_SECONDS)
    if started.returncode:
        raise RuntimeError(f"a process of the benchmark ended with {started.returncode}")
    return Cost(**json.loads(output.splitlines()[-1]))


async def drain_by_arq(work: WorkerCoroutine, records: int) -> None:
    """Be an arq worker, tuned as it runs fastest, with so many jobs; then report what they took."""
    redis = redis_at(os.environ[REDIS_URL], tries=3)
    for _ in range(records):
        await redis.enqueue_job("peer", _queue_name="peer")
    worker = Worker(
        functions=[func(work, name="peer", keep_result=0)],
        redis_pool=redis,
        queue_name="peer",
        max_jobs=AT_ONCE,
        poll_delay=0.01,
        keep_result=0,
        burst=True,
        timezone=UTC,
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
    )
    taken = Stopwatch()
    await worker.async_run()
    report(taken.cost(records))
    await redis.aclose(close_connection_pool=True)


def run(work: Coroutine[Any, Any, None]) -> None:
    """As the command runs a worker."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(work)
