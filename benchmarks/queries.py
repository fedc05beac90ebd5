"""How long the queries of the API take on a database with a long past, beside its page of the newest jobs.

    python -m benchmarks.bench --only=queries           on 20,000 ended jobs; --size=full: 1 M, --size=long: 10 M

One after the other by one client, over HTTP; shown are medians. Nothing may grow with the past: the same queries on a
million and on ten million jobs are to take what they take on twenty thousand.
"""

import sys
from dataclasses import dataclass

import orjson

from benchmarks.filled import fill
from benchmarks.load import LoadFailed, Request, once, one_by_one
from benchmarks.measurement import Contender, Measurement, Plan, Round, take_turns
from benchmarks.servers import Server, free_port, own_environment, own_headers, server
from models.db import connection
from models.db.migrate import migrate
from service.embedded.redis import EmbeddedRedis

_PERIOD = 'from: "2020-01-01T00:00:00Z", to: "2035-01-01T00:00:00Z"'
_STATS = """{ records jobsByStatus { status count } matchRate fillRateBefore fillRateAfter conflictsOpen creditsUsed
    providers { provider asked matched latencyP50Ms latencyP95Ms credits } fieldOutcomes { reason count } }"""
_NEWEST = "page of the 50 newest jobs"
_LONGEST_SECONDS = 1.5  # of one query in a turn, so that a slow one leaves the others their time
DOCUMENTS = {
    _NEWEST: "{ jobs(first: 50) { nodes { id status } pageInfo { endCursor } } }",
    "page of the 50 oldest jobs": "{ jobs(last: 50) { nodes { id status } pageInfo { startCursor } } }",
    "jobs by a filter that finds nothing": "{ jobs(first: 50, filter: { status: [FAILED], entityType: LEAD,"
    ' trigger: [MANUAL], createdAfter: "2020-01-01T00:00:00Z" }) { nodes { id } } }',
    "jobs of one record": '{ jobs(first: 50, filter: { externalId: "account-17" }) { nodes { id } } }',
    "totalCount of all jobs": "{ jobs(first: 1) { totalCount } }",
    "totalCount of a filter": "{ jobs(first: 1, filter: { status: [COMPLETED] }) { totalCount } }",
    "record search that finds nothing": '{ records(first: 50, filter: { search: "zzyzx quux" }) { nodes { id } } }',
    "record search that finds some": '{ records(first: 20, filter: { search: "account-1777" }) { nodes { id } } }',
    "records by completeness": "{ records(first: 50, filter: { completenessBelow: 0.1 }) { nodes { id } } }",
    "conflicts": "{ conflicts(first: 50) { nodes { id } totalCount } }",
    "stats of all time": f"{{ stats {_STATS} }}",
    "stats of a period": f"{{ stats({_PERIOD}) {_STATS} }}",
    "providers": "{ providers { id enabled latencyP50Ms latencyP95Ms } }",
    "credits": "{ credits { balance used wasted byProvider { credits } byDay { credits } } }",
    "pipeline": "{ pipeline { paused pending inProgress oldestPendingAt } }",
}


@dataclass(frozen=True, slots=True)
class _Running:
    plan: Plan
    server: Server

    async def ask(self, document: str, times: int) -> Round:
        request = self._request(document)
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

    def _request(self, document: str) -> Request:
        return Request(f"{self.server.url}/graphql", own_headers(), orjson.dumps({"query": document}))


def _contenders(running: _Running) -> list[Contender]:
    work = f"a query of the API on {running.plan.filled_jobs:,} jobs, one client"
    times = running.plan.of(tiny=1, quick=10, full=20)

    def contender(name: str, document: str) -> Contender:
        return Contender(work, name, "ms", lambda: running.ask(document, times), ours=name == _NEWEST)

    return [contender(name, document) for name, document in DOCUMENTS.items()]


async def measure(plan: Plan) -> list[Measurement]:
    """Each query in turns. "Ours to it" compares the page of the newest jobs with it."""
    await connection.connect(plan.database_url or f"sqlite://{plan.folder}/benchmark.db")
    try:
        await migrate()
        await fill(plan.filled_jobs)
    finally:
        await connection.close()
    redis = EmbeddedRedis(plan.folder)
    await redis.start()
    port = free_port()
    environment = {**own_environment(plan, redis.url), "AUTO_ENRICHMENT_PORT": str(port)}
    try:
        async with server(
            *(sys.executable, "-m", "auto_enrichment_command", "serve"), environment=environment, port=port
        ) as running:
            return await take_turns(_contenders(_Running(plan, running)), plan.rounds, warm=False)
    finally:
        await redis.stop()
