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
import resource
import socket
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import uvicorn
from arq import func
from arq.worker import Worker
from uvicorn.loops.auto import auto_loop_factory

from models.db import connection, statements
from resolvers.config import update_config
from resolvers.context import Caller, Context, Role, Services
from resolvers.record.api import upsert_records
from service.collector import settle_collector
from service.embedded.redis import EmbeddedRedis
from service.redis_pool import redis_at
from service.runtime import Runtime
from service.settings import load_settings

ANSWER_SECONDS = 0.2
ORGANIZATIONS = 12
AT_ONCE = 100
INGESTED_AT_ONCE = 500
LONGEST_SECONDS = 240.0
_PROVIDER = "slow"


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


@asynccontextmanager
async def _process(*arguments: str, environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await create_subprocess_exec(
        sys.executable, "-m", "benchmarks.waiting", *arguments, env={**os.environ, **environment}, stdout=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _result(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """The last line that the process prints."""
    output, _ = await asyncio.wait_for(process.communicate(), LONGEST_SECONDS)
    if process.returncode:
        raise RuntimeError(f"a process of the benchmark ended with {process.returncode}")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


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
    """Be the worker until no job of the run is left; then print what it took."""
    async with Runtime(load_settings(), worker=True):
        settle_collector()
        started, cpu = time.perf_counter(), _cpu()
        while await _left(run):  # noqa: ASYNC110 -- the jobs end in the database
            await asyncio.sleep(0.1)
        seconds, used = time.perf_counter() - started, _cpu() - cpu
    print(json.dumps({"per_second": records / seconds, "cpu_ms": 1000 * used / records}))


async def nap(ctx: dict[str, Any]) -> None:
    """What arq's jobs do."""
    await asyncio.sleep(ANSWER_SECONDS)


async def sleep_in_arq(records: int) -> None:
    """Be an arq worker whose jobs sleep as long as a call takes; then print what it took."""
    redis = redis_at(os.environ["AUTO_ENRICHMENT_REDIS_URL"], tries=3)
    for _ in range(records):
        await redis.enqueue_job("nap", _queue_name="nap")
    worker = Worker(
        functions=[func(nap, name="nap", keep_result=0)],
        redis_pool=redis,
        queue_name="nap",
        max_jobs=AT_ONCE,
        poll_delay=0.01,
        keep_result=0,
        burst=True,
        timezone=UTC,
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
    )
    started, cpu = time.perf_counter(), _cpu()
    await worker.async_run()
    seconds = time.perf_counter() - started
    await redis.aclose(close_connection_pool=True)
    print(json.dumps({"per_second": records / seconds, "cpu_ms": 1000 * (_cpu() - cpu) / records}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _measure(records: int, folder: Path, environment: Mapping[str, str], counts: Any) -> None:
    run = f"run{time.time_ns()}"
    async with Runtime(load_settings(), migrates=True) as runtime:
        before = await _deadlocks()
        await _ingest(runtime.services, run, records)
    async with _process("work", run, str(records), environment=environment) as worker:
        worked = await _result(worker)
    async with Runtime(load_settings()) as runtime:
        after = await _deadlocks()
        dialect = connection.dialect()
    called = await counts()
    print(f"{dialect}, {records} records, {ORGANIZATIONS} organizations, answers after {ANSWER_SECONDS:g} s")
    print(f"  records a second     {worked['per_second']:8.1f}   CPU of the worker {worked['cpu_ms']:.2f} ms a record")
    print(f"  calls a second       {called['per_second']:8.1f}   of {AT_ONCE / ANSWER_SECONDS:.0f} possible")
    print(f"  calls under way      {called['under_way']:8.1f}   at most {called['most']:.0f}")
    print(f"  deadlocks            {after - before:8d}   calls in all {called['calls']:.0f}")


async def main(records: int, database_url: str | None, *, calls_only: bool) -> None:
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
            "AUTO_ENRICHMENT_REDIS_URL": redis_server.url,
            "AUTO_ENRICHMENT_DESCRIBED_PROVIDERS": str(folder / "slow.json"),
            "AUTO_ENRICHMENT_MONTHLY_CREDIT_GRANT": "1000000",
            "AUTO_ENRICHMENT_LOG_LEVEL": "error",
        }
        os.environ.update(environment)
        listening.set_inheritable(True)
        server = await create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.waiting", "serve", str(listening.fileno())),
            pass_fds=[listening.fileno()],
        )
        try:
            if not calls_only:
                async with _process("arq", str(records), environment=environment) as peer:
                    slept = await _result(peer)
                print(
                    f"arq, sleeping as long  {slept['per_second']:8.1f} jobs a second, {slept['cpu_ms']:.2f} ms a job"
                )
            await _measure(records, folder, environment, lambda: _counts(port))
        finally:
            server.terminate()
            await server.wait()
            await redis_server.stop()


async def _counts(port: int) -> dict[str, float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /counts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    reply = await reader.read()
    writer.close()
    found: dict[str, float] = json.loads(reply.split(b"\r\n\r\n", 1)[1])
    return found


def _serve(fd: int) -> None:
    uvicorn.run(SlowProvider(), fd=fd, log_level="error", access_log=False, timeout_keep_alive=60)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """As the command runs a worker."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(work)


def _start(arguments: list[str]) -> None:
    if arguments[:1] == ["serve"]:
        _serve(int(arguments[1]))
    elif arguments[:1] == ["work"]:
        _run(work(arguments[1], int(arguments[2])))
    elif arguments[:1] == ["arq"]:
        _run(sleep_in_arq(int(arguments[1])))
    else:
        given = [argument for argument in arguments if not argument.startswith("--")]
        records = int(given[0]) if given else 1500
        url = given[1] if len(given) > 1 else None
        asyncio.run(main(records, url, calls_only="--calls-only" in arguments))


if __name__ == "__main__":
    _start(sys.argv[1:])
