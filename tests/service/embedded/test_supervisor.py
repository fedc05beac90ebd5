"""A worker inside this process: always one running, none stopped in the middle of its work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from arq import Worker, func
from arq.connections import ArqRedis
from arq.typing import WorkerCoroutine
from redis.exceptions import ConnectionError as RedisConnectionError

from service.embedded import supervisor
from service.embedded.supervisor import WorkerSupervisor, cancel_until_done
from service.redis_pool import dump_job, load_job
from tests.support.waiting import PATIENCE_SECONDS


class Shop:
    """Builds workers for one kind of job, and notes what happened to them."""

    def __init__(self, redis: ArqRedis, job: WorkerCoroutine) -> None:
        self.redis = redis
        self.job = job
        self.built = 0
        self.wound_up = 0
        self.fails_first = False

    def build(self) -> Worker:
        self.built += 1
        return Worker(
            [func(self.job, name="job", keep_result=0)],
            redis_pool=self.redis,
            on_startup=self.begin,
            on_shutdown=self.end,
            handle_signals=False,
            poll_delay=0.01,
            job_serializer=dump_job,
            job_deserializer=load_job,
        )

    async def begin(self, ctx: dict[str, Any]) -> None:
        if self.fails_first and self.built == 1:
            raise RedisConnectionError("gone")

    async def end(self, ctx: dict[str, Any]) -> None:
        await asyncio.sleep(0.05)  # as when work in flight is handed back
        self.wound_up += 1


@asynccontextmanager
async def running(shop: Shop, *, grace_seconds: float = 5) -> AsyncIterator[WorkerSupervisor]:
    supervised = WorkerSupervisor(shop.build, grace_seconds=grace_seconds)
    supervised.start()
    try:
        yield supervised
    finally:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await supervised.stop()


async def test_work_in_flight_is_finished_before_the_worker_stops(redis: ArqRedis) -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def job(ctx: dict[str, Any]) -> None:
        begun.set()
        await go_on.wait()
        done.set()

    shop = Shop(redis, job)
    async with running(shop) as supervised:
        await redis.enqueue_job("job")
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        begun.clear()
        stopping = asyncio.create_task(supervised.stop())
        await asyncio.sleep(0)  # from here on it takes nothing new
        await redis.enqueue_job("job")
        go_on.set()
        await asyncio.wait_for(stopping, PATIENCE_SECONDS)
    assert done.is_set()
    assert not begun.is_set()  # nothing new was taken
    assert await redis.zcard("arq:queue") == 1
    assert (shop.built, shop.wound_up) == (1, 1)


async def test_work_that_takes_too_long_is_cancelled_and_handed_back(redis: ArqRedis) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def job(ctx: dict[str, Any]) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    shop = Shop(redis, job)
    async with running(shop, grace_seconds=0.1):
        await redis.enqueue_job("job")
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
    assert cancelled.is_set()
    assert shop.wound_up == 1
    assert await redis.zcard("arq:queue") == 1


async def test_a_worker_that_ends_is_followed_by_another(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", (0.01, 0.1))
    done = asyncio.Event()

    async def job(ctx: dict[str, Any]) -> None:
        done.set()

    shop = Shop(redis, job)
    shop.fails_first = True
    async with running(shop):
        await redis.enqueue_job("job")
        await asyncio.wait_for(done.wait(), PATIENCE_SECONDS)
    assert (shop.built, shop.wound_up) == (2, 2)


async def test_stopping_at_once_leaves_nothing_running(redis: ArqRedis) -> None:
    async def job(ctx: dict[str, Any]) -> None: ...

    shop = Shop(redis, job)
    async with running(shop):
        pass
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("worker")]


async def test_a_task_that_misses_its_first_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "CANCEL_AGAIN_SECONDS", 0.01)
    missed = asyncio.Event()

    async def deaf() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            missed.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await cancel_until_done(task)
    assert missed.is_set()
    assert task.cancelled()
