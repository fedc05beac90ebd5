"""Records are listed by when they were enriched last, page by page in either direction."""

from itertools import product
from typing import Any

import pytest

from enrichment.enums import EntityType
from models.db import ordered
from models.db.migrate import migrate
from models.db.statements import execute, query
from models.record import Record
from models.record.order import RecordOrder
from models.record.page import RecordFilter, record_page
from resolvers.paging import PageArgs, row_cursor
from tests.support.filled import ORGANIZATION, fill
from tests.support.ledgers import unguarded


async def listed(filter: RecordFilter, order: RecordOrder, *, backwards: bool) -> list[str]:
    found: list[str] = []
    cursor, more = None, True
    while more:
        args = PageArgs(last=23, before=cursor) if backwards else PageArgs(first=23, after=cursor)
        page = await record_page(ORGANIZATION, filter, args.keyset("records", order), {"id": None})
        ids = [record.id for record in page.items]
        found = [*ids, *found] if backwards else [*found, *ids]
        more = page.has_previous if backwards else page.has_next
        cursor = row_cursor(page, ids[0 if backwards else -1]) if ids else None
    return found


def place(record: Record) -> tuple[Any, ...]:
    return (record.last_enriched_at is not None, record.last_enriched_at, record.id)


@pytest.mark.usefixtures("new_database")
async def test_records_are_listed_by_when_they_were_enriched_last() -> None:
    await migrate()
    await fill(150)
    await execute("UPDATE record SET last_enriched_at = NULL WHERE id LIKE '%5'")
    await execute("UPDATE record SET last_enriched_at = 1900000000000000 WHERE last_enriched_at > 0 AND id LIKE '%a'")
    records = list(await Record.all())
    middle = sorted(record.created_at for record in records)[75]
    for filter, passes in (
        (RecordFilter(), lambda record: True),
        (RecordFilter(entity_type=EntityType.LEAD), lambda record: record.entity_type is EntityType.LEAD),
        (RecordFilter(search="number 1"), lambda record: "number 1" in record.search_text),
        (RecordFilter(never_enriched=True), lambda record: record.last_enriched_at is None),
        (RecordFilter(never_enriched=False), lambda record: record.last_enriched_at is not None),
        (RecordFilter(enriched_after=middle), lambda record: (record.last_enriched_at or middle) > middle),
    ):
        right = [record.id for record in sorted(filter_records(records, passes), key=place, reverse=True)]
        for order, expected in (
            (RecordOrder.LAST_ENRICHED_AT_DESC, right),
            (RecordOrder.LAST_ENRICHED_AT_ASC, right[::-1]),
        ):
            assert await listed(filter, order, backwards=False) == expected, (filter, order)
            assert await listed(filter, order, backwards=True) == expected, (filter, order)


def filter_records(records: list[Record], passes: Any) -> list[Record]:
    return [record for record in records if passes(record)]


async def erase(record_id: str) -> None:
    await execute("DELETE FROM step WHERE job_id IN (SELECT id FROM job WHERE record_id = ?)", [record_id])
    for table in ("field_value", "conflict", "job"):
        await execute(f"DELETE FROM {table} WHERE record_id = ?", [record_id])
    await execute("DELETE FROM record WHERE id = ?", [record_id])


@pytest.mark.usefixtures("new_database")
async def test_a_row_erased_while_its_page_is_read_is_no_end_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate()
    await fill(20)
    await unguarded("DELETE FROM credit_entry")
    places: list[str] = []

    for order, backwards, erased in product(
        (RecordOrder.LAST_ENRICHED_AT_DESC, RecordOrder.LAST_ENRICHED_AT_ASC), (False, True), (0, 2, 3)
    ):
        places.clear()

        async def then_erase(sql: str, values: Any = (), erased: int = erased) -> Any:
            rows = await query(sql, values)
            if not places:
                places.extend(row["id"] for row in rows)
                await erase(places[erased])
            return rows

        monkeypatch.setattr(ordered, "query", then_erase)
        args = PageArgs(last=3) if backwards else PageArgs(first=3)
        page = await record_page(ORGANIZATION, RecordFilter(), args.keyset("records", order), {"id": None})
        assert (page.has_next, page.has_previous) == (not backwards, backwards)
        left = [row_id for number, row_id in enumerate(places[:3]) if number != erased]
        assert [record.id for record in page.items] == (left[::-1] if backwards else left)
