"""Pages as callers ask for them: sizes, bounded, and cursors, which are opaque."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from models.db.order import Key, Order, read_key
from models.db.paging import Keyset, Page
from resolvers.errors import BadRequest, Fault

__all__ = [
    "DEFAULT_SIZE",
    "MAX_SIZE",
    "Page",
    "PageArgs",
    "check_id",
    "cursor_of",
    "is_id",
    "read_cursor",
    "row_cursor",
]

DEFAULT_SIZE = 20
MAX_SIZE = 200
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_id(text: str, *, path: str = "id") -> str:
    """The id in canonical form. Raises BadRequest when it cannot be one."""
    folded = text.strip().lower()
    if not _ID.fullmatch(folded):
        raise BadRequest(f"{path}: not an id", faults=[Fault(path, "not a UUID")])
    return folded


def is_id(text: str, *, version: int | None = None) -> bool:
    """Whether this is an id in canonical form, of this version of UUIDs where one is named."""
    return _ID.fullmatch(text) is not None and (version is None or text[14] == str(version))


def cursor_of(row_id: str, of: str) -> str:
    """The opaque cursor of a row in the list that `of` names.

    Ids are UUIDv7: an id alone is a position in a list, newest first.
    """
    return base64.urlsafe_b64encode(f"{of}:{row_id}".encode()).decode().rstrip("=")


def row_cursor(page: Page[Any], row_id: str) -> str:
    """The opaque cursor of a row of a page, in the order of its list."""
    key = page.keys.get(row_id)
    return cursor_of(row_id, page.of if key is None else f"{page.of}:{key}")


def read_cursor(text: str, path: str, of: str) -> str:
    """The id in a cursor of the list that `of` names. Raises BadRequest for any other."""
    return _read_cursor(text, path, of, None)[0]


def _read_cursor(text: str, path: str, of: str, order: Order | None) -> tuple[str, Key]:
    """The id in a cursor of a list, and what its row had in the column by which the list is ordered."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        decoded = ""
    place, _, row_id = decoded.rpartition(":")
    named, has_key, key = place.partition(":")
    if not _ID.fullmatch(row_id):
        message = "not a cursor of this list"
    elif not named:
        message = "a cursor of an earlier version, which names no list: begin again with the first page"
    elif named != of:
        message = f"a cursor of another list: of {named[:32]}, not of {of}"
    elif bool(has_key) is (order is None or order.column is None):
        message = "not a cursor of this list"
    else:
        try:
            return row_id, read_key(key)
        except ValueError:
            message = "not a cursor of this list"
    raise BadRequest(f"{path}: {message}", faults=[Fault(path, message)])


@dataclass(frozen=True, slots=True)
class PageArgs:
    """Which part of a list: the `first` after `after`, or the `last` before `before`."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    @property
    def is_first(self) -> bool:
        """Whether it begins at an end of the list."""
        return self.after is None and self.before is None

    def size(self) -> int:
        if self.first is not None and self.last is not None:
            raise BadRequest("first and last exclude each other", faults=[Fault("last", "given beside first")])
        for name, value in (("first", self.first), ("last", self.last)):
            if value is not None and not 1 <= value <= MAX_SIZE:
                raise BadRequest(f"{name} must be 1 to {MAX_SIZE}", faults=[Fault(name, f"must be 1 to {MAX_SIZE}")])
        return self.first or self.last or DEFAULT_SIZE

    def keyset(self, of: str, order: Order | None = None) -> Keyset:
        """The same as a database reads it, for the list that `of` names, newest first or in this order.

        Raises BadRequest for a size or a cursor that cannot be, and for a cursor of another order.
        """
        size, listed = self.size(), of if order is None else order.list_name(of)
        rises = order is not None and order.rises
        after, after_key = _place(self.after, "after", listed, order)
        before, before_key = _place(self.before, "before", listed, order)
        if rises:
            after, after_key, before, before_key = before, before_key, after, after_key
        return Keyset(
            size,
            after=after,
            before=before,
            backwards=(self.last is not None) is not rises,
            of=listed,
            by=None if order is None else order.column,
            after_key=after_key,
            before_key=before_key,
            mirrored=rises,
        )


def _place(cursor: str | None, path: str, of: str, order: Order | None) -> tuple[str | None, Key]:
    return (None, None) if cursor is None else _read_cursor(cursor, path, of, order)
