"""Industries: the label is kept; labels of different vocabularies for one industry are not a difference.

Who writes "Other" or "???" has filled the field, and said nothing.
"""

import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.industry.label import is_vague_label, meaning, plain_words, same_words
from enrichment.normalize.industry.tree import Industries, tree
from enrichment.normalize.text.casing import cased_words
from enrichment.normalize.text.plain import canonical_text
from enrichment.normalize.text.text import words

__all__ = ["canonical_industry", "industries_of", "industry_key", "is_vague_label", "same_industry", "says_nothing"]

_NOTHING_LINES = """
other|others|other industry|other industries|misc|miscellaneous|various|not listed|none of the above|sonstige|sonstiges
sonstige branche|sonstige branchen|andere|anderes|autre|autres|otro|otros|otra|otras|altro|outro|outros|overig
other please specify|other please describe|other specify|other unknown|unspecified|unclassified|unknown industry|diverse
divers|andere branche|andere branchen|annan|annat|inne|not classified|no industry|nonclassifiable establishments
"""
_SAY_NOTHING = frozenset(_NOTHING_LINES.replace("\n", "|").strip("|").split("|"))
_QUESTION_MARKS = "???"
_ASKS = re.compile(r"\?+")


def canonical_industry(raw: Any) -> str | None:
    """The label, cased where it was shouted; None when empty. Raises Refused."""
    text = canonical_text(raw, 200)
    if text is None:
        return _QUESTION_MARKS if isinstance(raw, str) and _ASKS.fullmatch(raw.strip()) else None
    if "_" in text and " " not in text:  # as a picklist names its values: `COMPUTER_SOFTWARE`
        text = text.replace("_", " ").strip() or text
    return cased_words(text) if text.isupper() else text


def says_nothing(label: str) -> bool:
    """Whether a label is the one for whatever fits no other: `Other`, `???`."""
    return label == _QUESTION_MARKS or words(label) in _SAY_NOTHING


def industries_of(label: str) -> Industries:
    """The industries that a label means; none where it is not understood or says too little ("B2B")."""
    return meaning(label)


@lru_cache(16384)
def _with_above(label: str) -> Industries:
    return tree().with_above(meaning(label))


def industry_key(label: str) -> str:
    """The industries that a label means, as one text; its telling words where it is not understood."""
    meant = meaning(label)
    return "+".join(sorted(meant)) if meant else " ".join(plain_words(label))


def same_industry(a: str, b: str) -> bool:
    """Whether two labels can mean one industry, or one a part of the other: `Banks` and `Regional Banks`.

    Two parts of one industry differ: `Regional Banks` and `Diversified Banks`. A label that covers several
    industries is the same as each of them.
    """
    if words(a) == words(b) or (says_nothing(a) and says_nothing(b)):
        return True
    meant_a, meant_b = meaning(a), meaning(b)
    if not meant_a or not meant_b:
        return not meant_a and not meant_b and same_words(a, b)
    return not meant_a.isdisjoint(_with_above(b)) or not meant_b.isdisjoint(_with_above(a))
