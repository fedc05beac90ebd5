"""Streets and postal codes."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from enrichment.normalize.places.country import country_code
from enrichment.normalize.text.reading import reads_as_before
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
    **dict.fromkeys(("blvd", "bd", "bld", "boul", "blv", "bvd"), "boulevard"),
    "dr": "drive",
    "doctor": "drive",  # as its short form, which both share
    "saint": "street",
    "sankt": "street",
    "ln": "lane",
    "ct": "court",
    "pl": "place",
    "platz": "place",
    **dict.fromkeys(("ctr", "cntr", "centre"), "center"),
    "bldg": "building",
    "apt": "apartment",
    "ter": "terrace",
    "cir": "circle",
    "cres": "crescent",
    "trl": "trail",
    "mt": "mount",
    "ft": "fort",
    "ctra": "carretera",
    **dict.fromkeys(("pza", "plza"), "plaza"),
    "pso": "paseo",
    "rte": "route",
    "imp": "impasse",
    "nw": "northwest",
    "ne": "northeast",
    "sw": "southwest",
    "se": "southeast",
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
# Short forms that more than a word tells.
_WRITTEN_OUT = [
    (re.compile(pattern, re.I), long)
    for pattern, long in (
        (r"^c/\s*", "calle "),
        (r"^r\.\s+", "rua "),
        (r"\bp\. ?o\. ?(?=box\b)", "po "),
        (r"\bp\.za\b", "piazza"),
        (r"\bv\.le\b", "viale"),
        (r"\bc\.so\b", "corso"),
        (r"(?<=\w\w\w)g\.(?= \d)", "gatan"),
        (r"(?<=\w\w\w)v\.(?= \d)", "vagen"),
    )
]
_SAY_NOTHING = frozenset({"suite", "ul", "ulica"})  # `#200` is `Suite 200`
_TENS = {
    word: str(number)
    for number, word in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2)
}
_ONES = re.compile(r"[1-9](?:st|nd|rd|th)?")
_FLOOR = re.compile(r"\b(\d+)(?:st|nd|rd|th) floor\b")
_GERMAN_STREET = re.compile(r"(?<=\w)str(?:asse)?\b")
_POINT_ZERO = re.compile(r"(\d+)\.0")
_COUNTRY_LETTERS = re.compile(
    r"^(?:D|DE|A|AT|CH|F|FR|I|IT|B|BE|L|LU|LT|LV|NL|PL|CZ|ES|E|DK|SE|S|FI|FIN|N|NO)[- ] ?"
    r"(?=\d{3} ?\d{1,2}$|\d{2}-\d{3}$)"
)
_ZIP_DIGITS = 5
# How many digits every postal code has, in countries where some begin with a zero.
_DIGITS = {
    country: int(digits)
    for digits, countries in read_pairs("places", "postal_code_digits.txt").items()
    for country in countries.split()
}
_FEWEST_DIGITS = 3
_MOST_ZEROS = 2
_PLUS_FOUR = re.compile(r"(\d{3,5})-?(\d{4})")
_DASHED = frozenset({"BR", "JP", "PL"})  # where a dash stands in the code: `01310-100`
# What stands behind a code: a remark in brackets, or the place that it is of.
_BEHIND = re.compile(
    r"(?P<code>.*\d.*?)\s*\([^()\d]*\)|(?P<digits>(?:[A-Z]{1,2}-)?\d{4,6})[\s,]+[^\W\d_]{3}[^\d]*", re.I
)


def canonical_street(raw: Any) -> str | None:
    """The street in one line, its lines joined by commas; None when empty. Raises Refused."""
    text = tidy(raw, 300, lines=True)
    if text is None:
        return None
    refuse_markup(text)
    return _TIGHT_COMMAS.sub(", ", text)


@lru_cache(4096)
def street_key(street: str) -> str:
    """The folded words, short forms such as `St.` and `Str.` written out, numbers in figures."""
    for short, long in _WRITTEN_OUT:
        street = short.sub(long, street)
    every = street_key_of(street, SHORT_FORMS).split()
    telling = [word for word in every if word not in _SAY_NOTHING]
    return _FLOOR.sub(r"floor \1", _in_figures(telling or every))


def _in_figures(parts: list[str]) -> str:
    """The words, with `twenty 3rd` as `23rd`."""
    found: list[str] = []
    for part in parts:
        if found and found[-1] in _TENS and _ONES.fullmatch(part):
            found[-1] = _TENS[found[-1]] + part
        else:
            found.append(part)
    return " ".join(f"{_TENS[part]}0" if part in _TENS else part for part in found)


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
    behind = None if reads_as_before() else _BEHIND.fullmatch(text)
    code = (whole[1] if whole else (behind["code"] or behind["digits"]) if behind else text).upper()
    if not any(map(str.isdigit, code)) and not code.isascii():
        raise Refused("not a postal code")
    return _with_zeros(code, country_code(country)) if country else code


def _with_zeros(code: str, country: str | None) -> str:
    letters = _COUNTRY_LETTERS.match(code)
    before, code = (letters[0], code[letters.end() :]) if letters else ("", code)
    digits = _DIGITS.get(country or "", 0)
    bare = code.replace("-", "", 1) if country in _DASHED else code
    if bare.isdecimal() and len(bare) >= _FEWEST_DIGITS and 0 < digits - len(bare) <= _MOST_ZEROS:
        return f"{before}{'0' * (digits - len(bare))}{code}"
    if country == "US" and len(bare) > _ZIP_DIGITS + 2 and (plus_four := _PLUS_FOUR.fullmatch(code)):
        return f"{plus_four[1].zfill(_ZIP_DIGITS)}-{plus_four[2]}"
    return before + code


def has_digits_of(code: str, country: str) -> bool | None:
    """Whether a postal code has as many digits as all of this country's; None where they differ in length."""
    digits = _DIGITS.get(country)
    return None if digits is None else len(re.sub(r"\D", "", code)) == digits and not re.search(r"[A-Z]{3}", code)


def postal_key(code: str) -> str:
    """The code without spaces, dashes and the letters of a country (`D-80331`); of a ZIP+4 the ZIP."""
    if re.fullmatch(r"\d{5}-?\d{4}", code):
        return code[:_ZIP_DIGITS]
    code = _COUNTRY_LETTERS.sub("", code)
    return re.sub(r"[\W_]", "", fold(code)) or code
