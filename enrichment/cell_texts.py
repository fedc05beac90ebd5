"""The texts in a cell that may each be an identifier: of several in one, with remarks, or mangled on their way."""

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

_LONGEST = 2048
_MOST = 50  # parts of one cell
# One value and nothing beside it.
_PLAIN = re.compile(r"[^\s,;|<>()\[\]{}\"'=&%\u2026*]*(?:;ext=[0-9]+)?")
_GUARD = re.compile(r"^=?\s*[\"']+|[\"']+$")
_AT = re.compile(r"\s*[(\[{<]\s*(?:at|@)\s*[)\]}>]\s*|\s+at\s+(?=[\w-]+(?:\.|\s*[(\[]\s*dot))", re.I)
_DOT = re.compile(r"\s*[(\[{<]\s*(?:dot|\.)\s*[)\]}>]\s*|\s+dot\s+", re.I)
_BETWEEN = re.compile(r"[\s,;|<>()\[\]{}\"']+")
_SLASHES = re.compile(r"(?<![:/])/(?!/)")
_DIALLED = re.compile(r"[+(]?[0-9](?:[0-9\s().\u2010-\u2015\u00b7-]*[0-9])+")
_DIALLED_OR_SLASH = re.compile(r"[+(]?[0-9](?:[0-9\s()./\u2010-\u2015\u00b7-]*[0-9])+")
_FEWEST_DIGITS = 7
_SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]+))?E\+?([0-9]{1,2})", re.I)
_MOST_DIGITS = 15


@lru_cache(16384)
def cell_texts(cell: str) -> tuple[str, ...]:
    """Each text in a cell that may be an identifier; none for a cell that is one value and nothing else."""
    if len(cell) > _LONGEST or (_PLAIN.fullmatch(cell) and not _SCIENTIFIC.fullmatch(cell)):
        return ()
    return tuple(dict.fromkeys(part for part in _parts(cell) if part and part != cell))[:_MOST]


def _parts(cell: str) -> Iterator[str]:
    text = _GUARD.sub("", unquote(html.unescape(cell)).strip()).strip()
    yield text
    spelt_out = _DOT.sub(".", _AT.sub("@", text)) if "@" not in text else text
    for part in _BETWEEN.split(spelt_out):
        bare = part.strip(".:!?\u2026*")
        yield bare
        if "/" in bare:
            yield from _SLASHES.split(bare)
    for pattern in (_DIALLED, _DIALLED_OR_SLASH):
        for match in pattern.finditer(text):
            if sum(map(str.isdigit, match[0])) >= _FEWEST_DIGITS:
                yield match[0].strip()
    for number in _SCIENTIFIC.finditer(text):
        yield from _written_out(number[1] + (number[2] or ""), int(number[3]))


def _written_out(digits: str, exponent: int) -> Iterator[str]:
    """A number that a spreadsheet has put in scientific notation, unless digits of it were lost for sure."""
    if len(digits) - 1 <= exponent < _MOST_DIGITS:
        yield digits.ljust(exponent + 1, "0")
