"""A cell that holds a value twice, or a value and a remark: it is that value. Two different ones are none.

Used only where a whole cell could not be read.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from enrichment.normalize.text.text import Refused, tidy

_BETWEEN = re.compile(r"\s*[;|\n]\s*|\s+/\s+|\s*,\s+|\s+(?:or|and|oder|und|bzw\.?|ou|et)\s+", re.I)
# A few words, at most with a year: `old`, `private`, `until 2021`; nothing that could be a value itself.
_WORDS = r"[^\W\d_][^\W\d_'.-]*(?:[ '-][^\W\d_][^\W\d_'-]*){0,4}\.?(?: (?:19|20)[0-9]{2})?"
_REMARK = re.compile(rf"[(\[]?\s*(?:{_WORDS})\s*[)\]]?")
_IN_BRACKETS = rf"[(\[]\s*{_WORDS}\s*[)\]]"
# A bare word is no value before other words: `see website` is no handle.
_BEHIND = re.compile(
    rf"(?P<value>\S*[/.@]\S*?)[,;]?\s+(?:[-\u2013\u2014]\s*)?(?:{_WORDS}|{_IN_BRACKETS})"
    rf"|(?P<word>\S+?)[,;]?\s+{_IN_BRACKETS}"
)
_BEHIND_PHONE = re.compile(
    rf"(?P<value>[+(0-9][0-9\s().+/-]*[0-9])\s*[,;:\u2013\u2014-]?\s*(?!ext|x)(?:{_WORDS}|[(\[]\s*{_WORDS}\s*[)\]])",
    re.I,
)
_LABELLED = re.compile(r"(?:[^\W\d_][\w -]{0,30}):\s*(?P<value>[^\s:].*)")
_LONGEST = 500


def one_value(raw: str, read: Callable[[str], Any], *, spaced: bool, measured: bool = False) -> Any | None:
    """The value that `read` finds in a cell; None where it is not plain. `spaced`: the value may have spaces in it.

    `measured`: it is a number, and words behind it may say of what.
    Raises Refused for a cell that is no text at all: a spreadsheet's formula, say.
    """
    text = tidy(raw, lines=True)
    if text is None or len(text) > _LONGEST:
        return None
    found: dict[str, Any] = {}
    for part in _BETWEEN.split(text):
        value = _read_one(part, read, spaced=spaced, measured=measured)
        if value is not None:
            found[str(value)] = value
        elif part and not _REMARK.fullmatch(part):
            return None
    return next(iter(found.values())) if len(found) == 1 else None


def _read_one(part: str, read: Callable[[str], Any], *, spaced: bool, measured: bool) -> Any | None:
    for text in _without_remark(part, spaced=spaced, measured=measured):
        try:
            value = read(text)
        except Refused:
            continue
        if value is not None:
            return value
    return None


def _without_remark(part: str, *, spaced: bool, measured: bool) -> Iterator[str]:
    yield part
    labelled = _LABELLED.fullmatch(part)
    bare = labelled["value"] if labelled else part
    if labelled:
        yield bare
    if measured:
        return
    if spaced and (behind := _BEHIND_PHONE.fullmatch(bare)):
        yield behind["value"]
    elif not spaced and (behind := _BEHIND.fullmatch(bare)):
        yield behind["value"] or behind["word"]
