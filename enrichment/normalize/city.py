"""Cities: a readable name, and what the local and short names of one city share."""

import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.casing import composed, lowered
from enrichment.normalize.city_names import ALIASES, WRITTEN_OUT
from enrichment.normalize.placeholders import is_junk
from enrichment.normalize.text import Refused, refuse_markup, tidy, without_umlauts, words

_SMALL_WORDS = """
of on upon in am an der dem den de del la le les du des do da dos das di dei degli della the and sur sous en bei aan ob
pod nad les et y e i v im zu zur
"""
_SMALL = frozenset(_SMALL_WORDS.split())
_START = re.compile("(^|[-'\u2019./(])(\\w)")
_SAINT = re.compile(r"\b(?:st|ste|sankt|sint|sainte)\b")
_DUTCH_POSTCODE_LETTERS = re.compile(
    r"[A-Z]{2} (?=(?:Amsterdam|Rotterdam|Utrecht|Eindhoven|Den Haag|Groningen|Haarlem)$)"
)
_REST = re.compile(r"\s*[,(/;].*$")
_QUALIFIER = re.compile(
    r"(?:^(?:city|town|municipality|ville|stadt) (?:of |de )?)"
    r"|(?: (?:a m|a main|i d opf|ob der tauber|an der saale|am rhein))$"
)


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
    written_out = WRITTEN_OUT.get(words(text)) if len(text) <= 8 else None
    return written_out or cased_place(text)


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
    whole = words(city)
    if whole in ALIASES:
        return ALIASES[whole]
    key = words(_REST.sub("", city)) or whole
    key = _SAINT.sub("saint", _QUALIFIER.sub("", key) or key)
    key = ALIASES.get(key, key)
    return ALIASES_WITHOUT_UMLAUTS.get(plain := _without_umlauts(key), plain)


def _without_umlauts(text: str) -> str:
    """`muenchen` as `munchen`, `aarhus` as `arhus`: the ways to write an umlaut or a ring without one."""
    return without_umlauts(text).replace("aa", "a")


ALIASES_WITHOUT_UMLAUTS = {_without_umlauts(name): _without_umlauts(key) for name, key in ALIASES.items()}
