"""A database of version 0.1.0, the one before upgrades count, is brought up to date and still understood.

How it was made says tests/support/baseline/README.md.
"""

import gzip
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from enrichment.enums import EntityType, FieldUnit
from enrichment.words import naming
from models.conflict.queries import ConflictFilter
from models.db import connection
from models.db.migrate import migrate
from models.db.migration_file import FIRST_RELEASE, Phase, files_of_first_release, shipped_files
from models.db.schema_state import SchemaOutdated, read_applied, require_current
from models.db.statements import query
from resolvers.audit import verify_audit
from resolvers.conflict.api import list_conflicts
from resolvers.conflict.stored import why_recommended
from resolvers.context import Context
from resolvers.credit.verify import verify_ledger
from resolvers.erasure.api import list_erasures
from resolvers.paging import PageArgs
from resolvers.record.explain import explain
from resolvers.record.store import RecordOutcome
from resolvers.simulation.api import simulate_config
from resolvers.undo.api import list_undos
from service.redis_pool import redis_at
from tests.support.factories import StandIn, context, send, services
from workers.upkeep.merge_conflicts import merge_conflicts

BASELINE = Path(__file__).parents[1] / "support" / "baseline"
EXPECTED: dict[str, Any] = json.loads((BASELINE / "expected.json").read_text("utf-8"))


@pytest.fixture
async def baseline(tmp_path: Path) -> AsyncIterator[None]:
    """The database as version 0.1.0 left it, open."""
    path = tmp_path / "auto-enrichment.db"
    path.write_bytes(gzip.decompress((BASELINE / "auto-enrichment.db.gz").read_bytes()))
    await connection.connect(f"sqlite://{path}")
    yield
    await connection.close()


@pytest.fixture
async def ctx(baseline: None) -> AsyncIterator[Context]:
    """A user of the organization, after the migration."""
    await migrate()
    redis = redis_at(None, tries=1)
    sources = [
        StandIn(id=name, price=price, remote=True, keeps_days=30) for name, price in (("north", 2), ("south", 1))
    ]
    yield context(services(redis, *sources))
    await redis.aclose(close_connection_pool=True)


async def test_it_is_migrated_and_its_checksums_are_those_of_the_files_that_made_it(baseline: None) -> None:
    assert [row.name for row in await read_applied()] == EXPECTED["migrations"]
    with pytest.raises(SchemaOutdated):
        await require_current()
    with pytest.raises(SchemaOutdated):
        await migrate(phase=Phase.AFTER)
    await migrate(phase=Phase.BEFORE)
    await require_current()
    await migrate(phase=Phase.AFTER)
    assert await migrate() == []
    recorded = {row.name: (row.checksum, row.oldest_code) for row in await read_applied()}
    released = files_of_first_release()
    for file in shipped_files():
        made_by = (released[file.name], FIRST_RELEASE) if file.name in released else (file.checksum, file.oldest_code)
        assert recorded[file.name] == made_by


async def test_it_ends_with_the_schema_of_a_new_database(ctx: Context, tmp_path: Path) -> None:
    upgraded = await _schema()
    await connection.close()
    await connection.connect(f"sqlite://{tmp_path / 'new.db'}")
    await migrate()
    assert upgraded == await _schema()


async def _schema() -> dict[str, Any]:
    """The columns of each table, and what each index, view and trigger says."""
    tables = [row["name"] for row in await query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    names = 'name, type, "notnull", dflt_value, pk'
    columns = {table: await query(f"SELECT {names} FROM pragma_table_info('{table}')") for table in tables}
    others = await query("SELECT name, sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL")
    return columns | {row["name"]: " ".join(row["sql"].split()) for row in others}


async def test_its_audit_chain_holds(ctx: Context) -> None:
    check = await verify_audit(ctx)
    assert (check.entries, check.head, check.fault) == (EXPECTED["audit"]["entries"], EXPECTED["audit"]["head"], None)


async def test_its_ledger_adds_up(ctx: Context) -> None:
    check = await verify_ledger(ctx)
    assert (check.entries, check.faults) == (EXPECTED["ledgerEntries"], [])


async def test_its_decisions_can_be_taken_again(ctx: Context) -> None:
    assert len(await query("SELECT id FROM decision_snapshot")) == EXPECTED["snapshots"]
    simulation = await simulate_config(ctx, {})
    assert simulation.replayed.jobs == EXPECTED["snapshots"]
    stricter = await simulate_config(ctx, {"minConfidence": 0.99})
    assert {("title", "not_written"), ("industry", "not_written")} <= {
        (difference.field, difference.kind.value) for difference in stricter.differences
    }


@pytest.mark.parametrize(
    ("entity_type", "external_id", "field", "words"),
    [
        ("account", "A-1", "city", ["Lyon", "ann", "Paris", "Oakland", "Berkeley"]),
        ("account", "A-1", "foundedYear", ["empty", "1999", "2001"]),
        ("account", "A-2", "stockSymbol", ["BETA", "0.90", "2 credits"]),
        ("account", "A-3", "industry", ["undo", "Software"]),
        ("lead", "L-1", "title", ["CEO", "0.90", "2 credits"]),
    ],
)
async def test_its_values_are_still_explained(
    ctx: Context, entity_type: str, external_id: str, field: str, words: list[str]
) -> None:
    explanation = await explain(ctx, EntityType(entity_type), external_id, field)
    assert [word for word in words if word not in explanation.text] == []
    moment = datetime.fromisoformat(EXPECTED["madeAt"])
    assert f"{moment:%Y-%m-%d}" in explanation.text


async def test_its_question_about_a_city_becomes_one_about_the_address(ctx: Context) -> None:
    before = await query("SELECT id FROM conflict WHERE status = 'open' AND field = 'city'")
    assert before != []
    assert await merge_conflicts({"services": ctx.services}) >= len(before)
    merged = (await list_conflicts(ctx, ConflictFilter(field="city"), PageArgs())).items
    assert {conflict.id for conflict in merged} == {row["id"] for row in before}
    assert {(conflict.field, conflict.unit) for conflict in merged} == {("address", FieldUnit.ADDRESS)}
    assert await merge_conflicts({"services": ctx.services}) == 0


async def test_its_recommendations_name_sources_and_give_no_figures_that_are_the_same(ctx: Context) -> None:
    await merge_conflicts({"services": ctx.services})
    conflicts = (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items
    shown = {why_recommended(conflict, naming({"north": "North Data"})) for conflict in conflicts}
    assert shown == {
        "North Data is the most certain",
        "North Data is the most certain; reviewers accepted North Data's city 0 of 1 times",
    }


async def test_its_undo_and_its_erasure_are_still_listed(ctx: Context) -> None:
    (undo,) = (await list_undos(ctx, PageArgs())).items
    assert undo.restored > 0
    (erasure,) = (await list_erasures(ctx, PageArgs())).items
    assert (erasure.entity_type, erasure.reason) == (EntityType.CONTACT, "Art. 17 GDPR")


async def test_its_records_sent_again_change_nothing_and_start_nothing(ctx: Context) -> None:
    before = await query("SELECT id, version, fields FROM record ORDER BY id")
    jobs, conflicts = await query("SELECT id FROM job"), await query("SELECT id FROM conflict")
    for entity_type, external_id, fields in (
        ("account", "A-1", {"name": "Acme", "domain": "acme.com", "city": "Paris"}),
        ("account", "A-2", {"name": "Beta", "domain": "beta.com"}),
        ("account", "A-3", {"name": "Acme Two", "domain": "acme.com"}),
        ("lead", "L-1", {"lastName": "Doe", "email": "joe@acme.com"}),
    ):
        sent = await send(ctx, entity_type, external_id, **fields)
        assert sent.outcome is RecordOutcome.UNCHANGED
    assert await query("SELECT id, version, fields FROM record ORDER BY id") == before
    assert (await query("SELECT id FROM job"), await query("SELECT id FROM conflict")) == (jobs, conflicts)
    edited = await send(ctx, "account", "A-2", name="Beta, Inc.")
    assert edited.outcome is RecordOutcome.CHANGED, "its raw form is known now"
