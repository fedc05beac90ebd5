"""What waiting for slow providers costs one worker: records and calls a second, calls under way, CPU a record.

    python -m benchmarks.waiting [RECORDS] [DATABASE_URL] [--calls-only]

A stand-in of a provider answers over HTTP after 200 ms, for 12 organizations; one worker process enriches the records
of all of them. At most 100 calls to one provider are under way in a process, so 500 calls a second are the limit.
Beside it, in the same run, arq sleeping as long with as many jobs at once (left out by `--calls-only`). Needs a
redis-server (the embedded one is used). Without a database URL: SQLite in a temporary folder.
"""

import asyncio
import json
import os
import socket
import sys
import tempfile
import time
from asyncio.subprocess import create_subprocess_exec
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import uvicorn

from benchmarks.measuring import AT_ONCE, REDIS_URL, Cost, Stopwatch, cost_of, drain_by_arq, report, run
from models.db import connection, statements
from resolvers.config import update_config
from resolvers.context import Caller, Context, Role, Services
from resolvers.record.api import upsert_records
from service.collector import settle_collector
from service.embedded.redis import EmbeddedRedis
from service.installation_settings import load_settings
from service.runtime import Runtime

ANSWER_SECONDS = 0.2
ORGANIZATIONS = 12
INGESTED_AT_ONCE = 500
_PROVIDER = "slow"
_MODULE = "benchmarks.waiting"


class SlowProvider:
    """An ASGI app that knows every company, after 200 ms, and counts its calls."""

    def __init__(self) -> None:
        self._running, self._calls, self._busy_seconds, self._most = 0, 0, 0.0, 0
        self._first = self._last = 0.0

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/counts":
            await _answer(send, self._counts())
            return
        started = time.perf_counter()
        self._first = self._first or started
        self._calls, self._running = self._calls + 1, self._running + 1
        self._most = max(self._most, self._running)
        await asyncio.sleep(ANSWER_SECONDS)
        domain = parse_qs(scope["query_string"].decode())["domain"][0]
        await _answer(send, {"domain": domain, "industry": "Software", "employees": 120, "city": "Berlin"})
        self._running -= 1
        self._last = time.perf_counter()
        self._busy_seconds += self._last - started

    def _counts(self) -> dict[str, float]:
        seconds = max(self._last - self._first, 1e-9)
        return {
            "calls": self._calls,
            "per_second": self._calls / seconds,
            "under_way": self._busy_seconds / seconds,
            "most": self._most,
        }


async def _answer(send: Any, content: Any) -> None:
    body = orjson.dumps(content)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _description(port: int) -> dict[str, Any]:
    return {
        "id": _PROVIDER,
        "name": "Slow",
        "entityTypes": ["account"],
        "request": {"url": f"http://127.0.0.1:{port}/companies?domain={{companyDomain}}"},
        "fields": {"industry": "industry", "numberOfEmployees": "employees", "city": "city"},
        "identity": {"domain": "domain"},
        "price": 1,
        "callsPerMinute": 100_000,
    }


async def _ingest(services: Services, run: str, records: int) -> None:
    """Send the records of every organization, each of which asks this provider alone."""
    rules = [{"id": known, "enabled": known == _PROVIDER} for known in services.registry.ids()]
    for organization in range(ORGANIZATIONS):
        ctx = Context(services, Caller(f"{run}-{organization}", "benchmark", Role.ADMIN))
        await update_config(ctx, {"providers": rules})
        mine = [
            {
                "entityType": "account",
                "externalId": f"A{n}",
                "fields": {"name": f"Company {n}", "domain": f"company{n}.com"},
            }
            for n in range(organization, records, ORGANIZATIONS)
        ]
        for start in range(0, len(mine), INGESTED_AT_ONCE):
            await upsert_records(ctx, mine[start : start + INGESTED_AT_ONCE])


async def _left(run: str) -> int:
    sql = "SELECT COUNT(*) AS jobs FROM job WHERE organization_id LIKE ? AND status IN ('pending', 'in_progress')"
    return int((await statements.query(sql, [f"{run}-%"]))[0]["jobs"])


async def _deadlocks() -> int:
    """How many deadlocks the database has counted. SQLite, which has one lock, counts none."""
    try:
        found = await statements.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    except Exception:
        return 0
    return int(found[0]["deadlocks"])


async def work(run: str, records: int) -> None:
    """Be the worker until no job of the run is left; then report what it took."""
    async with Runtime(load_settings(), worker=True):
        settle_collector()
        taken = Stopwatch()
        while await _left(run):  # noqa: ASYNC110 -- the jobs end in the database
            await asyncio.sleep(0.1)
        report(taken.cost(records))


async def nap(ctx: dict[str, Any]) -> None:
    """What arq's jobs do."""
    await asyncio.sleep(ANSWER_SECONDS)


@dataclass(frozen=True, slots=True)
class Waited:
    """What a run took: ours and arq's figures, and what the provider saw. `arq` is None where it was left out."""

    dialect: str
    ours: Cost
    arq: Cost | None
    calls: int
    calls_per_second: float
    under_way: float  # on average
    most_under_way: int
    deadlocks: int


async def measure(records: int, database_url: str | None = None, *, with_arq: bool = True) -> Waited:
    """Run arq, and then our worker with a provider that is as slow."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        redis_server = EmbeddedRedis(folder)
        await redis_server.start()
        listening = socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        (folder / "slow.json").write_text(json.dumps(_description(port)))
        environment = {
            "AUTO_ENRICHMENT_DATA_DIR": str(folder),
            "AUTO_ENRICHMENT_DATABASE_URL": database_url or f"sqlite://{folder}/benchmark.db",
            REDIS_URL: redis_server.url,
            "AUTO_ENRICHMENT_DESCRIBED_PROVIDERS": str(folder / "slow.json"),
            "AUTO_ENRICHMENT_MONTHLY_CREDIT_GRANT": "1000000",
            "AUTO_ENRICHMENT_LOG_LEVEL": "error",
        }
        os.environ.update(environment)
        listening.set_inheritable(True)
        server = await create_subprocess_exec(
            *(sys.executable, "-m", _MODULE, "serve", str(listening.fileno())), pass_fds=[listening.fileno()]
        )
        try:
            arq = await cost_of(_MODULE, "arq", str(records), environment=environment) if with_arq else None
            return await _work_beside(port, records, environment, arq)
        finally:
            server.terminate()
            await server.wait()
            await redis_server.stop()


async def _work_beside(port: int, records: int, environment: Mapping[str, str], arq: Cost | None) -> Waited:
    run = f"run{time.time_ns()}"
    async with Runtime(load_settings(), migrates=True) as runtime:
        before = await _deadlocks()
        await _ingest(runtime.services, run, records)
    ours = await cost_of(_MODULE, "work", run, str(records), environment=environment)
    async with Runtime(load_settings()):
        deadlocks = await _deadlocks() - before
        dialect = connection.dialect()
    called = await _counts(port)
    return Waited(
        dialect,
        ours,
        arq,
        calls=int(called["calls"]),
        calls_per_second=called["per_second"],
        under_way=called["under_way"],
        most_under_way=int(called["most"]),
        deadlocks=deadlocks,
    )


async def main(records: int, database_url: str | None, *, with_arq: bool) -> None:
    found = await measure(records, database_url, with_arq=with_arq)
    ours = found.ours
    if found.arq is not None:
        print(f"arq, sleeping as long  {found.arq.per_second:8.1f} jobs a second, {found.arq.cpu_ms:.2f} ms a job")
    print(f"{found.dialect}, {records} records, {ORGANIZATIONS} organizations, answers after {ANSWER_SECONDS:g} s")
    print(f"  records a second     {ours.per_second:8.1f}   CPU of the worker {ours.cpu_ms:.2f} ms a record")
    print(f"  calls a second       {found.calls_per_second:8.1f}   of {AT_ONCE / ANSWER_SECONDS:.0f} possible")
    print(f"  calls under way      {found.under_way:8.1f}   at most {found.most_under_way}")
    print(f"  deadlocks            {found.deadlocks:8d}   calls in all {found.calls}")


async def _counts(port: int) -> dict[str, float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /counts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    reply = await reader.read()
    writer.close()
    found: dict[str, float] = json.loads(reply.split(b"\r\n\r\n", 1)[1])
    return found


def _serve(fd: int) -> None:
    uvicorn.run(SlowProvider(), fd=fd, log_level="error", access_log=False, timeout_keep_alive=60)


def _start(arguments: list[str]) -> None:
    if arguments[:1] == ["serve"]:
        _serve(int(arguments[1]))
    elif arguments[:1] == ["work"]:
        run(work(arguments[1], int(arguments[2])))
    elif arguments[:1] == ["arq"]:
        run(drain_by_arq(nap, int(arguments[1])))
    else:
        given = [argument for argument in arguments if not argument.startswith("--")]
        records = int(given[0]) if given else 1500
        url = given[1] if len(given) > 1 else None
        asyncio.run(main(records, url, with_arq="--calls-only" not in arguments))


if __name__ == "__main__":
    _start(sys.argv[1:])
