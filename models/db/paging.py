"""Keyset pages of a table, newest first: page 10,000 costs what page 1 costs.

Ids are UUIDv7, so an id alone is a position in a list that is ordered by creation.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from tortoise.models import Model

from models.db.statements import marks, query
from models.db.where import Where, where

T = TypeVar("T")
M = TypeVar("M", bound=Model)


MOST_COUNTED = 100_000  # rows of a list; what is longer is known to be longer, and no more


@dataclass(frozen=True, slots=True)
class Keyset:
    """At most `size` rows older than `after` and newer than `before` (ids; None: no bound).

    `backwards` takes the oldest of them instead of the newest. `of` names the list, as its cursors do.
    """

    size: int
    after: str | None = None
    before: str | None = None
    backwards: bool = False
    of: str = ""

    @property
    def bounds(self) -> Where:
        """The condition that a row is within the bounds."""
        bounds = Where() if self.after is None else Where(" AND id < ?", (self.after,))
        return bounds if self.before is None else bounds + Where(" AND id > ?", (self.before,))

    def page_of(self, found: list[T], count: Callable[[], Awaitable[int]]) -> "Page[T]":
        """The page, from the rows that it begins with in its direction: one more than `size`, where there are more."""
        more = len(found) > self.size
        items = found[: self.size]
        if self.backwards:
            items.reverse()
            return Page(items, has_next=self.before is not None, has_previous=more, count=count, of=self.of)
        return Page(items, has_next=more, has_previous=self.after is not None, count=count, of=self.of)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, newest first. `count` counts the whole list up to `MOST_COUNTED` + 1: call it only when asked.

    `of` names the list, as its cursors do.
    """

    items: list[T]
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]
    of: str


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
