"""Whether the site at an address is a company's, by the company's name."""

import pytest

from enrichment.normalize.contact.company_site import domain_of_company, domain_of_shared_site, is_whole_site

BAKERY = "Backstube Sonnenschein"


@pytest.mark.parametrize(
    ("address", "name", "domain"),
    [
        # Main pages of shared sites: their owner's, and nobody else's.
        ("https://amazon.com", "Amazon", "amazon.com"),
        ("https://amazon.de", "Amazon EU S.à r.l.", "amazon.de"),
        ("https://amazon.com", "Amzon.com, Inc.", "amazon.com"),
        ("https://amazon.com", BAKERY, None),
        ("https://google.com", "Google LLC", "google.com"),
        ("https://google.com", "Alphabet Inc.", "google.com"),
        ("https://facebook.com", "Meta Platforms, Inc.", "facebook.com"),
        ("https://facebook.com", BAKERY, None),
        ("https://x.com", "X Corp.", "x.com"),
        ("https://x.com", "Sixt SE", None),
        ("https://ebay.de", "eBay Kleinanzeigen GmbH", "ebay.de"),
        ("https://paypal.com", "PayPal Holdings, Inc.", "paypal.com"),
        ("https://amazon.com", None, "amazon.com"),
        # Pages on them: nobody's.
        ("https://amazon.com/dp/B000", "Amazon", None),
        ("https://facebook.com/acme", "Acme", None),
        ("https://facebook.com/acme", None, None),
        # Sites below somebody else's name: their own.
        ("https://acme.wordpress.com", "Acme", "acme.wordpress.com"),
        ("https://acme.wordpress.com", BAKERY, "acme.wordpress.com"),
        # Other sites, which no list has.
        ("https://stadtportal.de", BAKERY, "stadtportal.de"),  # a brand, or a rename
        ("https://stadtportal.de/firmen/backstube", BAKERY, None),
        ("https://backstube.stadtportal.de", BAKERY, None),
        ("https://shop.stadtportal.de/de", BAKERY, "stadtportal.de"),
        ("https://backstube-sonnenschein.de/filialen/ulm", BAKERY, "backstube-sonnenschein.de"),
        ("https://ulm.sonnenschein.de", BAKERY, "sonnenschein.de"),
        ("https://ww-ag.com/de/konzern", "Wüstenrot & Württembergische AG", "ww-ag.com"),
        ("https://baer-schuhe.de/herren", "BÄR GmbH", "baer-schuhe.de"),
        ("https://stadtportal.de/firmen/backstube", None, "stadtportal.de"),
        ("not an address", BAKERY, None),
    ],
)
def test_the_domain_by_which_a_company_may_be_asked_about(address: str, name: str | None, domain: str | None) -> None:
    assert domain_of_company(address, name) == domain


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("https://amazon.com/dp/B000", "amazon.com"),
        ("https://amazon.com", "amazon.com"),
        ("https://open.spotify.com/artist/1", "spotify.com"),
        ("https://acme.wordpress.com", None),
        ("https://acme.com/x", None),
        ("nowhere", None),
    ],
)
def test_the_domain_of_the_site_that_many_share(address: str, domain: str | None) -> None:
    assert domain_of_shared_site(address) == domain


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        ("https://acme.com", True),
        ("https://www.acme.com/de/index.html", True),
        ("https://careers.acme.com", True),
        ("https://acme.wordpress.com", True),
        ("https://acme.com/shops/ulm", False),
        ("https://ulm.acme.com", False),
        ("ann@acme.com", True),
    ],
)
def test_a_page_or_a_host_with_a_name_is_not_the_whole_site(address: str, whole: bool) -> None:
    assert is_whole_site(address) is whole
