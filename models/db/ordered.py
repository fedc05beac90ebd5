"""Pages of lists in the order of a column, which not every row has anything in.

The places of the rows are read first, by an index, then the rows: a cursor holds what its row had in the column, so
that the next page goes on there whatever becomes of the row. Whether there are more is known by the places: a row that
is deleted before it is read leaves a shorter page, and no end of the list.
"""

from collections.abc import Callable
from typing import TypeVar

from models.db.order import Key, key_text
from models.db.paging import Keyset, Page
from models.db.printed import Printed
from models.db.selected import Selectable
from models.db.statements import one_of, query, texts
from models.db.wanted import Wanted
from models.db.where import NOTHING, Where

R = TypeVar("R")
Find = Callable[[Keyset], Where]
"""Says which rows are on the page that a keyset asks for, its bounds included."""

MOST_NAMED = 1_000  # rows of a range; more than these are met soon enough along another order


async def ordered_page(
    rows: Selectable[R],
    organization_id: str,
    keyset: Keyset,
    wanted: Wanted | Printed,
    *,
    every: Where,
    keyed: Find,
    keyless: Find,
) -> Page[R]:
    """A page of the organization's rows in the order of the column `keyset.by`.

    `keyed` finds those that have something in the column, `keyless` those that have nothing, in the order of their ids;
    `every` is the condition of all of them.
    """
    assert keyset.by is not None
    with_key = (
        [] if keyset.after is not None and keyset.after_key is None else [(keyed(keyset), keyset.order, keyset.by)]
    )
    rest = keyset.without_key()
    without_key = [] if rest is None else [(keyless(rest), rest.order, "NULL")]
    parts = [*without_key, *with_key] if keyset.backwards else [*with_key, *without_key]
    keys: dict[str, Key] = {}
    for found, order, column in parts:
        missing = keyset.size + 1 - len(keys)
        if missing and found != NOTHING:
            sql = (
                f"SELECT id, {column} AS key FROM {rows.table} WHERE organization_id = ?{found.sql}"
                f" ORDER BY {order} LIMIT ?"
            )
            for row in await query(sql, [organization_id, *found.values_of(organization_id), missing]):
                keys[row["id"]] = row["key"]

    async def count() -> int:
        return await rows.count(organization_id, every)

    places = keyset.page_of(list(keys), count)
    named = Where(f" AND {one_of('id')}", (texts(places.items),))
    read = await rows.fetch(organization_id, named, wanted) if keys else []
    by_id = {row.id: row for row in read}  # type: ignore[attr-defined]  # every row of a Selectable has an id
    return Page(
        [by_id[row_id] for row_id in places.items if row_id in by_id],
        has_next=places.has_next,
        has_previous=places.has_previous,
        count=count,
        of=places.of,
        keys={row_id: key_text(keys[row_id]) for row_id in places.items},
    )


async def ids_where_few(table: str, organization_id: str, within: Where, order: str) -> list[str] | None:
    """The ids of the rows for which `within` holds; None where there are many of them.

    `order` is that of the index by which they are found.
    """
    sql = f"SELECT id FROM {table} WHERE organization_id = ?{within.sql} ORDER BY {order} LIMIT ?"
    found = await query(sql, [organization_id, *within.values_of(organization_id), MOST_NAMED + 1])
    return [row["id"] for row in found] if len(found) <= MOST_NAMED else None


async def named_where_few(table: str, organization_id: str, within: Where, order: str) -> Where:
    """A condition that names the same rows by their ids; none where there are many of them."""
    found = await ids_where_few(table, organization_id, within, order)
    if found is None:
        return Where()
    return Where(f" AND {one_of('id')}", (texts(found),)) if found else NOTHING
