"""What a page of 50 jobs costs over HTTP, beside servers that a user might pick instead, on the same tables.

All serve the same jobs with the same 12 fields and the nested record, in one process each, over connections of their
own to the same PostgreSQL; `wrk` sends the requests. Ours checks a token, holds its limits and writes its metrics.
"""

import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.filled import ORGANIZATION, fill
from benchmarks.load import LoadFailed, Request, once, send
from benchmarks.measurement import Contender, Measurement, Plan, Round, progress, take_turns
from benchmarks.servers import (
    PEERS,
    Server,
    ServerFailed,
    free_port,
    install_node_packages,
    own_environment,
    own_headers,
    server,
)
from models.db import connection
from models.db.migrate import migrate
from service.embedded.redis import EmbeddedRedis

_PAGE = 50
_AT_ONCE = 32
_FIELDS = """id entityType trigger status priority progress attempts maxAttempts creditsUsed createdAt startedAt
    finishedAt"""
_RECORD = "{ id externalId completeness lastEnrichedAt }"
_DOCUMENT = f"""query Jobs {{ jobs(first: {_PAGE}) {{
    nodes {{ {_FIELDS} record {_RECORD} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
# PostGraphile names what it finds in the tables.
_POSTGRAPHILE = f"""query Jobs {{ jobs: allJobs(first: {_PAGE}, orderBy: ID_DESC,
    condition: {{ organizationId: "{ORGANIZATION}" }}) {{
    nodes {{ {_FIELDS.replace("trigger", "triggerKind")} record: recordByRecordId {_RECORD} }}
    pageInfo {{ hasNextPage endCursor }} }} }}"""
_PATH = "/v1/auto-enrichment/jobs"
GRAPHQL = f"GraphQL: page of {_PAGE} jobs x 12 fields + record, {_AT_ONCE} at once"
LONE = "GraphQL: the same page, a lone client"
REST = f"REST: page of {_PAGE} jobs with steps and outcomes, {_AT_ONCE} at once"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A contender and what it is asked."""

    work: str
    name: str
    server: str
    path: str
    document: str = ""

    @property
    def body(self) -> bytes:
        return orjson.dumps({"query": self.document}) if self.document else b""


_OURS, _PYTHON, _POSTGRAPHILE_SERVER = "ours", "Python", "PostGraphile"
_JIT, _MERCURIUS, _YOGA = "Mercurius jit", "Mercurius", "Yoga"
_ASKED = (
    _Asked(GRAPHQL, "ours", _OURS, "/graphql", _DOCUMENT),
    _Asked(GRAPHQL, "Strawberry as it comes, Tortoise models", _PYTHON, "/graphql/", _DOCUMENT),
    _Asked(GRAPHQL, "GraphQL Yoga 5", _YOGA, "/graphql", _DOCUMENT),
    _Asked(GRAPHQL, "PostGraphile 4", _POSTGRAPHILE_SERVER, "/graphql", _POSTGRAPHILE),
    _Asked(GRAPHQL, "Mercurius 16", _MERCURIUS, "/graphql", _DOCUMENT),
    _Asked(GRAPHQL, "Mercurius 16, jit", _JIT, "/graphql", _DOCUMENT),
    _Asked(GRAPHQL, "bare route, PostgreSQL's JSON", _PYTHON, "/bare/graphql"),
    _Asked(REST, "ours", _OURS, f"{_PATH}?entityType=account&status=completed&limit={_PAGE}"),
    _Asked(REST, "bare route, PostgreSQL's JSON", _PYTHON, "/bare/rest"),
    _Asked(LONE, "ours", _OURS, "/graphql", _DOCUMENT),
    _Asked(LONE, "PostGraphile 4", _POSTGRAPHILE_SERVER, "/graphql", _POSTGRAPHILE),
)


async def measure(plan: Plan) -> list[Measurement]:
    """GraphQL and REST under load, and the page for one client alone."""
    assert plan.database_url is not None
    await connection.connect(plan.database_url)
    try:
        await migrate()
        await fill(plan.filled_jobs)
    finally:
        await connection.close()
    redis = EmbeddedRedis(plan.folder)
    await redis.start()
    try:
        async with AsyncExitStack() as stack:
            servers = await _servers(plan, redis.url, stack)
            return await take_turns([_contender(plan, asked, servers[asked.server]) for asked in _ASKED], plan.rounds)
    finally:
        await redis.stop()


async def _servers(plan: Plan, redis_url: str, stack: AsyncExitStack) -> dict[str, Server | str]:
    """All servers, or why one did not start."""
    assert plan.database_url is not None
    peers = {"DATABASE_URL": plan.database_url, "ORGANIZATION": ORGANIZATION}
    own = own_environment(plan, redis_url)
    schema_first, postgraphile = PEERS / "schema_first", PEERS / "postgraphile"
    ways: dict[str, tuple[tuple[str, ...], dict[str, str], Path | None]] = {
        _OURS: (("-m", "auto_enrichment_command", "serve"), own, None),
        _PYTHON: (("-m", "benchmarks.peers.python_server"), peers, None),
        _POSTGRAPHILE_SERVER: (("node", "server.js"), {**peers, "NODE_ENV": "production"}, postgraphile),
        _MERCURIUS: (("node", "mercurius.mjs"), {**peers, "NODE_ENV": "production"}, schema_first),
        _JIT: (("node", "mercurius.mjs"), {**peers, "NODE_ENV": "production", "JIT": "1"}, schema_first),
        _YOGA: (("node", "yoga.mjs"), {**peers, "NODE_ENV": "production"}, schema_first),
    }
    found: dict[str, Server | str] = {}
    for name, (command, environment, folder) in ways.items():
        try:
            if folder is None:
                command = (sys.executable, *command)
            else:
                await install_node_packages(folder)
            port = free_port()
            environment["AUTO_ENRICHMENT_PORT"] = str(port)
            found[name] = await stack.enter_async_context(
                server(*command, environment=environment, port=port, folder=folder)
            )
        except (ServerFailed, OSError) as error:
            found[name] = f"it did not start: {error}"
            progress(f"{name}: {found[name]}")
    return found


def _contender(plan: Plan, asked: _Asked, running: Server | str) -> Contender:
    at_once = 1 if asked.work == LONE else _AT_ONCE
    seconds = plan.of(tiny=1, quick=1, full=3)

    async def turn() -> Round:
        if isinstance(running, str):
            raise ServerFailed(running)
        request = Request(f"{running.url}{asked.path}", own_headers() if asked.server == _OURS else {}, asked.body)
        _check(await once(request))
        cpu, database_cpu = running.cpu(), plan.database_cpu()
        load = await send(request, plan.folder, at_once=at_once, seconds=seconds)
        return Round(
            value=load.requests / load.seconds,
            cpu_ms=1000 * (running.cpu() - cpu) / load.requests,
            database_cpu_ms=1000 * (plan.database_cpu() - database_cpu) / load.requests,
            p50_ms=load.p50_ms,
            p99_ms=load.p99_ms,
        )

    return Contender(asked.work, asked.name, "requests/s", turn, ours=asked.server == _OURS)


def _check(content: bytes) -> None:
    """Raises LoadFailed unless the answer is the page that was asked for."""
    page: Any = orjson.loads(content)
    if isinstance(page, dict) and "data" in page:
        page = page["data"]["jobs"]
    nodes = page if isinstance(page, list) else page.get("nodes") or page.get("items") or page.get("jobs")
    if not nodes or not _PAGE <= len(nodes) <= _PAGE + 1:
        raise LoadFailed(f"not the page that was asked for: {content[:200].decode(errors='replace')}")
