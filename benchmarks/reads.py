"""What a page costs: GraphQL and REST, requests a second and CPU of the process for each, as ratios in one run.

    python -m benchmarks.reads [JOBS] [DATABASE_URL] [ROUNDS]

The requests go through the whole application (token, routes, limits, encoding), in this process and without a
network. Contenders take turns; printed are medians. Needs a redis-server (the embedded one is used). Without a
database URL: SQLite in a temporary folder. A PostgreSQL is filled once, and found filled the next time.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

import jwt
import orjson
import structlog
from pydantic import SecretStr
from starlette.applications import Starlette
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from benchmarks.filled import ORGANIZATION, fill
from benchmarks.peers.bare import ROUTES
from models.db import connection
from resolvers.context import Caller, Role, Services
from schema.base.context import GraphQLContext
from schema.root import ApiSchema
from service.app import create_app
from service.http.json import dump
from service.installation_settings import load_settings
from service.runtime import Runtime

_SIGNING_KEY = token_hex(32)
_AT_ONCE = 32
_PATH = "/v1/auto-enrichment"

DOCUMENTS = {
    "jobs: 12 fields + record": """query Jobs { jobs(first: 50) { nodes {
        id entityType trigger status priority progress attempts maxAttempts creditsUsed createdAt startedAt finishedAt
        record { id externalId completeness lastEnrichedAt } } pageInfo { hasNextPage endCursor } } }""",
    "jobs: id status": "{ jobs(first: 50) { nodes { id status } } }",
    "jobs: with steps, outcomes": """{ jobs(first: 50) { nodes { id status
        steps { provider outcome detail fieldsFound askedAt } fieldOutcomes { field reason confidence } } } }""",
    "records: fields + provenance": """{ records(first: 50) { nodes { id externalId fields updatedAt
        provenance { field value source confidence observedAt } } } }""",
    "history of one record": """{ records(first: 1) { nodes { history(first: 50) { nodes {
        field value source confidence observedAt } } } } }""",
}


_ALONE = "executed by graphql-core, alone"
_BARE_PAGE, _BARE_REST = "bare route, PostgreSQL's JSON: page", "bare route, PostgreSQL's JSON: REST"
COMPARED = (
    ("executed by plans, alone", _ALONE),
    ("GraphQL jobs: 12 fields + record", _BARE_PAGE),
    ("REST jobs (steps, outcomes)", _BARE_REST),
)


@dataclass
class Contender:
    """A kind of request, and what it took: (seconds, CPU seconds) for each of its rounds, a request."""

    name: str
    ask: Callable[[], Awaitable[bytes]]
    took: list[tuple[float, float]] = field(default_factory=list)
    size: int = 0

    async def round(self, requests: int) -> None:
        started, cpu = time.perf_counter(), time.process_time()
        for _ in range(requests // _AT_ONCE):
            answers = await asyncio.gather(*(self.ask() for _ in range(_AT_ONCE)))
            self.size = len(answers[0])
        requests = requests // _AT_ONCE * _AT_ONCE
        self.took.append(((time.perf_counter() - started) / requests, (time.process_time() - cpu) / requests))


class InProcess:
    """Sends requests to an application as a server would, one call of it for each."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        claims = {
            "sub": "ann",
            "organizationId": ORGANIZATION,
            "role": str(Role.ADMIN),
            "exp": int(time.time()) + 36_000,
        }
        self._token = jwt.encode(claims, _SIGNING_KEY, "HS256")

    async def __call__(self, method: str, path: str, query: bytes = b"", body: bytes = b"") -> bytes:
        """The body of the answer, which must be 200 and without errors."""
        headers = [
            (b"host", b"benchmark"),
            (b"authorization", f"Bearer {self._token}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("benchmark", 80),
        }
        answered: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            answered.append(message)

        await self._app(scope, receive, send)
        content: bytes = b"".join(message.get("body", b"") for message in answered)
        if answered[0]["status"] != 200 or content.startswith(b'{"errors"') or b'"errors":[' in content[-2_000:]:
            raise RuntimeError(content[:500].decode())
        return content


def contenders(ask: InProcess, services: Services) -> list[Contender]:
    """Each document, the REST page of the same jobs, and what executing the first document alone costs."""

    def document(text: str) -> Callable[[], Awaitable[bytes]]:
        body = orjson.dumps({"query": text})
        return lambda: ask("POST", "/graphql", body=body)

    found = [Contender(f"GraphQL {name}", document(text)) for name, text in DOCUMENTS.items()]
    rest = b"entityType=account&status=completed&limit=50"
    found.append(Contender("REST jobs (steps, outcomes)", lambda: ask("GET", f"{_PATH}/jobs", rest)))
    if connection.dialect() == "postgresql":
        bare = InProcess(Starlette(routes=ROUTES))
        found.append(Contender(_BARE_PAGE, lambda: bare("GET", "/bare/graphql")))
        found.append(Contender(_BARE_REST, lambda: bare("GET", "/bare/rest")))
    ours, plain = ApiSchema(), ApiSchema()
    plain.execution_context_class = StrawberryGraphQLCoreExecutionContext
    for name, schema in (("executed by plans, alone", ours), (_ALONE, plain)):
        found.append(Contender(name, partial(_execute, schema, services, next(iter(DOCUMENTS.values())))))
    return found


async def _execute(schema: ApiSchema, services: Services, text: str) -> bytes:
    context = GraphQLContext(services=services, caller=Caller(ORGANIZATION, "ann", Role.ADMIN))
    return dump({"data": (await schema.execute(text, None, context)).data})


async def main(jobs: int, database_url: str | None, rounds: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            data_dir=Path(folder),
            database_url=SecretStr(database_url) if database_url else None,
            jwt_secret=SecretStr(_SIGNING_KEY),
        )
        async with Runtime(settings, migrates=True) as runtime:
            await fill(jobs)
            found = contenders(InProcess(create_app(runtime)), runtime.services)
            for contender in found:
                await contender.round(_AT_ONCE)
                contender.took.clear()
            for _ in range(rounds):
                for contender in found:
                    await contender.round(4 * _AT_ONCE)
            print(f"{connection.dialect()}, {jobs} jobs, {_AT_ONCE} requests at once, {rounds} rounds")
            print(f"  {'':<38}{'requests/s':>12}{'CPU ms each':>14}{'bytes':>10}")
            medians = {
                contender.name: [statistics.median(column) for column in zip(*contender.took, strict=True)]
                for contender in found
            }
            for contender in found:
                seconds, cpu = medians[contender.name]
                print(f"  {contender.name:<38}{1 / seconds:>12,.0f}{cpu * 1_000:>14.2f}{contender.size:>10,}")
            for name, against in COMPARED:
                if against in medians:
                    print(f"  {name}: {medians[against][0] / medians[name][0]:.2f} of the requests of {against}")


if __name__ == "__main__":
    asyncio.run(
        main(
            int(sys.argv[1]) if len(sys.argv) > 1 else 20_000,
            sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] != "-" else None,
            int(sys.argv[3]) if len(sys.argv) > 3 else 5,
        )
    )
