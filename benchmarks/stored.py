"""What a record and its job leave behind: bytes by table and index, and the rows, statements and log that they took.

    python -m benchmarks.stored [RECORDS] [DATABASE_URL]

The records of the sample go through the real pipeline: taken in by the thousand, enriched by one worker from the
built-in directories. Bytes are those of the files once they are packed (`VACUUM FULL`, `VACUUM`), divided by the
records, each of which has one job; the values' own bytes stand beside them. Rows, statements and the write-ahead log
are counted on PostgreSQL alone, whose statistics count them; its database must be an empty one of the benchmark's
own. Needs a redis-server (the embedded one is used). Without a database URL: SQLite in a temporary folder.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.measurement import Measurement, Plan, Round, progress
from models.db import connection
from models.db.clock import machine_clock
from models.db.migrate import migrate
from models.db.statements import execute, query
from providers.registry import ProviderSettings, default_registry
from resolvers.context import Caller, Context, Role, Services
from resolvers.events.subscriber import EventSubscriber
from resolvers.record.api import upsert_records
from service.embedded.redis import EmbeddedRedis
from service.redis_pool import redis_at
from service.sample.records import sample_records
from workers.settings import build_worker

_TAKEN_IN_AT_ONCE = 1000
_FEWEST_BYTES_SHOWN = 1.0


@dataclass(frozen=True, slots=True)
class Written:
    """What was written in one part of the way, all records together."""

    statements: int
    rows: dict[str, int]  # inserted, updated and deleted, by table
    log_bytes: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What `records` records with a job each take. Bytes are of all of them; `rows` counts by table."""

    dialect: str
    records: int
    tables: dict[str, int]  # bytes without the indexes
    indexes: dict[str, int]
    rows: dict[str, int]
    value_bytes: int  # of the values that fields hold or held, as JSON
    snapshot_bytes: int  # of the decision snapshots' bodies
    ingest: Written | None = None
    jobs: Written | None = None
    index_of: dict[str, str] = field(default_factory=dict)

    @property
    def bytes_each(self) -> float:
        """Bytes a record and job, indexes included."""
        return (sum(self.tables.values()) + sum(self.indexes.values())) / self.records


async def measure(plan: Plan) -> list[Measurement]:
    """Bytes a record and job beside the bytes of its values, and on PostgreSQL what writing them took."""
    stored = await fill(plan.of(tiny=20, quick=2000, full=20_000), plan.database_url)
    for line in lines_of(stored):
        progress(line)
    where = "PostgreSQL" if stored.dialect == "postgresql" else "SQLite"
    work = f"{where}: stored, a record and its job"
    values = stored.value_bytes / stored.records
    found = [_once(work, "ours", "bytes", stored.bytes_each), _once(work, "the values themselves", "bytes", values)]
    for part, written in (("ingest", stored.ingest), ("job", stored.jobs)):
        if written is not None:
            rows = sum(written.rows.values())
            for unit, total in (
                ("bytes of log", written.log_bytes),
                ("rows", rows),
                ("statements", written.statements),
            ):
                found.append(_once(f"{where}: {unit}, {part} of a record", "ours", unit, total / stored.records))
    return found


def _once(work: str, contender: str, unit: str, value: float) -> Measurement:
    return Measurement(work, contender, unit, (Round(value),), ours=contender == "ours")


async def fill(records: int, database_url: str | None = None) -> Stored:
    """Fill a database with this many records and their jobs, and say what they take."""
    with tempfile.TemporaryDirectory() as folder:
        redis_server = EmbeddedRedis(Path(folder))
        await redis_server.start()
        await connection.connect(database_url or f"sqlite://{folder}/benchmark.db")
        redis = redis_at(redis_server.url, tries=3)
        try:
            await migrate()
            services = Services(
                redis, default_registry(ProviderSettings()), EventSubscriber(redis), machine_clock, 1000
            )
            before = await _sizes()
            ingest = await _written(lambda: _take_in(services, records))
            jobs = await _written(lambda: _enrich(services))
            return await _stored(records, before, ingest, jobs)
        finally:
            await redis.aclose(close_connection_pool=True)
            await connection.close()
            await redis_server.stop()


async def _take_in(services: Services, records: int) -> None:
    ctx = Context(services, Caller("benchmark", "benchmark", Role.ADMIN))
    sample = list(sample_records())
    remaining = (
        {**sample[n % len(sample)], "externalId": f"{n}-{sample[n % len(sample)]['externalId']}"}
        for n in range(records)
    )
    while chunk := list(islice(remaining, _TAKEN_IN_AT_ONCE)):
        await upsert_records(ctx, chunk)


async def _enrich(services: Services) -> None:
    worker = build_worker(services, max_jobs=4, capacity=2000, burst=True)
    await worker.async_run()
    assert worker.on_shutdown is not None
    await worker.on_shutdown(worker.ctx)
    [left] = await query("SELECT COUNT(*) AS jobs FROM job WHERE status IN ('pending', 'in_progress')")
    assert left["jobs"] == 0, left


async def _written(work: Callable[[], Awaitable[None]]) -> Written | None:
    if connection.dialect() == "sqlite":
        await work()
        return None
    before, log_before = await _row_counts(), await _log_position()
    with _counted() as statements:
        await work()
    log = await _log_position() - log_before
    await asyncio.sleep(2)  # a session tells its statistics within a second
    after = await _row_counts()
    changed = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
    return Written(statements[0], changed, log)


@contextmanager
def _counted() -> Iterator[list[int]]:
    """Counts what asyncpg sends: statements, and the begin and end of each transaction."""
    count, session = [0], asyncpg.Connection
    prepared, plain = session._execute, session.execute

    async def counted_prepared(self: Any, *args: Any, **kwargs: Any) -> Any:
        count[0] += 1
        return await prepared(self, *args, **kwargs)

    async def counted_plain(self: Any, text: str, *args: Any, **kwargs: Any) -> Any:
        count[0] += not args  # with values it runs as a prepared one
        return await plain(self, text, *args, **kwargs)

    session._execute, session.execute = counted_prepared, counted_plain
    try:
        yield count
    finally:
        session._execute, session.execute = prepared, plain


async def _row_counts() -> dict[str, int]:
    found = await query("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS changed FROM pg_stat_user_tables")
    return {row["relname"]: row["changed"] for row in found}


async def _log_position() -> int:
    [found] = await query("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint AS bytes")
    return int(found["bytes"])


async def _sizes() -> dict[str, tuple[str, int]]:
    """Bytes by table or index, each with the table that it belongs to, once the files are packed."""
    if connection.dialect() == "sqlite":
        await execute("VACUUM")
        found = await query(
            "SELECT s.name, m.tbl_name, SUM(s.pgsize) AS bytes FROM dbstat s JOIN sqlite_master m ON m.name = s.name"
            " GROUP BY s.name, m.tbl_name"
        )
        return {row["name"]: (row["tbl_name"], row["bytes"]) for row in found}
    async with connection.connection().acquire_connection() as session:
        await session.execute("VACUUM (FULL, ANALYZE)")
    tables = await query(
        "SELECT relname AS name, relname AS tbl_name, pg_table_size(relid) AS bytes FROM pg_stat_user_tables"
    )
    indexes = await query(
        "SELECT indexrelname AS name, relname AS tbl_name, pg_relation_size(indexrelid) AS bytes"
        " FROM pg_stat_user_indexes"
    )
    return {row["name"]: (row["tbl_name"], row["bytes"]) for row in [*tables, *indexes]}


async def _stored(
    records: int, before: dict[str, tuple[str, int]], ingest: Written | None, jobs: Written | None
) -> Stored:
    grown = {
        name: (table, size - before.get(name, ("", 0))[1])
        for name, (table, size) in (await _sizes()).items()
        if not name.startswith("schema_migration")
    }
    length = "LENGTH(CAST({} AS BLOB))" if connection.dialect() == "sqlite" else "OCTET_LENGTH({}::text)"
    names = sorted({table for table, _ in grown.values()})
    rows = {name: (await query(f"SELECT COUNT(*) AS rows FROM {name}"))[0]["rows"] for name in names}
    [values] = await query(f"SELECT SUM({length.format('value')}) AS bytes FROM field_value")
    body = "LENGTH(CAST(body AS BLOB))" if connection.dialect() == "sqlite" else "OCTET_LENGTH(body)"
    [snapshots] = await query(f"SELECT SUM({body}) AS bytes FROM decision_snapshot")
    return Stored(
        connection.dialect(),
        records,
        {name: size for name, (table, size) in grown.items() if name == table},
        {name: size for name, (table, size) in grown.items() if name != table},
        rows,
        int(values["bytes"]),
        int(snapshots["bytes"]),
        ingest,
        jobs,
        {name: table for name, (table, _) in grown.items() if name != table},
    )


def lines_of(stored: Stored) -> list[str]:
    """The measurement as lines of text: bytes a record and job, tables and indexes by size."""
    each = stored.records
    shown = [
        f"{stored.dialect}, {each} records with a job each",
        f"  {'bytes a record and job':<44}{stored.bytes_each:>9,.0f}",
        f"  {'the values themselves, of today and of before':<44}{stored.value_bytes / each:>9,.0f}",
        f"  {'bodies of decision snapshots':<44}{stored.snapshot_bytes / each:>9,.0f}",
    ]
    for part, written in (("ingest", stored.ingest), ("jobs", stored.jobs)):
        if written is not None:
            shown.append(
                f"  {part}: {written.log_bytes / each:,.0f} bytes of log, {sum(written.rows.values()) / each:.2f} rows,"
                f" {written.statements / each:.3f} statements a record"
            )
            some = sorted(written.rows.items(), key=lambda item: -item[1])
            shown.append("    rows: " + ", ".join(f"{name} {count / each:.2f}" for name, count in some))
    for name, size in sorted(stored.tables.items(), key=lambda item: -item[1]):
        if size / each >= _FEWEST_BYTES_SHOWN:
            shown.append(f"  {name:<44}{size / each:>9,.0f}{stored.rows[name] / each:>8.2f} rows")
            own = [(index, stored.indexes[index]) for index, table in stored.index_of.items() if table == name]
            for index, bytes_ in sorted(own, key=lambda item: -item[1]):
                shown.append(f"    {index:<42}{bytes_ / each:>9,.0f}")
    return shown


def main(records: int, database_url: str | None) -> None:
    print("\n".join(lines_of(asyncio.run(fill(records, database_url)))))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000, sys.argv[2] if len(sys.argv) > 2 else None)
