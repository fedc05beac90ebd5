"""How the arq worker is set up. The job rows carry attempts, backoff and results; arq only delivers wake-ups."""

import asyncio
from datetime import UTC, timedelta
from typing import Any

import orjson
from arq import cron, func
from arq.worker import Worker

from models.db.columns import new_id
from models.job_claims import LEASE
from resolvers.context import Services
from resolvers.queue_wakeup import ENRICH
from workers.heartbeat import beat_forever
from workers.job.enrich import enrich
from workers.job.runner import CAPACITY, JobRunner
from workers.schedule import drop_old_hearings, new_day, refresh, sweep
from workers.upkeep.expire_pending import expire_pending

POLL_SECONDS = 0.02
LONGEST_RUN_SECONDS = 3600  # the lease, not arq, says when a run is lost
NEVER_GIVE_UP = 1_000_000  # tries of a wake-up; attempts are counted in the job row
STOP_SECONDS = 2.0  # for what is in flight once arq has ended

_SCHEDULE = [
    cron(sweep, second=set(range(60)), timeout=30, unique=True),
    cron(refresh, second=7, timeout=50, unique=True),
    cron(expire_pending, second=37, timeout=50, unique=True),
    cron(drop_old_hearings, minute=41, second=11, timeout=600, unique=True),
    cron(new_day, minute=set(range(0, 60, 5)), second=23, timeout=50, unique=True),
]


def build_worker(
    services: Services, *, max_jobs: int, capacity: int = CAPACITY, lease: timedelta = LEASE, burst: bool = False
) -> Worker:
    """A worker on the queue of `services.redis`.

    `max_jobs` is how many wake-ups run at once, `capacity` how many enrichment jobs are in flight. With
    `burst` it runs what is queued, no schedule, and ends.
    """
    crew = JobRunner(services, capacity=capacity, lease=lease)

    async def start(ctx: dict[str, Any]) -> None:
        crew.start()
        ctx["heartbeat"] = asyncio.create_task(beat_forever(services.redis, new_id()), name="heartbeat")

    async def stop(ctx: dict[str, Any]) -> None:
        ctx["heartbeat"].cancel()
        await asyncio.wait({ctx["heartbeat"]})
        await crew.stop(STOP_SECONDS)

    worker = Worker(
        functions=[func(enrich, name=ENRICH, timeout=LONGEST_RUN_SECONDS, keep_result=0, max_tries=NEVER_GIVE_UP)],
        cron_jobs=None if burst else _SCHEDULE,
        redis_pool=services.redis,
        on_startup=start,
        on_shutdown=stop,
        handle_signals=False,
        max_jobs=max_jobs,
        poll_delay=POLL_SECONDS,
        keep_result=0,
        max_tries=NEVER_GIVE_UP,
        job_timeout=LONGEST_RUN_SECONDS,
        timezone=UTC,
        burst=burst,
        health_check_interval=3600,
        ctx={"crew": crew, "services": services},
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
    )
    worker.ctx["may_claim"] = lambda: worker.allow_pick_jobs
    return worker
