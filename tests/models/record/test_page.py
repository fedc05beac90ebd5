"""Pages of records and of their values: newest first, in either direction, for one list and for many at once."""

from datetime import UTC, datetime

import pytest

from enrichment.enums import EntityType
from models.db.columns import new_id
from models.db.paging import Keyset, Page
from models.db.transaction import unit_of_work
from models.organization import Organization
from models.record import FieldValue
from models.record.page import RecordFilter, first_value_pages, record_page
from models.record.row import RecordRow, add_records
from models.record.shown import ShownRecord
from models.record.value import NewValue, replace_values

pytestmark = pytest.mark.usefixtures("db")

NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def _records(count: int) -> list[str]:
    """That many records of a new organization. Their ids, the newest first."""
    await Organization.create(id="acme", created_at=NOW, config={}, config_updated_at=NOW)
    rows = [
        RecordRow(
            id=new_id(),
            organization_id="acme",
            entity_type=EntityType.LEAD,
            external_id=f"L-{number}",
            fields={},
            received={},
            raw_values={},
            unreadable={},
            search_text=f"l-{number}",
            completeness=0.0,
            version=1,
            last_enriched_at=None,
            refreshed_at=None,
            created_at=NOW,
            updated_at=NOW,
        )
        for number in range(count)
    ]
    await unit_of_work(add_records)(rows)
    return [row.id for row in reversed(rows)]


async def _page(keyset: Keyset) -> Page[ShownRecord]:
    return await record_page("acme", RecordFilter(), keyset)


def _ids(page: Page[ShownRecord]) -> list[str]:
    return [record.id for record in page.items]


async def test_pages_follow_one_another_from_the_newest_to_the_oldest() -> None:
    ids = await _records(5)

    first = await _page(Keyset(2))
    second = await _page(Keyset(2, after=_ids(first)[-1]))
    last = await _page(Keyset(2, after=_ids(second)[-1]))

    assert [_ids(page) for page in (first, second, last)] == [ids[:2], ids[2:4], ids[4:]]
    assert [(page.has_previous, page.has_next) for page in (first, second, last)] == [
        (False, True),
        (True, True),
        (True, False),
    ]
    assert await second.count() == 5


async def test_a_page_before_a_row_holds_those_just_above_it() -> None:
    ids = await _records(5)

    above = await _page(Keyset(2, before=ids[4], backwards=True))
    top = await _page(Keyset(2, before=ids[2], backwards=True))

    assert (_ids(above), above.has_previous, above.has_next) == (ids[2:4], True, True)
    assert (_ids(top), top.has_previous, top.has_next) == (ids[:2], False, True)


async def test_the_first_page_of_each_record_is_read_for_all_at_once() -> None:
    many, few = await _records(2)
    for number in range(3):
        values = [_value(many, number), _value(few, number)] if number == 0 else [_value(many, number)]
        await unit_of_work(replace_values)(values, NOW)

    pages = await first_value_pages("acme", [many, few], "city", 2)

    assert [value.value for value in pages[many].items] == ["City 2", "City 1"]
    assert [value.value for value in pages[few].items] == ["City 0"]
    assert (pages[many].has_next, pages[few].has_next) == (True, False)
    assert (await pages[many].count(), await pages[few].count()) == (3, 1)
    newest, before = pages[many].items
    assert (await FieldValue.get(id=newest.id)).replaces == before.id
    assert (newest.replaced_at, before.replaced_at) == (None, NOW)


def _value(record_id: str, number: int) -> NewValue:
    return NewValue(
        id=new_id(),
        organization_id="acme",
        record_id=record_id,
        field="city",
        value=f"City {number}",
        source="crm",
        confidence=1.0,
        observed_at=NOW,
        written_at=NOW,
    )


async def test_a_list_without_an_external_id_names_no_record() -> None:
    await _records(2)

    named = await record_page("acme", RecordFilter(external_ids=("L-1",)), Keyset(9))
    none = await record_page("acme", RecordFilter(external_ids=()), Keyset(9))

    assert ([record.external_id for record in named.items], await named.count()) == (["L-1"], 1)
    assert (none.items, await none.count()) == ([], 0)
