"""Conflicts are found by a part of what their records can be found by, however many records hold it."""

import pytest

from enrichment.enums import ConflictStatus, EntityType
from models.conflict.queries import ConflictFilter, count_conflicts
from models.conflict.shown import conflict_page
from models.conflict.table import Conflict
from models.db.migrate import migrate
from models.db.paging import Keyset
from models.db.statements import execute
from tests.support.filled import ORGANIZATION, fill

ANY = tuple(ConflictStatus)


@pytest.mark.usefixtures("new_database")
async def test_a_search_finds_the_conflicts_of_the_records_that_hold_the_text() -> None:
    await migrate()
    await fill(1_600)
    await execute("UPDATE record SET search_text = 'odd 100%_' WHERE external_id IN ('crm-8', 'crm-12')")
    conflicts = await Conflict.all().prefetch_related("record").order_by("-id")
    searches = ("Number 77", "OAKLAND", " odd 100%_ ", "no such text", "100%n", "", "   ")
    for search in searches:
        for filter in (
            ConflictFilter(search=search, status=ANY),
            ConflictFilter(search=search),
            ConflictFilter(search=search, status=ANY, entity_types=(EntityType.LEAD,), field="city"),
        ):
            right = [
                conflict.id
                for conflict in conflicts
                if search.strip().lower() in conflict.record.search_text
                and conflict.status in (filter.status or (ConflictStatus.OPEN,))
                and (not filter.entity_types or conflict.entity_type in filter.entity_types)
                and filter.field in (None, conflict.field)
            ]
            page = await conflict_page(ORGANIZATION, filter, Keyset(20))
            assert [conflict.id for conflict in page.items] == right[:20], filter
            assert await page.count() == await count_conflicts(ORGANIZATION, filter) == len(right), filter
            after = Keyset(20, after=right[10]) if len(right) > 10 else Keyset(20)
            page = await conflict_page(ORGANIZATION, filter, after)
            assert [conflict.id for conflict in page.items] == (right[11:31] if after.after else right), filter
    assert (await conflict_page("other", ConflictFilter(search="oakland", status=ANY), Keyset(5))).items == []
