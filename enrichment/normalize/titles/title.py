"""Job titles: how they are written, and what two wordings of one job share.

A title is compared by its words, written out and without regard to their order: `VP, Sales`, `Sales VP` and `Vice
President of Sales` are one. Whom an assistant assists counts apart, so that `Assistant to the Director` is no
director. An acronym that stands for several offices (`CPO`) is the same as each of them.
"""

import re
from functools import lru_cache
from itertools import product
from typing import Any

from enrichment.normalize.text.casing import cased_words
from enrichment.normalize.text.plain import canonical_text
from enrichment.normalize.text.text import fold, without_umlauts, words
from enrichment.normalize.word_list import read_groups, read_pairs, read_words

_WRITTEN_OUT = {
    without_umlauts(short): without_umlauts(long) for short, long in read_pairs("titles", "abbreviations.txt").items()
}
# What stands for several things, and is the same as each.
_AMBIGUOUS = {
    without_umlauts(short): tuple(map(without_umlauts, meanings))
    for short, meanings in read_groups("titles", "ambiguous_abbreviations.txt")
}
# Phrases that are put in one form before the text is split into words, in this order.
_PHRASES = [(phrase, form) for phrase, [form] in read_groups("titles", "phrases.txt")]
_FILLERS = read_words("titles", "filler_words.txt")
_MALE_FORMS = read_pairs("titles", "female_forms.txt")
_GERMAN_STEMS = tuple(read_words("titles", "german_stems.txt"))  # their female form ends in -in
_GENDER_MARK = re.compile(
    r"\(\s?[mwfdxha](?:\s?[/|,]\s?[mwfdxha]){1,3}\s?\)|\b[mwf]/[mwfd](?:/[dx])?\b|(?<=\w)(?:[:*_/]-?|\()(?:in|innen)\b\)?"
)
_INITIALS = re.compile(r"\b(?:[a-z]\.\s?){2,}")
_COMPOUND = re.compile(r"^(\w{4,}?)s?(leiter|manager|direktor|leitung)$")
_TO = " to "
_MOST_READINGS = 32
_SHORTEST_PLURAL = 4

Reading = tuple[str, ...]


def canonical_title(raw: Any) -> str | None:
    """A job title with its own words, cased where it had one case; None when empty. Raises Refused."""
    text = canonical_text(raw, 300)
    return None if text is None else cased_words(text)


@lru_cache(16384)
def title_readings(title: str) -> frozenset[Reading]:
    """The ways to read a title, each as its words in alphabetic order; several where it has an ambiguous acronym."""
    main, to, whom = _plain(title).partition(_TO)
    readings: set[Reading] = set()
    for choice in _choices(main.split()):
        helped = [f"to {word}" for word in _telling(whom.split(), shortened=True)] if to else []
        readings.add(tuple(sorted((*_telling(choice), *helped))))
    return frozenset(readings)


def title_key(title: str) -> str:
    """The words of a title, written out and in alphabetic order; an ambiguous acronym stays one."""
    main, to, whom = _plain(title).partition(_TO)
    kept = " ".join(sorted(_telling(main.split(), shortened=True)))
    return f"{kept} {to.strip()} {whom}".strip() or words(title)


def same_title(a: str, b: str) -> bool:
    """Whether two titles name one job: `VP Sales` and `Vice President of Sales`, `CTO` and what it stands for."""
    return not title_readings(a).isdisjoint(title_readings(b))


def _plain(title: str) -> str:
    """The folded words of a title, its phrases and initials in one form."""
    text = _GENDER_MARK.sub("", fold(title))
    text = _INITIALS.sub(lambda match: re.sub(r"[.\s]", "", match[0]) + " ", text)
    text = f" {words(text)} "
    for phrase, form in _PHRASES:
        text = text.replace(f" {phrase} ", f" {form} ")
    return without_umlauts(text.strip())


def _choices(tokens: list[str]) -> list[list[str]]:
    """The tokens with each ambiguous acronym written out in every way, unless the ways are too many."""
    ways = [_AMBIGUOUS.get(token, (token,)) for token in tokens]
    count = 1
    for way in ways:
        count *= len(way)
    if count > _MOST_READINGS:
        return [tokens]
    return [" ".join(choice).split() for choice in product(*ways)]


def _telling(tokens: list[str], *, shortened: bool = False) -> list[str]:
    """The words that tell the job: written out, in the male and singular form, German compounds in their parts.

    `shortened` keeps an ambiguous acronym as it is.
    """
    found: list[str] = []
    for token in tokens:
        word = _male(token)
        written = word if shortened and word in _AMBIGUOUS else _WRITTEN_OUT.get(word, word)
        for part in written.split():
            if part not in _FILLERS:
                found += _parts(part)
    return found or list(tokens)


def _male(word: str) -> str:
    if word in _MALE_FORMS:
        return _MALE_FORMS[word]
    return word[:-2] if word.endswith("in") and word[:-2].endswith(_GERMAN_STEMS) else word


def _parts(word: str) -> list[str]:
    compound = _COMPOUND.match(word)
    if compound:
        return [compound[1], compound[2]]
    plural = len(word) >= _SHORTEST_PLURAL and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return [word[:-1] if plural else word]
