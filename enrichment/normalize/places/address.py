"""Streets and postal codes."""

import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.places.country import country_code
from enrichment.normalize.text.text import Refused, fold, refuse_markup, tidy, words

_TIGHT_COMMAS = re.compile(r"[\s,]*\n[\s,]*")
_SHORT_FORMS = {
    "st": "street",
    "str": "street",
    "strasse": "street",
    "ave": "avenue",
    "av": "avenue",
    "rd": "road",
    "blvd": "boulevard",
    "bd": "boulevard",
    "dr": "drive",
    "ln": "lane",
    "ct": "court",
    "pl": "place",
    "sq": "square",
    "pkwy": "parkway",
    "hwy": "highway",
    "ste": "suite",
    "fl": "floor",
    "n": "north",
    "s": "south",
    "e": "east",
    "w": "west",
}
_GERMAN_STREET = re.compile(r"(?<=\w)str(?:asse)?\b")
_POINT_ZERO = re.compile(r"(\d+)\.0")
_COUNTRY_LETTERS = re.compile(r"^(?:D|DE|A|AT|CH|F|FR|I|IT|B|BE|L|LU|NL|PL|CZ|ES|E|DK|SE|FI|FIN|N|NO)-(?=\d{4,5}$)")
_ZIP_DIGITS = 5


def canonical_street(raw: Any) -> str | None:
    """The street in one line, its lines joined by commas; None when empty. Raises Refused."""
    text = tidy(raw, 300, lines=True)
    if text is None:
        return None
    refuse_markup(text)
    return _TIGHT_COMMAS.sub(", ", text)


@lru_cache(4096)
def street_key(street: str) -> str:
    """The folded words, short forms such as `St.` and `Str.` written out."""
    return " ".join(_SHORT_FORMS.get(word, word) for word in _GERMAN_STREET.sub(" street", words(street)).split())


def canonical_postal_code(raw: Any, country: str | None = None) -> str | None:
    """The code in upper case with single spaces; None when empty. Raises Refused.

    In the United States the leading zeros that a spreadsheet drops are restored.
    """
    text = tidy(raw, 20)
    if text is None:
        return None
    refuse_markup(text)
    whole = _POINT_ZERO.fullmatch(text)
    code = (whole[1] if whole else text).upper()
    if not any(map(str.isdigit, code)) and not code.isascii():
        raise Refused("not a postal code")
    if code.isdecimal() and 3 <= len(code) < _ZIP_DIGITS and country and country_code(country) == "US":
        return code.zfill(_ZIP_DIGITS)
    return code


def postal_key(code: str) -> str:
    """The code without spaces, dashes and the letters of a country (`D-80331`); of a ZIP+4 the ZIP."""
    if re.fullmatch(r"\d{5}-\d{4}", code):
        return code[:_ZIP_DIGITS]
    code = _COUNTRY_LETTERS.sub("", code)
    return re.sub(r"[\W_]", "", fold(code)) or code
