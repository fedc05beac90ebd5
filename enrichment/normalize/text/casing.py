"""Upper and lower case: usual capitals for shouted words, acronyms as they are, letters never cut in two."""

import re
import unicodedata
from functools import lru_cache

from enrichment.normalize.word_list import read_words

_TURKISH = "\u0130"  # capital I with a dot: in lower case it would be two characters

_ACRONYMS = {word.upper(): word for word in read_words("text", "acronyms.txt")}
_SMALL_WORDS = (
    "of and the for in to at on an or de la le du des da do y e und der die das von f\u00fcr im et en zur zum mit"
)
_SMALL = frozenset(_SMALL_WORDS.split())
_START = re.compile("(^|[-/(&'\u2019.\"])(\\w)")
_AFTER_APOSTROPHE = re.compile("(['\u2019])S\\b")
_JOINED = re.compile("([-/,()&+])")
_LONGEST_ACRONYM = 4  # a shorter word in capitals alone may be one
_AROUND = ".,;:()"


def lowered(text: str) -> str:
    """The text in lower case; a Turkish dotted capital that begins a word stays one."""
    if _TURKISH not in text:
        return text.lower()
    first, *rest = text.split(_TURKISH)
    kept = first.lower()
    for part in rest:
        inside = kept[-1:].isalpha()
        kept += ("i" if inside else _TURKISH) + part.lower()
    return kept


def composed(text: str) -> str:
    """The text in NFC, which a change of case may have undone."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@lru_cache(16384)
def cased_words(text: str) -> str:
    """A text with the usual capitals, if it has only one case; acronyms such as CEO and EMEA in theirs."""
    if not (text.isupper() or text.islower()) or _may_be_an_acronym(text):
        return text
    cased = (_word(word, first=index == 0) for index, word in enumerate(text.split(" ")))
    return composed(" ".join(cased))


def _may_be_an_acronym(text: str) -> bool:
    return text.isupper() and " " not in text and len(text) <= _LONGEST_ACRONYM


def _word(word: str, *, first: bool) -> str:
    if word.upper() in _ACRONYMS or word.strip(_AROUND).upper() in _ACRONYMS:
        return _as_acronym(word)
    if not first and word.lower() in _SMALL:
        return word.lower()
    parts = (_as_acronym(part) if part.upper() in _ACRONYMS else lowered(part) for part in _JOINED.split(word))
    joined = "".join(parts)
    return _AFTER_APOSTROPHE.sub(r"\1s", _START.sub(_capital, joined))


def _as_acronym(word: str) -> str:
    upper = word.upper()
    if upper in _ACRONYMS:
        return _ACRONYMS[upper]
    bare = word.strip(_AROUND)
    return word.replace(bare, _ACRONYMS[bare.upper()])


def _capital(match: re.Match[str]) -> str:
    return match[1] + match[2].upper()
