"""Whether an answer is about who was asked for."""

from typing import Any

import pytest

from providers.likeness import is_same_company, is_same_person
from tests.fake_http import account, lead


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
def test_companies(asked: dict[str, Any], domains: list[str | None], name: str | None, same: bool) -> None:
    assert is_same_company(account(**asked), domains, name) is same


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
def test_people(
    asked: dict[str, Any], email: str | None, first: str | None, last: str | None, domain: str | None, same: bool
) -> None:
    assert is_same_person(lead(**asked), email=email, first=first, last=last, domains=[domain]) is same
