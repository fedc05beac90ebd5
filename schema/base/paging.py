"""Connections: one page of a list, newest first, with the cursors to go on from."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, Self, TypeVar

import strawberry
from graphql import VariableNode

from models.db.paging import MOST_COUNTED
from resolvers.paging import DEFAULT_SIZE, Page, PageArgs, row_cursor
from schema.base.context import Info
from schema.base.views import Each

T = TypeVar("T")


class _Identified(Protocol):
    id: Any


@strawberry.type(description="Where a page begins and ends, and whether the list goes on.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    cursor: str
    node: T


class _Once:
    """Counts when it is asked first, and knows the number afterwards."""

    def __init__(self, count: Callable[[], Awaitable[int]]) -> None:
        self._count = count
        self._counting: asyncio.Future[int] | None = None

    async def __call__(self) -> int:
        if self._counting is None:
            self._counting = asyncio.ensure_future(self._count())
        return await self._counting


@strawberry.type(description="One page of a list, newest first.")
class Connection(Generic[T]):
    edges: Sequence[Edge[T]]
    nodes: Sequence[T]
    page_info: PageInfo
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(
        description=f"Length of the whole list, up to {MOST_COUNTED:,} (see `totalCountIsExact`). Counted only when"
        " asked for."
    )
    async def total_count(self) -> int:
        return min(await self.count(), MOST_COUNTED)

    @strawberry.field(description=f"False where the list has more than {MOST_COUNTED:,} entries.")
    async def total_count_is_exact(self) -> bool:
        return await self.count() <= MOST_COUNTED

    @classmethod
    def of(cls, page: Page[Any], make: Callable[[Any], T]) -> Self:
        def edge(row: _Identified) -> Edge[T]:
            return Edge(cursor=row_cursor(page, row.id), node=make(row))

        rows = page.items
        return cls(
            edges=Each(edge, rows),
            nodes=Each(make, rows),
            page_info=PageInfo(
                has_next_page=page.has_next,
                has_previous_page=page.has_previous,
                start_cursor=row_cursor(page, rows[0].id) if rows else None,
                end_cursor=row_cursor(page, rows[-1].id) if rows else None,
            ),
            count=_Once(page.count),
        )


def page_args(info: Info, first: int | None, after: str | None, last: int | None, before: str | None) -> PageArgs:
    """Which page is asked for. The default of `first` gives way where only `last` was given."""
    if last is not None and first == DEFAULT_SIZE and not _is_written(info, "first"):
        first = None
    return PageArgs(first=first, after=after, last=last, before=before)


def _is_written(info: Info, argument: str) -> bool:
    """Whether the operation gives the argument: a variable without a value is none."""
    return any(
        written.name.value == argument
        and not (isinstance(written.value, VariableNode) and written.value.name.value not in info.variable_values)
        for node in info._raw_info.field_nodes
        for written in node.arguments or ()
    )
