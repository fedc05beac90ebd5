"""Keyset pages of a table, newest first: page 10,000 costs what page 1 costs.

Ids are UUIDv7, so an id alone is a position in a list that is ordered by creation.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from tortoise.models import Model

from models.db.order import Key
from models.db.statements import marks, query
from models.db.where import NOTHING, Where, where

T = TypeVar("T")
M = TypeVar("M", bound=Model)


MOST_COUNTED = 100_000  # rows of a list; what is longer is known to be longer, and no more


@dataclass(frozen=True, slots=True)
class Keyset:
    """At most `size` rows older than `after` and newer than `before` (ids; None: no bound).

    `backwards` takes the oldest of them instead of the newest. `of` names the list, as its cursors do. In the order of
    a column (`by`) it is less and more instead of older and newer, `after_key` and `before_key` are what the two rows
    had there, and rows without anything in it come last. `mirrored`: the list is shown the other way round.
    """

    size: int
    after: str | None = None
    before: str | None = None
    backwards: bool = False
    of: str = ""
    by: str | None = None
    after_key: Key = None
    before_key: Key = None
    mirrored: bool = False

    @property
    def bounds(self) -> Where:
        """The condition that a row is within the bounds, and has something in the column `by`."""
        if self.by is not None:
            return self._bounds_by_key(self.by)
        bounds = Where() if self.after is None else Where(" AND id < ?", (self.after,))
        return bounds if self.before is None else bounds + Where(" AND id > ?", (self.before,))

    def _bounds_by_key(self, by: str) -> Where:
        if self.after is not None and self.after_key is None:
            return NOTHING
        bounds = Where(f" AND {by} IS NOT NULL")
        if self.after is not None:
            bounds += Where(f" AND ({by}, id) < (?, ?)", (self.after_key, self.after))
        if self.before is not None and self.before_key is not None:
            bounds += Where(f" AND ({by}, id) > (?, ?)", (self.before_key, self.before))
        return bounds

    @property
    def order(self) -> str:
        """The order in which the rows are found, as a statement has it."""
        way = "" if self.backwards else " DESC"
        return ", ".join(f"{column}{way}" for column in ([] if self.by is None else [self.by]) + ["id"])

    def without_key(self) -> "Keyset | None":
        """The same bounds among the rows without anything in the column `by`, by their ids; None: all are outside."""
        if self.before is not None and self.before_key is not None:
            return None
        after = self.after if self.after_key is None else None
        return Keyset(self.size, after=after, before=self.before, backwards=self.backwards, of=self.of)

    def page_of(self, found: list[T], count: Callable[[], Awaitable[int]]) -> "Page[T]":
        """The page, from the rows that it begins with in its direction: one more than `size`, where there are more."""
        items, more = found[: self.size], len(found) > self.size
        has_next = self.before is not None if self.backwards else more
        has_previous = more if self.backwards else self.after is not None
        if self.mirrored:
            has_next, has_previous = has_previous, has_next
        if self.mirrored != self.backwards:
            items.reverse()
        return Page(items, has_next=has_next, has_previous=has_previous, count=count, of=self.of)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, in the order of the list. `count` counts all of it up to `MOST_COUNTED` + 1: call it only when asked.

    `of` names the list, as its cursors do; `keys` is what they say of the column by which it is ordered, by id.
    """

    items: list[T]
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]
    of: str
    keys: Mapping[str, str] = field(default_factory=dict)


class OfRecord(Protocol):
    """A row that belongs to a record."""

    @property
    def id(self) -> str: ...

    @property
    def record_id(self) -> str: ...


R = TypeVar("R", bound=OfRecord)


async def counted(table: str, organization_id: str, where: Where) -> int:
    """How many of the organization's rows there are of which these conditions hold, up to MOST_COUNTED + 1."""
    sql = (
        f"SELECT COUNT(*) AS number FROM (SELECT 1 FROM {table} WHERE organization_id = ?{where.sql} LIMIT ?) AS found"
    )
    [found] = await query(sql, [organization_id, *where.values_of(organization_id), MOST_COUNTED + 1])
    return int(found["number"])


async def fetch_page(
    model: type[M], organization_id: str, conditions: Mapping[str, Any], keyset: Keyset, *, with_: Sequence[str] = ()
) -> Page[M]:
    """One page of the organization's rows of which these conditions hold, with what belongs to them (`with_`).

    A condition that is None is left out.
    """
    given = {name: value for name, value in conditions.items() if value is not None}
    wanted = model.filter(organization_id=organization_id, **given).prefetch_related(*with_)
    if keyset.after is not None:
        wanted = wanted.filter(id__lt=keyset.after)
    if keyset.before is not None:
        wanted = wanted.filter(id__gt=keyset.before)
    items = list(await wanted.order_by("id" if keyset.backwards else "-id").limit(keyset.size + 1))

    async def count() -> int:
        return await counted(model._meta.db_table, organization_id, where(model, conditions))

    return keyset.page_of(items, count)


async def newest_of_records(
    table: str,
    organization_id: str,
    record_ids: Sequence[str],
    size: int,
    *,
    field: str | None = None,
    backwards: bool = False,
) -> list[str]:
    """The ids of the newest rows of each record, `size` of each at most; of one `field` only, where it is named.

    `backwards`: of the oldest.
    """
    of_field = "" if field is None else " AND field = ?"
    order = "id" if backwards else "id DESC"
    sql = (
        f"SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY record_id ORDER BY {order}) AS number"
        f" FROM {table} WHERE organization_id = ? AND record_id IN ({marks(record_ids)}){of_field}) AS numbered"
        " WHERE number <= ?"
    )
    values = [organization_id, *record_ids, *([] if field is None else [field]), size]
    return [row["id"] for row in await query(sql, values)]


def first_pages(
    record_ids: Sequence[str],
    rows: Iterable[R],
    size: int,
    count: Callable[[str], Callable[[], Awaitable[int]]],
    *,
    of: str,
    backwards: bool = False,
) -> dict[str, Page[R]]:
    """The first page of each record, from its newest rows: one more than `size`, where there are more.

    `backwards`: the last page, from its oldest. `count` gives for a record what counts all its rows; `of` names the
    list.
    """
    found: dict[str, list[R]] = {record_id: [] for record_id in record_ids}
    for row in sorted(rows, key=lambda row: row.id, reverse=not backwards):
        found[row.record_id].append(row)
    keyset = Keyset(size, backwards=backwards, of=of)
    return {record_id: keyset.page_of(items, count(record_id)) for record_id, items in found.items()}
