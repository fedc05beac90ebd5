"""Every table of a tenant in hash partitions by organization: the product works there as on whole tables."""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from models.conflict.queries import ConflictFilter
from models.db import connection
from models.db.clock import machine_clock
from models.db.distribute import CannotDistribute, distribute, read_distribution, unique_target
from models.db.migrate import migrate
from models.db.statements import execute, load, query
from models.job.queries import JobFilter
from models.record.page import RecordFilter
from providers.registry import ProviderSettings, default_registry
from resolvers.conflict.api import list_conflicts, resolve_conflicts
from resolvers.context import Caller, Context, Role, Services
from resolvers.credit.verify import verify_ledger
from resolvers.erasure.api import erase_record
from resolvers.events.subscriber import EventSubscriber
from resolvers.job.api import list_jobs
from resolvers.paging import PageArgs
from resolvers.record.api import get_record, list_records, provenance, upsert_records
from resolvers.record.store import RecordOutcome
from resolvers.stats import get_stats
from resolvers.undo.api import undo_job
from service.sample.records import sample_records
from tests.support.daily_counts import assert_counted_as_rows
from tests.support.plans import statements_read
from workers.settings import build_worker

pytestmark = pytest.mark.postgresql

PARTITIONS = 3
ORGANIZATIONS = ("acme", "globex", "initech", "umbrella")
WHOLE = {"organization", "installation_choice", "installation_secret", "schema_migration", "schema_migration_progress"}


@pytest.fixture
async def distributed(new_database: str) -> AsyncIterator[str]:
    """An open database whose tables of tenants are partitioned."""
    await migrate()
    await distribute(PARTITIONS)
    yield new_database
    await _forget()


async def _forget() -> None:
    """The next test has a database of its own."""
    await execute("DROP TABLE job CASCADE")
    await read_distribution()


@pytest.fixture
async def services(distributed: str, redis: ArqRedis) -> Services:
    events = EventSubscriber(redis)
    return Services(redis, default_registry(ProviderSettings()), events, machine_clock, 1000)


async def _partitioned() -> set[str]:
    sql = "SELECT relname AS name FROM pg_class WHERE relkind = 'p' AND relnamespace = current_schema()::regnamespace"
    return {row["name"] for row in await query(sql)}


async def test_every_table_but_those_of_the_installation_is_partitioned_with_the_organization_in_every_unique_index(
    distributed: str,
) -> None:
    sql = "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
    pieces = {row["name"] for row in await query(sql)}
    assert {re.sub(r"_p\d+$", "", name) for name in pieces} == await _partitioned() | WHOLE
    uniques = await query(
        "SELECT pg_get_indexdef(i.indexrelid) AS made FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " WHERE i.indisunique AND c.relkind = 'p' AND c.relnamespace = current_schema()::regnamespace"
    )
    assert len(uniques) > 40
    assert [row["made"] for row in uniques if "organization_id" not in row["made"].split(" WHERE ")[0]] == []
    assert await distribute(PARTITIONS) == []  # nothing is left to do


async def test_a_table_with_rows_and_another_number_of_partitions_are_refused(new_database: str) -> None:
    await migrate()
    await execute("INSERT INTO organization (id, created_at, config, config_updated_at) VALUES ('acme', 1, '{}', 1)")
    await execute("INSERT INTO credit_account (organization_id) VALUES ('acme')")
    with pytest.raises(CannotDistribute, match="credit_account has rows"):
        await distribute(PARTITIONS)
    await execute("DELETE FROM credit_account")
    assert unique_target("id") == "id"
    await distribute(PARTITIONS)
    assert unique_target("id") == "id, organization_id"
    with pytest.raises(CannotDistribute, match="3 partitions already"):
        await distribute(4)
    await _forget()


async def _enriched(services: Services) -> dict[str, Context]:
    """Organizations whose sample records have been taken in, and all their jobs run."""
    found = {name: Context(services, Caller(name, "ann", Role.ADMIN)) for name in ORGANIZATIONS}
    for ctx in found.values():
        await upsert_records(ctx, list(sample_records())[:40])
    worker = build_worker(services, max_jobs=4, burst=True)
    await worker.async_run()
    assert worker.on_shutdown is not None
    await worker.on_shutdown(worker.ctx)
    return found


async def test_records_are_taken_in_enriched_decided_undone_and_erased_and_every_count_is_right(
    services: Services,
) -> None:
    contexts = await _enriched(services)
    stats = {name: await get_stats(ctx) for name, ctx in contexts.items()}
    assert {counted.records for counted in stats.values()} == {40}
    assert len({str(counted.jobs_by_status) for counted in stats.values()}) == 1  # each organization's are the same

    ctx = contexts["acme"]
    conflicts = await list_conflicts(ctx, ConflictFilter(), PageArgs(first=100))
    assert conflicts.items
    decided = await resolve_conflicts(ctx, [conflict.id for conflict in conflicts.items], None)
    assert decided.resolved == len(conflicts.items)

    jobs = await list_jobs(ctx, JobFilter(status=(JobStatus.COMPLETED,)), PageArgs(first=100))
    changed = next(job for job in jobs.items if job.fields_updated)
    undone = await undo_job(ctx, changed.id)
    assert undone.restored > 0
    record = await get_record(ctx, changed.record.entity_type, changed.record.external_id)
    assert await provenance(ctx, record)

    await erase_record(ctx, record.entity_type, record.external_id)
    assert (await get_stats(ctx)).records == 39
    assert (await verify_ledger(ctx)).faults == []
    for name in ORGANIZATIONS[1:]:
        await assert_counted_as_rows(name)
    again = await upsert_records(contexts["globex"], list(sample_records())[:40])
    assert {outcome.outcome for outcome in again} == {RecordOutcome.UNCHANGED}


async def test_all_rows_of_an_organization_are_in_one_partition_and_its_pages_read_no_other(services: Services) -> None:
    contexts = await _enriched(services)
    for table in await _partitioned():
        spread = await query(f"SELECT organization_id, COUNT(DISTINCT tableoid) AS parts FROM {table} GROUP BY 1")
        assert {row["parts"] for row in spread} <= {1}, table
    ctx = contexts["acme"]
    with statements_read() as read:
        await list_jobs(ctx, JobFilter(), PageArgs(first=20))
        await list_records(ctx, RecordFilter(), PageArgs(first=20))
        await list_conflicts(ctx, ConflictFilter(), PageArgs(first=20))
        await get_stats(ctx)
    assert read
    for sql, values in read.items():
        pieces = await _pieces(sql, values)
        assert all(len(numbers) <= 1 for numbers in pieces.values()), f"{pieces}: {sql}"


async def _pieces(sql: str, values: Sequence[Any]) -> dict[str, set[str]]:
    """By table the numbers of the partitions that a statement reads."""
    [row] = await connection.connection().execute_query_dict(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", list(values))
    found: dict[str, set[str]] = {}
    nodes = [load(row["QUERY PLAN"])[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", ())
        piece = re.fullmatch(r"(\w+)_p(\d+)", node.get("Relation Name", ""))
        if piece is not None and node["Actual Loops"]:
            found.setdefault(piece[1], set()).add(piece[2])
    return found
