"""A backup that is taken while the service works, restored beside an empty Redis: nothing is lost, and work goes on.

The commands are those of docs/operations.md.
"""

import asyncio
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from arq.connections import ArqRedis

from benchmarks.postgres import postgres_programs
from models.db import connection
from models.job import Job
from models.record import Record
from resolvers.audit import verify_audit
from resolvers.config import update_config
from resolvers.context import Context
from resolvers.credit.verify import verify_ledger
from resolvers.record.store import RecordOutcome
from tests.support.factories import Clock, StandIn, context, send, services, work
from tests.support.stores import create_database

KNOWN = {f"a{number}.example": {"industry": "Software", "city": "Berlin"} for number in range(30)}
ENDED = "completed"


@pytest.fixture
def ctx(redis: ArqRedis) -> Context:
    return context(services(redis, StandIn(knows=KNOWN, price=1, remote=True), now=Clock()))


def backed_up(url: str, folder: Path) -> Path:
    """Take the backup, with the database in use."""
    if url.startswith("sqlite"):
        file = folder / "backup.db"
        with (
            closing(sqlite3.connect(urlsplit(url).path)) as source,
            closing(sqlite3.connect(file)) as target,
        ):
            source.backup(target)  # what `.backup` of the shell does
        return file
    file = folder / "backup.dump"
    subprocess.run([postgres_programs() / "pg_dump", "--format=custom", f"--file={file}", url], check=True)
    return file


def _restore(file: Path, url: str) -> None:
    subprocess.run([postgres_programs() / "pg_restore", "--exit-on-error", f"--dbname={url}", file], check=True)


async def restored(file: Path, url: str) -> str:
    """The backup as a database of its own."""
    if url.startswith("sqlite"):
        return f"sqlite://{file}"
    target = await create_database(url, "restored")
    await asyncio.to_thread(_restore, file, target)
    return target


async def test_what_was_acknowledged_before_a_backup_is_there_and_ends_after_it(
    db: str, redis: ArqRedis, ctx: Context, tmp_path: Path
) -> None:
    await update_config(ctx, {"providers": [{"id": "standin", "enabled": True}]})
    for number in range(10):
        await send(ctx, "account", f"A{number}", domain=f"a{number}.example")
    await work(ctx.services)
    for number in range(10, 20):
        await send(ctx, "account", f"A{number}", domain=f"a{number}.example")

    file = await asyncio.to_thread(backed_up, db, tmp_path)

    await send(ctx, "account", "A29", domain="a29.example")
    await work(ctx.services)
    await connection.close()
    await redis.flushall()
    await connection.connect(await restored(file, db))
    assert await Record.all().count() == 20
    assert await Job.filter(status=ENDED).count() == 10

    await work(ctx.services)

    assert await Job.filter(status=ENDED).count() == await Job.all().count() == 20
    assert {record.fields["industry"] for record in await Record.all()} == {"Software"}
    ledger, audit = await verify_ledger(ctx, whole=True), await verify_audit(ctx, whole=True)
    assert (ledger.faults, audit.fault) == ([], None)
    assert (await send(ctx, "account", "A3", domain="a3.example")).outcome is RecordOutcome.UNCHANGED
