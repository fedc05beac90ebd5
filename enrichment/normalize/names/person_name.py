"""Names of people: casing that keeps McDonald, O'Brien and de la Cruz."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from enrichment.normalize.text.casing import composed, lowered
from enrichment.normalize.text.placeholders import is_junk, is_placeholder
from enrichment.normalize.text.text import Refused, as_text, refuse_markup, tidy, visible, without_umlauts, words

# Of the parser's particles, those that are written with a capital.
_CAPITALIZED = frozenset(
    {"san", "santa", "st", "ste", "mac", "mc", "abu", "bar", "bat", "bon", "freiherr", "freiherrin"}
)
_MAC = re.compile(
    r"\bMac((?:donald|arthur|leod|gregor|intyre|intosh|millan|neil|neill|pherson|dougall|farlane|lean|lachlan|aulay"
    r"|kinnon|naughton|namara|cormack|bride|callum|allister|alister)s?)\b"
)
_START = re.compile("(^|[-'\u2019.(\"])(mc)?(\\w)")
_HONORIFIC = re.compile(
    r"(?:(?:mr|mrs|ms|miss|mx|dr|prof|sir|dame|herr|frau|mme|mlle|sr|sra|srta|ing|dipl|mag|rev|hon)\.\s*"
    r"|(?:mr|mrs|ms|miss|dr|prof|herr|frau|mme)\s+)+",
    re.I,
)
_ROMAN = re.compile(r"(?:ii|iii|iv|vi{0,3})", re.I)
_AFTER_NAME = {"JR": "Jr", "JR.": "Jr.", "SR": "Sr", "SR.": "Sr.", "PHD": "PhD", "MD": "MD", "MBA": "MBA"}
# Surnames and first names that look like placeholders, when written as a name is.
_REAL_NAMES = frozenset({"Na", "Nan", "Nil"})


def canonical_person_name(raw: Any) -> str | None:
    """One part of a person's name without its honorific, cased where it had one case; None when empty.

    Raises Refused.
    """
    text = _real_name(raw) or tidy(raw, 150)
    if text is None:
        return None
    refuse_markup(text)
    if "@" in text or "://" in text:
        raise Refused("an address, not a name")
    text = _without_symbols(text)
    if is_junk(text):
        return None
    if not any(map(str.isalpha, text)):
        raise Refused("not a name")
    return _cased(text)


def _without_symbols(text: str) -> str:
    """The name without emoji and the like."""
    if text.isascii():
        return text
    return " ".join("".join(char for char in text if unicodedata.category(char) != "So").split())


def _real_name(raw: Any) -> str | None:
    if not isinstance(raw, str) or len(raw) > 16:
        return None
    text = visible(as_text(raw) or "").strip()
    return text if text in _REAL_NAMES else None


@lru_cache(16384)
def _cased(text: str) -> str | None:
    rest = _HONORIFIC.sub("", text, count=1) if _HONORIFIC.match(text) else text
    name = cased_name(rest.strip(" ,;") or text)
    return None if is_placeholder(name) and name not in _REAL_NAMES else name


def person_key(name: str) -> str:
    """The folded name; `J\u00fcrgen` and `Juergen` share it."""
    return without_umlauts(words(name))


def cased_name(text: str) -> str:
    """The name with the usual capitals, if it has only one case; otherwise as it is."""
    if not (text.isupper() or text.islower()) or (len(text) <= 3 and _are_initials(text)):
        return text
    parts = text.split(" ")
    cased = (_word(word, last=index == len(parts) - 1) for index, word in enumerate(parts))
    return composed(" ".join(cased))


def _are_initials(text: str) -> bool:
    """`JD` and `TJ` are initials; `LI` and `Bo` are names."""
    return text.isupper() and not re.search("[AEIOUY\u00c0-\uffff]", text)


@cache
def _particles() -> frozenset[str]:
    """The particles that are written in lower case inside a name."""
    from nameparser.config import CONSTANTS  # noqa: PLC0415 -- big, and no start needs it

    return frozenset(CONSTANTS.prefixes) - _CAPITALIZED | {"y", "e", "i", "und", "ten", "el"}


def _word(word: str, *, last: bool) -> str:
    lower = lowered(word)
    if lower in _particles() and not last:
        return lower
    if word.upper() in _AFTER_NAME and last:
        return _AFTER_NAME[word.upper()]
    if last and _ROMAN.fullmatch(word):
        return word.upper()
    return _MAC.sub(_mac, _START.sub(_capital, lower))


def _capital(match: re.Match[str]) -> str:
    return match[1] + (match[2].title() if match[2] else "") + match[3].upper()


def _mac(match: re.Match[str]) -> str:
    return "Mac" + match[1].title()
