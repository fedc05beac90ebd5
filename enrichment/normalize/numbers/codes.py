"""Industry classification codes and stock symbols."""

import re
from typing import Any

from enrichment.normalize.text.text import Refused, tidy

_NAICS = re.compile(
    r"(?:naics\s*(?:code)?\s*[:#]?\s*)?([1-9][0-9]{1,5}|31-33|44-45|48-49)(?:\.0)?(?:\s*[-:\u2013(]?\s+?\D.*)?", re.I
)
_SIC = re.compile(
    r"(?:(?:us\s*)?sic\s*(?:code)?\s*[:#]?\s*)?([0-9]{2,4}|[0-9]{8})(?:\.0)?(?:\s*[-:\u2013(]?\s+?\D.*)?", re.I
)
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.&\-/]{0,14}")
_FEWEST = 2  # digits of a code
_CLASS = re.compile(r"[-/](?=[A-Z]{1,2}$)")
_IN_BRACKETS = re.compile(r"\s*\([^()]*\)$")


def canonical_naics(raw: Any) -> str | None:
    """2 to 6 digits, or a sector of several (`31-33`); None when empty. Raises Refused."""
    return _code(raw, _NAICS, "not a NAICS code")


def canonical_sic(raw: Any) -> str | None:
    """2 to 4 digits, or the 8 of the extended code; None when empty. Raises Refused."""
    return _code(raw, _SIC, "not a SIC code")


def _code(raw: Any, pattern: re.Pattern[str], reason: str) -> str | None:
    text = tidy(raw, 200)
    if text is None:
        return None
    match = pattern.fullmatch(text)
    if match is None:
        raise Refused(reason)
    return match[1]


def canonical_symbol(raw: Any) -> str | None:
    """A stock symbol in upper case without its exchange (`NASDAQ: AAPL`); None when empty. Raises Refused."""
    text = tidy(raw, 50)
    if text is None:
        return None
    symbol = _IN_BRACKETS.sub("", text).rpartition(":")[2].strip(" $").upper()
    if not _SYMBOL.fullmatch(symbol):
        raise Refused("not a stock symbol")
    return symbol


def symbol_key(symbol: str) -> str:
    """The symbol with the class of its shares set off one way: `BRK.B`, `BRK-B`, `BRK/B`."""
    return _CLASS.sub(".", symbol)


def code_key(code: str) -> str:
    """The code without the zeros that only fill it up: `7370` is the group `737`."""
    return code[:_FEWEST] + code[_FEWEST:].rstrip("0")


def same_code(a: str, b: str) -> bool:
    """Whether two codes of one classification name one industry, or one a part of the other: `54` and `541511`."""
    return any(
        key_a.startswith(key_b) or key_b.startswith(key_a)
        for key_a in map(code_key, _sectors(a))
        for key_b in map(code_key, _sectors(b))
    )


def _sectors(code: str) -> list[str]:
    """The code, or the sectors that a range of them covers: `31-33`."""
    first, dash, last = code.partition("-")
    return [str(sector) for sector in range(int(first), int(last) + 1)] if dash else [code]
