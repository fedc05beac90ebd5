"""A worker is woken when there is something to do; should a wake-up be lost, it finds out by itself."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from models.job import Job
from resolvers.context import Services
from resolvers.queue_wakeup import ENRICH, WAKE_KEY, wake_workers
from service.embedded.supervisor import WorkerSupervisor
from tests.support.factories import StandIn, context, send, services
from tests.support.waiting import until
from workers import wakeup
from workers.settings import build_worker
from workers.upkeep import rescue

pytestmark = pytest.mark.usefixtures("db")

NEVER = 3600.0


@asynccontextmanager
async def at_work(shared: Services) -> AsyncIterator[None]:
    """A worker that runs, as a service has it."""
    supervisor = WorkerSupervisor(lambda: build_worker(shared, max_jobs=10), grace_seconds=5)
    supervisor.start()
    try:
        yield
    finally:
        await supervisor.stop()


async def completed(jobs: int) -> None:
    async def are() -> bool:
        return await Job.filter(status=JobStatus.COMPLETED).count() == jobs

    await until(are)


async def test_a_waiting_worker_is_woken_by_each_request(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeup, "FALLBACK_SECONDS", NEVER)
    monkeypatch.setattr(rescue, "EVERY_SECONDS", NEVER)
    shared = services(redis, StandIn())
    async with at_work(shared):
        for n in range(3):
            await send(context(shared), "account", f"A{n}", domain=f"acme{n}.com")
            await completed(n + 1)


async def test_a_message_without_a_wake_up_is_found_by_looking(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescue, "EVERY_SECONDS", NEVER)
    shared = services(redis, StandIn())
    await send(context(shared), "account", "A1", domain="acme.com")
    await redis.flushall()
    async with at_work(shared):
        await until(lambda: _is_waited_for(redis))
        await redis.enqueue_job(ENRICH)
        await completed(1)


async def test_a_job_without_any_message_is_found_in_the_database(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescue, "EVERY_SECONDS", 0.05)
    shared = services(redis, StandIn())
    await send(context(shared), "account", "A1", domain="acme.com")
    await redis.flushall()
    async with at_work(shared):
        await completed(1)


async def test_wake_ups_that_nobody_takes_do_not_pile_up(redis: ArqRedis) -> None:
    for _ in range(20):
        await wake_workers(redis, 2000)
    assert len(await cast("Awaitable[list[bytes]]", redis.lrange(WAKE_KEY, 0, -1))) == 64
    assert 0 < await redis.ttl(WAKE_KEY) <= 10


async def test_workers_are_woken_in_one_round_trip_by_what_arq_itself_would_queue(redis: ArqRedis) -> None:
    before = await _transactions(redis)
    await wake_workers(redis, 700)
    assert await _transactions(redis) == before + 1
    await redis.enqueue_job(ENRICH)
    ours, alike, by_arq = await redis.queued_jobs()
    for name in ("function", "args", "kwargs", "job_try"):
        assert getattr(ours, name) == getattr(by_arq, name)
    assert ours.job_id != alike.job_id
    assert len(await cast("Awaitable[list[bytes]]", redis.lrange(WAKE_KEY, 0, -1))) == 2


async def test_the_schedule_is_queued_ahead_of_the_next_look(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = build_worker(services(redis, StandIn()), max_jobs=1)
    now = datetime(2026, 11, 27, tzinfo=UTC)
    soon = timedelta(seconds=1.9 * wakeup.FALLBACK_SECONDS)
    for number, job in enumerate(worker.cron_jobs):
        monkeypatch.setattr(job, "next_run", now + (timedelta(hours=1) if number else soon))
    await worker.run_cron(now, 0.5)
    assert await redis.zcard(worker.queue_name) == 1


async def _is_waited_for(redis: ArqRedis) -> bool:
    return any(client["cmd"] == "blpop" for client in await redis.client_list())


async def _transactions(redis: ArqRedis) -> int:
    found: int = (await redis.info("commandstats")).get("cmdstat_exec", {"calls": 0})["calls"]
    return found
