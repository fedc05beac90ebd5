"""When a CRM changed a record, as its exports write it: `2026-01-15 10:00`, `1/15/2026 5:03 PM`, `15.01.2026`.

Whether the day or the month comes first, no single date tells. One with a 13 or more in it does, and a product writes
all dates of a column alike.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

LONGEST = 40  # characters of a moment

_CLOCK = r"(?:[,\sT]\s*(?:at )?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?\s*(?P<half>[ap]\.?\s?m\.?)?)?"
_OF_NUMBERS = re.compile(
    rf"(?P<one>\d{{1,2}})(?P<between>[/.-])(?P<two>\d{{1,2}})(?P=between)(?P<year>\d{{4}}){_CLOCK}", re.IGNORECASE
)
_NAMED_MONTH = re.compile(
    r"(?:(?P<day>\d{1,2})[ -](?P<name>[a-z]{3,9})\.?[ ,-]|(?P<name_first>[a-z]{3,9})\.? (?P<day_second>\d{1,2}),?)"
    rf"\s*(?P<year>\d{{4}}){_CLOCK}",
    re.IGNORECASE,
)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_NOON, _LAST_MONTH = 12, 12
_SHORTEST_NAME = 3


class DateOrder(StrEnum):
    """What comes first in a date of numbers."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


def order_of(texts: Iterable[str]) -> DateOrder | None:
    """What comes first in these dates of one column; None where none of them tells, or some tell otherwise."""
    told = set()
    for text in texts:
        if (found := _OF_NUMBERS.fullmatch(text.strip()[:LONGEST])) and found["between"] != ".":
            if int(found["one"]) > _LAST_MONTH:
                told.add(DateOrder.DAY_FIRST)
            elif int(found["two"]) > _LAST_MONTH:
                told.add(DateOrder.MONTH_FIRST)
    return told.pop() if len(told) == 1 else None


def moment_of(text: str, order: DateOrder | None) -> str | None:
    """The moment in ISO 8601; None for a text that is none, and for a date that can be read in two ways.

    A date with points has the day first, wherever it is written.
    """
    text = text.strip()
    if len(text) > LONGEST:
        return None
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return _written_out(text, order)
    return text


def _written_out(text: str, order: DateOrder | None) -> str | None:
    if found := _OF_NUMBERS.fullmatch(text):
        one, two = int(found["one"]), int(found["two"])
        if found["between"] == ".":
            order = DateOrder.DAY_FIRST
        if order is None and one != two:
            return None
        day, month = (two, one) if order is DateOrder.MONTH_FIRST else (one, two)
    elif found := _NAMED_MONTH.fullmatch(text):
        name = (found["name"] or found["name_first"]).casefold()
        day = int(found["day"] or found["day_second"])
        month = next((number for number, each in enumerate(_MONTHS, 1) if _names(name, each)), 0)
    else:
        return None
    try:
        return datetime(  # noqa: DTZ001 -- where no zone is written, none is meant
            int(found["year"]), month, day, _hour(found), int(found["minute"] or 0), int(found["second"] or 0)
        ).isoformat()
    except ValueError:
        return None


def _names(name: str, month: str) -> bool:
    return len(name) >= _SHORTEST_NAME and (month.startswith(name) or name == "sept" == month[:4])


def _hour(found: re.Match[str]) -> int:
    hour = int(found["hour"] or 0)
    if not found["half"]:
        return hour
    if not 1 <= hour <= _NOON:
        raise ValueError("no hour of a half day")
    return hour % _NOON + (_NOON if found["half"][0] in "pP" else 0)
