"""Phone numbers: E.164, with an extension as RFC 3966 writes it."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    country_code_for_region,
    format_number,
    is_possible_number,
    is_valid_number,
    parse,
)

from enrichment.normalize.numbers.number import ascii_digits
from enrichment.normalize.places.country import country_code, country_name
from enrichment.normalize.text.text import Refused, tidy

_SHORTEST_INTERNATIONAL = 11  # fewer digits without a plus are as likely a national number
_FEWEST_NATIONAL = 9  # fewer digits are a number only where the country's plan says so
_LABEL = re.compile(r"^(?:tel(?:efon|ephone)?|phone|ph|mobile?|cell|m|t|p|office|work|direct)\s*[.:]+\s*|^tel:", re.I)
_SEPARATORS = re.compile(r"\s*[;,/|\n]\s*(?!\s*ext)(?=[+(0-9])|\s+(?:or|and|oder|und)\s+", re.I)
_EXTENSION = re.compile(r";ext=\d+$")
_NOT_DIGIT = re.compile(r"\D")
_VANITY = re.compile(r"(?:\+?1[-. ]*)?\(?8[0-9]{2}\)?[-. ]*(?=[0-9-]*[A-Z])[A-Z0-9][A-Z0-9-]{5,11}")
_EXTENSION_AT_END = re.compile(
    r"\s*[,;]?\s*(?:;ext=|(?:ext(?:ension|n)?|x|dw|durchwahl|anexo|int|poste)\.?|#)\s*:?\s*[0-9]{1,9}$", re.I
)
_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+", re.I)
_POINT_ZERO = re.compile(r"(\+?[0-9]{6,15})\.0+")  # a number that went through a table of numbers
_OTHER_ENDING = re.compile(r"[0-9]\s*/\s*-\s*[0-9]{1,4}$")  # `901820 / -21`: a second number
_REMARK = re.compile(r"\s*\([^0-9()]*\)$")
_FEWEST_DIGITS = 6  # of the first number of several; `030/12345678` is one
_ZEROS = re.compile(r"^00(?=[1-9])")
_ALLOWED = re.compile(r"[+0-9A-Za-z\s().\-/#*:;,=_\u2010-\u2015\u2212\u00b7]+")
_MOST_DIGITS = 25
_MEXICOS_ONE = re.compile(r"^(?:\+|00) ?52[ .-]*1[ .-]*(?=(?:[ .()-]*[0-9]){10}(?:[^0-9]|$))")  # dialled until 2019
_WIDE = str.maketrans("\uff0b\uff0d\uff08\uff09\uff0f\uff0e", "+-()/.")


class _Reading(NamedTuple):
    """One way to read a number. A `guess` must be a valid number to be believed."""

    text: str
    region: str | None
    guess: bool


@lru_cache(16384)
def _canonical(text: str, region: str | None) -> str:
    if _SCIENTIFIC.fullmatch(text):
        raise Refused("a phone number that a spreadsheet has rounded")
    if _OTHER_ENDING.search(text):
        raise Refused("different phone numbers in one value")
    if not _ALLOWED.fullmatch(text) or not _looks_like_a_number(text):
        raise Refused("not a phone number")
    numbers = (_number(reading) for reading in _readings(text, region))
    number = next(filter(None, numbers), None)
    if number is not None:
        return _e164(number)
    if text.startswith(("+", "00")):
        raise Refused("not a valid phone number")
    if region is None:
        raise Refused("a phone number without a country code, and the record has no country")
    raise Refused(f"not a valid phone number in {country_name(region)}")


def _looks_like_a_number(text: str) -> bool:
    """Whether its digits are enough, and its letters mean an extension or stand for digits (`1-800-FLOWERS`)."""
    if _VANITY.fullmatch(text):
        return True
    without_extension = _EXTENSION_AT_END.sub("", text)
    digits = len(_NOT_DIGIT.sub("", without_extension))
    return 5 <= digits <= _MOST_DIGITS and not any(map(str.isalpha, without_extension))


def _readings(text: str, region: str | None) -> Iterator[_Reading]:
    """How the text may be read, most likely first."""
    text = _MEXICOS_ONE.sub("+52 ", text)
    if text.startswith("+"):
        yield _Reading(text, None, guess=False)
        return
    if _ZEROS.match(text):
        yield _Reading(_ZEROS.sub("+", text), None, guess=False)
    digits = _NOT_DIGIT.sub("", text)
    international = len(digits) >= _SHORTEST_INTERNATIONAL and not digits.startswith("0")
    if international and region is not None and digits.startswith(str(country_code_for_region(region))):
        yield _Reading(f"+{text}", None, guess=True)
    if region is not None:
        yield _Reading(text, region, guess=False)
    if international:
        yield _Reading(f"+{text}", None, guess=True)


def _number(reading: _Reading) -> PhoneNumber | None:
    """The number, if it is valid; or of a possible length, unless it is a guess or very short.

    Numbering plans grow faster than anyone's copy of them, and ranges kept for fiction are in none.
    """
    try:
        number = parse(reading.text, reading.region)
    except NumberParseException:
        return None
    if is_valid_number(number):
        return number
    plausible = not reading.guess and len(str(number.national_number)) >= _FEWEST_NATIONAL
    return number if plausible and is_possible_number(number) else None


def _e164(number: PhoneNumber) -> str:
    extension = number.extension
    number.extension = None
    e164: str = format_number(number, PhoneNumberFormat.E164)
    return f"{e164};ext={extension}" if extension else e164


# Argentina's mobiles have a 9, but only for who calls from abroad.
_FOR_ABROAD = re.compile(r"^\+549(?=\d{10}(?:;|$))")


def phone_key(phone: str) -> str:
    """The canonical number without the digit that only callers from abroad dial."""
    return _FOR_ABROAD.sub("+54", phone)


def same_phone(a: str, b: str) -> bool:
    """Whether two canonical numbers are one line; an extension that only one of them names is no difference."""
    number_a, _, extension_a = phone_key(a).partition(";")
    number_b, _, extension_b = phone_key(b).partition(";")
    return number_a == number_b and (not extension_a or not extension_b or extension_a == extension_b)


def canonical_phone(raw: Any, country: str | None = None) -> str | None:
    """E.164, plus `;ext=` where there is an extension; None when empty.

    `country` (canonical) tells how to read a number that does not say its own. Raises Refused.
    """
    text = tidy(raw, 100)
    if text is None:
        return None
    region = country_code(country) if country else None
    if point_zero := _POINT_ZERO.fullmatch(text):
        text = point_zero[1]
    text = _REMARK.sub("", _LABEL.sub("", ascii_digits(text).translate(_WIDE))).strip()
    different = {_canonical(part, region) for part in _parts(text)}
    if len(different) != 1:
        raise Refused("different phone numbers in one value")
    return different.pop()


def _parts(text: str) -> list[str]:
    if _EXTENSION.search(text):
        return [text]
    parts = _SEPARATORS.split(text)
    return parts if len(_NOT_DIGIT.sub("", parts[0])) >= _FEWEST_DIGITS else [text]
