"""Streets and postal codes."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from enrichment.normalize.places.country import country_code
from enrichment.normalize.text.text import Refused, fold, refuse_markup, tidy, words
from enrichment.normalize.word_list import read_pairs

_TIGHT_COMMAS = re.compile(r"[\s,]*\n[\s,]*")
NUMBERS = read_pairs("places", "street_numbers.txt")
SHORT_FORMS = {
    "st": "street",
    "str": "street",
    "strasse": "street",
    **dict.fromkeys(("ave", "av", "aven", "avenida", "avda", "avd"), "avenue"),
    "rd": "road",
    **dict.fromkeys(("blvd", "bd", "bld", "boul"), "boulevard"),
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
    **NUMBERS,
}
_GERMAN_STREET = re.compile(r"(?<=\w)str(?:asse)?\b")
_POINT_ZERO = re.compile(r"(\d+)\.0")
_COUNTRY_LETTERS = re.compile(r"^(?:D|DE|A|AT|CH|F|FR|I|IT|B|BE|L|LU|NL|PL|CZ|ES|E|DK|SE|FI|FIN|N|NO)-(?=\d{4,5}$)")
_ZIP_DIGITS = 5
# How many digits every postal code has, in countries where some begin with a zero.
_DIGITS = {
    country: int(digits)
    for digits, countries in read_pairs("places", "postal_code_digits.txt").items()
    for country in countries.split()
}
_FEWEST_DIGITS = 3
_MOST_ZEROS = 2
_PLUS_FOUR = re.compile(r"(\d{3,4})(-\d{4})")


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
    return street_key_of(street, SHORT_FORMS)


def street_key_of(street: str, short_forms: Mapping[str, str]) -> str:
    """As `street_key`, with these short forms."""
    return " ".join(short_forms.get(word, word) for word in _GERMAN_STREET.sub(" street", words(street)).split())


def canonical_postal_code(raw: Any, country: str | None = None) -> str | None:
    """The code in upper case with single spaces; None when empty. Raises Refused.

    Where all codes of the country have so many digits, the leading zeros that a spreadsheet drops are restored.
    """
    text = tidy(raw, 20)
    if text is None:
        return None
    refuse_markup(text)
    whole = _POINT_ZERO.fullmatch(text)
    code = (whole[1] if whole else text).upper()
    if not any(map(str.isdigit, code)) and not code.isascii():
        raise Refused("not a postal code")
    return _with_zeros(code, country_code(country)) if country else code


def _with_zeros(code: str, country: str | None) -> str:
    digits = _DIGITS.get(country or "", 0)
    if code.isdecimal() and len(code) >= _FEWEST_DIGITS and 0 < digits - len(code) <= _MOST_ZEROS:
        return code.zfill(digits)
    if country == "US" and (plus_four := _PLUS_FOUR.fullmatch(code)):
        return plus_four[1].zfill(_ZIP_DIGITS) + plus_four[2]
    return code


def has_digits_of(code: str, country: str) -> bool | None:
    """Whether a postal code has as many digits as all of this country's; None where they differ in length."""
    digits = _DIGITS.get(country)
    return None if digits is None else len(re.sub(r"\D", "", code)) == digits and not re.search(r"[A-Z]{3}", code)


def postal_key(code: str) -> str:
    """The code without spaces, dashes and the letters of a country (`D-80331`); of a ZIP+4 the ZIP."""
    if re.fullmatch(r"\d{5}-\d{4}", code):
        return code[:_ZIP_DIGITS]
    code = _COUNTRY_LETTERS.sub("", code)
    return re.sub(r"[\W_]", "", fold(code)) or code
