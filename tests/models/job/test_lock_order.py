"""Rows of jobs and answers are locked in one order by everyone, and a renewal of leases waits for nobody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
from arq.connections import ArqRedis

from models.answer import cache
from models.answer.row import AnswerKey, AnswerResult, AnswerState
from models.db.statements import query
from models.db.transaction import unit_of_work
from models.job import Job
from models.job.leases import Lease, LeaseProgress, lock_held, lock_states, make_due, renew
from models.job.transitions import claim, release_leases
from tests.support.factories import Clock, StandIn, context, send, services
from tests.support.waiting import PATIENCE_SECONDS, until

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("db")]

NOW = Clock()()
LATER = NOW + timedelta(minutes=5)
Work = Callable[[list[Lease]], Awaitable[object]]


@pytest.fixture
async def other(db: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody else, in a transaction."""
    connection = await asyncpg.connect(db)
    await connection.execute("BEGIN")
    yield connection
    await connection.close()


@pytest.fixture
async def leases(redis: ArqRedis) -> list[Lease]:
    """Two claimed jobs, the one with the greater id first."""
    shared = services(redis, StandIn())
    for n in range(2):
        await send(context(shared), "account", f"A{n}", domain=f"acme{n}.com")
    claimed = [job.lease for job in await claim("acme", shared.now(), 10)]
    return sorted(claimed, key=lambda lease: lease.id, reverse=True)


async def _waits() -> bool:
    return bool(await query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


LOCKING: dict[str, Work] = {
    "results are written": unit_of_work(lock_held),
    "leases are released": lambda leases: release_leases(leases, NOW),
    "calls are settled": lambda leases: unit_of_work(lock_states)([lease.id for lease in leases]),
    "what waits is made due": lambda leases: unit_of_work(make_due)([lease.id for lease in leases], NOW),
}


@pytest.mark.parametrize("what", LOCKING)
async def test_the_job_with_the_smaller_id_is_locked_first(
    leases: list[Lease], other: asyncpg.Connection, what: str
) -> None:
    greater, smaller = leases
    if "made due" in what:
        await release_leases(leases, LATER)
    await other.execute("SELECT 1 FROM job WHERE id = $1 FOR UPDATE", smaller.id)
    working = asyncio.create_task(asyncio.wait_for(LOCKING[what](leases), PATIENCE_SECONDS))
    await until(_waits)
    await other.execute("SELECT 1 FROM job WHERE id = $1 FOR UPDATE NOWAIT", greater.id)
    await other.execute("COMMIT")
    await working


async def test_a_renewal_passes_by_the_jobs_that_are_being_written(
    leases: list[Lease], other: asyncpg.Connection
) -> None:
    written, free = leases
    await other.execute("SELECT 1 FROM job WHERE id = $1 FOR NO KEY UPDATE", written.id)
    progress = [LeaseProgress(lease.id, lease.fence, 50, "standin", []) for lease in leases]
    held = await asyncio.wait_for(renew(progress, NOW, LATER), PATIENCE_SECONDS)
    assert held == {written.id, free.id}
    await other.execute("COMMIT")
    renewed = {job.id: (job.progress, job.lease_until == LATER) for job in await Job.all()}
    assert renewed == {written.id: (0, False), free.id: (50, True)}


@pytest.mark.parametrize("answered", [True, False])
async def test_answers_are_locked_in_the_order_of_their_keys(
    leases: list[Lease], other: asyncpg.Connection, answered: bool
) -> None:
    job = leases[0].id
    keys = [AnswerKey("acme", "paid", key, job) for key in ("b", "B", "a")]
    await unit_of_work(cache.acquire)(keys, NOW, LATER)
    await other.execute("SELECT 1 FROM answer WHERE input_key = 'B' FOR UPDATE")

    async def end() -> None:
        if answered:
            state = AnswerState.ANSWERED
            results = [AnswerResult(*key.key, job, state, [], "", matched=False, answered_at=NOW) for key in keys]
            await unit_of_work(cache.store)(results)
        else:
            await unit_of_work(cache.release)(keys)

    ending = asyncio.create_task(asyncio.wait_for(end(), PATIENCE_SECONDS))
    await until(_waits)
    await other.execute("SELECT 1 FROM answer WHERE input_key IN ('a', 'b') FOR UPDATE NOWAIT")
    await other.execute("COMMIT")
    await ending
