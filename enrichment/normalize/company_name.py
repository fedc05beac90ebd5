"""Company names: the readable canonical name, and the core that two spellings share."""

import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.text import Refused, fold, refuse_markup, tidy

_NOISE = re.compile(
    r"\s*(?:\[[^\]]{0,30}\]|\*+[^*]{1,20}\*+|\((?:old|new|duplicate|dupe|dup|inactive|closed|do not use|test|vip|emea|apac|dach|amer|latam)\)"
    r"|[-–—:]?\s*\b(?:do not use|do not contact|delete me)\b)\s*",
    re.I,
)
_JUNK = frozenset(
    [
        "asdf",
        "asdfasdf",
        "qwerty",
        "delete me",
        "delete",
        "do not use",
        "test account",
        "test company",
        "company",
        "company name",
        "account",
        "dummy account",
        "foo",
        "bar",
        "foobar",
    ]
)
_NO_COMPANY = frozenset(
    [
        "freelance",
        "freelancer",
        "self employed",
        "selfemployed",
        "private",
        "privat",
        "individual",
        "retired",
        "student",
        "unemployed",
        "own",
    ]
)
_LEGAL = frozenset(
    [
        "inc",
        "incorporated",
        "llc",
        "llp",
        "lllp",
        "lp",
        "ltd",
        "limited",
        "plc",
        "corp",
        "corporation",
        "co",
        "company",
        "companies",
        "gmbh",
        "mbh",
        "ggmbh",
        "ag",
        "kg",
        "kgaa",
        "ohg",
        "ug",
        "se",
        "sa",
        "sas",
        "sasu",
        "sarl",
        "eurl",
        "sca",
        "scs",
        "sci",
        "srl",
        "spa",
        "sapa",
        "snc",
        "ss",
        "sl",
        "slu",
        "sau",
        "scoop",
        "bv",
        "nv",
        "cv",
        "vof",
        "cvba",
        "bvba",
        "sprl",
        "asbl",
        "vzw",
        "ab",
        "hb",
        "kb",
        "oy",
        "oyj",
        "ky",
        "as",
        "asa",
        "aps",
        "ivs",
        "ks",
        "da",
        "ans",
        "ba",
        "hf",
        "ehf",
        "ou",
        "tov",
        "ooo",
        "oao",
        "zao",
        "pao",
        "pjsc",
        "ojsc",
        "cjsc",
        "jsc",
        "llp",
        "uab",
        "sia",
        "as",
        "kft",
        "zrt",
        "nyrt",
        "bt",
        "rt",
        "sro",
        "spol",
        "dd",
        "doo",
        "ad",
        "ead",
        "ood",
        "eood",
        "ltda",
        "eireli",
        "me",
        "epp",
        "mei",
        "sapi",
        "sab",
        "de",
        "cv",
        "rl",
        "pty",
        "proprietary",
        "pvt",
        "private",
        "pte",
        "bhd",
        "sdn",
        "berhad",
        "tbk",
        "pt",
        "kk",
        "kabushiki",
        "kaisha",
        "godo",
        "gk",
        "yk",
        "plt",
        "psc",
        "dmcc",
        "fze",
        "fzco",
        "fzllc",
        "wll",
        "bsc",
        "saog",
        "saoc",
        "qsc",
        "kscc",
        "ksc",
        "spv",
        "publ",
        "public",
        "pcl",
        "joint",
        "stock",
        "ev",
        "eg",
        "vvag",
        "aor",
        "kdor",
        "gbr",
        "ek",
        "partg",
        "stiftung",
        "haftungsbeschrankt",
        "aktiengesellschaft",
        "gesellschaft",
        "sdnbhd",
        "anonim",
        "sirketi",
        "sti",
    ]
)
_PREFIXES = frozenset(["the", "pt", "ooo", "oao", "zao", "pao", "uab", "sia", "ab"])
_INITIALS = re.compile(r"\b(?:\w[./]\s?)+(?:\w\b)?")
_NOT_WORD = re.compile(r"[\W_]+")
_CLASS = re.compile(r"\s+class\s+[a-d]$")


def canonical_company(raw: Any) -> str | None:
    """The name in one line without CRM noise; None when empty or junk. Raises Refused."""
    text = tidy(raw, 500)
    if text is None:
        return None
    refuse_markup(text)
    return _without_noise(text)


@lru_cache(65536)
def _without_noise(text: str) -> str | None:
    if text.casefold() in _JUNK:
        return None
    kept = _NOISE.sub(" ", text).strip(" -–—:,;")
    if not kept or kept.casefold() in _JUNK:
        return None
    return re.sub(r"\s+", " ", kept)


@lru_cache(65536)
def core_name(text: str) -> str:
    """What two spellings of one company's name share.

    Case and accents folded; legal forms, punctuation and CRM noise removed. Empty when no company is named
    ("Self employed").
    """
    folded = fold(_without_noise(text) or "").replace("'", "").replace("’", "")
    folded = _INITIALS.sub(lambda m: re.sub(r"[./\s]", "", m[0]) + " ", folded)
    folded = _CLASS.sub("", folded)
    plain = _NOT_WORD.sub(" ", folded.replace("&", " and ")).split()
    tokens = list(plain)
    while len(tokens) > 1 and (tokens[-1] in _LEGAL or tokens[-1] in ("and", "the")):
        tokens.pop()
    while len(tokens) > 1 and tokens[0] in _PREFIXES:
        tokens.pop(0)
    core = " ".join(tokens)
    return "" if core in _NO_COMPANY else core


def same_company(a: str, b: str) -> bool:
    """Whether two names differ only in legal form, case, accents or punctuation."""
    return company_key(a) == company_key(b)


def company_key(text: str) -> str:
    """The core name, or the folded text where it has none."""
    return core_name(text) or fold(text)


__all__ = ["Refused", "canonical_company", "company_key", "core_name", "same_company"]
