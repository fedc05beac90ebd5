"""How the arq worker is set up. The job rows carry attempts, backoff and results; arq only delivers wake-ups."""

import asyncio
from datetime import UTC, timedelta
from typing import Any

import orjson
from arq import func
from arq.worker import Worker

from models.db.columns import new_id
from models.job.leases import LEASE
from resolvers.context import Services
from resolvers.queue_wakeup import ENRICH
from workers.heartbeat import beat_forever
from workers.job.enrich import enrich
from workers.job.runner import CAPACITY, JobRunner
from workers.schedule import SCHEDULE
from workers.upkeep.rescue import rescue_forever
from workers.upkeep.restart_refused import restart_refused_forever
from workers.upkeep.resume import resume_forever
from workers.wakeup import WokenWorker, wake_forever
from workers.webhook import sender

POLL_SECONDS = 0.02  # between two looks at the queue at the least; see workers.wakeup for the most
LONGEST_RUN_SECONDS = 3600  # the lease, not arq, says when a run is lost
NEVER_GIVE_UP = 1_000_000  # tries of a wake-up; attempts are counted in the job row
STOP_SECONDS = 2.0  # for what is in flight once arq has ended


def build_worker(
    services: Services,
    *,
    max_jobs: int,
    capacity: int = CAPACITY,
    lease: timedelta = LEASE,
    webhook_lease: timedelta = sender.LEASE,
    burst: bool = False,
) -> Worker:
    """A worker on the queue of `services.redis`.

    `max_jobs` is how many wake-ups run at once, `capacity` how many enrichment jobs are in flight. With
    `burst` it runs what is queued, no schedule, and ends.
    """
    runner = JobRunner(services, capacity=capacity, lease=lease)

    async def start(ctx: dict[str, Any]) -> None:
        runner.start()
        ctx["beside"] = {asyncio.create_task(beat_forever(services.redis, new_id()), name="heartbeat")}
        if not burst:
            ctx["beside"].add(asyncio.create_task(wake_forever(services.redis, worker), name="wake-ups"))
            ctx["beside"].add(asyncio.create_task(rescue_forever(services), name="rescue"))
            ctx["beside"].add(asyncio.create_task(resume_forever(services), name="resume"))
            ctx["beside"].add(asyncio.create_task(restart_refused_forever(services), name="restart refused"))
            ctx["beside"].add(
                asyncio.create_task(sender.WebhookSender(services, lease=webhook_lease).run(), name="webhooks")
            )

    async def stop(ctx: dict[str, Any]) -> None:
        for task in ctx["beside"]:
            task.cancel()
        await asyncio.wait(ctx["beside"])
        await runner.stop(STOP_SECONDS)

    worker = WokenWorker(
        functions=[func(enrich, name=ENRICH, timeout=LONGEST_RUN_SECONDS, keep_result=0, max_tries=NEVER_GIVE_UP)],
        cron_jobs=None if burst else SCHEDULE,
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
        ctx={"runner": runner, "services": services},
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
    )
    worker.ctx["may_claim"] = lambda: worker.allow_pick_jobs
    return worker
