"""Pages as callers ask for them: sizes, bounded, and cursors, which are opaque."""

import base64
import binascii
import re
from dataclasses import dataclass

from models.db.paging import Keyset, Page
from resolvers.errors import BadRequest, Fault

__all__ = ["DEFAULT_SIZE", "MAX_SIZE", "Page", "PageArgs", "check_id", "cursor_of", "read_cursor"]

DEFAULT_SIZE = 20
MAX_SIZE = 200
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_id(text: str, *, path: str = "id") -> str:
    """The id in canonical form. Raises BadRequest when it cannot be one."""
    folded = text.strip().lower()
    if not _ID.fullmatch(folded):
        raise BadRequest(f"{path}: not an id", faults=[Fault(path, "not a UUID")])
    return folded


def cursor_of(row_id: str) -> str:
    """The opaque cursor of a row. Ids are UUIDv7: an id alone is a position in a list, newest first."""
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

    def keyset(self) -> Keyset:
        """The same as a database reads it. Raises BadRequest for a size or a cursor that cannot be."""
        return Keyset(
            self.size(),
            after=None if self.after is None else read_cursor(self.after, "after"),
            before=None if self.before is None else read_cursor(self.before, "before"),
            backwards=self.last is not None,
        )
