"""Whether enriching slows down with the past: the same jobs on a million ended ones and on an empty database."""

from functools import partial
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from benchmarks import pipeline
from benchmarks.filled import fill
from benchmarks.measurement import Contender, Measurement, Plan, Round, take_turns
from models.db import connection
from models.db.migrate import migrate

_SMALL = "at_scale"


async def measure(plan: Plan) -> list[Measurement]:
    """Records that are taken in and drained, on the filled database and on a small one beside it."""
    assert plan.database_url is not None
    await connection.connect(plan.database_url)
    try:
        await migrate()
        await fill(plan.filled_jobs)
    finally:
        await connection.close()
    small = await _beside(plan.database_url)
    records = plan.of(tiny=20, quick=1_000, full=3_000)
    work = f"pipeline, one worker, PostgreSQL, with {plan.filled_jobs:,} ended jobs"
    contenders = [
        Contender(work, "ours", "records/s", partial(_drain, plan, plan.database_url, records), ours=True),
        Contender(work, "ours on an empty database", "records/s", partial(_drain, plan, small, records)),
    ]
    return await take_turns(contenders, min(plan.rounds, 3), warm=False)


async def _drain(plan: Plan, url: str, records: int) -> Round:
    database_cpu = plan.database_cpu()
    found = await pipeline.measure(records, url, repeats=1)
    used = 1000 * (plan.database_cpu() - database_cpu) / records
    return Round(found.ours.per_second, found.ours.cpu_ms, used)


async def _beside(url: str) -> str:
    """The URL of an empty database on the same server."""
    session = await asyncpg.connect(url)
    try:
        await session.execute(f'DROP DATABASE IF EXISTS "{_SMALL}" WITH (FORCE)')
        await session.execute(f'CREATE DATABASE "{_SMALL}"')
    finally:
        await session.close()
    return urlunsplit(urlsplit(url)._replace(path=f"/{_SMALL}"))
