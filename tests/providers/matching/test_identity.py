"""Whether an answer is about who was asked for."""

from typing import Any

import pytest

from providers.matching.identity import StatedIdentity, is_asked_company, is_asked_person
from tests.support.fake_http import account, lead

MARA = StatedIdentity(
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
        ({"phone": "+12025550199", "mobilePhone": "+12025550164"}, True),
        ({"email": "mara.lindqvist@acme.io", "company": "Acme Paper"}, True),  # her address settles it
        ({"email": "boss@example.com"}, True),
        ({"email": "bo.berg@example.com"}, False),  # a colleague
        ({"email": "bo.berg@example.com", "linkedinUrl": f"{PROFILE}mara-lindqvist"}, False),
    ],
)
def test_people(asked: dict[str, Any], is_she: bool) -> None:
    assert is_asked_person(lead(**asked), MARA) is is_she


def test_what_an_answer_does_not_tell_speaks_against_nobody() -> None:
    unnamed = StatedIdentity(first="Mara", last="Lindqvist")
    assert is_asked_person(lead(linkedinUrl=f"{PROFILE}mara-lindqvist"), unnamed)
    assert is_asked_person(lead(phone="+12025550164"), unnamed)
    assert is_asked_person(lead(firstName="Mara", lastName="Lindqvist", company="Acme"), unnamed)
    assert is_asked_person(lead(phone="+12025550164"), StatedIdentity(phones=("no number",), profiles=("nowhere",)))


@pytest.mark.parametrize(
    ("number", "same"),
    [("(202) 555-0164", True), ("1-202-555-0164 x12", True), ("(202) 555-0165", False), ("0164", True)],
)
def test_a_number_without_its_country_is_compared_too(number: str, same: bool) -> None:
    assert is_asked_person(lead(phone="+12025550164"), StatedIdentity(phones=(number,))) is same
    german = StatedIdentity(phones=("030 23125 714",))
    assert is_asked_person(lead(phone="+493023125714"), german)
    assert not is_asked_person(lead(phone="+493023125715"), german)


@pytest.mark.parametrize(
    ("asked", "is_it"),
    [
        ({"linkedinUrl": "https://www.linkedin.com/company/example"}, True),
        ({"linkedinUrl": "https://www.linkedin.com/company/acme"}, False),
        ({"linkedinUrl": "https://www.linkedin.com/company/acme", "name": "Example Inc."}, True),
        ({"linkedinUrl": "https://www.linkedin.com/company/example", "domain": "acme.io"}, True),  # renamed
        ({"linkedinUrl": "https://www.linkedin.com/company/acme", "domain": "acme.io"}, False),
        ({"name": "Acme Paper"}, False),
    ],
)
def test_companies(asked: dict[str, Any], is_it: bool) -> None:
    assert is_asked_company(account(**asked), ["example.com"], "Example", ["linkedin.com/company/example"]) is is_it


@pytest.mark.parametrize(
    ("asked", "domains", "name", "same"),
    [
        ({"domain": "acme.com"}, ["https://www.acme.com/about"], None, True),
        ({"domain": "acme.de"}, ["acme.com", "acme.de"], "Other", True),
        ({"domain": "acme.de"}, ["acme.com"], "Acme", False),  # domains weigh more than names
        ({"domain": "acme.de", "name": "Acme GmbH"}, [None, ""], "ACME", True),
        ({"domain": "acme.de", "name": "Acme GmbH"}, [], "Bolt", False),
        ({"name": "Acme Paper Ltd"}, ["acme.com"], "Acme Paper", True),
        ({"name": "M\u00fcller & Sons"}, ["x.com"], "Mueller and Sons Inc.", True),
        ({"name": "Acme"}, ["acme.com"], "Bolt", False),
        ({"domain": "acme.de"}, [], None, True),  # nothing to compare
    ],
)
def test_companies_by_domain_and_name(
    asked: dict[str, Any], domains: list[str | None], name: str | None, same: bool
) -> None:
    assert is_asked_company(account(**asked), domains, name) is same


@pytest.mark.parametrize(
    ("asked", "email", "first", "last", "domain", "same"),
    [
        ({"email": "m@acme.com"}, "M@acme.com", "Any", "Body", None, True),
        ({"email": "mara.lindqvist@acme.com"}, "mara@new.com", "Mara", "Lindqvist", "new.com", True),
        ({"email": "mlindqvist@acme.com"}, "mara@new.com", "Mara", "Lindqvist", None, True),
        ({"email": "mara@home.org"}, "mara.lindqvist@acme.com", "Mara", "Lindqvist", "acme.com", True),
        ({"email": "bo@acme.com"}, "mara@acme.com", "Mara", "Lindqvist", "acme.com", False),
        ({"email": "boss@acme.com"}, None, "Mara", "Lindqvist", "acme.com", True),
        ({"email": "boss@acme.com"}, None, "Mara", "Lindqvist", "bolt.com", False),
        ({"email": "boss@acme.com"}, None, None, None, None, False),
        ({"email": "x@acme.com", "firstName": "Sam", "lastName": "Oh"}, "s@b.com", "Samuel", "Oh", None, True),
        ({"email": "x@acme.com", "firstName": "Bo", "lastName": "Oh"}, "s@b.com", "Samuel", "Oh", None, False),
        ({"email": "x@acme.com", "lastName": "Li"}, "s@b.com", "Mara", "Lindqvist", None, False),
        ({"email": "x@acme.com", "lastName": "Berg"}, "s@b.com", "Mara", "Berg Lindqvist", None, True),
        ({"firstName": "Mara", "lastName": "L", "company": "Acme"}, "m@acme.com", "Mara", "Lindqvist", None, True),
        ({"firstName": "Mara", "lastName": "Oh", "companyDomain": "b.com"}, None, "Mara", "Oh", "acme.com", False),
        ({"phone": "+12025550164", "companyDomain": "acme.com"}, None, "Mara", "Oh", "acme.com", True),
        ({"phone": "+12025550164", "companyDomain": "acme.com"}, None, "Mara", "Oh", "bolt.com", False),
    ],
)
def test_people_by_address_and_name(
    asked: dict[str, Any], email: str | None, first: str | None, last: str | None, domain: str | None, same: bool
) -> None:
    assert is_asked_person(lead(**asked), StatedIdentity(email, first, last, domains=[domain])) is same
