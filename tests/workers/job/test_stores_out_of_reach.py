"""The database failing under a job is a fault of ours: the job goes on, and nothing is asked or counted twice."""

import asyncio

import asyncpg
import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from models.job import Job, Step
from providers.api import NotSent, Question
from tests.support.factories import StandIn, context, job_of, send, services, work
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("db")

KNOWS = {"acme.com": {"city": "Berlin"}}


async def test_a_call_that_a_fault_of_ours_stops_is_made_later_and_is_no_error_of_the_provider(redis: ArqRedis) -> None:
    faults = [ConnectionResetError("the server closed the connection"), asyncpg.AdminShutdownError("by an admin")]

    async def fail(question: Question) -> None:
        if faults:
            raise NotSent from faults.pop()

    standin = StandIn(knows=KNOWS, remote=True, on_ask=fail)
    shared = services(redis, standin)
    sent = await send(context(shared), "account", "A1", domain="acme.com")
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.attempts, job.error_code) == (JobStatus.PENDING, 0, "unavailable")

    async def ended() -> bool:
        await work(shared)
        return (await job_of(sent)).status is JobStatus.COMPLETED

    await until(ended, pause=0.2)
    assert [step.error_code for step in await Step.all()] == [None]
    assert (await job_of(sent)).attempts == 1


@pytest.mark.postgresql
async def test_a_result_that_the_database_does_not_take_is_written_when_it_is_back(redis: ArqRedis, db: str) -> None:
    locking: list[asyncio.Task[None]] = []
    locked = asyncio.Event()

    async def end_writers() -> None:
        """Hold the steps, and end whoever comes to write some, twice."""
        connection = await asyncpg.connect(db)
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE step IN SHARE MODE")
                locked.set()
                for _ in range(2):
                    await until(lambda: connection.fetchval(_END_WRITER))
        finally:
            await connection.close()

    async def lock(question: Question) -> None:
        locking.append(asyncio.create_task(end_writers()))
        await locked.wait()

    standin = StandIn(knows=KNOWS, remote=True, on_ask=lock)
    shared = services(redis, standin)
    sent = await send(context(shared), "account", "A1", domain="acme.com")
    await work(shared)
    await asyncio.gather(*locking)
    job = await job_of(sent)
    assert (job.status, job.attempts, standin.asked) == (JobStatus.COMPLETED, 1, ["acme.com"])
    assert await Job.all().count() == 1


_END_WRITER = """SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
  WHERE wait_event_type = 'Lock' AND datname = current_database() AND pid <> pg_backend_pid()"""
