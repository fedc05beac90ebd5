"""Names of people: casing that keeps McDonald, O'Brien and de la Cruz."""

import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.text import Refused, refuse_markup, tidy

_PARTICLES = frozenset(
    [
        "de",
        "da",
        "do",
        "dos",
        "das",
        "del",
        "della",
        "di",
        "la",
        "le",
        "los",
        "las",
        "van",
        "von",
        "der",
        "den",
        "ten",
        "ter",
        "vom",
        "zu",
        "zum",
        "y",
        "e",
        "af",
        "av",
        "bin",
        "ibn",
        "al",
        "el",
    ]
)
_HONORIFIC = re.compile(
    r"(?:(?:mr|mrs|ms|miss|dr|prof|sir|dame|herr|frau|mme|mlle|sr|sra|ing|dipl)\.\s*|(?:mr|mrs|ms|dr|prof)\s+)+",
    re.I,
)
_MC = re.compile(r"\bmc(?=\w{2})", re.I)


def canonical_person_name(raw: Any) -> str | None:
    """One part of a person's name, cased where it was shouted or all lower; None when empty. Raises Refused."""
    text = tidy(raw, 200)
    if text is None:
        return None
    refuse_markup(text)
    if "@" in text or "://" in text:
        raise Refused("an address, not a name")
    return cased(text)


@lru_cache(65536)
def cased(text: str) -> str:
    """The name with the usual capitals, if it has only one case; otherwise as it is."""
    if not (text.isupper() or text.islower()) or len(text) == 1:
        return text
    parts = text.lower().split(" ")
    return " ".join(_word(word, first=i == 0, last=i == len(parts) - 1) for i, word in enumerate(parts))


def _word(word: str, *, first: bool, last: bool) -> str:
    if word in _PARTICLES and not last:
        return word
    return re.sub(r"(^|[-'’.])(mc)?(\w)", lambda m: m[1] + (m[2] or "").title() + m[3].upper(), word)
