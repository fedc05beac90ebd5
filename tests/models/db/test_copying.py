"""New rows in bulk: the same as by INSERT, and refused as a whole where one is there."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from enrichment.enums import EntityType
from models.db.columns import new_id
from models.db.copying import RowRefused, add_rows
from models.db.transaction import unit_of_work
from models.organization import add_organization
from models.record import Record
from models.record.row import RecordRow, add_records, find_by_external_id

NOW = datetime(2026, 3, 1, 12, 30, 0, 250, tzinfo=UTC)


def row(external_id: str) -> RecordRow:
    return RecordRow(
        id=new_id(),
        organization_id="acme",
        entity_type=EntityType.LEAD,
        external_id=external_id,
        fields={"name": "Ünï\t\\N", "n": [1, None]},
        received={},
        raw_values=None,
        unreadable={},
        search_text="ünï",
        completeness=0.5,
        version=1,
        last_enriched_at=None,
        refreshed_at=None,
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.fixture(autouse=True)
async def organization(db: None) -> None:
    await add_organization("acme", {}, NOW)


async def test_rows_come_back_as_they_were_added() -> None:
    rows = [row("1"), row("2")]
    await unit_of_work(add_records)(rows)
    assert sorted(await find_by_external_id("acme", EntityType.LEAD, ["1", "2", "3"]), key=lambda r: r.id) == rows


async def test_a_row_that_is_there_refuses_them_all() -> None:
    known = row("1")
    await unit_of_work(add_rows)([known])
    with pytest.raises(RowRefused):
        await unit_of_work(add_rows)([row("2"), replace(row("1"), external_id=known.external_id)])
    assert await Record.all().count() == 1


async def test_no_rows_are_no_statement() -> None:
    await unit_of_work(add_rows)([])
