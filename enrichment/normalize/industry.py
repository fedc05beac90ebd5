"""Industries: the label is kept; labels of different vocabularies for one industry are not a difference."""

from typing import Any

from enrichment.normalize.text import words
from enrichment.normalize.wording import canonical_text, cased_words

_EMPTY = frozenset({"other", "others", "misc", "miscellaneous", "sonstige", "sonstiges", "various", "andere", "autre"})


def canonical_industry(raw: Any) -> str | None:
    """The label, cased where it was shouted; None when empty or only "Other". Raises Refused."""
    text = canonical_text(raw, 200)
    if text is None or words(text) in _EMPTY:
        return None
    return cased_words(text) if text.isupper() else text


def industry_key(label: str) -> str:
    """The folded words, `&` as "and"."""
    return words(label)


def same_industry(a: str, b: str) -> bool:
    """Whether two labels mean one industry."""
    return industry_key(a) == industry_key(b)
