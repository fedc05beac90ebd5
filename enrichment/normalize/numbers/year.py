"""Years, from dates and from texts such as "est. 1977"."""

import re
from typing import Any

from enrichment.normalize.numbers.number import ascii_digits
from enrichment.normalize.text.text import Refused, tidy

EARLIEST_YEAR = 1000
LATEST_YEAR = 2100  # without a clock; a caller with one passes the current year

_DATE = re.compile(
    r"([0-9]{4})[-/.][0-9]{1,2}(?:[-/.][0-9]{1,2}(?:[T ].*)?)?|([0-9]{4})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
)
_YEAR = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")
_SMALL = re.compile(r"-?[0-9]{1,3}")
_DECADE = re.compile(r"[0-9]{3}0['\u2019]?s\b", re.I)


def canonical_year(raw: Any, *, latest: int = LATEST_YEAR) -> int | None:
    """The one year that a value names; None when empty. Raises Refused, also after `latest` or before 1000."""
    text = tidy(raw, 100)
    if text is None:
        return None
    year = _named_year(ascii_digits(text))
    if year > latest:
        raise Refused("a year in the future")
    if year < EARLIEST_YEAR:
        raise Refused("a year before 1000")
    return year


def _named_year(text: str) -> int:
    date = _DATE.fullmatch(text)
    if date:
        return int(date[1] or date[2])
    if _SMALL.fullmatch(text):
        return int(text)
    if _DECADE.search(text):
        raise Refused("a decade, not a year")
    years = {int(year) for year in _YEAR.findall(text)}
    if not years:
        raise Refused("not a year")
    if len(years) > 1:
        raise Refused("more than one year")
    return years.pop()


def same_year(a: int, b: int) -> bool:
    """Whether two years can date one event: founded in December, entered in the register in January."""
    return abs(a - b) <= 1
