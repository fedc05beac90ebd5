"""What enriching a record with the built-in directories costs one worker, beside arq's jobs that do nothing.

    python -m benchmarks.pipeline [RECORDS] [DATABASE_URL] [--repeats=3]

Both run in worker processes of their own, one after the other and in turns: records a second, and CPU of the process
a record. Needs a redis-server (the embedded one is used). Without a database URL: SQLite in a temporary folder.
"""

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.measuring import REDIS_URL, Cost, Stopwatch, cost_of, drain_by_arq, median_of, report, run
from models.db import connection, statements
from resolvers.context import Caller, Context, Role, Services
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.record.api import upsert_records
from service.collector import settle_collector
from service.embedded.redis import EmbeddedRedis
from service.installation_settings import load_settings
from service.runtime import Runtime
from service.sample.records import sample_records

WARM_RECORDS = 200
INGESTED_AT_ONCE = 1000
_MODULE = "benchmarks.pipeline"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The medians of the rounds: a record in our worker, a job that does nothing in arq's."""

    dialect: str
    ours: Cost
    arq: Cost


async def measure(records: int, database_url: str | None = None, *, repeats: int = 3) -> Comparison:
    """Run both in turns, so many times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        redis_server = EmbeddedRedis(folder)
        await redis_server.start()
        environment = {
            "AUTO_ENRICHMENT_DATA_DIR": name,
            "AUTO_ENRICHMENT_DATABASE_URL": database_url or f"sqlite://{folder}/benchmark.db",
            REDIS_URL: redis_server.url,
            "AUTO_ENRICHMENT_LOG_LEVEL": "error",
        }
        os.environ.update(environment)
        ours, arqs = [], []
        try:
            for _ in range(repeats):
                arqs.append(await cost_of(_MODULE, "arq", str(records), environment=environment))
                organization = f"run{time.time_ns()}"
                async with Runtime(load_settings(), migrates=True) as runtime:
                    await _ingest(runtime.services, organization, records)
                    dialect = connection.dialect()
                ours.append(await cost_of(_MODULE, "work", organization, str(records), environment=environment))
        finally:
            await redis_server.stop()
    return Comparison(dialect, median_of(ours), median_of(arqs))


async def _ingest(services: Services, organization: str, records: int) -> None:
    """Send the records of an organization that is paused, so that nobody works on them yet."""
    ctx = _context(services, organization)
    await pause_pipeline(ctx)
    sample = list(sample_records())
    remaining = (
        {**sample[n % len(sample)], "externalId": f"{n}-{sample[n % len(sample)]['externalId']}"}
        for n in range(records)
    )
    while chunk := list(islice(remaining, INGESTED_AT_ONCE)):
        await upsert_records(ctx, chunk)


def _context(services: Services, organization: str) -> Context:
    return Context(services, Caller(organization, "benchmark", Role.ADMIN))


async def work(organization: str, records: int) -> None:
    """Be the worker: get warm with other records, then take up the organization and report what its records took."""
    async with Runtime(load_settings(), worker=True) as runtime:
        other = f"{organization}-warm"
        await _ingest(runtime.services, other, WARM_RECORDS)
        await resume_pipeline(_context(runtime.services, other))
        await _drained(other)
        settle_collector()
        taken = Stopwatch()
        await resume_pipeline(_context(runtime.services, organization))
        await _drained(organization)
        report(taken.cost(records))


async def _drained(organization: str) -> None:
    sql = "SELECT 1 AS job FROM job WHERE organization_id = ? AND status IN ('pending', 'in_progress') LIMIT 1"
    while await statements.query(sql, [organization]):  # noqa: ASYNC110 -- the jobs end in the database
        await asyncio.sleep(0.05)


async def nothing(ctx: dict[str, Any]) -> None:
    """What arq's jobs do."""


async def main(records: int, database_url: str | None, repeats: int) -> None:
    found = await measure(records, database_url, repeats=repeats)
    print(f"{found.dialect}, {records} records, median of {repeats}")
    for name, cost in (("arq, doing nothing", found.arq), ("a record, with the directories", found.ours)):
        ratio = cost.per_second / found.arq.per_second
        print(f"  {name:<32}{cost.per_second:8.0f}/s   {ratio:5.2f}   CPU {cost.cpu_ms:.2f} ms")


def _start(arguments: list[str]) -> None:
    if arguments[:1] == ["work"]:
        run(work(arguments[1], int(arguments[2])))
    elif arguments[:1] == ["arq"]:
        run(drain_by_arq(nothing, int(arguments[1])))
    else:
        given = [argument for argument in arguments if not argument.startswith("--")]
        options = dict(argument[2:].split("=", 1) for argument in arguments if argument.startswith("--"))
        records = int(given[0]) if given else 3000
        asyncio.run(main(records, given[1] if len(given) > 1 else None, int(options.get("repeats", 3))))


if __name__ == "__main__":
    _start(sys.argv[1:])
