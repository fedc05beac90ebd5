"""Levels of seniority: the known names of one level become one label."""

from typing import Any

from enrichment.normalize.text.casing import cased_words
from enrichment.normalize.text.plain import canonical_text
from enrichment.normalize.text.text import words
from enrichment.normalize.word_list import read_groups

_LABELS = {words(name): label for label, names in read_groups("titles", "seniority.txt") for name in (label, *names)}


def known_levels() -> list[str]:
    """The labels of the known levels, by the alphabet."""
    return sorted(set(_LABELS.values()))


def canonical_seniority(raw: Any) -> str | None:
    """`C-Suite`, `VP`, `Director` and so on where the level is a known one; None when empty. Raises Refused."""
    text = canonical_text(raw, 100)
    return None if text is None else _LABELS.get(words(text)) or cased_words(text)
