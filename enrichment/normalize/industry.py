"""Industries: the label is kept; labels of different vocabularies for one industry are not a difference."""

from typing import Any

from enrichment.normalize.text import words
from enrichment.normalize.wording import canonical_text, unshout

_EMPTY = frozenset({"other", "others", "misc", "miscellaneous", "sonstige", "various"})


def canonical_industry(raw: Any) -> str | None:
    """The label, sanely cased; None when empty or only "Other". Raises Refused."""
    text = canonical_text(raw, 200)
    if text is None or words(text) in _EMPTY:
        return None
    return unshout(text)


def industry_key(label: str) -> str:
    """What the labels of one industry share."""
    return words(label)
