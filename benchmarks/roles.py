"""What row-level security costs: the API under a role that sees one organization at a time, beside the tables' owner.

    python -m benchmarks.bench --only=roles

Two servers on one database, one client each in turns: a page of jobs with what they did, records that change, and a
search of text, which uses no index under the bound role. CPU is the server's and the database's, for each request.
"""

import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import count
from urllib.parse import urlsplit

import orjson

from benchmarks.filled import fill
from benchmarks.load import LoadFailed, Request, once, one_by_one
from benchmarks.measurement import Contender, Measurement, Plan, Round, take_turns
from benchmarks.servers import Server, free_port, own_environment, own_headers, server
from models.db import connection
from models.db.migrate import migrate
from models.db.row_security import Roles, separate
from service.embedded.redis import EmbeddedRedis

_LONGEST_SECONDS = 4.0
_PAGE = (
    "{ jobs(first: 50) { nodes { id status trigger record { id externalId } steps { provider outcome }"
    " fieldOutcomes { field reason } } } }"
)
_SEARCH = '{ records(first: 20, filter: { search: "account-1777" }) { nodes { id } } }'
_RECORDS = 20  # of a request that changes them
_CLIENT = "one client"
_BOUND, _OWNER = "ours, the API's own role", "the tables' owner"
_MOST_JOBS = 20_000
_changes = count()


@dataclass(frozen=True, slots=True)
class _Api:
    """A server, and the plan whose database it is on."""

    plan: Plan
    server: Server

    async def read(self, document: str) -> Round:
        request = Request(f"{self.server.url}/graphql", own_headers(), orjson.dumps({"query": document}))
        return await self._measured(request, self.plan.of(tiny=1, quick=60, full=200))

    async def change(self) -> Round:
        """Other records in each request, so that each stores new ones."""
        requests = [self._records() for _ in range(self.plan.of(tiny=1, quick=60, full=150))]
        cpu, database_cpu = self.server.cpu(), self.plan.database_cpu()
        started = time.perf_counter()
        for request in requests:
            if b'"created"' not in (answer := await once(request)):
                raise LoadFailed(answer[:300].decode())
        return Round(
            value=1000 * (time.perf_counter() - started) / len(requests),
            cpu_ms=1000 * (self.server.cpu() - cpu) / len(requests),
            database_cpu_ms=1000 * (self.plan.database_cpu() - database_cpu) / len(requests),
        )

    def _records(self) -> Request:
        number = next(_changes)
        records = [
            {"entityType": "LEAD", "externalId": f"role-{number}-{each}", "fields": {"city": f"Town {each}"}}
            for each in range(_RECORDS)
        ]
        path = f"{self.server.url}/v1/auto-enrichment/records"
        return Request(path, own_headers(), orjson.dumps({"records": records}))

    async def _measured(self, request: Request, times: int) -> Round:
        if b'"errors"' in (answer := await once(request)):
            raise LoadFailed(answer[:300].decode())
        cpu, database_cpu = self.server.cpu(), self.plan.database_cpu()
        load = await one_by_one(request, times, seconds=_LONGEST_SECONDS)
        return Round(
            value=load.p50_ms,
            cpu_ms=1000 * (self.server.cpu() - cpu) / load.requests,
            database_cpu_ms=1000 * (self.plan.database_cpu() - database_cpu) / load.requests,
            p99_ms=load.p99_ms,
        )


def _contenders(apis: dict[str, _Api]) -> list[Contender]:
    works = {
        f"row-level security: page of 50 jobs, {_CLIENT}": lambda api: api.read(_PAGE),
        f"row-level security: search of text, {_CLIENT}": lambda api: api.read(_SEARCH),
        f"row-level security: {_RECORDS} new records, {_CLIENT}": lambda api: api.change(),
    }

    def turn(work: Callable[[_Api], Awaitable[Round]], api: _Api) -> Callable[[], Awaitable[Round]]:
        return lambda: work(api)

    return [
        Contender(name, whose, "ms", turn(work, api), ours=api is apis[_BOUND])
        for name, work in works.items()
        for whose, api in apis.items()
    ]


async def measure(plan: Plan) -> list[Measurement]:
    """Each work by both servers in turns. "Ours" is the bound role."""
    assert plan.database_url is not None  # SQLite has no roles
    name = urlsplit(plan.database_url).path.removeprefix("/")
    roles = Roles(f"{name}_api", f"{name}_worker")
    await connection.connect(plan.database_url)
    try:
        await migrate()
        await fill(min(plan.filled_jobs, _MOST_JOBS))
        await separate(roles)
    finally:
        await connection.close()
    redis = EmbeddedRedis(plan.folder)
    await redis.start()
    try:
        async with AsyncExitStack() as stack:
            apis = {}
            for whose, role in ((_BOUND, roles.api), (_OWNER, None)):
                port = free_port()
                parts = urlsplit(plan.database_url)
                place = parts.netloc if role is None else f"{role}@{parts.netloc.rpartition('@')[2]}"
                url = parts._replace(netloc=place).geturl()
                environment = {
                    **own_environment(replace(plan, database_url=url), redis.url),
                    "AUTO_ENRICHMENT_PORT": str(port),
                }
                command = (sys.executable, "-m", "auto_enrichment_command", "serve")
                running = await stack.enter_async_context(server(*command, environment=environment, port=port))
                apis[whose] = _Api(plan, running)
            return await take_turns(_contenders(apis), plan.rounds)
    finally:
        await redis.stop()
