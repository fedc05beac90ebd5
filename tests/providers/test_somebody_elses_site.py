"""A page or a site on somebody else's domain: nobody is asked about the site's owner, and nothing of it is told."""

from typing import Any

import pytest

from enrichment.enums import EntityType
from providers.api import Answer, Question
from providers.directory.directory import Directory
from providers.http.inputs import company_domain
from providers.signals import Signals

DIRECTORY = Directory.packaged("directory", "Directory")
ARCHIVE = Directory.packaged("directory_archive", "Directory archive")
SIGNALS = Signals()

BAKERY = "Backstube Sonnenschein"
OTHERS = [
    "https://www.google.com/search?q=backstube+sonnenschein",
    "https://www.google.com/url?q=https://backstube.example&sa=D",
    "https://www.amazon.com/dp/B000",
    "https://www.ebay.de/str/backstube",
    "https://www.tripadvisor.com/Restaurant_Review-x",
    "https://www.trustpilot.com/review/backstube.example",
    "https://www.paypal.com/paypalme/backstube",
    "https://www.airbnb.com/rooms/1",
    "https://open.spotify.com/artist/123",
    "https://www.yelp.com/biz/backstube",
    "https://www.etsy.com/shop/backstube",
    "https://www.uber.com/store/backstube",
    "https://github.com/backstube",
    # The whole site, which a record of another name cannot be.
    "https://www.amazon.com",
    "https://facebook.com",
    "https://www.ebay.de/",
    # Pages and hosts of companies that are in no list of shared sites.
    "https://www.sap.com/partner/backstube",
    "https://www.siemens.com/suppliers/1",
    "https://backstube.adobe.com",
]
BELOW = ["backstube.etsy.com", "backstube.my.salesforce.com", "backstube.wordpress.com", "backstube.github.io"]


def account(**fields: Any) -> Question:
    return Question(EntityType.ACCOUNT, fields, frozenset())


def lead(**fields: Any) -> Question:
    return Question(EntityType.LEAD, fields, frozenset())


def told(answer: Answer) -> dict[str, Any]:
    return {finding.field: finding.value for finding in answer.findings}


@pytest.mark.parametrize("website", OTHERS)
async def test_nothing_is_told_of_the_owner_of_somebody_elses_site(website: str) -> None:
    for question in (account(name=BAKERY, website=website), lead(company=BAKERY, website=website)):
        for provider in (DIRECTORY, ARCHIVE, SIGNALS):
            assert told(await provider.ask(question)) == {}
        assert company_domain(question) is None


@pytest.mark.parametrize("site", BELOW)
async def test_a_site_below_somebody_elses_name_is_asked_about_as_itself(site: str) -> None:
    for question in (account(name=BAKERY, website=f"https://{site}"), account(website=f"https://{site}")):
        for provider in (DIRECTORY, ARCHIVE, SIGNALS):
            assert told(await provider.ask(question)) == {}
        assert company_domain(question) == site
        above = account(name=BAKERY, website=f"https://{site.partition('.')[2]}")
        assert DIRECTORY.input_key(question) != DIRECTORY.input_key(above)


@pytest.mark.parametrize(
    ("name", "website", "domain"),
    [
        ("Amazon.com, Inc.", "https://www.amazon.com", "amazon.com"),
        ("Amazon", "https://amazon.com/en/contact", "amazon.com"),
        ("PayPal Holdings, Inc.", "https://paypal.com", "paypal.com"),
        ("Airbnb", "https://airbnb.com", "airbnb.com"),
        ("Yelp Inc.", "https://shop.yelp.com", "yelp.com"),
        ("Etsy, Inc.", "https://www.etsy.com/shop/etsy", "etsy.com"),
        ("TripAdvisor, Inc.", "tripadvisor.com", "tripadvisor.com"),
    ],
)
async def test_the_owner_of_a_shared_site_is_still_recognized(name: str, website: str, domain: str) -> None:
    assert told(await DIRECTORY.ask(account(name=name, website=website)))["domain"] == domain


async def test_a_shared_site_without_a_name_is_its_owners() -> None:
    assert told(await DIRECTORY.ask(account(website="https://amazon.com")))["domain"] == "amazon.com"
    assert not (await DIRECTORY.ask(account(website="https://amazon.com/dp/B000"))).matched


async def test_an_address_at_work_is_asked_by_where_the_website_is_somebody_elses() -> None:
    person = lead(company="Hochtief", website="https://facebook.com/hochtief", email="anna@hochtief.com")
    assert company_domain(person) == "hochtief.com"
    assert told(await DIRECTORY.ask(person))["companyDomain"] == "hochtief.com"
    assert told(await SIGNALS.ask(person))["companyDomain"] == "hochtief.com"
