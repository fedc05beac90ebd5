"""How fast records come in, over REST, GraphQL and by `import`, beside a COPY of all rows that they become.

    python -m benchmarks.bench --only=ingest

A process serves the API, this one sends to it over HTTP, several requests at once; `import` goes straight into the
stores, and what its start takes (an import of one record) is left out. Each way sends records that are new, then the
same ones again. On PostgreSQL the rows that they became (records, values, jobs) are then copied into a second database,
which has the same tables, indexes and triggers, so that the daily counts are written there too.
"""

import asyncio
import io
import os
import sys
import time
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import orjson

from benchmarks.drawn_records import drawn_records
from benchmarks.filled import ORGANIZATION, fill
from benchmarks.measurement import Contender, Measurement, Plan, Round, cpu_of, take_turns
from benchmarks.servers import Server, free_port, server
from models.db import connection
from models.db.migrate import migrate
from resolvers.context import Role
from service.auth.shared_secret import development_token
from service.embedded.redis import EmbeddedRedis
from service.installation_settings import load_settings

NEW, AGAIN = "ingest: new records", "ingest: the same records again"
_IN_REQUEST = 1_000
_AT_ONCE = 4
_FULL = 4_000  # records of a turn; of SQLite, which takes several times as long for one, a quarter of it
_LONGER_FILE = 4  # times as many records as in the requests: a process of its own has to warm up first
_TABLES = ("record", "field_value", "job")
_MUTATION = """mutation Send($records: [RecordInput!]!) { upsertRecords(records: $records) {
    created changed unchanged refused results { index outcome folded record { id externalId } job { id }
    refusedFields { field reason } lateFields error { code message } } } }"""


class SendFailed(RuntimeError):
    """Records were refused, or another outcome was expected of them."""


async def measure(plan: Plan) -> list[Measurement]:
    """New records and repeated ones, each way, beside the COPY."""
    redis = EmbeddedRedis(plan.folder)
    await redis.start()
    environment = {
        "AUTO_ENRICHMENT_DATA_DIR": str(plan.folder),
        "AUTO_ENRICHMENT_DATABASE_URL": plan.database_url or f"sqlite://{plan.folder}/benchmark.db",
        "AUTO_ENRICHMENT_REDIS_URL": redis.url,
        "AUTO_ENRICHMENT_JWT_SECRET": token_hex(32),
        "AUTO_ENRICHMENT_LOG_LEVEL": "error",
        "AUTO_ENRICHMENT_PORT": str(free_port()),
    }
    try:
        await _prepare(environment["AUTO_ENRICHMENT_DATABASE_URL"])
        command = (sys.executable, "-m", "auto_enrichment_command", "serve")
        port = int(environment["AUTO_ENRICHMENT_PORT"])
        async with _peer(plan.database_url) as rows, server(*command, environment=environment, port=port) as running:
            run = _Run(
                plan,
                running,
                environment,
                plan.of(tiny=10, quick=2_000, full=_FULL if plan.database_url else _FULL // 4),
            )
            return await take_turns(run.contenders(rows), plan.rounds)
    finally:
        await redis.stop()


class _Taken(NamedTuple):
    """Seconds of a work, and CPU seconds of its process and of PostgreSQL."""

    seconds: float
    cpu: float
    database_cpu: float


_NOTHING = _Taken(0.0, 0.0, 0.0)


@dataclass
class _Run:
    """What the contenders share. `last` names the records that each way sent last."""

    plan: Plan
    server: Server
    environment: Mapping[str, str]
    records: int

    def __post_init__(self) -> None:
        self.last: dict[str, str] = {}
        secret = self.environment["AUTO_ENRICHMENT_JWT_SECRET"]
        self.token = development_token(
            load_settings(jwt_secret=secret),
            organization_id=ORGANIZATION,
            role=Role.ADMIN,
            user="benchmark",
            ttl_seconds=36_000,
        )

    def contenders(self, rows: "_Rows | None") -> list[Contender]:
        ways = {"REST": self._over_rest, "GraphQL": self._over_graphql, "import": self._by_import}
        found = [
            Contender(work, f"ours, {way}", "records/s", self._turn(way, send, again=work is AGAIN), ours=True)
            for way, send in ways.items()
            for work in (NEW, AGAIN)
        ]
        if rows is not None:
            found.append(Contender(NEW, "COPY of all rows that they become", "records/s", self._copying(rows)))
        return found

    def _turn(self, way: str, send: "_Prepare", *, again: bool) -> Callable[[], Awaitable[Round]]:
        async def turn() -> Round:
            if not again:
                self.last[way] = f"{way}{time.time_ns():x}"
            count = self.records * (_LONGER_FILE if way == "import" else 1)
            work, cpu = send(list(drawn_records(self.last[way], count)), "unchanged" if again else "created")
            return await self._measured(work, cpu, count, await self._start() if way == "import" else _NOTHING)

        return turn

    def _copying(self, rows: "_Rows") -> Callable[[], Awaitable[Round]]:
        async def turn() -> Round:
            return await self._measured(await rows(self.last["REST"]), time.process_time, self.records)

        return turn

    async def _start(self) -> _Taken:
        """What an import takes that has one record to send."""
        file = self.plan.folder / "one.jsonl"
        file.write_bytes(b"".join(map(orjson.dumps, drawn_records("one", 1))))
        return await self._taken(lambda: self._import(file), lambda: cpu_of(os.getpid()))

    async def _measured(
        self, work: Callable[[], Awaitable[None]], cpu: Callable[[], float], count: int, less: _Taken = _NOTHING
    ) -> Round:
        taken = await self._taken(work, cpu)
        return Round(
            value=count / (taken.seconds - less.seconds),
            cpu_ms=1000 * (taken.cpu - less.cpu) / count,
            database_cpu_ms=1000 * (taken.database_cpu - less.database_cpu) / count,
        )

    async def _taken(self, work: Callable[[], Awaitable[None]], cpu: Callable[[], float]) -> _Taken:
        used, database, started = cpu(), self.plan.database_cpu(), time.perf_counter()
        await work()
        seconds = time.perf_counter() - started
        return _Taken(seconds, cpu() - used, self.plan.database_cpu() - database)

    def _over_rest(self, records: Sequence[Any], outcome: str) -> "_Prepared":
        return self._over_http("/v1/auto-enrichment/records", _bodies(records, lambda some: {"records": some}), outcome)

    def _over_graphql(self, records: Sequence[Any], outcome: str) -> "_Prepared":
        typed = [record | {"entityType": record["entityType"].upper()} for record in records]
        bodies = _bodies(typed, lambda some: {"query": _MUTATION, "variables": {"records": some}})
        return self._over_http("/graphql", bodies, outcome)

    def _over_http(self, path: str, bodies: Sequence[bytes], outcome: str) -> "_Prepared":
        async def work() -> None:
            counted = 0
            for content in await _post(f"{self.server.url}{path}", self.token, bodies):
                answer = orjson.loads(content)
                counted += (answer["data"]["upsertRecords"] if "data" in answer else answer)[outcome]
            if counted != self.records:
                raise SendFailed(f"{counted} of {self.records} records were {outcome}")

        return work, self.server.cpu

    def _by_import(self, records: Sequence[Any], _: str) -> "_Prepared":
        file = self.plan.folder / "records.jsonl"
        file.write_bytes(b"\n".join(map(orjson.dumps, records)))

        return lambda: self._import(file), lambda: cpu_of(os.getpid())

    async def _import(self, file: Path) -> None:
        process = await create_subprocess_exec(
            *(sys.executable, "-m", "auto_enrichment_command", "import", str(file)),
            *("-t", "account", "--org", ORGANIZATION),
            env={**os.environ, **self.environment},
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        if await process.wait():
            raise SendFailed("the import failed")


_Prepared = tuple[Callable[[], Awaitable[None]], Callable[[], float]]  # what is measured, and the CPU seconds it uses
_Prepare = Callable[[Sequence[Any], str], _Prepared]
_Rows = Callable[[str], Awaitable[Callable[[], Awaitable[None]]]]


def _bodies(records: Sequence[Any], wrap: Callable[[list[Any]], Any]) -> list[bytes]:
    return [
        orjson.dumps(wrap(list(records[start : start + _IN_REQUEST]))) for start in range(0, len(records), _IN_REQUEST)
    ]


async def _post(url: str, token: str, bodies: Sequence[bytes]) -> list[bytes]:
    """Send these, some at once. Returns what was answered. Raises SendFailed."""
    parts = urlsplit(url)
    waiting = list(enumerate(bodies))[::-1]
    answers: list[bytes] = [b""] * len(bodies)

    async def client() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**26)
        while waiting:
            index, body = waiting.pop()
            head = (
                f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answered = await reader.readuntil(b"\r\n\r\n")
            length = int(answered.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            answers[index] = await reader.readexactly(length)
            if not answered.startswith(b"HTTP/1.1 200") or answers[index].startswith(b'{"errors'):
                raise SendFailed(answers[index][:300].decode())
        writer.close()

    await asyncio.gather(*(client() for _ in range(min(_AT_ONCE, len(bodies)))))
    return answers


@asynccontextmanager
async def _peer(database_url: str | None) -> AsyncIterator[_Rows | None]:
    """What reads the rows of the records of a run, and gives what copies them into the other database."""
    if database_url is None:
        yield None
        return
    source, target = await asyncpg.connect(database_url), await asyncpg.connect(_beside(database_url))

    async def read(run: str) -> Callable[[], Awaitable[None]]:
        copied: list[tuple[str, io.BytesIO]] = []
        for table in _TABLES:
            of_run = f"external_id LIKE '{run}-%'"
            which = of_run if table == "record" else f"record_id IN (SELECT id FROM record WHERE {of_run})"
            sql = f"SELECT * FROM {table} WHERE {which} ORDER BY id"
            copied.append((table, io.BytesIO()))
            await source.copy_from_query(sql, output=copied[-1][1], format="binary")
            copied[-1][1].seek(0)

        async def write() -> None:
            async with target.transaction():
                for table, rows in copied:
                    await target.copy_to_table(table, source=rows, format="binary")

        return write

    try:
        yield read
    finally:
        await source.close()
        await target.close()


def _beside(database_url: str) -> str:
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(path=f"{parts.path}_copied"))


async def _prepare(database_url: str) -> None:
    """Make the tables, and the second database with its own; both have the organization with a record and its job."""
    urls = [database_url]
    if not database_url.startswith("sqlite"):
        urls.append(_beside(database_url))
        session = await asyncpg.connect(database_url)
        name = Path(urlsplit(urls[1]).path).name
        await session.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await session.execute(f'CREATE DATABASE "{name}"')
        await session.close()
    for url in urls:
        await connection.connect(url)
        try:
            await migrate()
            await fill(1)
        finally:
            await connection.close()
