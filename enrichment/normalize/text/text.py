"""What every text value goes through first: broken characters, spreadsheet formulas and placeholders."""

import html
import math
import re
import unicodedata
from typing import Any

from enrichment.normalize.text.placeholders import is_placeholder
from enrichment.normalize.text.reading import reads_as_before

LONGEST = 10_000


class Refused(ValueError):
    """A value that cannot be this field's. Its text is the reason, in plain words for a user."""


_UNPRINTABLE = re.compile(
    "[\x01-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
# Persian and the scripts of India spell with joiners; beside Latin letters they are debris.
_STRAY_JOINER = re.compile("(?<![\u0590-\U0010ffff])[\u200c\u200d]|[\u200c\u200d](?![\u0590-\U0010ffff])")
_BLANKS = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_EMPTY_LINES = re.compile(r"\n{3,}")
_BROKEN = re.compile(r"[\ud800-\udfff\ufffd]")
# UTF-8 that was read as Windows-1252: `M\u00c3\u00bcnchen`.
_MISREAD = re.compile(
    "[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac|[\u00c3\u00c5][\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u2013-\u203a]"
)

# What a spreadsheet would run: `=1+1`, `+cmd|'/C calc'!A0`, `@SUM(A1)`; but not `+44 20 7946 0818` or `@acme`.
_EQUALS = "=\uff1d"
_SIGNS = "-+@\uff0b\uff0d\uff20"
_FORMULA = re.compile(
    rf"""["']*[{_EQUALS}]\s*[\w("'+\-@${{\[]"""
    rf"""|["']*[{_SIGNS}]{{1,3}}(?:[A-Za-z][\w.]*\(|\$?[A-Za-z]{{1,3}}\$?\d+[+*/-]|\d[\d.]*[+*^]\d"""
    r"""|[^|]{0,200}\|\s*'[^']*'!)"""
)
_MARKUP = re.compile(
    r"<\s*/?\s*(?:script|iframe|img|svg|object|embed|style|link|meta|html|body|form|input|a|b|i|div|span|p|br)\b[^>]*>"
    r"|<\s*script\b",
    re.I,
)


# What exporters put before and around a cell so that no spreadsheet runs it, or drops its zeros: `'+49 …`, `="07030"`.
_ROUND_APOSTROPHE = re.compile(r"^[\u2018\u2019`\u00b4]\+")
_APOSTROPHE = re.compile(rf"'(?=[{_SIGNS}{_EQUALS}]|[\d\s().,/-]+$)")
_QUOTED = re.compile(rf"[{_EQUALS}]\s*\"([^\"]*)\"")
# An equals sign that begins a name: `=Experts GmbH`. One word alone may be the name of a range.
_NAME_AFTER_EQUALS = re.compile(rf"[{_EQUALS}]\s*[^\W\d_]{{2,}}(?:\s+(?:&|[^\W\d_][^\W_]*[.,]?))+")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def as_text(raw: Any) -> str | None:
    """The raw value as text, HTML entities decoded and its characters checked; None for null. Raises Refused."""
    if raw is None:
        return None
    text = raw if isinstance(raw, str) else _as_written(raw)
    if len(text) > LONGEST:
        raise Refused("longer than 10,000 characters")
    if "&" in text and not reads_as_before():
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if not text.isascii() and _BROKEN.search(text):
        raise Refused("contains broken characters")
    if "\x00" in text:
        raise Refused("contains a NUL character")
    return text


def _as_written(raw: Any) -> str:
    if isinstance(raw, bool):
        raise Refused("true or false is not a value of this field")
    if isinstance(raw, int):
        return _digits(raw)
    if isinstance(raw, float):
        if not math.isfinite(raw):
            raise Refused("not a finite number")
        if not raw.is_integer():
            raise Refused("a number, not text")
        return _digits(int(raw))
    raise Refused("a list, not one value" if isinstance(raw, list | tuple) else "an object, not one value")


def _digits(number: int) -> str:
    if abs(number) >= 10**40:
        raise Refused("too large a number")
    return str(number)


def visible(text: str) -> str:
    """The text in NFC without control, zero-width and direction characters; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", _STRAY_JOINER.sub("", _UNPRINTABLE.sub("", _reread(text))))


def _reread(text: str) -> str:
    """The text as it was before it was read in the wrong encoding, once or twice."""
    while _MISREAD.search(text):
        try:
            text = text.encode("cp1252").decode()
        except UnicodeError:
            return text
    return text


def tidy(raw: Any, longest: int = LONGEST, *, lines: bool = False) -> str | None:
    """Text in one line (or with its `lines` kept), trimmed, NFC; None when empty or a placeholder.

    Raises Refused for a wrong JSON type, a spreadsheet formula, broken characters or more than `longest`
    characters.
    """
    text = as_text(raw)
    if not text:
        return None
    if not (text.isascii() and text.isprintable()):
        text = _LINE_ENDS.sub("\n", visible(text))
    if lines:
        kept = "\n".join(_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
        text = _EMPTY_LINES.sub("\n\n", kept).strip()
    else:
        text = " ".join(text.split())
    if text and not reads_as_before():
        text = _without_guard(text)
    if not text or is_placeholder(text):
        return None
    if _FORMULA.match(text) and (reads_as_before() or not _NAME_AFTER_EQUALS.fullmatch(text)):
        raise Refused("a spreadsheet formula, not a value")
    if len(text) > longest:
        raise Refused(f"longer than {longest:,} characters")
    return text


def _without_guard(text: str) -> str:
    """The text without what keeps spreadsheets from running or rounding it."""
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return quoted[1].strip()
    text = _ROUND_APOSTROPHE.sub("'+", text)
    return _APOSTROPHE.sub("", text, count=1) if text[0] == "'" else text


def has_markup(text: str) -> bool:
    """Whether the text holds HTML."""
    return "<" in text and _MARKUP.search(text) is not None


def refuse_markup(text: str) -> None:
    """Raise Refused where the text holds HTML."""
    if has_markup(text):
        raise Refused("markup, not a value")


_LETTERS = str.maketrans(
    {
        "\u00df": "ss",  # sharp s
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u00f8": "o",  # o with stroke
        "\u0111": "d",  # d with stroke
        "\u00f0": "d",  # eth
        "\u00fe": "th",  # thorn
        "\u0142": "l",  # l with stroke
        "\u0131": "i",  # dotless i
        "\u0127": "h",
        "\u014b": "n",
    }
)
_MARKS = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    """Case and accents folded away: accented and plain, upper and lower spellings give the same text."""
    if text.isascii():
        return text.lower()
    flat = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS)).casefold()
    return unicodedata.normalize("NFC", _MARKS.sub("", flat).translate(_LETTERS))


_UMLAUT = re.compile("([aou])e")


def without_umlauts(text: str) -> str:
    """A folded text with `ae`, `oe`, `ue` as `a`, `o`, `u`: `mueller` and `m\u00fcller` meet in `muller`."""
    return _UMLAUT.sub(r"\1", text)


_NOT_WORD = re.compile(r"[\W_]+")


def words(text: str) -> str:
    """The folded words of a text with single spaces, `&` read as "and", other punctuation gone.

    A text of punctuation alone keeps it.
    """
    folded = fold(text)
    return _NOT_WORD.sub(" ", folded.replace("&", " and ")).strip() or folded
