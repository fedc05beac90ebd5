"""States and provinces: a code becomes the name where the country is known."""

import re
from functools import lru_cache
from typing import Any

import pycountry

from enrichment.normalize.city import cased_place
from enrichment.normalize.country import country_code
from enrichment.normalize.text import refuse_markup, tidy, words

_LONGEST_CODE = 3
_IN_OTHER_WORDS = re.compile(r"\s*[\[(].*")
# Codes that are used without naming the country.
_WELL_KNOWN = ("US", "CA", "AU")
# What the English name and the local one of a state share, folded.
_LOCAL_NAMES = {
    "bavaria": "bayern",
    "hesse": "hessen",
    "lower saxony": "niedersachsen",
    "north rhine westphalia": "nordrhein westfalen",
    "nrw": "nordrhein westfalen",
    "rhineland palatinate": "rheinland pfalz",
    "saxony": "sachsen",
    "saxony anhalt": "sachsen anhalt",
    "thuringia": "thuringen",
    "catalonia": "catalunya",
    "cataluna": "catalunya",
    "andalusia": "andalucia",
    "lombardy": "lombardia",
    "tuscany": "toscana",
    "piedmont": "piemonte",
    "brittany": "bretagne",
    "normandy": "normandie",
    "quebec": "quebec",
    "tyrol": "tirol",
    "lower austria": "niederosterreich",
    "upper austria": "oberosterreich",
    "styria": "steiermark",
    "carinthia": "karnten",
    "vienna": "wien",
    "flanders": "vlaanderen",
    "north holland": "noord holland",
    "south holland": "zuid holland",
    "north brabant": "noord brabant",
    "mexico city": "ciudad de mexico",
    "washington dc": "district of columbia",
    "washington d c": "district of columbia",
    "d c": "district of columbia",
}


@lru_cache(1)
def _subdivisions() -> dict[str, dict[str, str]]:
    """By country, the name of a subdivision by its folded name and by its code."""
    table: dict[str, dict[str, str]] = {}
    for division in pycountry.subdivisions:
        name = _plain_name(division.name)
        table.setdefault(division.country_code, {}).setdefault(words(name), name)
    for division in pycountry.subdivisions:
        names = table[division.country_code]
        names.setdefault(words(division.code.partition("-")[2]), names[words(_plain_name(division.name))])
    return table


def _plain_name(name: str) -> str:
    """`Madrid, Comunidad de` as `Comunidad de Madrid`, without a second language in brackets."""
    head, _, tail = _IN_OTHER_WORDS.sub("", name).partition(", ")
    return head if not tail or " and " in tail or " y " in tail else f"{tail} {head}"


def canonical_state(raw: Any, country: str | None = None) -> str | None:
    """The state's full name where its country is known, else as given; None when empty. Raises Refused."""
    text = tidy(raw, 150)
    if text is None:
        return None
    refuse_markup(text)
    code = country_code(country) if country else None
    known = _subdivisions().get(code, {}).get(_code_or_name(text)) if code else None
    if known is not None:
        return known
    return text.upper() if len(text) <= _LONGEST_CODE and text.isascii() else cased_place(text)


def _code_or_name(text: str) -> str:
    """The folded text; a code written with dots (`N.Y.`) without them."""
    key = words(text)
    return key.replace(" ", "") if len(key) == 3 and key[1] == " " else key


@lru_cache(4096)
def _readings(text: str) -> frozenset[str]:
    key = _code_or_name(text)
    found = [_subdivisions().get(country, {}).get(key) for country in _WELL_KNOWN]
    names = {key, *(words(name) for name in found if name)}
    return frozenset(_LOCAL_NAMES.get(name, name) for name in names)


def same_state(a: str, b: str) -> bool:
    """Whether two states are one: `CA` and `California`, `Bavaria` and `Bayern`."""
    return not _readings(a).isdisjoint(_readings(b))


def state_key(state: str) -> str:
    """The folded name; a code that only one well-known country has is read as its name."""
    readings = _readings(state) - {_code_or_name(state)}
    if len(readings) == 1:
        return next(iter(readings))
    key = _code_or_name(state)
    return _LOCAL_NAMES.get(key, key)
