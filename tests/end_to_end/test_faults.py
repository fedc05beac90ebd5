"""Workers are killed and Redis is emptied in the middle: every job still ends, once."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from arq.connections import ArqRedis

from enrichment.enums import ACTIVE_STATUSES, CreditKind, JobStatus
from models.credit.entry import CreditEntry
from models.job import Job, Step
from models.record import FieldValue
from resolvers.credit.verify import check_ledger
from resolvers.record.api import upsert_records
from tests.support.factories import StandIn, context, services
from tests.support.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.usefixtures("db")

RECORDS = 60


@contextlib.contextmanager
def worker_process(database_url: str, redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.support.worker_process", database_url, redis_url],
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)


async def until_ended(least: int, *, running: bool = False) -> None:
    """Wait until so many jobs have ended, and, if asked, a worker has others in progress."""

    async def reached() -> bool:
        return await _ended() >= least and (not running or await _in_progress())

    await until(reached)


async def _ended() -> int:
    return await Job.exclude(status__in=list(ACTIVE_STATUSES)).count()


async def _in_progress() -> bool:
    return await Job.filter(status=JobStatus.IN_PROGRESS).exists()


async def test_killed_workers_and_an_emptied_redis_lose_nothing_and_repeat_nothing(
    redis: ArqRedis, redis_url: str, db: str
) -> None:
    ctx = context(services(redis, StandIn(id="paid")))
    records = [
        {"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"company{n}.com"}}
        for n in range(RECORDS)
    ]
    await upsert_records(ctx, records)

    for share in (0.2, 0.5):
        with worker_process(db, redis_url) as process:
            await until_ended(int(RECORDS * share), running=True)
            os.kill(process.pid, signal.SIGKILL)
        await redis.flushall()
    with worker_process(db, redis_url):
        await until_ended(RECORDS)

    assert await Job.filter(status=JobStatus.COMPLETED).count() == RECORDS
    assert await Step.all().count() == RECORDS
    values = await FieldValue.filter(source="paid")
    assert len({(value.record_id, value.field) for value in values}) == len(values) == 2 * RECORDS
    charges = await CreditEntry.filter(kind=CreditKind.CHARGE)
    assert len({charge.job_id for charge in charges}) == len(charges) == RECORDS
    check = await check_ledger("acme")
    assert (check.faults, check.balance, check.reserved) == ([], 1000 - RECORDS, 0)


async def test_five_workers_killed_in_a_row_end_no_job(redis: ArqRedis, redis_url: str, db: str) -> None:
    ctx = context(services(redis, StandIn(id="paid")))
    records = [
        {"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"company{n}.com"}} for n in range(8)
    ]
    await upsert_records(ctx, records)
    for _ in range(5):
        with worker_process(db, redis_url) as process:
            await until(_in_progress)
            os.kill(process.pid, signal.SIGKILL)
    with worker_process(db, redis_url):
        await until_ended(8)
    assert await Job.filter(error_code="worker_lost").count() == 0
    assert {(job.status, job.attempts) for job in await Job.all()} == {(JobStatus.COMPLETED, 1)}
