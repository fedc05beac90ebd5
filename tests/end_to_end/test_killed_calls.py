"""Workers are killed and stopped while their paid calls are under way, and the provider counts what it was asked."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from arq.connections import ArqRedis

from enrichment.enums import ACTIVE_STATUSES, JobStatus
from models.credit.intent import CallIntent
from models.job import Job
from models.record import FieldValue
from providers.http.client import HttpClient
from resolvers.context import Context
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.job.api import cancel_job
from resolvers.record.api import upsert_records
from tests.support.factories import Clock, configure, context, services, work
from tests.support.paid_standin import Account, PaidStandIn, paid_standin
from tests.support.waiting import PATIENCE_SECONDS, until
from tests.support.worker_process import KEY, hunter_at
from workers.upkeep.rescue import rescue

pytestmark = pytest.mark.usefixtures("db")

CALLS = 6  # under way at once: a worker with room for twelve gives one organization no more than seven


@contextlib.contextmanager
def worker(database_url: str, redis_url: str, address: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.support.worker_process", database_url, redis_url, address],
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGCONT)
            os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)


@pytest.fixture
def paid() -> Iterator[PaidStandIn]:
    with paid_standin() as standin:
        yield standin


def address_of(paid: PaidStandIn) -> str:
    return f"{paid.url}/hunter"


async def figures(ctx: Context) -> tuple[int, int, int]:
    """Credits charged, reserved, and maybe charged."""
    usage = await get_credits(ctx)
    assert (await check_ledger("acme")).faults == []
    return usage.used, usage.reserved, sum(part.credits for part in usage.maybe_charged)


async def send_accounts(ctx: Context) -> None:
    records = [
        {"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"company{n}.com"}} for n in range(CALLS)
    ]
    await upsert_records(ctx, records)


async def until_asked(account: Account) -> None:
    await account.until_asked(CALLS)


async def all_ended() -> bool:
    return not await Job.filter(status__in=list(ACTIVE_STATUSES)).exists()


async def taken_over() -> bool:
    return await Job.filter(fence__gte=2).exists()


@pytest.mark.parametrize("policy", ["hold", "retry"])
async def test_calls_of_a_killed_worker_may_have_been_charged(
    policy: str, paid: PaidStandIn, transport: HttpClient, redis: ArqRedis, redis_url: str, db: str
) -> None:
    account, clock = paid.account(KEY, delay_seconds=5.0), Clock()
    shared = services(redis, hunter_at(address_of(paid), transport), now=clock)
    ctx = context(shared)
    await configure(ctx, maybeCharged=policy)
    await send_accounts(ctx)
    with worker(db, redis_url, address_of(paid)) as process:
        await until_asked(account)
        os.kill(process.pid, signal.SIGKILL)
    await redis.flushall()  # of the killed worker's wake-ups
    account.delay_seconds = 0.0

    clock.ahead_seconds = 20  # the leases are over, the calls might still be answered
    await rescue({"services": shared})
    await work(shared)
    assert len(account.asked) == CALLS
    assert await figures(ctx) == (0, CALLS, 0)

    clock.ahead_seconds = 60  # nothing outlives its call by more than a minute
    await rescue({"services": shared})
    assert await figures(ctx) == (0, 0, CALLS)
    assert await CallIntent.all() == []

    async def ended() -> bool:
        clock.ahead_seconds += 20
        await rescue({"services": shared})
        await work(shared)
        return await all_ended()

    await until(ended)
    again = CALLS if policy == "retry" else 0
    assert len(account.asked) == CALLS + again
    assert await figures(ctx) == (again, 0, CALLS)
    ends = {(job.status, job.error_code) for job in await Job.all()}
    assert ends == ({(JobStatus.COMPLETED, None)} if again else {(JobStatus.FAILED, "maybe_charged")})


async def test_calls_of_jobs_that_were_cancelled_before_their_worker_was_killed_are_found(
    paid: PaidStandIn, transport: HttpClient, redis: ArqRedis, redis_url: str, db: str
) -> None:
    account, clock = paid.account(KEY, delay_seconds=5.0), Clock()
    shared = services(redis, hunter_at(address_of(paid), transport), now=clock)
    ctx = context(shared)
    await send_accounts(ctx)
    with worker(db, redis_url, address_of(paid)) as process:
        await until_asked(account)
        for job in await Job.all():
            await cancel_job(ctx, job.id)
        os.kill(process.pid, signal.SIGKILL)
    assert await figures(ctx) == (0, CALLS, 0)
    clock.ahead_seconds = 60
    await rescue({"services": shared})
    assert await figures(ctx) == (0, 0, CALLS)


async def test_a_worker_that_was_stopped_past_its_lease_hands_back_nothing_of_its_successors(
    paid: PaidStandIn, transport: HttpClient, redis: ArqRedis, redis_url: str, db: str
) -> None:
    account = paid.account(KEY, delay_seconds=1.0)
    ctx = context(services(redis, hunter_at(address_of(paid), transport)))
    await send_accounts(ctx)
    with worker(db, redis_url, address_of(paid)) as stopped:
        await until_asked(account)
        os.kill(stopped.pid, signal.SIGSTOP)
        with worker(db, redis_url, address_of(paid)):
            # The successor has the jobs, and waits for answers that may be on their way.
            await until(taken_over)
            os.kill(stopped.pid, signal.SIGCONT)
            await until(all_ended)
    assert {job.status for job in await Job.all()} == {JobStatus.COMPLETED}
    assert {job.credits_used for job in await Job.all()} == {1}
    assert len(account.asked) == CALLS
    assert await figures(ctx) == (CALLS, 0, 0)
    assert len({value.record_id for value in await FieldValue.filter(source="hunter")}) == CALLS
