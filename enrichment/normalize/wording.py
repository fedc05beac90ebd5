"""Titles, industries and other words: shouting undone, acronyms kept."""

import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.text import Refused, refuse_markup, tidy, words

ACRONYMS = frozenset(
    [
        "CEO",
        "CFO",
        "COO",
        "CTO",
        "CIO",
        "CMO",
        "CRO",
        "CPO",
        "CISO",
        "CHRO",
        "CDO",
        "CSO",
        "CCO",
        "VP",
        "SVP",
        "EVP",
        "AVP",
        "RVP",
        "IT",
        "HR",
        "PR",
        "QA",
        "UX",
        "UI",
        "R&D",
        "EMEA",
        "APAC",
        "DACH",
        "LATAM",
        "ANZ",
        "US",
        "USA",
        "UK",
        "EU",
        "SDR",
        "BDR",
        "AE",
        "CRM",
        "ERP",
        "SAP",
        "B2B",
        "B2C",
        "SEO",
        "SEM",
        "PPC",
        "PMO",
        "MD",
        "GM",
        "PA",
        "BI",
        "AI",
        "ML",
        "IC",
        "II",
        "III",
        "IV",
        "SRE",
        "API",
        "AWS",
        "SaaS",
        "M&A",
        "P&L",
        "CPA",
        "MBA",
        "PhD",
        "OEM",
        "KAM",
    ]
)
_BY_UPPER = {a.upper(): a for a in ACRONYMS}
_LITTLE = frozenset(
    [
        "of",
        "and",
        "the",
        "for",
        "in",
        "to",
        "at",
        "on",
        "a",
        "an",
        "de",
        "la",
        "le",
        "du",
        "des",
        "y",
        "e",
        "und",
        "der",
        "die",
        "das",
        "von",
        "für",
        "im",
    ]
)


def canonical_text(raw: Any, longest: int = 500) -> str | None:
    """One line of plain text; None when empty. Raises Refused."""
    text = tidy(raw, longest)
    if text is not None:
        refuse_markup(text)
    return text


def canonical_description(raw: Any) -> str | None:
    """Text with its paragraphs; None when empty. Raises Refused."""
    return tidy(raw, lines=True)


@lru_cache(65536)
def unshout(text: str) -> str:
    """Capitals of a text that has only capitals brought down, known acronyms kept."""
    if not text.isupper() or (" " not in text and (text in _BY_UPPER or len(text) <= 4)):
        return text
    return " ".join(_word(w, first=not i) for i, w in enumerate(text.split(" ")))


def _word(word: str, *, first: bool) -> str:
    bare = word.strip(".,;:()/")
    if bare in _BY_UPPER:
        return word.replace(bare, _BY_UPPER[bare])
    if not first and bare.lower() in _LITTLE:
        return word.lower()
    return re.sub(r"(^|[-/(&'’.])(\w)", lambda m: m[1] + m[2].upper(), word.lower())


def canonical_title(raw: Any) -> str | None:
    """A job title with its own words, unshouted; None when empty. Raises Refused."""
    text = canonical_text(raw, 300)
    return None if text is None else unshout(text)


def canonical_symbol(raw: Any) -> str | None:
    """A stock symbol in upper case without its exchange; None when empty. Raises Refused."""
    text = tidy(raw, 50)
    if text is None:
        return None
    symbol = text.rpartition(":")[2].strip(" $").upper()
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9.\-/ ]{0,19}", symbol):
        raise Refused("not a stock symbol")
    return symbol


def canonical_naics(raw: Any) -> str | None:
    """2 to 6 digits; None when empty. Raises Refused."""
    return _code(raw, r"\d{2,6}|31-33|44-45|48-49", "not a NAICS code")


def canonical_sic(raw: Any) -> str | None:
    """2 to 4 digits (or the 8 of the extended code); None when empty. Raises Refused."""
    return _code(raw, r"\d{2,4}|\d{8}", "not a SIC code")


def _code(raw: Any, pattern: str, reason: str) -> str | None:
    text = tidy(raw, 100)
    if text is None:
        return None
    match = re.match(rf"(?:(?:naics|sic)\s*:?\s*)?({pattern})(?!\d)", text, re.I)
    if match is None:
        raise Refused(reason)
    return match[1]


def word_key(text: str) -> str:
    """The folded words, `&` as "and"."""
    return words(text)
