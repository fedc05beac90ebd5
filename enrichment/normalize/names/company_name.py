"""Company names: the readable canonical name, and the core that two spellings share."""

import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.names.legal_forms import EAST_ASIAN, FORMS, LONGEST, PREFIXES
from enrichment.normalize.text.placeholders import is_junk
from enrichment.normalize.text.text import fold, refuse_markup, tidy, visible, without_umlauts
from enrichment.normalize.word_list import read_lines, read_pairs

_TAGS = (
    "old|new|duplicate|dupe?|inactive|closed|do not use|don't use|test|vip|emea|apac|dach|amer|latam|anz|uki|archived?"
)
_TAGS += "|merged|migrated|obsolete|deprecated|prospect|customer|key account|bankrupt|insolvent"
_NOISE = re.compile(
    rf"\s*(?:\[[^\]]{{0,30}}\]|\*+[^*]{{1,20}}\*+|\((?:{_TAGS})\)"
    r"|[-\u2013\u2014:,]*\s*\b(?:do not use|do not contact|don't use|delete me)\b[!.]*)\s*"
    r"|^(?:zz+[_ -]+|duplicate\s*[-:]\s*|old\s*[-:]\s+)|\s+[-\u2013\u2014]\s+(?:duplicate|old|inactive)$",
    re.I,
)
_START = " -\u2013\u2014,;|/"
_END = " -\u2013\u2014:,;|/"
_JUNK = frozenset(read_lines("names", "placeholder_companies.txt"))
_NO_COMPANY = frozenset(read_lines("names", "no_company.txt"))
_SOMEONES_ACCOUNT = re.compile(r"\w+'?s (?:account|company)")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")
_INITIALS = re.compile(r"\b\w(?:[./]\s?\w\b)+\.?")
_NOT_WORD = re.compile(r"[\W_]+")
_SHARE_CLASS = re.compile(
    r"\s+(?:class\s+[a-d]|(?:ordinary|common|preferred) (?:shares|stock)|(?:series|ser\.?) [a-d]|adr)$"
)
_QUOTED = re.compile("[\"'\u201c\u201e\u00ab]([^\"'\u201c-\u201e\u00ab\u00bb]+)[\"'\u201c\u201d\u00bb]")
_SPACES = re.compile(r"\s+")
_MARKS = re.compile("[\u00ae\u2122\u00a9\u2120]|\\((?:R|TM|C)\\)")
_WRITTEN_OUT = read_pairs("names", "company_abbreviations.txt")
_LOOSE_ENDS = frozenset({"and", "the"})


def canonical_company(raw: Any) -> str | None:
    """The name in one line without CRM noise; None when empty or junk. Raises Refused."""
    text = tidy(raw, 300)
    if text is None:
        return None
    refuse_markup(text)
    quoted = _QUOTED.fullmatch(text)
    return without_noise(quoted[1] if quoted else text)


@lru_cache(65536)
def without_noise(text: str) -> str | None:
    """The name without what people add to it in a CRM (`[EMEA]`, `(old)`, `DO NOT USE`); None when none is left."""
    if _is_junk(text):
        return None
    before, kept = text, _less_noise(text)
    while kept and kept != before:
        before, kept = kept, _less_noise(kept)
    if not any(map(str.isalnum, kept)) or _is_junk(kept):
        return None
    return kept


def _less_noise(text: str) -> str:
    return _SPACES.sub(" ", _NOISE.sub(" ", text)).lstrip(_START).rstrip(_END)


def _is_junk(text: str) -> bool:
    return is_junk(text) or text.casefold().strip(" .!?*-_\"'") in _JUNK


@lru_cache(65536)
def core_name(text: str) -> str:
    """What two spellings of one company's name share.

    Case and accents folded; legal forms, punctuation and CRM noise removed. Empty when no company is named
    ("Self employed").
    """
    folded = _APOSTROPHES.sub("", fold(_MARKS.sub(" ", without_noise(visible(text)) or "")))
    folded = EAST_ASIAN.sub(" ", folded) if not folded.isascii() else folded
    folded = _INITIALS.sub(_run_together, _SHARE_CLASS.sub("", folded))
    tokens = _NOT_WORD.sub(" ", folded.replace("&", " and ").replace("+", " and ")).split()
    core = " ".join(_without_forms(tokens))
    return "" if core in _NO_COMPANY or _SOMEONES_ACCOUNT.fullmatch(core) else core


def _run_together(match: re.Match[str]) -> str:
    return re.sub(r"[./\s]", "", match[0]) + " "


def _without_forms(tokens: list[str]) -> list[str]:
    while len(tokens) > 1 and tokens[0] in PREFIXES:
        tokens = tokens[1:]
    while len(tokens) > 1:
        if tokens[-1] in _LOOSE_ENDS:
            tokens = tokens[:-1]
            continue
        tail = tuple(word for word in tokens[-LONGEST - 1 :] if word != "and")
        size = next((n for n in range(min(LONGEST, len(tail)), 0, -1) if tail[-n:] in FORMS), 0)
        kept = _before_last(tokens, size)
        if size == 0 or not kept:
            return tokens
        tokens = kept
    return tokens


def _before_last(tokens: list[str], size: int) -> list[str]:
    """The tokens without the last `size` ones, where "and" does not count."""
    end = len(tokens)
    while size and end:
        end -= 1
        size -= tokens[end] != "and"
    return tokens[:end]


@lru_cache(65536)
def company_key(text: str) -> str:
    """The core name, short words written out, in one word without umlauts; or the folded text where it has none."""
    written = "".join(_WRITTEN_OUT.get(word, word) for word in core_name(text).split())
    return without_umlauts(written) or fold(text)
