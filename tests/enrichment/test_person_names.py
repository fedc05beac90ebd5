"""A full name is the same one in any order, spelling and field."""

from typing import Any

import pytest

from enrichment.person_names import full_names, full_names_in_text, is_name_field, last_names, own_full_names

OWN = own_full_names({"firstName": "Änne Marie", "lastName": "Müller-Schön"})


@pytest.mark.parametrize(
    "fields",
    [
        {"firstName": "Änne", "lastName": "Müller-Schön"},
        {"firstName": "MUELLER-SCHOEN", "lastName": "aenne"},
        {"lastName": "Müller Schön, Änne Marie"},
        {"firstName": "Anne Muller-Schon"},
        {"displayName": "A\u0308nne  Marie  Mu\u0308ller-Scho\u0308n"},
        {"Contact person": ["Dr. Anne Müller-Schön"]},
    ],
)
def test_one_name(fields: dict[str, Any]) -> None:
    assert not OWN.isdisjoint(full_names(fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"firstName": "Änne"},
        {"lastName": "Müller-Schön"} | {"firstName": "Jo"},
        {"company": "Änne Müller-Schön GmbH"},
        {"street": "Änne-Müller-Schön-Straße 5"},
        {"lastName": "anne.muller-schon@acme.com"},
    ],
)
def test_another_name(fields: dict[str, Any]) -> None:
    assert OWN.isdisjoint(full_names(fields))


def test_a_name_in_a_text() -> None:
    for text in ("CEO: Anne Müller-Schön.", "ask Müller-Schön, Änne", "Assistant of Änne M. Schön"):
        known = own_full_names({"firstName": "Änne", "lastName": "Schön" if "M." in text else "Müller-Schön"})
        assert not known.isdisjoint(full_names_in_text(text))
    assert OWN.isdisjoint(full_names_in_text("Anne has seen that Müller is at Schön"))


def test_what_may_be_a_last_name() -> None:
    assert last_names({"firstName": "Jo", "lastName": "Frau Müller"}) >= {"muller", "frau muller"}
    assert last_names({"Full name": "Jo van Müller"}) >= {"muller", "van muller", "jo"}
    assert last_names({"firstName": "Jo", "company": "Müller"}) == set()


def test_fields_that_hold_names() -> None:
    assert all(map(is_name_field, ("lastName", "Full Name", "display_name", "contact", "Nickname")))
    assert not any(map(is_name_field, ("companyName", "Owner name", "username", "filename", "title")))
