"""What every text value goes through first: broken characters, spreadsheet formulas and placeholders."""

import math
import re
import unicodedata
from typing import Any

LONGEST = 10_000


class Refused(ValueError):
    """A value that cannot be this field's. Its text is the reason, in plain words for a user."""


_UNPRINTABLE = re.compile(
    r"[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
# Persian and the scripts of India spell with joiners; beside Latin letters they are debris.
_STRAY_JOINER = re.compile(r"(?<![\u0600-\uffff])[\u200c\u200d]|[\u200c\u200d](?![\u0600-\uffff])")
_SPACES = re.compile(r"\s+")
_BLANKS = re.compile(r"[^\S\n]+")
_BROKEN = re.compile(r"[\ud800-\udfff]")
_FORMULA = re.compile(
    r"""["']?[=＝]\s*\S | [-+@＋－＠]+(?:[A-Za-z][\w.]*\( | [^|]*\|.*! )""", re.VERBOSE | re.DOTALL
)
_MARKUP = re.compile(
    r"<\s*/?\s*(?:script|iframe|img|svg|object|embed|style|link|meta|html|body|a|div|span|p|br)\b[^>]*>?",
    re.I,
)

PLACEHOLDERS = frozenset(
    """
    n/a na n.a. n.a #n/a n\\a none null nil nan (null) [null] <null> undefined (none) [none] -none- --none-- (blank) blank
    empty (empty) unknown unknwon unkown (unknown) [unknown] tbd t.b.d. tba tbc todo t.b.a. test testing tests dummy
    not|available not|applicable not|provided not|specified not|set not|known not|given not|found no|data no|value
    no|info no|information to|be|determined to|be|defined to|be|announced please|select select please|specify
    #ref! #value! #name? #null! #div/0! #error! k.a. k.a keine|angabe keine unbekannt nicht|bekannt nicht|vorhanden
    inconnu inconnue desconocido desconhecido sconosciuto onbekend okänd ukjent ukendt neznámý nieznany brak неизвестно
    sin|datos no|disponible non|renseigné nc s/o sans|objet не|указано не|известно 不明 未知 無し なし
    """.replace("|", "\x00").split()
)
_PLACEHOLDERS = frozenset(word.replace("\x00", " ") for word in PLACEHOLDERS)


def is_placeholder(text: str) -> bool:
    """Whether the text only says that there is no value: `n/a`, `-`, `???`, `TBD`, `xxx`."""
    folded = text.casefold()
    if folded in _PLACEHOLDERS or folded.strip(" .,;:!?-_*'\"()[]<>") in _PLACEHOLDERS:
        return True
    if len(folded) >= 3 and not folded.strip("x"):
        return True
    return not any(map(str.isalnum, folded))


def as_text(raw: Any) -> str | None:
    """The raw value as text, its characters checked; None for null. Raises Refused."""
    if raw is None:
        return None
    if isinstance(raw, str):
        text = str(raw)
    elif isinstance(raw, bool):
        raise Refused("true or false, not text")
    elif isinstance(raw, int | float):
        text = _number_as_text(raw)
    elif isinstance(raw, list | tuple):
        raise Refused("a list, not one value")
    else:
        raise Refused("an object, not one value")
    if len(text) > LONGEST:
        raise Refused("longer than 10,000 characters")
    if "\x00" in text:
        raise Refused("contains a NUL character")
    if _BROKEN.search(text):
        raise Refused("contains broken characters")
    return text


def _number_as_text(raw: float) -> str:
    if isinstance(raw, float):
        if not math.isfinite(raw):
            raise Refused("not a finite number")
        if not raw.is_integer():
            raise Refused("a number, not text")
    if abs(raw) >= 10**40:
        raise Refused("too large a number")
    return str(int(raw))


def visible(text: str) -> str:
    """The text in NFC without control, zero-width and direction characters; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", _STRAY_JOINER.sub("", _UNPRINTABLE.sub("", text)))


def tidy(raw: Any, longest: int = LONGEST, *, lines: bool = False) -> str | None:
    """Text in one line (or with its `lines` kept), trimmed, NFC; None when empty or a placeholder.

    Raises Refused for a wrong JSON type, a spreadsheet formula, broken characters or more than `longest`
    characters.
    """
    text = as_text(raw)
    if text is None:
        return None
    text = visible(text)
    if lines:
        kept = (_BLANKS.sub(" ", line).strip() for line in text.splitlines())
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    else:
        text = _SPACES.sub(" ", text).strip()
    if not text or is_placeholder(text):
        return None
    if _FORMULA.match(text):
        raise Refused("a spreadsheet formula, not a value")
    if len(text) > longest:
        raise Refused(f"longer than {longest:,} characters")
    return text


def refuse_markup(text: str) -> None:
    """Raise Refused where the text holds HTML."""
    if "<" in text and _MARKUP.search(text):
        raise Refused("markup, not a value")


_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "ẞ": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ł": "l",
        "ı": "i",
        "ħ": "h",
        "ŋ": "n",
    }
)


def fold(text: str) -> str:
    """Case and accents folded away: `Łódź` and `LODZ` give the same text."""
    if text.isascii():
        return text.lower()
    flat = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return unicodedata.normalize("NFC", "".join(c for c in flat if not _is_latin_mark(c)))


def _is_latin_mark(char: str) -> bool:
    return "\u0300" <= char <= "\u036f"


_NOT_WORD = re.compile(r"[\W_]+")


def words(text: str) -> str:
    """The folded words of a text with single spaces, `&` read as "and", other punctuation gone."""
    return _NOT_WORD.sub(" ", fold(text).replace("&", " and ")).strip()
