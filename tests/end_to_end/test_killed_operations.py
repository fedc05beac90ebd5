"""A process is killed in the midst of an undo and an erasure: a worker finishes both within a minute."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from arq.connections import ArqRedis

from models.erasure.table import Erasure
from models.operation import Operation
from models.record import Record
from models.undo import Undo, UndoLine
from resolvers.audit import verify_audit
from resolvers.record.api import upsert_records
from tests.support.factories import StandIn, context, services, work
from tests.support.undo_process import ERASED

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.timeout(180)]

RECORDS = 40


async def both_under_way(undone: int) -> bool:
    return await Operation.all().count() == 2 and await UndoLine.all().count() >= undone


@contextlib.contextmanager
def process_of(module: str, database_url: str, redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.support.{module}", database_url, redis_url], start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait(10)


@pytest.mark.parametrize("undone", [3, 31])
async def test_a_killed_process_leaves_nothing_half_done(redis: ArqRedis, redis_url: str, db: str, undone: int) -> None:
    knows = {f"company{number}.com": {"industry": "Software", "city": "Berlin"} for number in range(RECORDS)}
    ctx = context(services(redis, StandIn(id="paid", knows=knows)))
    await upsert_records(
        ctx,
        [
            {"entityType": "account", "externalId": f"A{number}", "fields": {"domain": f"company{number}.com"}}
            for number in range(RECORDS)
        ]
        + [
            {"entityType": "lead", "externalId": f"L{number}", "fields": {"email": f"person{number}@other.com"}}
            for number in range(ERASED)
        ],
    )
    await work(ctx.services)
    assert await Record.filter(completeness__gt=0).count() == RECORDS + ERASED

    with process_of("undo_process", db, redis_url) as process:
        async with asyncio.timeout(40):
            while not await both_under_way(undone):  # noqa: ASYNC110 -- in another process
                await asyncio.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    assert await Operation.filter(status="running").count() >= 1

    with process_of("worker_process", db, redis_url):
        async with asyncio.timeout(60):
            while await Operation.filter(status="running").exists():  # noqa: ASYNC110 -- in another process
                await asyncio.sleep(0.1)

    assert await Operation.filter(status="done").count() == 2
    accounts = await Record.all()
    assert len(accounts) == RECORDS
    assert all(record.fields == {"domain": record.fields["domain"]} and record.version == 3 for record in accounts)
    [undo] = await Undo.all()
    assert (undo.status, undo.stopped, undo.restored) == ("done", None, 2 * RECORDS)
    assert await UndoLine.all().count() == 2 * RECORDS
    assert await Erasure.all().count() == ERASED
    assert (await verify_audit(ctx)).intact
