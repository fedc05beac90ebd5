"""Where a table begins in a file of separated cells, what separates them, and which lines are none of its rows."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

SEPARATORS = ",;\t|"
LINES_BEFORE = 30  # so many lines at most stand above the header
_SAID = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_NOTE = re.compile(
    r"copyright|©|\(c\) |confidential|all rights reserved|generated (?:by|on|at)|exported (?:by|on|from)|"
    r"page \d+ of \d+|as of \d|report (?:generated|run|created)|run by",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"(?:(?:grand |sub[ -]?)?totals?(?: records?| rows?)?|total g[eé]n[eé]ral|sum|summe|gesamt(?:summe)?|insgesamt)"
    r"(?:\s*[:=(].*)?|record count:?.*",
    re.IGNORECASE,
)
_FEW = 2  # cells: as many as a note has, with a comma in it; a row of an id and one value may lack the value


@dataclass(frozen=True, slots=True)
class Layout:
    """The separator, how many lines stand before the header, and the header's names."""

    separator: str
    before: int
    header: tuple[str, ...]


def layout_of(lines: Sequence[str], is_known: Callable[[str], bool]) -> Layout:
    """How the file is laid out, by its first lines with their ends. `is_known`: a column may have this name.

    The header is the first line with most names that are known; where none is, the first one with several cells.
    """
    skipped, separators = 0, SEPARATORS
    if lines and (said := _SAID.fullmatch(lines[0].removeprefix("\ufeff"))):
        skipped, separators = 1, said[1]
    best: tuple[tuple[int, int, int], Layout] | None = None
    for separator in separators:
        for before, cells in _rows(lines[skipped:], separator):
            names = tuple(cell.strip() for cell in cells)
            known = sum(is_known(name) for name in names if name)
            several = len([name for name in names if name]) > 1
            score = (known, int(several), len(names) if known else 0)
            if (known or several) and (best is None or score > best[0]):
                best = score, Layout(separator, skipped + before, names)
    if best is not None:
        return best[1]
    first = next(((before, cells) for before, cells in _rows(lines[skipped:], separators[0]) if any(cells)), None)
    return Layout(separators[0], skipped + (first[0] if first else 0), tuple(first[1]) if first else ())


def _rows(lines: Sequence[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of these lines, each with the number of lines before it."""
    reader = csv.reader(lines, delimiter=separator)
    before = 0
    try:
        for cells in reader:
            yield before, cells
            before = reader.line_num
    except csv.Error:
        return


def is_beside(row: Sequence[str], width: int, external_id: str) -> bool:
    """Whether a line is none of the table's rows, which have so many cells: a title, a note or a total."""
    if width > _FEW and len(row) == 1:
        return True
    if _TOTAL.fullmatch(external_id.strip()):
        return True
    if len(row) - row.count("") > _FEW:
        return False
    filled = [cell for cell in row if cell.strip()]
    return 0 < len(filled) < width and _NOTE.search(filled[0]) is not None
