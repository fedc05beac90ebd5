"""Whether an answer is about who was asked for, where neither an e-mail address nor a domain tells."""

from typing import Any

import pytest

from providers.identity import Told, is_asked_company, is_asked_person
from tests.fake_http import account, lead

MARA = Told(
    first="Mara",
    last="Lindqvist",
    domains=("example.com",),
    employers=("example robotics", "Sample Analytics"),
    profiles=("linkedin.com/in/mara-lindqvist",),
    phones=("+1 202-555-0164",),
)
PROFILE = "https://www.linkedin.com/in/"


@pytest.mark.parametrize(
    ("asked", "is_she"),
    [
        ({"linkedinUrl": f"{PROFILE}mara-lindqvist"}, True),
        (
            {"linkedinUrl": f"{PROFILE}mara-lindqvist", "companyDomain": "acme.io"},
            True,
        ),  # she moved there or from there
        ({"linkedinUrl": f"{PROFILE}bo-berg"}, False),
        ({"linkedinUrl": f"{PROFILE}ml", "firstName": "Mara", "lastName": "Lindqvist"}, True),  # an older address
        ({"linkedinUrl": f"{PROFILE}ml", "firstName": "Bo", "lastName": "Berg"}, False),
        ({"firstName": "Mara", "lastName": "Lindqvist", "company": "Example Robotics GmbH"}, True),
        ({"firstName": "Mara", "lastName": "Lindqvist", "company": "Example"}, True),
        ({"firstName": "Mara", "lastName": "Lindqvist", "company": "Sample Analytics"}, True),  # where she was
        ({"firstName": "Mara", "lastName": "Lindqvist", "company": "Acme Paper"}, False),
        ({"firstName": "Mara", "lastName": "Lindqvist", "company": "Acme", "companyDomain": "example.com"}, True),
        ({"firstName": "Bo", "lastName": "Berg", "company": "Example Robotics"}, False),
        ({"phone": "+12025550164"}, True),
        ({"mobilePhone": "+12025559999"}, False),
        ({"email": "mara.lindqvist@acme.io", "company": "Acme Paper"}, True),  # her address settles it
        ({"email": "boss@example.com"}, True),
        ({"email": "bo.berg@example.com"}, False),  # a colleague
        ({"email": "bo.berg@example.com", "linkedinUrl": f"{PROFILE}mara-lindqvist"}, False),
    ],
)
def test_people(asked: dict[str, Any], is_she: bool) -> None:
    assert is_asked_person(lead(**asked), MARA) is is_she


def test_what_an_answer_does_not_tell_speaks_against_nobody() -> None:
    unnamed = Told(first="Mara", last="Lindqvist")
    assert is_asked_person(lead(linkedinUrl=f"{PROFILE}mara-lindqvist"), unnamed)
    assert is_asked_person(lead(phone="+12025550164"), unnamed)
    assert is_asked_person(lead(firstName="Mara", lastName="Lindqvist", company="Acme"), unnamed)
    assert is_asked_person(lead(phone="+12025550164"), Told(phones=("no number",), profiles=("nowhere",)))


@pytest.mark.parametrize(
    ("asked", "is_it"),
    [
        ({"linkedinUrl": "https://www.linkedin.com/company/example"}, True),
        ({"linkedinUrl": "https://www.linkedin.com/company/acme"}, False),
        ({"linkedinUrl": "https://www.linkedin.com/company/acme", "name": "Example Inc."}, True),
        ({"linkedinUrl": "https://www.linkedin.com/company/example", "domain": "acme.io"}, False),
        ({"name": "Acme Paper"}, False),
    ],
)
def test_companies(asked: dict[str, Any], is_it: bool) -> None:
    assert is_asked_company(account(**asked), ["example.com"], "Example", ["linkedin.com/company/example"]) is is_it
