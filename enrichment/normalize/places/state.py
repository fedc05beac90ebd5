"""States and provinces: a code becomes the name where the country is known."""

import re
from functools import lru_cache
from typing import Any

import pycountry

from enrichment.normalize.places.city import cased_place
from enrichment.normalize.places.country import country_code
from enrichment.normalize.text.text import refuse_markup, tidy, without_umlauts, words
from enrichment.normalize.word_list import read_groups, read_lines, read_synonyms

# What the English, the local and the short names of a state share.
_KEYS = read_synonyms("places", "states.txt")
_ENGLISH = {key: names[0] for key, names in read_groups("places", "english_states.txt")}
_PLAIN_KEYS = {without_umlauts(name): key for name, key in _KEYS.items()}

_LONGEST_CODE = 3
_IN_OTHER_WORDS = re.compile(r"\s*[\[(].*")
# Codes that are used without naming the country.
_WELL_KNOWN = ("US", "CA", "AU")
_LISTED = _KEYS.keys() | set(_KEYS.values())
# Words that say what kind of subdivision it is: `State of California`, `Freistaat Bayern`, `Osaka Prefecture`.
_KIND = re.compile(
    r"^(?:the )?(?:state|commonwealth|province|canton|county|prefecture|region|department|governorate|district"
    r"|community|autonomous community) of (?:the )?"
    r"|^(?:freistaat|land|bundesland|kanton|canton (?:de|du)|region|provincia (?:de|di)|estado (?:de|do|da)"
    r"|comunidad (?:autonoma )?de|comunitat|regiao de|departement (?:de|du)|kreis) "
    r"| (?:state|province|prefecture|region|county|oblast|voivodeship|canton|sheng|fu|ken|do)$"
)


@lru_cache(1)
def _subdivisions() -> dict[str, dict[str, str]]:
    """By country, the name of a subdivision by its folded name and by its code."""
    table: dict[str, dict[str, str]] = {}
    for division in pycountry.subdivisions:
        name = _plain_name(division.name)
        table.setdefault(division.country_code, {}).setdefault(words(name), name)
    for line in read_lines("places", "state_abbreviations.txt"):
        country, name, *short = line.split("|")
        for form in short:
            table[country].setdefault(words(form), table[country][words(name)])
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
    known = (_by_code(code, _code_or_name(text)) if code else None) or _among_others(text, code)
    if known is not None:
        return known
    if _ISO_CODE.fullmatch(text):
        return text.upper()
    if any(part.isupper() and is_code(part) for part in _PARTS.split(text)[1:]):
        return text
    return text.upper() if is_code(text) else cased_place(text)


_ISO_CODE = re.compile(r"([A-Za-z]{2})[-_]([A-Za-z0-9]{1,3})")
_PARTS = re.compile(r"\s*[,;/|()]\s*|\s+[-\u2013\u2014:]\s+")
_DIRECTIONS = {
    **dict.fromkeys(("n", "no", "nth"), "north"),
    **dict.fromkeys(("s", "so", "sth"), "south"),
    "e": "east",
    "w": "west",
}


def _among_others(text: str, country: str | None) -> str | None:
    """The state of a text that has its country, its code or a short form in it.

    `US-CA`, `TX, USA`, `CA - California`, `No. Carolina`. None where the parts name different states.
    """
    if iso := _ISO_CODE.fullmatch(text):
        prefix = iso[1].upper()
        return _by_code(prefix, words(iso[2])) if country in (None, prefix) else None
    parts = [part for part in _PARTS.split(text) if part]
    if len(parts) > 1:
        named = country or next((code for part in reversed(parts) if (code := country_code(part))), None)
        if named is None:
            return None
        rest = [part for part in parts if country_code(part) != named] or parts
        found = {_by_code(named, _code_or_name(part.removeprefix(f"{named}-"))) for part in rest}
        return found.pop() if len(found) == 1 else None
    first, _, more = words(text).partition(" ")
    if country is not None and more and first in _DIRECTIONS:
        return _known(country, f"{_DIRECTIONS[first]} {more}")
    return None


def _by_code(country: str, key: str) -> str | None:
    """The name of a subdivision; a code gives the English one where there is one (`BY` is Bavaria)."""
    name = _known(country, key)
    if name is None or not is_code(key):
        return name
    return _ENGLISH.get(words(name), name)


def _known(country: str, key: str) -> str | None:
    """The name of a country's subdivision by its folded name or code, however its kind is put."""
    names = _subdivisions().get(country, {})
    return names.get(key) or names.get(_KIND.sub("", key))


def known_name(country: str, text: str) -> str | None:
    """The name of a country's (alpha-2) subdivision that a text names or gives the code of, as ISO 3166-2 has it."""
    return _known(country, _code_or_name(text))


def _code_or_name(text: str) -> str:
    """The folded text; a code written with dots (`N.Y.`) without them."""
    key = words(_IN_OTHER_WORDS.sub("", text)) or words(text)
    return key.replace(" ", "") if len(key) == 3 and key[1] == " " else key


def _plain(name: str) -> str:
    """A folded name without what kind of subdivision it is, and with its umlauts written one way."""
    bare = name if name in _LISTED else _KIND.sub("", name) or name
    key = _KEYS.get(bare, bare)
    return without_umlauts(_PLAIN_KEYS.get(without_umlauts(key), key))


@lru_cache(4096)
def _readings(text: str) -> frozenset[str]:
    """The names that a text may mean where its country is not known, one of the best-known ones."""
    key = _code_or_name(text)
    found = [_subdivisions().get(country, {}).get(key) for country in _WELL_KNOWN]
    return frozenset({_plain(key), *(_plain(words(name)) for name in found if name)})


@lru_cache(4096)
def _anywhere(code: str) -> frozenset[str]:
    """The names that a code has in any country."""
    found = (names.get(code) for names in _subdivisions().values())
    return frozenset(_plain(words(name)) for name in found if name)


def is_code(text: str) -> bool:
    return len(text) <= _LONGEST_CODE and text.isascii()


def is_well_known(text: str) -> bool:
    """Whether a text is a name or a code of a state that is named without its country."""
    return any(known_name(country, text) is not None for country in _WELL_KNOWN)


def is_state_of(state: str, country: str) -> bool | None:
    """Whether a country, by its ISO 3166-1 code, has such a state; None where no country is known to have it."""
    if _known(country, _code_or_name(state)) is not None or _among_others(state, country) is not None:
        return True
    if country in _countries_of(_plain(words(state))):
        return True
    return False if _countries_of(_plain(words(state))) else None


@lru_cache(4096)
def _countries_of(name: str) -> frozenset[str]:
    """The countries that have a subdivision of this plain name."""
    return frozenset(
        country
        for country, names in _subdivisions().items()
        if any(_plain(words(known)) == name for known in names.values())
    )


def same_state(a: str, b: str) -> bool:
    """Whether two states are one: `CA` and `California`, `Bavaria` and `Bayern`."""
    if not _readings(a).isdisjoint(_readings(b)):
        return True
    key_a, key_b = _code_or_name(a), _code_or_name(b)
    if is_code(key_a) == is_code(key_b):
        return False
    code, name = (key_a, b) if is_code(key_a) else (key_b, a)
    return not _anywhere(code).isdisjoint(_readings(name))


def state_key(state: str) -> str:
    """The folded name; a code that only one well-known country has is read as its name."""
    readings = _readings(state) - {_plain(_code_or_name(state))}
    if len(readings) == 1:
        return next(iter(readings))
    return _plain(_code_or_name(state))
