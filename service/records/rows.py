"""The rows of a table, each with the line that it begins in.

A quote that is never closed, or closed in the midst of a cell, spoils the line that it stands in and no other: what was
read on for the sake of it is read again.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

LONGEST_CELL = 1024 * 1024
MOST_LINES = 1000  # of one row, whose cells have line breaks in them
_LONGEST_LINE = 16 * LONGEST_CELL

csv.field_size_limit(LONGEST_CELL)


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, or the fault of the line `number` and its text."""

    number: int
    cells: list[str]
    fault: str | None = None
    text: str | None = None


class _Lines:
    """Lines that can be given back. `taken`: those since the row began."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.taken) == MOST_LINES:
            raise csv.Error(f"a quote is not closed in {MOST_LINES:,} lines")
        line = self._again.popleft() if self._again else self._text.readline(_LONGEST_LINE)
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        self._again.extendleft(reversed(lines))


def rows_of(text: TextIO, separator: str, first: int) -> Iterator[Row]:
    """The rows from here to the end; `first` is the number of the next line."""
    lines = _Lines(text)
    reader = csv.reader(lines, strict=True, delimiter=separator)
    number = first
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            spoilt, *others = lines.taken
            yield Row(number, [], f"not CSV: {error}", spoilt[:LONGEST_CELL].rstrip("\r\n"))
            lines.give_back(others)
            number += 1
            reader = csv.reader(lines, strict=True, delimiter=separator)
        else:
            yield Row(number, cells)
            number += len(lines.taken)
        lines.taken.clear()
