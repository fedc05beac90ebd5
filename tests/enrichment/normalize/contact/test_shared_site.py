"""Sites that many share: a page or a site on somebody else's domain is not at that domain."""

import pytest

from enrichment.normalize.contact.host import domain_of_host, registry_domain_of_host
from enrichment.normalize.contact.shared_site import has_pages, is_below_anothers
from enrichment.normalize.contact.url import canonical_domain, registrable_domain, website_key
from enrichment.normalize.text.text import Refused

PAGES = """
https://www.facebook.com/backstube https://m.facebook.com/backstube https://www.instagram.com/backstube/
https://twitter.com/backstube https://x.com/backstube https://www.linkedin.com/in/backstube https://t.me/backstube
https://www.youtube.com/@backstube https://youtu.be/abc https://www.tiktok.com/@backstube https://wa.me/49151234
https://www.pinterest.de/backstube https://www.reddit.com/r/backstube https://www.xing.com/pages/backstube
https://www.google.com/search?q=backstube https://www.google.de/maps/place/x https://www.google.com/url?q=https://a.de
https://maps.google.com https://sites.google.com/view/x https://docs.google.com/document/d/1 https://g.page/backstube
https://goo.gl/maps/x https://maps.app.goo.gl/x https://www.bing.com/maps?q=x https://yandex.ru/maps/org/1
https://duckduckgo.com/html?q=x https://bit.ly/x1 https://tinyurl.com/abc https://t.co/abc https://lnkd.in/abc
https://linktr.ee/backstube https://beacons.ai/backstube https://about.me/backstube https://bio.link/backstube
https://www.amazon.com/dp/B000 https://www.amazon.de/stores/backstube https://www.amazon.co.uk/s?me=A1
https://www.ebay.de/str/backstube https://www.ebay.co.uk/usr/x https://www.etsy.com/shop/x https://www.aliexpress.com/store/1
https://www.kleinanzeigen.de/pro/x https://www.otto.de/shop/x https://www.zalando.de/x https://shopee.sg/backstube
https://www.tripadvisor.com/Restaurant_Review-x https://www.tripadvisor.co.uk/x https://www.yelp.com/biz/x
https://www.trustpilot.com/review/x.de https://de.trustpilot.com/review/x.de https://www.provenexpert.com/x
https://www.airbnb.com/rooms/1 https://www.booking.com/hotel/de/x.html https://www.expedia.de/h1 https://www.thefork.fr/r
https://www.ubereats.com/store/x https://www.lieferando.de/speisekarte/x https://deliveroo.co.uk/menu/x https://wolt.com/x
https://calendly.com/backstube https://www.treatwell.de/ort/x https://www.fresha.com/a/x https://www.doctolib.de/x
https://paypal.me/backstube https://www.paypal.com/paypalme/backstube https://buy.stripe.com/abc https://cash.app/x
https://www.patreon.com/x https://www.gofundme.com/f/x https://ko-fi.com/x https://www.kickstarter.com/projects/x
https://apps.apple.com/de/app/x/id1 https://play.google.com/store/apps/details?id=x https://open.spotify.com/artist/1
https://soundcloud.com/x https://vimeo.com/1 https://medium.com/@x https://github.com/backstube https://gitlab.com/x
https://www.dropbox.com/s/x https://1drv.ms/x https://drive.google.com/file/d/1 https://www.notion.so/x https://forms.gle/x
https://issuu.com/x https://www.scribd.com/document/1 https://www.canva.com/design/x https://www.eventbrite.de/e/x
https://www.crunchbase.com/organization/x https://www.glassdoor.com/Overview/x https://de.indeed.com/cmp/x
https://www.kununu.com/de/x https://en.wikipedia.org/wiki/X https://www.northdata.de/x https://www.gelbeseiten.de/gsbiz/x
https://web.archive.org/web/2020/ https://translate.google.com/translate?u=x https://www.meetup.com/x
"""

SITES = """
acme.wordpress.com acme.blogspot.com acme.tumblr.com acme.medium.com acme.substack.com acme.wixsite.com acme.weebly.com
acme.jimdo.com acme.jimdofree.com acme.squarespace.com acme.webnode.page acme.business.site acme.godaddysites.com
acme.strikingly.com acme.carrd.co acme.webflow.io acme.framer.website acme.github.io acme.gitlab.io acme.netlify.app
acme.vercel.app acme.pages.dev acme.herokuapp.com acme.azurewebsites.net acme.web.app acme.myshopify.com acme.etsy.com
acme.bigcartel.com acme.square.site acme.bandcamp.com acme.gumroad.com acme.en.alibaba.com acme.my.salesforce.com
acme.my.site.com acme.zendesk.com acme.atlassian.net acme.sharepoint.com acme.slack.com acme.notion.site
acme.hubspotpagebuilder.com acme.teachable.com acme.mykajabi.com acme.typeform.com acme.jobs.personio.de
acme.teamtailor.com acme.free.fr acme.tripod.com acme.over-blog.com acme.livejournal.com
"""


@pytest.mark.parametrize("page", PAGES.split())
def test_a_page_on_a_shared_site_has_no_domain(page: str) -> None:
    assert registrable_domain(page) is None
    with pytest.raises(Refused, match="a page on a shared site"):
        canonical_domain(page)


def test_pages_of_a_shared_site_are_different_websites() -> None:
    assert website_key("https://amazon.de/stores/acme") != website_key("https://amazon.de/stores/other")


@pytest.mark.parametrize("site", SITES.split())
def test_a_site_below_somebody_elses_name_is_asked_about_as_itself(site: str) -> None:
    for address in (site, f"https://www.{site}/", f"https://{site}/kontakt.html", f"http://{site}/some/page?x=1"):
        assert registrable_domain(address) == site
    assert canonical_domain(f"https://{site}/") == site
    assert is_below_anothers(site)
    assert registry_domain_of_host(site) not in (None, site)
    assert website_key(f"https://{site}") != website_key(f"https://other.{site.partition('.')[2]}")


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("https://www.amazon.com", "amazon.com"),
        ("https://www.amazon.com/index.html", "amazon.com"),
        ("https://amazon.de/de/kontakt?utm_source=crm", "amazon.de"),
        ("facebook.com", "facebook.com"),
        ("www.google.com", "google.com"),
        ("https://about.google.com", "google.com"),
        ("https://www.wordpress.com", "wordpress.com"),
        ("https://de.wordpress.com/", "wordpress.com"),
        ("help.etsy.com", "etsy.com"),
        ("https://careers.squarespace.com", "squarespace.com"),
        ("www.github.io", "github.io"),
        ("ann@facebook.com", "facebook.com"),
        ("ann@etsy.com", "etsy.com"),
    ],
)
def test_the_main_page_and_the_owners_hosts_are_the_owners(address: str, domain: str) -> None:
    assert registrable_domain(address) == domain
    assert not is_below_anothers(domain)


@pytest.mark.parametrize("domain", ["acme.uk.com", "acme.de.com", "acme.co.com", "acme.com.se", "acme.eu.com"])
def test_a_name_that_is_sold_like_a_registrys_is_its_owners(domain: str) -> None:
    assert domain_of_host(f"www.{domain}") == domain
    assert not is_below_anothers(domain)


@pytest.mark.parametrize(
    "domain", ["acme.co.uk", "acme.com", "müller.de", "acme.example", "home.barclays", "yelp.acme.com"]
)
def test_an_ordinary_domain_is_neither_shared_nor_below_anothers(domain: str) -> None:
    found = domain_of_host(domain)
    assert found is not None
    assert not is_below_anothers(found)
    assert not has_pages(found)


def test_the_name_of_a_market_place_below_somebody_elses_name_is_no_market_place() -> None:
    assert registrable_domain("https://amazon.github.io/guide") == "amazon.github.io"
    assert has_pages("amazon.com.br")
    assert not has_pages("amazon.github.io")
