"""Phone numbers: E.164, with an extension as RFC 3966 writes it."""

import re
from functools import lru_cache
from typing import Any

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse

from enrichment.normalize.country import country_code
from enrichment.normalize.text import Refused, tidy

_SHORTEST_INTERNATIONAL = 11  # shorter digits without a plus are as likely a national number


@lru_cache(65536)
def _canonical(text: str, region: str | None) -> str:
    for attempt, attempt_region in _readings(text, region):
        try:
            number = parse(attempt, attempt_region)
        except NumberParseException:
            continue
        if is_valid_number(number):
            extension = f";ext={number.extension}" if number.extension else ""
            number.extension = None
            return str(format_number(number, PhoneNumberFormat.E164)) + extension
    if region is None and not text.startswith(("+", "00")):
        raise Refused("a phone number without a country")
    raise Refused("not a valid phone number")


def _readings(text: str, region: str | None) -> list[tuple[str, str | None]]:
    if text.startswith("00"):
        return [("+" + text[2:], None), (text, region)]
    if text.startswith("+"):
        return [(text, None)]
    readings: list[tuple[str, str | None]] = [(text, region)] if region else []
    if len(re.sub(r"\D", "", text)) >= _SHORTEST_INTERNATIONAL:
        readings.append(("+" + text, None))
    return readings


def canonical_phone(raw: Any, country: str | None = None) -> str | None:
    """E.164, plus `;ext=` where there is an extension; None when empty.

    `country` (a canonical country) tells how to read a number without one. Raises Refused.
    """
    text = tidy(raw, 100)
    if text is None:
        return None
    return _canonical(text, country_code(country) if country else None)
