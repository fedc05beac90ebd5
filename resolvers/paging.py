"""Keyset pagination, newest first: page 10,000 costs what page 1 costs."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tortoise.queryset import QuerySet

from resolvers.errors import BadRequest, Fault

DEFAULT_SIZE = 20
MAX_SIZE = 200
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

T = TypeVar("T")


def check_id(text: str, *, path: str = "id") -> str:
    """The id in canonical form. Raises BadRequest when it cannot be one."""
    folded = text.strip().lower()
    if not _ID.fullmatch(folded):
        raise BadRequest(f"{path}: not an id", faults=[Fault(path, "not a UUID")])
    return folded


def cursor_of(row_id: str) -> str:
    """The opaque cursor of a row. Ids are UUIDv7, so the id alone is the place in a newest-first list."""
    return base64.urlsafe_b64encode(row_id.encode()).decode().rstrip("=")


def read_cursor(text: str, path: str) -> str:
    """The id in a cursor. Raises BadRequest for what is none."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        decoded = ""
    if not _ID.fullmatch(decoded):
        raise BadRequest(f"{path}: not a cursor of this list", faults=[Fault(path, "not a cursor")])
    return decoded


@dataclass(frozen=True, slots=True)
class PageArgs:
    """Which part of a list: the `first` after `after`, or the `last` before `before`."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def size(self) -> int:
        if self.first is not None and self.last is not None:
            raise BadRequest("first and last exclude each other", faults=[Fault("last", "given beside first")])
        for name, value in (("first", self.first), ("last", self.last)):
            if value is not None and not 1 <= value <= MAX_SIZE:
                raise BadRequest(f"{name} must be 1 to {MAX_SIZE}", faults=[Fault(name, f"must be 1 to {MAX_SIZE}")])
        return self.first or self.last or DEFAULT_SIZE


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, newest first. `count` counts the whole list and costs a scan: call it only when asked."""

    items: list[T]
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]


async def paginate(rows: QuerySet[Any], args: PageArgs) -> Page[Any]:
    """One page of `rows` by their ids, newest first."""
    size = args.size()
    wanted = rows
    if args.after is not None:
        wanted = wanted.filter(id__lt=read_cursor(args.after, "after"))
    if args.before is not None:
        wanted = wanted.filter(id__gt=read_cursor(args.before, "before"))
    backwards = args.last is not None
    items: list[Any] = list(await wanted.order_by("id" if backwards else "-id").limit(size + 1))
    more = len(items) > size
    items = items[:size]
    if backwards:
        items.reverse()
        return Page(items, has_next=args.before is not None, has_previous=more, count=rows.count)
    return Page(items, has_next=more, has_previous=args.after is not None, count=rows.count)
