"""Industries: the label is kept; labels of different vocabularies for one industry are not a difference."""

from functools import lru_cache
from typing import Any

from enrichment.normalize.industry_labels import BROAD, INDUSTRIES
from enrichment.normalize.text import words
from enrichment.normalize.wording import canonical_text, cased_words

_EMPTY = frozenset({"other", "others", "misc", "miscellaneous", "sonstige", "sonstiges", "various", "andere", "autre"})


def canonical_industry(raw: Any) -> str | None:
    """The label, cased where it was shouted; None when empty or only "Other". Raises Refused."""
    text = canonical_text(raw, 200)
    if text is None or words(text) in _EMPTY:
        return None
    return cased_words(text) if text.isupper() else text


@lru_cache(1)
def _meanings() -> dict[str, frozenset[str]]:
    """The industries that each known label means, by its folded words."""
    table: dict[str, set[str]] = {}
    for line in INDUSTRIES.strip().split("\n"):
        industry, _, labels = line.partition(": ")
        for label in labels.split("|"):
            table.setdefault(words(label), set()).add(industry)
    for line in BROAD.strip().split("\n"):
        labels, _, industries = line.partition(": ")
        for label in labels.split("|"):
            table.setdefault(words(label), set()).update(industries.split())
    return {label: frozenset(industries) for label, industries in table.items()}


def industries_of(label: str) -> frozenset[str]:
    """The industries that a label means; none where the label is not known or says too little ("B2B")."""
    return _meanings().get(words(label), frozenset())


def industry_key(label: str) -> str:
    """The one industry that a label means; the folded words where it is unknown or means several."""
    meant = industries_of(label)
    return next(iter(meant)) if len(meant) == 1 else words(label)


def same_industry(a: str, b: str) -> bool:
    """Whether two labels can mean one industry: `Capital Markets` and `financial services`.

    A wide label is the same as each industry that it covers, though those differ among themselves.
    """
    return words(a) == words(b) or not industries_of(a).isdisjoint(industries_of(b))
