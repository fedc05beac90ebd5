"""All processes go by the database's clock, however wrong their machine's is."""

from datetime import UTC, datetime, timedelta

import pytest
from arq.connections import ArqRedis

from models.db.clock import DatabaseClock, machine_clock
from models.db.transaction import unit_of_work
from models.job.leases import LEASE
from models.job.transitions import claim, requeue_lost
from tests.support.factories import StandIn, context, send, services

AHEAD = timedelta(seconds=40)


def wrong_clock() -> datetime:
    """The clock of a machine that is 40 s ahead."""
    return machine_clock() + AHEAD


@pytest.mark.postgresql
@pytest.mark.usefixtures("db")
async def test_a_worker_whose_machine_is_ahead_of_others_leaves_their_jobs_alone(redis: ArqRedis) -> None:
    right, wrong = DatabaseClock(), DatabaseClock(machine=wrong_clock)
    for clock in (right, wrong):
        await clock.read()
    shared = services(redis, StandIn(), now=right)
    for n in range(3):
        await send(context(shared), "account", f"A{n}", domain=f"acme{n}.com")
    assert LEASE < AHEAD
    assert len(await claim("acme", right(), 10)) == 3
    assert await unit_of_work(requeue_lost)(wrong()) == []


@pytest.mark.postgresql
@pytest.mark.usefixtures("db")
async def test_a_clock_that_has_been_read_goes_on_by_itself_and_nobody_sets_it() -> None:
    seconds, at = 100.0, datetime(2000, 1, 1, tzinfo=UTC)
    clock = DatabaseClock(machine=lambda: at, steady=lambda: seconds)
    assert clock() == at
    await clock.read()
    first = clock()
    assert first > at + timedelta(days=365 * 20)
    at, seconds = datetime(2090, 1, 1, tzinfo=UTC), 107.5
    assert clock() - first == timedelta(seconds=7.5)


@pytest.mark.usefixtures("db")
async def test_with_sqlite_the_machines_clock_serves(db: str) -> None:
    clock = DatabaseClock(machine=wrong_clock)
    await clock.read()
    expected = AHEAD if db.startswith("sqlite") else timedelta()
    assert abs(clock() - machine_clock() - expected) < AHEAD / 2
