"""Cities: a readable name, and what the local and short names of one city share."""

import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.text.casing import composed, lowered
from enrichment.normalize.text.placeholders import is_junk
from enrichment.normalize.text.text import Refused, refuse_markup, tidy, without_umlauts, words
from enrichment.normalize.word_list import read_groups, read_lines, read_synonyms

_KEYS = read_synonyms("places", "cities.txt")
_FULL_NAMES = dict(line.split("|") for line in read_lines("places", "city_abbreviations.txt"))

_SMALL_WORDS = """
of on upon in am an der dem den de del la le les du des do da dos das di dei degli della the and sur sous en bei aan ob
pod nad les et y e i v im zu zur
"""
_SMALL = frozenset(_SMALL_WORDS.split())
_START = re.compile("(^|[-'\u2019./(])(\\w)")
_SAINT = re.compile(r"\b(?:st|ste|sankt|sint|sainte)\b")
# `BC Leeuwarden`: the letters of a Dutch post code that lost its digits. No Dutch code has these.
_NO_LETTERS = "LA|LE|EL|AL|DE|DU|ST|MT|FT|PT|NY|SO|AS|EN|SA|SD|SS|IJ"
_DUTCH_POSTCODE_LETTERS = re.compile(rf"^(?!(?:{_NO_LETTERS}) )[A-Z]{{2}} (?=(?:'s-|Den |De )?[A-Z][a-z])")
_DUTCH_CITIES = "amsterdam|rotterdam|utrecht|eindhoven|den haag|s gravenhage|groningen|haarlem|delft|leiden|zeist"
_DUTCH_CITIES += "|s hertogenbosch|nijmegen|tilburg|breda|arnhem|amersfoort|almere|apeldoorn|enschede|zwolle|maastricht"
_LETTERS_SHOUTED = re.compile(rf"^[a-z]{{2}} (?=(?:{_DUTCH_CITIES})$)")
_REST = re.compile(r"\s*[,(/;].*$")
# A post code before or after the name, and the part of the city that a number names.
_NUMBERS = re.compile(
    r"^(?:[a-z]{1,2} )?(?:\d{4} (?!(?:la|le|st|de|el|al) )[a-z]{2}|\d{4,6}|\d{3} \d{2}|\d{3} \d{4}) (?=[^\W\d])"
    r"|^[a-z]{1,2}\d[a-z\d]? \d[a-z]{2} (?=[^\W\d])|(?<=[^\W\d]) [a-z]{1,2}\d[a-z\d]? \d[a-z]{2}$"
    r"|(?<=[^\W\d]) (?:\d{1,6}(?:e|er|eme|th|st|nd|rd)?(?: arr(?:ondissement)?| bezirk)?|cedex(?: \d{1,2})?)$"
    r"|(?<=[^\W\d]) (?:\d{3} \d{4}|\d{3} \d{2}|\d{4} [a-z]{2})$"
    r"|(?<=^london) (?:e|ec|n|nw|se|sw|w|wc)\d{1,2}[a-z]?$"
)
_QUALIFIER = re.compile(
    r"(?:^(?:city|town|municipality|ville|stadt) (?:of |de )?)"
    r"|(?: (?:a m|a main|i d opf|ob der tauber|an der saale|am rhein))$"
)
_LISTED = _KEYS.keys() | set(_KEYS.values())
_SHORTENED = {"ft": "fort", "mt": "mount", "pt": "port", "hts": "heights", "spgs": "springs", "jct": "junction"}
_DIRECTIONS = {"n": "north", "s": "south", "e": "east", "w": "west"}
_ABBREVIATED = re.compile(r"\b(?P<first>[oai]) (?P<second>d|br)\b")
_WRITTEN = {"o d": "ob der", "a d": "an der", "i d": "in der", "i br": "im breisgau"}


def canonical_city(raw: Any) -> str | None:
    """The city's name, cased where it was shouted or all lower; None when empty. Raises Refused."""
    text = tidy(raw, 150)
    if text is None:
        return None
    refuse_markup(text)
    if is_junk(text):
        return None
    if not any(map(str.isalpha, text)):
        raise Refused("not the name of a city")
    full_name = _FULL_NAMES.get(words(text)) if len(text) <= 8 else None
    return full_name or cased_place(text)


def cased_place(text: str) -> str:
    """A place name with the usual capitals, if it has only one case; otherwise as it is."""
    if not (text.isupper() or text.islower()) or len(text) <= 2:
        return text
    parts = lowered(text).split(" ")
    cased = [part if i and part in _SMALL else _START.sub(_capital, part) for i, part in enumerate(parts)]
    return composed(" ".join(cased))


def _capital(match: re.Match[str]) -> str:
    return match[1] + match[2].upper()


@lru_cache(16384)
def city_key(city: str) -> str:
    """What the spellings of one city share: `St. Louis` and `Saint Louis`, `M\u00fcnchen` and `Munich`."""
    city = _DUTCH_POSTCODE_LETTERS.sub("", city)
    whole = _LETTERS_SHOUTED.sub("", words(city))
    key = whole if whole in _LISTED else _NUMBERS.sub("", _LETTERS_SHOUTED.sub("", words(_REST.sub("", city))) or whole)
    if key not in _LISTED:
        key = _QUALIFIER.sub("", key) or key
        key = _SAINT.sub("saint", _QUALIFIER.sub("", _written_out(key)) or key)
    key = _KEYS.get(key, key)
    plain = _without_umlauts(key)
    return _PLAIN_KEYS.get(plain, plain).replace(" ", "")


def _written_out(key: str) -> str:
    """The name with its short words in full: `Ft. Worth`, `N. Charleston`, `Rothenburg o. d. Tauber`."""
    key = _ABBREVIATED.sub(lambda match: _WRITTEN.get(match[0], match[0]), key)
    first, *others = key.split(" ")
    first = _DIRECTIONS.get(first, first) if others else first
    return " ".join(_SHORTENED.get(word, word) for word in (first, *others))


def _without_umlauts(text: str) -> str:
    """`muenchen` as `munchen`, `aarhus` as `arhus`: the ways to write an umlaut or a ring without one."""
    return without_umlauts(text).replace("aa", "a")


_PLAIN_KEYS = {_without_umlauts(name): _without_umlauts(key) for name, key in _KEYS.items()}
_CITY_OF = {city_key(part): city_key(city) for city, parts in read_groups("places", "city_parts.txt") for part in parts}
_HYPHENATED = {city_key(city) for city in read_lines("places", "hyphenated_cities.txt")}


@lru_cache(16384)
def _city_around(city: str) -> str | None:
    """The key of the city that this is a part of: `Brooklyn` of New York, `Berlin-Mitte` of Berlin."""
    around = _CITY_OF.get(city_key(city))
    if around is None and "-" in city:
        around = city_key(city.partition("-")[0])
        around = around if around in _HYPHENATED and words(city) not in _KEYS else None
    return around


def same_city(a: str, b: str) -> bool:
    """Whether two names mean one city, or one a part of the other; two parts of one city differ."""
    key_a, key_b = city_key(a), city_key(b)
    return key_a == key_b or _city_around(a) == key_b or _city_around(b) == key_a
