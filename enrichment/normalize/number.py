"""Counts, amounts of money and years, written as people write them."""

import math
import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.text import Refused, tidy

EARLIEST_YEAR = 1000
LATEST_YEAR = 2100
MOST_EMPLOYEES = 10_000_000
MOST_MONEY = 10**14

_SCALES = {
    "": 1,
    "k": 10**3,
    "t": 10**3,
    "tsd": 10**3,
    "thousand": 10**3,
    "m": 10**6,
    "mn": 10**6,
    "mm": 10**6,
    "mio": 10**6,
    "mil": 10**6,
    "million": 10**6,
    "millions": 10**6,
    "b": 10**9,
    "bn": 10**9,
    "mrd": 10**9,
    "billion": 10**9,
    "billions": 10**9,
    "tn": 10**12,
    "trillion": 10**12,
}
_ABOUT = re.compile(
    r"(?:approx(?:imately)?|about|around|circa|ca|c|roughly|est|estimated|some|~|≈)\.?\s*", re.I
)
_UNITS = re.compile(
    r"\s*(?:employees?|people|staff|fte'?s?|mitarbeiter|persons?|headcount|usd|us\$|dollars?|p\.?a\.?|per year)\.?\s*$",
    re.I,
)
_AMOUNT = re.compile(r"(\d[\d.,' \u2019]*)\s*([a-z]*)\.?", re.I)
_RANGE = re.compile(r"(.+?)\s*(?:-|–|—|\bto\b|\bbis\b)\s*(.+)", re.I)
_FOREIGN = re.compile(r"[€£¥₹₩]|\b(?:eur|gbp|jpy|chf|inr|cny|cad|aud)\b", re.I)


def _amount(text: str, scale_of: str = "") -> tuple[float, str]:
    match = _AMOUNT.fullmatch(text.strip())
    if not match or match[2].lower() not in _SCALES:
        raise Refused("not a number")
    scale = match[2].lower()
    return _decimal(match[1], scale) * _SCALES[scale or scale_of], scale


def _decimal(digits: str, scale: str) -> float:
    plain = re.sub(r"[' \u2019]", "", digits).rstrip(".,")
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", plain) and not (
        scale and plain.count(".") + plain.count(",") == 1
    ):
        return float(re.sub(r"[.,]", "", plain))
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+\.\d+", plain):
        return float(plain.replace(",", ""))
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+,\d+", plain):
        return float(plain.replace(".", "").replace(",", "."))
    if re.fullmatch(r"\d+(?:[.,]\d+)?", plain):
        return float(plain.replace(",", "."))
    raise Refused("not a number")


def _whole(value: float, most: int) -> int:
    if value > most:
        raise Refused("too large a number")
    return round(value)


def _quantity(raw: Any, most: int, text: str) -> int | str:
    text = _UNITS.sub("", _ABOUT.sub("", text, count=1) if _ABOUT.match(text) else text)
    if text.endswith("+"):
        return f"{_whole(_amount(text[:-1])[0], most)}+"
    if text.startswith((">", "<")):
        low = _whole(_amount(text.lstrip("<>= "))[0], most)
        return f"{low}+" if text[0] == ">" else f"0-{low}"
    if text.startswith("-"):
        raise Refused("a negative number")
    match = _RANGE.fullmatch(text)
    if not match:
        return _whole(_amount(text)[0], most)
    high, scale = _amount(match[2])
    low = _whole(_amount(match[1], scale)[0], most)
    top = _whole(high, most)
    if low > top:
        raise Refused("a range that ends before it begins")
    return low if low == top else f"{low}-{top}"


def _number(raw: Any, most: int) -> int:
    if isinstance(raw, float) and not math.isfinite(raw):
        raise Refused("not a finite number")
    if raw < 0:
        raise Refused("a negative number")
    if raw > most:
        raise Refused("too large a number")
    return int(raw + 0.5)


def canonical_count(raw: Any) -> int | str | None:
    """A whole number, or a range `51-200` or `10001+` where only a range is known. Raises Refused."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _number(raw, MOST_EMPLOYEES)
    text = tidy(raw, 100)
    return None if text is None else _quantity(raw, MOST_EMPLOYEES, text)


def canonical_money(raw: Any) -> int | str | None:
    """Whole US dollars, or a range of them. Raises Refused, also for another currency."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _number(raw, MOST_MONEY)
    text = tidy(raw, 100)
    if text is None:
        return None
    if _FOREIGN.search(text):
        raise Refused("an amount in another currency than US dollars")
    return _quantity(raw, MOST_MONEY, re.sub(r"(?i)us\s*\$|usd|\$", "", text).strip())


@lru_cache(16384)
def bounds(value: int | str) -> tuple[float, float]:
    """The least and most that a canonical count or amount can be."""
    if isinstance(value, int):
        return value, value
    if value.endswith("+"):
        return int(value[:-1]), math.inf
    low, _, high = value.partition("-")
    return int(low), int(high)


def same_quantity(a: int | str, b: int | str) -> bool:
    """Equal, or a number that lies in a range. Two different ranges differ."""
    if a == b:
        return True
    if isinstance(a, str) and isinstance(b, str):
        return False
    (low_a, high_a), (low_b, high_b) = bounds(a), bounds(b)
    return low_a <= high_b and low_b <= high_a


_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")


def canonical_year(raw: Any, *, latest: int = LATEST_YEAR) -> int | None:
    """The year of a date or of a text such as "est. 1977"; None when empty. Raises Refused.

    `latest` is the last year that is accepted; whoever has a clock may pass the current one.
    """
    text = tidy(raw, 100)
    if text is None:
        return None
    years = set(_YEAR.findall(text))
    if len(years) != 1:
        raise Refused("not a year" if not years else "more than one year")
    year = int(years.pop())
    if year > latest:
        raise Refused("a year in the future")
    if year < EARLIEST_YEAR:
        raise Refused("a year before 1000")
    return year
