"""Web addresses: what a website cell may hold, and the domain that it names."""

from typing import Any

import pytest

from enrichment.normalize.contact.url import (
    canonical_company_domain,
    canonical_domain,
    canonical_link,
    canonical_website,
    registrable_domain,
    website_key,
)
from enrichment.normalize.text.text import Refused


@pytest.mark.parametrize(
    ("raw", "website"),
    [
        ("acme.com", "https://acme.com"),
        ("HTTP://WWW.CARLSBERGGROUP.COM/", "https://carlsberggroup.com"),
        ("htp://www.meetic.fr", "https://meetic.fr"),
        ("http:/acme.com", "https://acme.com"),
        ("http//acme.com", "https://acme.com"),
        ("http;//acme.com", "https://acme.com"),
        ("https:\\\\acme.com", "https://acme.com"),
        ("hhtps://acme.com", "https://acme.com"),
        ("htttp://acme.com", "https://acme.com"),
        ("ttp://acme.com", "https://acme.com"),
        ("http://https://acme.com", "https://acme.com"),
        ("//acme.com", "https://acme.com"),
        ("://acme.com", "https://acme.com"),
        ("www.acme.com", "https://acme.com"),
        ("ww2.acme.com", "https://acme.com"),
        ("www2.acme.com", "https://acme.com"),
        ("www.com", "https://www.com"),
        ("sarantisgroup.com.", "https://sarantisgroup.com"),
        ("http://cipla.com:443", "https://cipla.com"),
        ("http://acme.com:8080/", "https://acme.com"),
        ("acme.com:8080", "https://acme.com"),
        ("https://baesystems.com/en/contact?utm_source=crm", "https://baesystems.com"),
        ("www.abz-zr.de/index.html", "https://abz-zr.de"),
        ("acme.com/#top", "https://acme.com"),
        ("acme.com?x=1", "https://acme.com"),
        ("acme.com/divisions/paint/", "https://acme.com/divisions/paint"),
        ("shop.hochtief.com", "https://shop.hochtief.com"),
        ("<https://acme.com>", "https://acme.com"),
        ('"acme.com"', "https://acme.com"),
        ("(acme.com)", "https://acme.com"),
        ("https://adevait.com, https://www.adevait.com", "https://adevait.com"),
        ("https://eni.com https://www.eni.com/it", "https://eni.com"),
        ("www.eni.com; eni.com", "https://eni.com"),
        ("eni.com | shop.eni.com", "https://eni.com"),
        ("eni.com / www.eni.com", "https://eni.com"),
        ("eni.com/www.eni.com", "https://eni.com"),
        ("https://eni.comhttps://www.eni.com", "https://eni.com"),
        ("www.eni.com\nwww.eni.com", "https://eni.com"),
        ("see www.acme.com for details", "https://acme.com"),
        ("Website: https://acme.com", "https://acme.com"),
        ("http://www. acme.com", "https://acme.com"),
        ("http://acme.com,", "https://acme.com"),
        ("acme.com (main site)", "https://acme.com"),
        ("[acme.com](http://acme.com)", "https://acme.com"),
        ("https://\u043f\u043e\u0447\u0442\u0430.\u0440\u0444", "https://\u043f\u043e\u0447\u0442\u0430.\u0440\u0444"),
        ("info@sysco.com", "https://sysco.com"),
        ("mailto:info@sysco.com", "https://sysco.com"),
        ("info@mail.sysco.com", "https://sysco.com"),
        ("https://MÜLLER.de", "https://müller.de"),
        ("https://xn--mller-kva.de", "https://müller.de"),
        ("gryvenova.example", "https://gryvenova.example"),
        ("acme.test", "https://acme.test"),
        ("http://a\u200bcme.com\u00a0", "https://acme.com"),
        ("https://www.facebook.com/acme?ref=x", "https://facebook.com/acme"),
        ("acme.github.io", "https://acme.github.io"),
        (None, None),
        ("", None),
        ("n/a", None),
        ("-", None),
    ],
)
def test_a_website_is_understood(raw: Any, website: str | None) -> None:
    assert canonical_website(raw) == website


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("asdf", "not a web address"),
        ("edu", "not a web address"),
        ("no website yet", "not a web address"),
        ("acme,com", "not a web address"),
        ("acme..com", "not a web address"),
        ("-acme.com", "not a web address"),
        ("http://", "not a web address"),
        ("https://acme.com, https://other.com", "different web addresses"),
        ("acme.com acme.de", "different web addresses"),
        ("javascript:alert(1)", "a javascript: address"),
        ("JaVaScRiPt:alert(1)", "a javascript: address"),
        ("java\tscript:alert(1)", "not a web address"),
        ("data:text/html;base64,PHNjcmlwdD4=", "a data: address"),
        ("file:///etc/passwd", "a file: address"),
        ("ftp://acme.com", "a ftp: address"),
        ("vbscript:msgbox", "a vbscript: address"),
        ("http://javascript:alert(1)", "address"),
        ("http://192.0.2.10", "an IP address"),
        ("192.0.2.10:80", "an IP address"),
        ("http://127.1", "an IP address"),
        ("http://[::1]/", "an IP address"),
        ("http://2130706433", "not a web address"),
        ("http://localhost", "a local address"),
        ("localhost:3000", "a local address"),
        ("printer.local", "a local address"),
        ("intra.acme.internal", "a local address"),
        ("acme.nosuchtld", "no known top-level domain"),
        ("co.uk", "no known top-level domain"),
        ("https://\u0430cme.com", "not a web address"),
        ("https://acme.com%2f", "not a web address"),
        ("http://user:secret@acme.com/x", "a user name"),
        ("http://acme.com@evil.com/x", "a user name"),
        ("john@gmail.com", "mail provider"),
        ("john@mailinator.com", "mail provider"),
        ('=HYPERLINK("http://acme.com")', "a spreadsheet formula"),
        ("acme.com/" + "a" * 3000, "longer than"),
        (".".join(["a" * 60] * 6) + ".com", "not a web address"),
        (True, "true or false"),
        (["acme.com"], "a list"),
        ({"url": "acme.com"}, "an object"),
        (5, "not a web address"),
    ],
)
def test_what_is_no_website_is_refused_with_a_reason(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_website(raw)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("https://www.shop.acme.co.uk/x?y", "acme.co.uk"),
        ("jane@mail.acme.com", "acme.com"),
        ("Acme.COM.", "acme.com"),
        ("xn--mller-kva.de", "müller.de"),
        ("www.müller.de", "müller.de"),
        ("acme.github.io", "acme.github.io"),
        ("shop.myshopify.com", "shop.myshopify.com"),
        ("github.io", "github.io"),
        ("a.b.example", "b.example"),
        ("https://facebook.com/acme", None),
        ("https://facebook.com", "facebook.com"),
        ("https://sites.google.com/view/acme", None),
        ("https://google.com/search", None),
        ("https://google.com/", "google.com"),
        ("acme.wordpress.com", "acme.wordpress.com"),
        ("192.0.2.1", None),
        ("localhost", None),
        ("co.uk", None),
        ("asdf", None),
        ("", None),
        ("javascript:alert(1)", None),
        ("a" * 5000 + ".com", None),
    ],
)
def test_the_registrable_domain_of_anything(text: str, domain: str | None) -> None:
    assert registrable_domain(text) == domain


def test_a_domain_field_keeps_only_the_registrable_domain() -> None:
    assert canonical_domain("https://www.shop.acme.co.uk/x") == "acme.co.uk"
    assert canonical_domain("n/a") is None
    with pytest.raises(Refused, match="shared site"):
        canonical_domain("https://www.facebook.com/acme")


def test_a_mail_provider_is_a_company_but_nobodys_employer() -> None:
    assert canonical_domain("gmx.net") == "gmx.net"
    assert canonical_company_domain("acme.com") == "acme.com"
    with pytest.raises(Refused, match="mail provider"):
        canonical_company_domain("gmail.com")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://acme.com", "https://shop.acme.com"),
        ("https://acme.com/divisions", "https://acme.com"),
        ("https://müller.de", "https://xn--mller-kva.de"),
    ],
)
def test_addresses_of_one_site_share_a_key(one: str, other: str) -> None:
    assert website_key(one) == website_key(other)


def test_pages_of_a_shared_site_are_different_sites() -> None:
    assert website_key("https://facebook.com/acme") != website_key("https://facebook.com/other")


@pytest.mark.parametrize(
    ("raw", "link"),
    [
        ("https://cdn.acme.com/logo.png?v=2#x", "https://cdn.acme.com/logo.png?v=2"),
        ("http://acme.com:8080/L.png", "http://acme.com:8080/L.png"),
        ("cdn.acme.com/logo.png", "https://cdn.acme.com/logo.png"),
        ("HTTPS://CDN.ACME.COM/Logo.PNG", "https://cdn.acme.com/Logo.PNG"),
    ],
)
def test_a_link_keeps_its_path_and_query(raw: str, link: str) -> None:
    assert canonical_link(raw) == link


@pytest.mark.parametrize(
    "raw", ["javascript:alert(1)", "data:image/png;base64,AAAA", "http://10.0.0.1/x.png", "acme.com/a b", 'acme.com/"x']
)
def test_a_link_that_could_do_harm_is_refused(raw: str) -> None:
    with pytest.raises(Refused):
        canonical_link(raw)
