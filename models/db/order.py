"""In which order a list is read: by one column of its rows, and by their ids where that is equal."""

import re
from enum import StrEnum
from typing import TypeAlias

Key: TypeAlias = int | None
"""What a row has in the column by which a list is ordered; None: nothing."""

_WHOLE = re.compile(r"-?[0-9]{1,18}")


class Order(StrEnum):
    """The orders of one list: each member is a column and `_desc` or `_asc`.

    Rows without anything in the column come last where the order falls, and first where it rises.
    """

    @property
    def column(self) -> str | None:
        """The column; None where the ids alone are the order: they are in order of creation."""
        column = self.value.rpartition("_")[0]
        return None if column == "created_at" else column

    @property
    def rises(self) -> bool:
        """Whether the least comes first."""
        return self.value.endswith("_asc")

    def list_name(self, of: str) -> str:
        """What cursors call the list `of` in this order: the order that every list has by itself is not named."""
        return of if self.value == "created_at_desc" else f"{of}.{self.name}"


def read_key(text: str) -> Key:
    """What a cursor says of its row's column. Raises ValueError for what no row can have there."""
    if not text:
        return None
    if not _WHOLE.fullmatch(text):
        raise ValueError("not a whole number")
    return int(text)


def key_text(key: Key) -> str:
    """What a cursor says of a row's column."""
    return "" if key is None else repr(key)
