"""Phone numbers in every format, with and without a country."""

from typing import Any

import pytest

from enrichment.normalize.contact.phone import canonical_phone
from enrichment.normalize.text.text import Refused


@pytest.mark.parametrize(
    ("raw", "country", "phone"),
    [
        ("+44 20 7946 0818", None, "+442079460818"),
        ("+49-30-467247600", None, "+4930467247600"),
        ("0049 911 9518082", None, "+499119518082"),
        ("+44 (0)20 7946 0818", None, "+442079460818"),
        ("+1 (202) 555-0187", None, "+12025550187"),
        ("tel:+1-202-555-0187", None, "+12025550187"),
        ("Tel.: +1 202 555 0187", None, "+12025550187"),
        ("020 7946 0818", "United Kingdom", "+442079460818"),
        ("(202) 555-0187", "United States", "+12025550187"),
        ("030 467247600", "Germany", "+4930467247600"),
        ("0049 30 467247600", "France", "+4930467247600"),
        ("+49 30 467247600", "United States", "+4930467247600"),
        ("011 49 30 467247600", "United States", "+4930467247600"),
        ("12025550187", None, "+12025550187"),
        (12025550187, None, "+12025550187"),
        (12025550187.0, None, "+12025550187"),
        (2025550187, "United States", "+12025550187"),
        ("+1 202-555-0187 ext. 42", None, "+12025550187;ext=42"),
        ("+1 202-555-0187 x42", None, "+12025550187;ext=42"),
        ("+12025550187;ext=42", None, "+12025550187;ext=42"),
        ("+44 7700 900916", None, "+447700900916"),
        ("+33 1 99 00 00 31", None, "+33199000031"),
        ("+1 202 555 0187 / +1-202-555-0187", None, "+12025550187"),
        ("\u202a+1 202 555 0187\u202c", None, "+12025550187"),
        ("+\u0661 202 555 0187", None, "+12025550187"),
        ("00423 236 88 11", None, "+4232368811"),
        ("030/12345678", "Germany", "+493012345678"),
        ("0171-1234567 (mobil)", "Germany", "+491711234567"),
        ("49 171 1234567", "Germany", "+491711234567"),
        ("1-800-FLOWERS", "United States", "+18003569377"),
        ("650-253-0000ext12", "United States", "+16502530000;ext=12"),
        ("n/a", None, None),
        ("-", "Germany", None),
        (None, None, None),
    ],
)
def test_a_number_becomes_e164(raw: Any, country: str | None, phone: str | None) -> None:
    assert canonical_phone(raw, country) == phone


@pytest.mark.parametrize(
    ("raw", "country", "reason"),
    [
        ("303-555-0172", None, "without a country code"),
        ("5125550123", None, "without a country code"),
        ("303-555-0172", "Denmark", "not a valid phone number in Denmark"),
        ("+1 555", None, "not a phone number"),
        ("+999 123 456 789", None, "not a valid phone number"),
        ("+1 202 555 01872345", None, "not a valid phone number"),
        ("call me", None, "not a phone number"),
        ("0171 mobil 1234567", "Germany", "not a phone number"),
        ("030 12345678/9", "Germany", "not a phone number"),
        ("1.65025E+10", "United States", "a spreadsheet has rounded"),
        ("jane@acme.com", None, "not a phone number"),
        ("0000000000", "Germany", "not a valid phone number"),
        ("+1 202 555 0187, +1 202 555 0188", None, "different phone numbers"),
        ("=1+1", None, "a spreadsheet formula"),
        ("1" * 90, None, "not a phone number"),
        ("1" * 200, None, "longer than"),
        (True, None, "true or false"),
        ([], None, "a list"),
    ],
)
def test_what_is_no_number_is_refused_with_a_reason(raw: Any, country: str | None, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_phone(raw, country)
