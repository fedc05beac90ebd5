"""What version 0.1.0 made of raw values is still known: the two versions differ in these, and in no other tried one."""

import json
from pathlib import Path
from typing import Any

import pytest

from enrichment.catalogue import earlier_form, value_key, value_keys
from enrichment.enums import EntityType
from enrichment.normalize.earlier import earlier
from enrichment.normalize.field_kind import FieldKind, canonical
from enrichment.normalize.text.text import Refused

# Kind, raw value, the record's country, and what 0.1.0 stored for it; "REFUSED" where it stored nothing.
FORMS: list[list[Any]] = json.loads(
    (Path(__file__).parents[2] / "support" / "baseline" / "earlier_forms.json").read_text("utf-8")
)


def test_every_form_of_0_1_0_is_found_again() -> None:
    wrong = []
    for kind, raw, country, stored in FORMS:
        try:
            found = earlier(FieldKind(kind), raw, country)
        except Refused:
            found = "REFUSED"
        if found != stored:
            wrong.append((kind, raw, country, stored, found))
    assert wrong == []


@pytest.mark.parametrize(
    ("field", "raw", "country", "before"),
    [
        ("state", "US-CA", "United States", "Us-Ca"),
        ("phone", "4915112345678.0", "Germany", "+49151123456780"),
        ("postalCode", "1067", "Germany", "1067"),
        (
            "linkedinUrl",
            "linkedin.com/in/ACwAAAabcdE0ghIJkLmNoPq",
            None,
            "https://www.linkedin.com/in/acwaaaabcde0ghijklmnopq",
        ),
        ("company", "AT&amp;T", None, "AT&amp;T"),
        ("company", "Acme", None, None),
        ("industry", "Other", None, None),
        ("email", "jo@acme.com (old)", None, None),
        ("companyDomain", "acme.wordpress.com", None, "wordpress.com"),
        ("companyDomain", "https://www.amazon.com/dp/B000", None, "amazon.com"),
        ("companyDomain", "backstube.my.salesforce.com", None, "salesforce.com"),
        ("companyDomain", "facebook.com/acme", None, None),
        ("companyDomain", "https://acme.github.io", None, None),
        ("companyDomain", "jo@gmail.com", None, None),
    ],
)
def test_a_form_is_named_where_it_is_another(field: str, raw: str, country: str | None, before: str | None) -> None:
    hints = {} if country is None else {"country": country}
    assert earlier_form(EntityType.CONTACT, field, raw, hints=hints) == before


def test_reading_as_before_leaves_no_trace() -> None:
    for _ in range(2):
        assert canonical(FieldKind.COMPANY_NAME, "AT&amp;T", None) == "AT&T"
        assert earlier(FieldKind.COMPANY_NAME, "AT&amp;T", None) == "AT&amp;T"


def test_a_street_has_the_key_of_before_too() -> None:
    assert value_keys(EntityType.ACCOUNT, "street", "350 Fifth Ave") == {
        value_key(EntityType.ACCOUNT, "street", "350 Fifth Ave"),
        "350 fifth avenue",
    }
    assert value_keys(EntityType.ACCOUNT, "city", "Oakland") == {"oakland"}
