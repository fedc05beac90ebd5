"""The names in a record's fields, however they stand there: swapped, whole in one field, in a text on something else.

A full name is known by its words in any order, folded: `Anna Schmidt`, `SCHMIDT, Anna` and `anna  schmidt` are one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

from enrichment.json_texts import texts_in
from enrichment.normalize.text.text import visible, without_umlauts, words

_NAME_FIELD = re.compile(
    "(?:full|display|contact|person|employee|lead|client|customer|complete|whole|legal|preferred|given|family|first|last"
    "|middle|maiden|birth|sur|nick|fore)?names?(?:surname)?|contact|contactperson|person"
)
_PARTS = frozenset({"firstName", "lastName"})
_NO_NAME = re.compile(r"[0-9@]")
_MOST_WORDS = 8  # of a name
_MOST_WORDS_OF_TEXT = 2000
_LONGEST_NAME = 4  # words of a name that stands in a text


@lru_cache(4096)
def is_name_field(name: str) -> bool:
    """Whether a field goes by the name of one that holds a person's name: `lastName`, `Full name`, `contact_person`."""
    return _NAME_FIELD.fullmatch("".join(filter(str.isalpha, name.lower()))) is not None


def last_names(fields: Mapping[str, Any]) -> set[str]:
    """What may be the last name of a person, folded: also each word of it, and the ends of a whole name."""
    found: set[str] = set()
    for name, text in _names(fields):
        split = words(text).split()
        if name == "lastName" and split:
            found |= {" ".join(split), *split}
        elif name != "firstName" and split:
            found |= {split[0], split[-1], " ".join(split[1:])}
    return found | {without_umlauts(name) for name in found} - {""}


def full_names(fields: Mapping[str, Any]) -> set[str]:
    """The keys of a record's full names: of all their words, and of any two or more that may be the name."""
    return {key for sequence in _sequences(fields) for key in _keys(sequence)}


def own_full_names(fields: Mapping[str, Any]) -> set[str]:
    """The keys by which the full name that a record holds is known: whole, and without middle names."""
    first, last = _part(fields, "firstName"), _part(fields, "lastName")
    whole = [_split(text) for name, text in _names(fields) if name not in _PARTS or not (first and last)]
    found = {_key(form) for split in whole if len(split) > 1 for form in (split, (split[0], split[-1]))}
    if first and last:
        found |= {
            _key(form) for form in ((*first, *last), (first[0], *last), (first[0], last[0]), (first[0], last[-1]))
        }
    return found


def full_names_in_text(text: str) -> set[str]:
    """The keys of what may be full names in a text: a few words that follow each other, also around an initial."""
    split = _split(text, _MOST_WORDS_OF_TEXT)
    found = {_key(pair) for pair in zip(split, split[2:], strict=False)}
    for count in range(2, _LONGEST_NAME + 1):
        found |= {_key(split[start : start + count]) for start in range(len(split) - count + 1)}
    return found


def full_name_of_text(text: str) -> set[str]:
    """The key of a text that may be a full name and nothing else; a longer or shorter one has none."""
    split = _split(text, _MOST_WORDS + 1)
    return {_key(split)} if 1 < len(split) <= _MOST_WORDS else set()


def _names(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if is_name_field(name):
            yield from ((name, text) for text in texts_in(value) if not _NO_NAME.search(text))


def _sequences(fields: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """The words of each name that has at least two."""
    whole = [_split(text) for _, text in _names(fields)]
    both = (*_part(fields, "firstName"), *_part(fields, "lastName"))
    yield from (split[:_MOST_WORDS] for split in (both, *whole) if len(split) > 1)


def _part(fields: Mapping[str, Any], part: str) -> tuple[str, ...]:
    return next((_split(text) for name, text in _names(fields) if name == part), ())


@lru_cache(16384)
def _split(text: str, most: int = _MOST_WORDS) -> tuple[str, ...]:
    return tuple(without_umlauts(words(visible(text))).split()[:most])


def _keys(sequence: Sequence[str]) -> Iterator[str]:
    yield _key(sequence)
    yield from (_key(pair) for pair in combinations(sequence, 2))
    for count in range(3, len(sequence)):
        yield from (_key(sequence[start : start + count]) for start in range(len(sequence) - count + 1))


def _key(sequence: Iterable[str]) -> str:
    return " ".join(sorted(sequence))
