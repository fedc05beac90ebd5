"""Typed rows: what a projection takes from its model, and what it refuses."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from enrichment.enums import EntityType, JobTrigger
from models.db.columns import from_micros, new_id, to_micros
from models.db.rows import Json, bulk, columns_of, fetch, fetch_one, insert, projection, query_row, select
from models.db.statements import query
from models.db.transaction import unit_of_work
from models.job import Job
from models.organization import Organization
from models.record import Record

NOW = datetime(2026, 3, 1, 12, 30, 0, 250, tzinfo=UTC)


@projection(Record)
class NewRecord:
    id: str
    organization_id: str
    entity_type: EntityType
    external_id: str
    fields: dict[str, Any]
    received: dict[str, Any]
    completeness: float
    created_at: datetime
    updated_at: int


@projection(Job)
class StartedJob:
    record_id: str
    trigger: JobTrigger
    forced: bool
    started_at: datetime | None


@query_row
class RecordCount:
    entity_type: EntityType
    many: bool
    newest: datetime
    tags: Json[list[str]]
    day: date
    total: int
    none: int | None


def record(external_id: str) -> NewRecord:
    return NewRecord(
        id=new_id(),
        organization_id="acme",
        entity_type=EntityType.LEAD,
        external_id=external_id,
        fields={"name": "Ünï", "n": [1, None]},
        received={},
        completeness=0.5,
        created_at=NOW,
        updated_at=to_micros(NOW),
    )


async def test_what_is_inserted_reads_back_as_it_was(db: str) -> None:
    await Organization.create(id="acme", config={}, created_at=NOW, config_updated_at=NOW)
    sent = [record("one"), record("two")]
    assert await unit_of_work(insert)(sent, then="RETURNING id") == [{"id": sent[0].id}, {"id": sent[1].id}]
    assert await fetch(NewRecord, f"SELECT {select(NewRecord)} FROM record ORDER BY external_id") == sent
    assert await fetch_one(NewRecord, f"SELECT {select(NewRecord)} FROM record WHERE id = ?", [new_id()]) is None


async def test_rows_of_a_projection_are_a_from_item(db: str) -> None:
    source, parameter = bulk([record("one")])
    [row] = await query(f"SELECT external_id, created_at FROM {source}", [parameter])
    assert row == {"external_id": "one", "created_at": to_micros(NOW)}


async def test_a_result_has_the_types_of_its_annotations(db: str) -> None:
    sql = f"SELECT 'lead' AS entity_type, 1 = 1 AS many, {to_micros(NOW)} AS newest, '[\"a\"]' AS tags"
    sql += ", 20513 AS day, (SELECT SUM(n) FROM (SELECT 2 AS n) AS one) AS total, NULL AS none"
    [counted] = await fetch(RecordCount, sql)
    assert counted == RecordCount(EntityType.LEAD, True, from_micros(to_micros(NOW)), ["a"], date(2026, 3, 1), 2, None)


def test_columns_follow_from_the_model() -> None:
    assert columns_of(StartedJob) == {
        "record_id": "text",
        "trigger_kind": "text",
        "forced": "boolean",
        "started_at": "integer",
    }
    assert columns_of(StartedJob, without=["forced"]).keys() == {"record_id", "trigger_kind", "started_at"}
    assert select(StartedJob, "j") == "j.record_id, j.trigger_kind AS trigger, j.forced, j.started_at"


def test_a_name_that_is_no_column_is_refused() -> None:
    with pytest.raises(TypeError, match="no column priorty"):

        @projection(Job)
        class Misspelt:
            priorty: int


def test_a_column_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="priority is integer"):

        @projection(Job)
        class Mistyped:
            priority: str
