"""Job titles: what two wordings of one job share.

A title is compared by its words, written out and without regard to their order: `VP, Sales`, `Sales VP` and `Vice
President of Sales` are one. Whom an assistant assists counts apart, so that `Assistant to the Director` is no
director. An acronym that stands for several offices (`CPO`) is the same as each of them.
"""

import re
from functools import lru_cache
from itertools import product

from enrichment.normalize.text.text import fold, without_umlauts, words
from enrichment.normalize.titles.title_words import AMBIGUOUS, FEMALE, FILLERS, GERMAN_FEMALE, PHRASES, WRITTEN_OUT

_GENDER_MARK = re.compile(
    r"\(\s?[mwfdxha](?:\s?[/|,]\s?[mwfdxha]){1,3}\s?\)|\b[mwf]/[mwfd](?:/[dx])?\b|(?<=\w)(?:[:*_/]-?|\()(?:in|innen)\b\)?"
)
_INITIALS = re.compile(r"\b(?:[a-z]\.\s?){2,}")
_COMPOUND = re.compile(r"^(\w{4,}?)s?(leiter|manager|direktor|leitung)$")
_TO = " to "
_MOST_READINGS = 32
_SHORTEST_PLURAL = 4

Reading = tuple[str, ...]


@lru_cache(16384)
def title_readings(title: str) -> frozenset[Reading]:
    """The ways to read a title, each as its words in alphabetic order; several where it has an ambiguous acronym."""
    main, to, whom = _plain(title).partition(_TO)
    readings: set[Reading] = set()
    for choice in _choices(main.split()):
        helped = [f"to {word}" for word in _told(whom.split(), spelled=True)] if to else []
        readings.add(tuple(sorted((*_told(choice), *helped))))
    return frozenset(readings)


def title_key(title: str) -> str:
    """The words of a title, written out and in alphabetic order; an ambiguous acronym stays one."""
    main, to, whom = _plain(title).partition(_TO)
    kept = " ".join(sorted(_told(main.split(), spelled=True)))
    return f"{kept} {to.strip()} {whom}".strip() or words(title)


def same_title(a: str, b: str) -> bool:
    """Whether two titles name one job: `VP Sales` and `Vice President of Sales`, `CTO` and what it stands for."""
    return not title_readings(a).isdisjoint(title_readings(b))


def _plain(title: str) -> str:
    """The folded words of a title, its phrases and initials in one form."""
    text = _GENDER_MARK.sub("", fold(title))
    text = _INITIALS.sub(lambda match: re.sub(r"[.\s]", "", match[0]) + " ", text)
    text = f" {words(text)} "
    for phrase, put in PHRASES:
        text = text.replace(f" {phrase} ", f" {put} ")
    return without_umlauts(text.strip())


def _choices(tokens: list[str]) -> list[list[str]]:
    """The tokens with each ambiguous acronym written out in every way, unless the ways are too many."""
    ways = [AMBIGUOUS.get(token, (token,)) for token in tokens]
    count = 1
    for way in ways:
        count *= len(way)
    if count > _MOST_READINGS:
        return [tokens]
    return [" ".join(choice).split() for choice in product(*ways)]


def _told(tokens: list[str], *, spelled: bool = False) -> list[str]:
    """The telling words: written out, in the male and singular form, German compounds in their parts."""
    told: list[str] = []
    for token in tokens:
        one = _male(token)
        written = one if spelled and one in AMBIGUOUS else WRITTEN_OUT.get(one, one)
        for word in written.split():
            if word not in FILLERS:
                told += _parts(word)
    return told or list(tokens)


def _male(word: str) -> str:
    if word in FEMALE:
        return FEMALE[word]
    return word[:-2] if word.endswith("in") and word[:-2].endswith(GERMAN_FEMALE) else word


def _parts(word: str) -> list[str]:
    compound = _COMPOUND.match(word)
    if compound:
        return [compound[1], compound[2]]
    plural = len(word) >= _SHORTEST_PLURAL and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return [word[:-1] if plural else word]
