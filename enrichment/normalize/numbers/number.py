"""Counts and amounts of money, written as people write them: `13,597`, `~22k`, `51-200`, `$1.2bn`.

The canonical form is a whole number; where only a range is known, the text `51-200` or `10001+`.
"""

import math
import re
import unicodedata
from functools import lru_cache
from typing import Any

from enrichment.normalize.text.text import Refused, tidy

MOST_EMPLOYEES = 10_000_000
MOST_MONEY = 10**14  # US dollars

_SCALES = {
    "": 1,
    **dict.fromkeys(("k", "t", "tsd", "thousand", "thousands"), 10**3),
    **dict.fromkeys(("m", "mn", "mm", "mio", "mil", "mill", "million", "millions", "millionen"), 10**6),
    **dict.fromkeys(("b", "bn", "bil", "bln", "mrd", "billion", "billions", "milliarden"), 10**9),
    **dict.fromkeys(("tn", "trn", "trillion"), 10**12),
}
_GERMAN_SCALES = frozenset({"tsd", "mio", "millionen", "mrd", "milliarden"})
_ABOUT = re.compile(
    r"^(?:(?:approx(?:imately)?|about|around|circa|ca|roughly|est(?:imated)?|some|rund|etwa|c)\b\.?|[~\u2248])\s*", re.I
)
_UNITS = re.compile(
    r"\s*\b(?:employees?|people|staff|fte'?s?|mitarbeiter(?:innen)?|persons?|headcount|emp|empl|employ\u00e9s|workers"
    r"|usd|us dollars?|dollars?|p\.?\s?a|per year|annually|revenue|arr)\b\.?\s*$",
    re.I,
)
_IN_BRACKETS = re.compile(r"\s*\([^()]*\)$")
_AT_LEAST = re.compile(r"(?:>=?|\u2265|(?:more than|over|at least|above|\u00fcber|mehr als|min\.?)\b)\s*", re.I)
_AT_MOST = re.compile(r"(?:<=?|\u2264|(?:less than|under|below|up to|fewer than|unter|bis zu|max\.?)\b)\s*", re.I)
_AMOUNT = re.compile(r"([0-9][0-9.,' \u2019]*)([a-z]*)\.?", re.I)
_DASH = "-\u2010-\u2015\u2212~"
_RANGE = re.compile(rf"([0-9].*?)\s*(?:[{_DASH}]|\.\.\.?|\b(?:to|bis|and)\b)\s*([0-9].*)", re.I)
_FOREIGN = re.compile(
    r"[\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd\u20ba\u20aa]|\b(?:eur|euros?|gbp|jpy|chf|inr|cny|rmb|cad|aud|sek|nok|dkk|pln|brl|krw|rub|sgd|hkd|crores?|lakhs?)\b"
    r"|\b(?:yen|yuan|renminbi|won|pounds?|sterling|francs?|franken|kr|kronor|kroner|krona|rou?bles?|rubel|pesos?|reais"
    r"|rand|rupees?|dirhams?|riyals?|lira|z\u0142(?:oty)?|zloty|baht|shekels?|mxn|zar|aed|sar|thb|try|ils|nzd|czk|huf)\b"
    r"|\b(?:a|au|c|ca|hk|nz|s|r|mx|nt)\$",
    re.I,
)
_DOLLARS = re.compile(r"(?:\bus\s?)?\$|\busd\b", re.I)
_GROUPED = re.compile(r"\d{1,3}(?:([.,' ])\d{3})(?:\1\d{3})*")
_LAKHS = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}")
_GROUPED_DECIMAL = re.compile(r"(\d{1,3}(?:([.,' ])\d{3})+)[.,](\d{1,2})")
_PLAIN = re.compile(r"\d+(?:[.,]\d+)?")
_NOT_DIGIT = re.compile(r"\D")
_SCIENTIFIC = re.compile(r"([0-9]+(?:[.,][0-9]+)?)E\+?([0-9]{1,2})", re.I)
_EXPONENT = re.compile(r"[0-9]E\+?[0-9]", re.I)
# `11-50` that a spreadsheet took for a date.
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTH = {name: number for number, name in enumerate(_MONTHS.split(), 1)}
_AS_DATE = re.compile(
    rf"(?:([0-9]{{1,2}})-({_MONTHS.replace(' ', '|')})|({_MONTHS.replace(' ', '|')})-([0-9]{{2}}))", re.I
)


def ascii_digits(text: str) -> str:
    """The text with the digits of other scripts written as 0-9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)


def canonical_count(raw: Any) -> int | str | None:
    """A whole number, or a range (`51-200`, `10001+`) where only a range is known. Raises Refused."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _whole(raw, MOST_EMPLOYEES, exact=True)
    text = tidy(raw, 100)
    return None if text is None else _count(text)


def canonical_money(raw: Any) -> int | str | None:
    """Whole US dollars, or a range of them. Raises Refused, also for another currency."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _whole(raw, MOST_MONEY, exact=False)
    text = tidy(raw, 100)
    return None if text is None else _money(text)


def is_scientific(written: str) -> bool:
    """Whether a number is written as `1.32E10`."""
    return _EXPONENT.search(written) is not None


@lru_cache(16384)
def _count(text: str) -> int | str:
    mangled = _AS_DATE.fullmatch(text)
    if mangled:
        day, month, other_month, year = mangled.groups()
        low, high = sorted((int(day or year), _MONTH[(month or other_month).lower()]))
        return f"{low}-{high}"
    return _quantity(text, MOST_EMPLOYEES, exact=True)


@lru_cache(16384)
def _money(text: str) -> int | str:
    if is_foreign(text):
        raise Refused("an amount in another currency than US dollars")
    return _quantity(_DOLLARS.sub("", text).strip(), MOST_MONEY, exact=False)


def is_foreign(text: str) -> bool:
    """Whether a text names another currency than US dollars, or a unit of one."""
    return _FOREIGN.search(text) is not None


def _quantity(written: str, most: int, *, exact: bool) -> int | str:
    text = _ABOUT.sub("", _IN_BRACKETS.sub("", ascii_digits(written)), count=1)
    text = _UNITS.sub("", text).strip()
    if scientific := _SCIENTIFIC.fullmatch(text):
        return _whole(float(f"{scientific[1].replace(',', '.')}e{scientific[2]}"), most, exact=exact)
    if text.startswith(("-", "\u2212")):
        raise Refused("a negative number")
    if (least := _AT_LEAST.match(text)) or text.endswith("+"):
        bare = text[least.end() :] if least else text
        return f"{_whole(_amount(bare.removesuffix('+').strip())[0], most, exact=exact)}+"
    if at_most := _AT_MOST.match(text):
        return _span(1, _whole(_amount(text[at_most.end() :])[0], most, exact=exact))
    span = _RANGE.fullmatch(text)
    if span is None:
        return _whole(_amount(text)[0], most, exact=exact)
    high, scale = _amount(_UNITS.sub("", span[2]))
    low, own_scale = _amount(_UNITS.sub("", span[1]))
    low = low if own_scale else low * _SCALES[scale]
    return _span(_whole(low, most, exact=exact), _whole(high, most, exact=exact))


def _span(low: int, high: int) -> int | str:
    if low > high:
        raise Refused("a range that ends before it begins")
    return low if low == high else f"{low}-{high}"


def _amount(text: str) -> tuple[float, str]:
    """The number and the word of its scale: (5000.0, "k") for `5k`."""
    match = _AMOUNT.fullmatch(text.strip())
    scale = match[2].lower() if match else ""
    if match is None or scale not in _SCALES:
        raise Refused("not a number")
    point = "," if scale in _GERMAN_SCALES else "." if scale else ""
    return _decimal(match[1].strip().replace("\u2019", "'"), point) * _SCALES[scale], scale


def _decimal(digits: str, point: str) -> float:
    """The number that the digits write. `point` is the decimal point of the language of the scale, if that is known.

    `1.200` is twelve hundred, also in `1.200 Mio`, but in `1.200 million` it is one and a fifth.
    """
    groups = _GROUPED.fullmatch(digits)
    if groups and not (groups[1] == point and digits.count(point) == 1):
        return float(_NOT_DIGIT.sub("", digits))
    if _LAKHS.fullmatch(digits):
        return float(digits.replace(",", ""))
    parts = _GROUPED_DECIMAL.fullmatch(digits)
    if parts and digits[parts.end(1)] != parts[2]:
        return float(f"{_NOT_DIGIT.sub('', parts[1])}.{parts[3]}")
    if _PLAIN.fullmatch(digits):
        return float(digits.replace(",", "."))
    raise Refused("not a number")


def _whole(value: float, most: int, *, exact: bool) -> int:
    if value != value or value in (math.inf, -math.inf):  # math.isfinite fails for an int that has no float
        raise Refused("not a finite number")
    if value < 0:
        raise Refused("a negative number")
    if value > most:
        raise Refused("too large a number")
    nearest = round(value)
    if exact and abs(value - nearest) > 1e-6:
        raise Refused("not a whole number")
    return nearest


@lru_cache(16384)
def bounds(value: int | str) -> tuple[float, float]:
    """The least and most that a canonical count or amount can be. ValueError when it is none."""
    if isinstance(value, int):
        return value, value
    if value.endswith("+"):
        return int(value[:-1]), math.inf
    low, _, high = value.partition("-")
    return int(low), int(high)


# Sources count on different days, with or without part-time staff, and round to two digits: they are seldom nearer.
_TOLERANCE = 1.1
_GROSS = 1.5
_LEAST_IN_STEPS = 10


def same_quantity(a: int | str, b: int | str) -> bool:
    """Whether two counts or amounts can mean one: numbers no more than a tenth apart, or a number within a range.

    Two ranges are the same where they share more than an end: `51-200` and `101-250`, but not `51-200` and `200-500`.
    """
    if a == b:
        return True
    (low_a, high_a), (low_b, high_b) = bounds(a), bounds(b)
    if isinstance(a, str) and isinstance(b, str):
        return low_a < high_b and low_b < high_a
    room = 1 if isinstance(a, str) or isinstance(b, str) else _TOLERANCE
    return low_a <= high_b * room and low_b <= high_a * room


def quantity_key(value: int | str) -> str:
    """A text for a count or an amount that most of those have which are the same, and none that is another.

    Numbers are put in steps of a tenth, so that next week's 8,231 is not a new opinion beside 8,230.
    """
    if isinstance(value, str) or value < _LEAST_IN_STEPS:
        return str(value)
    return f"~{math.floor(math.log(value, _TOLERANCE))}"


def is_far_off(a: int | str, b: int | str) -> bool:
    """Whether one of two counts or amounts is half as much again as the other, or more, however they are read."""
    (low_a, high_a), (low_b, high_b) = bounds(a), bounds(b)
    return low_a > high_b * _GROSS or low_b > high_a * _GROSS
