"""What more workers give on one PostgreSQL: records a second, and CPU a record, of 1, 2 and 4 worker processes.

Records of 12 organizations wait; all are released at once, to workers that are warm. With local sources the cores are
the limit: what one record costs its worker and the database together says how many the machine could do, and each
measurement's remark says which share of that it reached. With a provider that answers over HTTP after 200 ms each
worker may have so many calls under way (`benchmarks.waiting`), and more workers are to give as much more.
"""

import asyncio
import json
import os
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.measurement import Contender, Measurement, Plan, Round, cpu_of_tree, take_turns
from models.db import statements
from resolvers.config import update_config
from resolvers.context import Caller, Context, Role, Services
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.record.api import upsert_records
from service.embedded.redis import EmbeddedRedis
from service.installation_settings import load_settings
from service.runtime import Runtime
from service.sample.records import sample_records
from workers.heartbeat import alive

WORKERS = (1, 2, 4)
ORGANIZATIONS = 12
ANSWER_SECONDS = 0.2
LOCAL = "workers on PostgreSQL, local sources"
REMOTE = f"workers on PostgreSQL, a provider that answers after {ANSWER_SECONDS:g} s"
_SLOW = "slow"
_INGESTED_AT_ONCE = 500
_WARM_RECORDS = 60
_LONGEST_SECONDS = 240.0


async def measure(plan: Plan) -> list[Measurement]:
    """1, 2 and 4 workers in turns, on local sources and on a slow provider."""
    assert plan.database_url is not None
    redis = EmbeddedRedis(plan.folder)
    await redis.start()
    try:
        async with _slow_provider(plan.folder) as description:
            environment = {
                "AUTO_ENRICHMENT_DATA_DIR": str(plan.folder),
                "AUTO_ENRICHMENT_DATABASE_URL": plan.database_url,
                "AUTO_ENRICHMENT_REDIS_URL": redis.url,
                "AUTO_ENRICHMENT_DESCRIBED_PROVIDERS": str(description),
                "AUTO_ENRICHMENT_MONTHLY_CREDIT_GRANT": "1000000",
                "AUTO_ENRICHMENT_LOG_LEVEL": "error",
            }
            os.environ.update(environment)
            async with Runtime(load_settings(), migrates=True) as runtime, _Crew(runtime.services).running() as crew:
                local = plan.of(tiny=60, quick=1_500, full=6_000)
                remote = plan.of(tiny=60, quick=1_000, full=4_000)
                # In this order no more than four workers start in a round.
                contenders = [
                    Contender(
                        REMOTE if is_remote else LOCAL,
                        _name(count),
                        "records/s",
                        partial(_turn, plan, crew, count, records=remote if is_remote else local, remote=is_remote),
                        ours=True,
                    )
                    for count in WORKERS
                    for is_remote in (False, True)
                ]
                found = await take_turns(contenders, min(plan.rounds, 3), warm=False)
    finally:
        await redis.stop()
    return _with_shares(found)


def _name(workers: int) -> str:
    return "1 worker" if workers == 1 else f"{workers} workers"


def _with_shares(found: Sequence[Measurement]) -> list[Measurement]:
    """Each measurement with the share of its limit that it reached."""
    return [replace(each, remark=_share(each, found)) if each.rounds else each for each in found]


def _share(each: Measurement, found: Sequence[Measurement]) -> str:
    alone = next((one for one in found if one.work == each.work and one.contender == _name(1) and one.rounds), None)
    rate = each.median()
    if alone is None or rate is None:
        return ""
    if each.work == LOCAL:
        # All cores busy with what a record costs when nobody is in the way.
        cpu_ms = (alone.median("cpu_ms") or 0) + (alone.median("database_cpu_ms") or 0)
        return f"{rate * cpu_ms / 1000 / (os.cpu_count() or 1):.2f} of the cores' limit" if cpu_ms else ""
    return f"{rate / (alone.median() or rate):.2f} of one worker's"


class _Crew:
    """The worker processes: as many as a turn wants, and warm."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._processes: list[Process] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["_Crew"]:
        try:
            yield self
        finally:
            await self._stop(0)

    async def of(self, workers: int) -> list[int]:
        """The ids of so many workers."""
        await self._stop(workers)
        if len(self._processes) < workers:
            while len(self._processes) < workers:
                command = (sys.executable, "-m", "auto_enrichment_command", "worker")
                self._processes.append(await create_subprocess_exec(*command, stdout=DEVNULL))
            await self._warm(workers)
        return [process.pid for process in self._processes]

    async def _stop(self, left: int) -> None:
        while len(self._processes) > left:
            process = self._processes.pop()
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def _warm(self, workers: int) -> None:
        """Have every worker do something, so that all of them have loaded what they need."""
        while await alive(self.services.redis) < workers:  # noqa: ASYNC110 -- they show it in Redis
            await asyncio.sleep(0.1)
        names = [f"warm{time.time_ns()}-{number}" for number in range(2 * workers)]
        for number, name in enumerate(names):
            await _ingest(self.services, name, range(_WARM_RECORDS), remote=bool(number % 2))
        await _release(self.services, names)


async def _turn(plan: Plan, crew: _Crew, workers: int, *, records: int, remote: bool) -> Round:
    names = [f"run{time.time_ns()}-{number}" for number in range(ORGANIZATIONS)]
    for number, name in enumerate(names):
        await _ingest(crew.services, name, range(number, records, ORGANIZATIONS), remote=remote)
    pids = await crew.of(workers)
    cpu, database_cpu, started = sum(map(cpu_of_tree, pids)), plan.database_cpu(), time.perf_counter()
    await _release(crew.services, names)
    seconds = time.perf_counter() - started
    return Round(
        value=records / seconds,
        cpu_ms=1000 * (sum(map(cpu_of_tree, pids)) - cpu) / records,
        database_cpu_ms=1000 * (plan.database_cpu() - database_cpu) / records,
    )


async def _ingest(services: Services, organization: str, numbers: Sequence[int], *, remote: bool) -> None:
    """Send the records of one organization that is paused, so that nobody works on them yet."""
    ctx = _context(services, organization)
    rules = [{"id": known, "enabled": (known == _SLOW) is remote} for known in services.registry.ids()]
    await update_config(ctx, {"providers": rules})
    await pause_pipeline(ctx)
    sample = list(sample_records())
    remaining = (_record(sample, number, remote=remote) for number in numbers)
    while chunk := list(islice(remaining, _INGESTED_AT_ONCE)):
        await upsert_records(ctx, chunk)


def _record(sample: Sequence[dict[str, Any]], number: int, *, remote: bool) -> dict[str, Any]:
    if remote:
        fields = {"name": f"Company {number}", "domain": f"company{number}.com"}
        return {"entityType": "account", "externalId": f"A{number}", "fields": fields}
    chosen = sample[number % len(sample)]
    return {**chosen, "externalId": f"{number}-{chosen['externalId']}"}


async def _release(services: Services, organizations: Sequence[str]) -> None:
    """Let the jobs of these organizations run, and wait until all have ended."""
    await asyncio.gather(*(resume_pipeline(_context(services, name)) for name in organizations))
    sql = (
        f"SELECT 1 AS job FROM job WHERE organization_id IN ({statements.marks(organizations)})"
        " AND status IN ('pending', 'in_progress') LIMIT 1"
    )
    async with asyncio.timeout(_LONGEST_SECONDS):
        while await statements.query(sql, organizations):  # noqa: ASYNC110 -- the jobs end in the database
            await asyncio.sleep(0.05)


def _context(services: Services, organization: str) -> Context:
    return Context(services, Caller(organization, "benchmark", Role.ADMIN))


@asynccontextmanager
async def _slow_provider(folder: Path) -> AsyncIterator[Path]:
    """The file that describes a provider which answers after 200 ms, and runs until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        process = await create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.waiting", "serve", str(listening.fileno())),
            pass_fds=[listening.fileno()],
        )
        described = folder / "slow.json"
        await asyncio.to_thread(described.write_text, json.dumps(_description(listening.getsockname()[1])))
        try:
            yield described
        finally:
            process.terminate()
            await process.wait()


def _description(port: int) -> Mapping[str, Any]:
    return {
        "id": _SLOW,
        "name": "Slow",
        "entityTypes": ["account"],
        "request": {"url": f"http://127.0.0.1:{port}/companies?domain={{companyDomain}}"},
        "fields": {"industry": "industry", "numberOfEmployees": "employees", "city": "city"},
        "identity": {"domain": "domain"},
        "price": 1,
        "callsPerMinute": 100_000,
    }
