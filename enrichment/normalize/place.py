"""Cities, states, streets and postal codes."""

import re
from functools import lru_cache
from typing import Any

import pycountry

from enrichment.normalize.country import country_code
from enrichment.normalize.text import fold, refuse_markup, tidy, words

_CITY_ALIASES = {
    "munchen": "munich",
    "muenchen": "munich",
    "koln": "cologne",
    "koeln": "cologne",
    "wien": "vienna",
    "milano": "milan",
    "nyc": "new york",
    "new york city": "new york",
    "sf": "san francisco",
    "tokyo": "tokyo",
    "東京": "tokyo",
    "bruxelles": "brussels",
    "brussel": "brussels",
    "zurich": "zurich",
    "zuerich": "zurich",
    "geneve": "geneva",
    "genf": "geneva",
}
_LITTLE = frozenset(
    [
        "of",
        "on",
        "upon",
        "in",
        "am",
        "an",
        "der",
        "de",
        "la",
        "le",
        "les",
        "du",
        "des",
        "do",
        "da",
        "dos",
        "das",
        "di",
        "del",
        "the",
        "and",
        "sur",
        "sous",
        "en",
        "bei",
    ]
)


def canonical_city(raw: Any) -> str | None:
    """The city's name, cased where it was shouted or all lower; None when empty. Raises Refused."""
    text = tidy(raw, 200)
    if text is None:
        return None
    refuse_markup(text)
    return _cased(text)


@lru_cache(16384)
def _cased(text: str) -> str:
    if not (text.isupper() or text.islower()) or len(text) <= 3:
        return text
    parts = text.lower().split(" ")
    return " ".join(
        p if i and p in _LITTLE else re.sub(r"(^|[-'’./(])(\w)", lambda m: m[1] + m[2].upper(), p)
        for i, p in enumerate(parts)
    )


@lru_cache(16384)
def city_key(city: str) -> str:
    """What the spellings of one city share: `St. Louis`, `Saint Louis`; `München`, `Munich`."""
    key = re.sub(r"\b(?:st|ste|sankt|sint)\b", "saint", words(city))
    return _CITY_ALIASES.get(key, key)


@lru_cache(1)
def _subdivisions() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = {}
    for division in pycountry.subdivisions:
        country, _, code = division.code.partition("-")
        names = table.setdefault(country, {})
        names[code.lower()] = division.name
    for names in table.values():
        names.update({words(name): name for name in list(names.values())})
    return table


def canonical_state(raw: Any, country: str | None = None) -> str | None:
    """The state's full name where its country is known, otherwise as given; None when empty. Raises Refused."""
    text = tidy(raw, 200)
    if text is None:
        return None
    refuse_markup(text)
    code = country_code(country) if country else None
    known = _subdivisions().get(code, {}).get(words(text)) if code else None
    return known or (text.upper() if len(text) <= 3 and text.isascii() else _cased(text))


@lru_cache(16384)
def _state_readings(text: str) -> frozenset[str]:
    key = words(text)
    found = (_subdivisions().get(c, {}).get(key) for c in ("US", "CA", "AU"))
    return frozenset({key, *(words(name) for name in found if name)})


def same_state(a: str, b: str) -> bool:
    """Whether two states are one: `CA` and `California`."""
    return bool(_state_readings(a) & _state_readings(b))


def canonical_postal_code(raw: Any, country: str | None = None) -> str | None:
    """The code in upper case with single spaces; None when empty. Raises Refused."""
    text = tidy(raw, 20)
    return None if text is None else text.upper()


def postal_key(code: str) -> str:
    """The code without spaces and dashes."""
    return re.sub(r"[\W_]", "", fold(code))
