"""A company that answers under another domain of its own is believed less; another company is not believed at all."""

from typing import Any

import pytest

from providers.api import Finding
from providers.apollo.adapter import Apollo
from providers.matching.company_fit import NOT_IT, SURE, fit_of_company, less_sure
from tests.support.fake_http import FakeHttp, account, confidences, lead, reply, values

SIEMENS = {"domain": "siemens.de", "name": "Siemens AG"}
PAGE = "https://www.linkedin.com/company/"


@pytest.mark.parametrize(
    ("asked", "domain", "name"),
    [
        (SIEMENS, "siemens.com", "Siemens"),
        ({"domain": "siemens.de"}, "siemens.com", "Siemens"),
        ({"domain": "siemens.de"}, "siemens.co.uk", None),
        ({"domain": "siemens.com"}, "siemens.at", "Siemens Aktiengesellschaft"),
        ({"domain": "acme.de", "name": "Acme GmbH"}, "acme.com", "Acme Inc."),
        ({"domain": "examplerobotics.io", "name": "Example Robotics"}, "examplerobotics.com", "Example Robotics, Inc."),
        ({"domain": "exrob.com", "name": "Example Robotics"}, "example-robotics.com", "Example Robotics"),  # renamed
    ],
)
def test_another_domain_of_the_same_company_is_believed_less(asked: dict[str, str], domain: str, name: str) -> None:
    assert NOT_IT < fit_of_company(account(**asked), [domain], name) < SURE
    employer = {"companyDomain": asked["domain"], "company": asked.get("name")}
    assert NOT_IT < fit_of_company(lead(**employer), [domain], name) < SURE


@pytest.mark.parametrize(
    ("asked", "domain", "name"),
    [
        ({"domain": "siemens.de", "name": "Siemens"}, "siemens.com", "Bolt"),
        ({"domain": "acme.de"}, "acme.com", "Acme"),  # four letters say too little by themselves
        ({"domain": "acme.io", "name": "Acme"}, "acme.com", "Acme"),  # anybody's ending
        ({"domain": "examplerobotics.io"}, "examplerobotics.com", "Example Robotics"),
        ({"domain": "siemens.de"}, "siemens-energy.com", "Siemens Energy"),
        ({"domain": "bolt.com", "name": "Acme"}, "acme.com", "Acme"),  # of a common name
        ({"domain": "example.com", "name": "Example Robotics"}, "acme.com", "Example Robotics"),
    ],
)
def test_another_company_is_not_believed(asked: dict[str, str], domain: str, name: str) -> None:
    assert fit_of_company(account(**asked), [domain], name) == NOT_IT


def test_the_same_page_at_linkedin_tells_a_rename() -> None:
    asked = account(domain="facebook.com", name="Facebook", linkedinUrl=f"{PAGE}meta")
    assert NOT_IT < fit_of_company(asked, ["meta.com"], "Meta", [f"{PAGE}meta/"]) < SURE
    assert fit_of_company(asked, ["meta.com"], "Meta", [f"{PAGE}bolt"]) == NOT_IT
    assert fit_of_company(asked, ["meta.com", "facebook.com"], "Meta", [f"{PAGE}bolt"]) == SURE  # an alias


def test_findings_lose_confidence_with_the_fit() -> None:
    assert less_sure([Finding("city", "Bonn", 0.9)], 0.8) == (Finding("city", "Bonn", 0.72),)
    assert less_sure([Finding("city", "Bonn", 0.9)], SURE) == (Finding("city", "Bonn", 0.9),)


async def test_an_answer_that_was_paid_for_is_taken() -> None:
    body: Any = {"organization": {"name": "Siemens", "primary_domain": "siemens.com", "city": "Munich"}}
    exact = await Apollo().look_up(account(domain="siemens.com"), FakeHttp(reply(body)))
    other = await Apollo().look_up(account(domain="siemens.de"), FakeHttp(reply(body)))
    assert values(exact) == values(other)
    assert all(confidences(other)[field] < confidences(exact)[field] for field in values(exact))
