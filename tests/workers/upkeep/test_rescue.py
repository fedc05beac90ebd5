"""Jobs whose worker vanished are rescued, and those of workers that live through an outage are left to them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from models.job.leases import LEASE
from models.job.transitions import claim
from resolvers.context import Services
from tests.support.factories import Clock, StandIn, context, job_of, send, services
from tests.support.waiting import until
from workers.upkeep.rescue import rescue, rescue_forever

pytestmark = pytest.mark.usefixtures("db")


class FirstFails(Clock):
    """A clock that stands for a database that is away when it is first asked."""

    looks = 0

    def __call__(self) -> datetime:
        self.looks += 1
        if self.looks == 1:
            raise ConnectionRefusedError
        return super().__call__() + LEASE + timedelta(seconds=1)


@contextlib.asynccontextmanager
async def _rescuing(shared: Services) -> AsyncIterator[None]:
    task = asyncio.create_task(rescue_forever(shared))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_after_an_outage_whoever_lives_may_prolong_its_leases_first(redis: ArqRedis) -> None:
    await _left_alone_at_first(redis, FirstFails())


async def test_so_it_may_after_the_database_was_silent(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.upkeep.rescue.SLOW_SECONDS", 0.0)
    await _left_alone_at_first(redis, Clock(LEASE.total_seconds() + 1))


async def _left_alone_at_first(redis: ArqRedis, rescuer: Clock) -> None:
    """A job whose lease ran out stays with its worker when others are rescued first after an outage."""
    clock = Clock()
    shared = services(redis, StandIn(), now=clock)
    held = await send(context(shared), "account", "A1", domain="acme.com")
    assert len(await claim("acme", clock(), 1)) == 1
    await send(context(shared), "account", "A2", domain="other.com")
    await redis.flushall()
    after_outage = services(redis, StandIn(), now=rescuer)
    async with _rescuing(after_outage):
        await until(lambda: redis.zcard("arq:queue"))
    assert (await job_of(held)).status is JobStatus.IN_PROGRESS
    await rescue({"services": after_outage})
    assert (await job_of(held)).status is JobStatus.PENDING
