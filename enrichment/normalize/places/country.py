"""Countries: any common spelling, code or local name becomes the English short name."""

import re
from functools import lru_cache
from typing import Any

import pycountry
from babel import Locale

from enrichment.normalize.text.text import Refused, tidy, words
from enrichment.normalize.word_list import read_groups, read_lines

# Names that ISO and CLDR put otherwise than a CRM does.
_SHORT_NAMES = {
    "CD": "Democratic Republic of the Congo",
    "CG": "Congo",
    "HK": "Hong Kong",
    "MM": "Myanmar",
    "MO": "Macao",
    "PS": "Palestine",
    "XK": "Kosovo",
}
# The languages whose names of countries are understood; of two that have one name, the first counts.
_LANGUAGES = " ".join(read_lines("places", "languages.txt")).split()


@lru_cache(1)
def _english() -> dict[str, str]:
    """The English short name by alpha-2 code."""
    territories = Locale.parse("en").territories
    names = {country.alpha_2: territories.get(country.alpha_2, country.name) for country in pycountry.countries}
    return {**names, **_SHORT_NAMES}


@lru_cache(1)
def _codes() -> dict[str, str]:
    """Alpha-2 by folded code, English or ISO name and alias."""
    table: dict[str, str] = {}
    for country in pycountry.countries:
        official, common = getattr(country, "official_name", ""), getattr(country, "common_name", "")
        for name in filter(None, (country.alpha_2, country.alpha_3, country.name, official, common)):
            table.setdefault(words(name), country.alpha_2)
    table.update({name: code for code, names in read_groups("places", "countries.txt") for name in names})
    for code, name in _english().items():
        table[words(name)] = table[words(code)] = code
    return table


@lru_cache(1)
def _local_names() -> dict[str, str]:
    """Alpha-2 by folded name in other languages; loaded when a name is not found in English."""
    table: dict[str, str] = {}
    known = _english()
    for language in _LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if code in known:
                table.setdefault(words(name), code)
    return table


@lru_cache(8192)
def country_code(text: str) -> str | None:
    """ISO 3166-1 alpha-2 of a country given by code, English or local name; None when it names none."""
    key = words(text)
    if not key or len(key) > 100:
        return None
    return _codes().get(key) or _local_names().get(key)


def country_name(code: str) -> str:
    """The English short name of an ISO 3166-1 alpha-2 code: "Germany" for "DE". KeyError for no such code."""
    return _english()[code.upper()]


def country_names() -> list[str]:
    """The English short names of all countries, by the alphabet."""
    return sorted(_english().values())


def canonical_country(raw: Any) -> str | None:
    """The English short name; None when empty. Raises Refused when it names no country."""
    text = tidy(raw, 150)
    if text is None:
        return None
    code = country_code(text) or _code_among_others(text)
    if code is None:
        raise Refused("not a country")
    return country_name(code)


_ARTICLE = re.compile(r"(?:the )|(?:, ?the$)", re.I)
_PARTS = re.compile(r"\s*[,;/|()\[\]]\s*|\s+[-\u2013\u2014:]\s+")
_HEADQUARTERS = re.compile(r"\s*[-(\[\u2013]\s*(?:hq|headquarters?|head office)\s*[)\]]?$", re.I)
_CODE_AHEAD = re.compile(r"^([A-Z]{2,3})-(?=[A-Z][a-z]{2})")
_TURNED = re.compile(r"([^,;/|()]+), ([^,;/|()]+)")
_ALSO_STATES = frozenset({"GE"})  # whose name a state of another country has
_LONGEST_CODE = 3


def _code_among_others(text: str) -> str | None:
    """The country of a text that has its article, its own code, or a place in it beside its name.

    `Germany (DE)`, `Bahamas, The`, `San Francisco, CA, United States`; None for `Sweden / Norway`.
    """
    bare = _CODE_AHEAD.sub(r"\1 - ", _HEADQUARTERS.sub("", _ARTICLE.sub("", text))).strip()
    if (code := country_code(bare)) is not None:
        return code
    if (turned := _TURNED.fullmatch(bare)) and (code := country_code(f"{turned[2]} {turned[1]}")):
        return code  # `Sudan, South`
    parts = [part for part in _PARTS.split(bare) if part]
    if len(parts) < 2:
        return None
    if "(" in bare or "[" in bare:  # `Congo (Kinshasa)`: what stands there may be another country's name
        codes = {country_code(part) for part in parts}
        return codes.pop() if len(codes) == 1 else None
    named = [found for part in parts if len(part) > _LONGEST_CODE and (found := country_code(part))]
    code = named[-1] if named else None
    others = [part for part in parts if country_code(part) != code]
    if code is None or not all(_is_place_in(code, part) for part in others):
        return _code_beside_states(parts)
    return None if code in _ALSO_STATES and others and not any(_is_state_of(code, part) for part in others) else code


def _code_beside_states(parts: list[str]) -> str | None:
    """The country of a code that stands alone, or beside its own states: `Georgia, USA`."""
    codes = dict.fromkeys(found for part in parts if len(part) <= _LONGEST_CODE and (found := country_code(part)))
    fitting = [code for code in codes if all(country_code(part) == code or _is_state_of(code, part) for part in parts)]
    return fitting[0] if len(fitting) == 1 else None


def _is_place_in(country: str, part: str) -> bool:
    """Whether a part of a text may be a place of this country: it is one of its states, or names no country."""
    return _is_state_of(country, part) or (len(part) > _LONGEST_CODE and country_code(part) is None)


def _is_state_of(country: str, part: str) -> bool:
    code, key = f"{country}-{part.upper()}", words(part)
    states = [state for state in pycountry.subdivisions if state.country_code == country]
    return any(state.code == code or words(state.name) == key for state in states)
