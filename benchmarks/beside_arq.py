"""One worker beside arq: with local sources beside jobs that do nothing, and with slow ones beside jobs that sleep.

The measurements themselves are `benchmarks.pipeline` and `benchmarks.waiting`, in whose runs arq is tuned as it runs
fastest; here arq has its turn as it comes, too (10 jobs at once, a look at the queue every half second).
"""

import sys
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC

import orjson
from arq import func
from arq.worker import Worker

from benchmarks import pipeline, waiting
from benchmarks.measurement import Contender, Measurement, Plan, Round, take_turns
from benchmarks.measuring import Cost, Stopwatch, cost_of, report, run
from service.embedded.redis import EmbeddedRedis
from service.redis_pool import redis_at

_MODULE = "benchmarks.beside_arq"


async def measure(plan: Plan) -> list[Measurement]:
    """The pipeline and the waiting worker beside arq."""
    where = "SQLite" if plan.database_url is None else "PostgreSQL"
    local = plan.of(tiny=40, quick=1_500, full=4_000)
    remote = plan.of(tiny=24, quick=1_200, full=3_000)
    redis = EmbeddedRedis(plan.folder)
    await redis.start()
    try:
        contenders = [
            *_both(
                f"pipeline, one worker, {where}, local sources", "arq, jobs that do nothing", _pipeline(plan, local)
            ),
            Contender(
                f"pipeline, one worker, {where}, local sources",
                "arq as it comes, jobs that do nothing",
                "records/s",
                lambda: _as_it_comes(redis.url, plan.of(tiny=20, quick=400, full=1_000)),
            ),
            *_both(
                f"one worker, {where}, providers of 200 ms",
                "arq, jobs that sleep 200 ms, 100 at once",
                _waiting(plan, remote),
            ),
        ]
        return await take_turns(contenders, min(plan.rounds, 3), warm=False)
    finally:
        await redis.stop()


def _both(work: str, peer: str, turn: Callable[[], Awaitable[tuple[Cost, Cost]]]) -> list[Contender]:
    """Ours and a peer that have one turn together."""
    taken: deque[Round] = deque()

    async def ours() -> Round:
        mine, its = await turn()
        taken.append(_round(its))
        return _round(mine)

    async def theirs() -> Round:
        return taken.popleft()

    return [Contender(work, "ours", "records/s", ours, ours=True), Contender(work, peer, "records/s", theirs)]


def _round(cost: Cost) -> Round:
    return Round(cost.per_second, cost.cpu_ms)


def _pipeline(plan: Plan, records: int) -> Callable[[], Awaitable[tuple[Cost, Cost]]]:
    async def turn() -> tuple[Cost, Cost]:
        found = await pipeline.measure(records, plan.database_url, repeats=1)
        return found.ours, found.arq

    return turn


def _waiting(plan: Plan, records: int) -> Callable[[], Awaitable[tuple[Cost, Cost]]]:
    async def turn() -> tuple[Cost, Cost]:
        found = await waiting.measure(records, plan.database_url)
        if found.deadlocks:
            raise RuntimeError(f"{found.deadlocks} deadlocks in {records} jobs")
        assert found.arq is not None
        return found.ours, found.arq

    return turn


async def _as_it_comes(redis_url: str, jobs: int) -> Round:
    return _round(await cost_of(_MODULE, redis_url, str(jobs), environment={}))


async def peer(ctx: dict[str, object]) -> None:
    """What arq's jobs do."""


async def _drain(redis_url: str, jobs: int) -> None:
    """Be an arq worker with all its defaults, but for the encoding that our Redis has."""
    redis = redis_at(redis_url, tries=3)
    for _ in range(jobs):
        await redis.enqueue_job("peer", _queue_name="as-it-comes")
    worker = Worker(
        functions=[func(peer, name="peer")],
        redis_pool=redis,
        queue_name="as-it-comes",
        burst=True,
        timezone=UTC,
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
    )
    taken = Stopwatch()
    await worker.async_run()
    report(taken.cost(jobs))
    await redis.aclose(close_connection_pool=True)


if __name__ == "__main__":
    run(_drain(sys.argv[1], int(sys.argv[2])))
