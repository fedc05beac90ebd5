"""Phones, addresses on the web and profiles: which spellings are one, and which are two."""

import pytest

from enrichment.enums import EntityType
from tests.support.same_values import check_different, check_same, rows

LEAD, ACCOUNT = EntityType.LEAD, EntityType.ACCOUNT

SAME_PHONE = """
+44 20 7946 0818 | +442079460818
+44 (0)20 7946 0818 | 020 7946 0818 @ United Kingdom
0044 20 7946 0818 | +44 20 7946 0818
44 20 7946 0818 @ United Kingdom | +44 20 7946 0818
(020) 7946-0818 @ United Kingdom | +44-20-7946-0818
tel: +44 20 7946 0818 | +44.20.7946.0818
+1 202 555 0187 | (202) 555-0187 @ United States
+1-202-555-0187 | 202.555.0187 @ United States
1 202 555 0187 @ United States | 2025550187 @ United States
001 202 555 0187 | +1 (202) 555-0187
011 44 20 7946 0818 @ United States | +44 20 7946 0818
+1 202 555 0187 ext. 4 | +1 202 555 0187 x4
+1 202 555 0187 ext 4 | +1 202 555 0187;ext=4
+1 202 555 0187 extension 4 | (202) 555-0187 #4 @ United States
+1 202 555 0187 ext. 4 | +1 202 555 0187
1-800-356-9377 @ United States | 1-800-FLOWERS @ United States
+49 89 520575950 | 089 / 52 05 75 95-0 @ Germany
+49 (0) 89 520575950 | 0049 89 520575950
+49 (89) 52057595-0 | 089 520575950 @ Germany
+33 1 99 00 12 34 | 01 99 00 12 34 @ France
+33 (0)1 99 00 12 34 | 01.99.00.12.34 @ France
+39 06 698 12345 | 06 69812345 @ Italy
+34 912 345 678 | 912 34 56 78 @ Spain
+31 20 794 0818 | 020-7940818 @ Netherlands
+41 44 668 18 00 | 044 668 18 00 @ Switzerland
+43 1 58858 0 | 01/588580 @ Austria
+61 2 5550 1234 | (02) 5550 1234 @ Australia
+81 3 1234 5678 | 03-1234-5678 @ Japan
+91 22 2778 2183 | 022 2778 2183 @ India
+55 11 3071 0000 | (11) 3071-0000 @ Brazil
+52 1 55 1234 5678 | +52 55 1234 5678
+54 9 11 4321 0000 | +54 11 4321 0000
+46 8 465 004 18 | 08-465 004 18 @ Sweden
\uff0b44 20 7946 0818 | +44 20 7946 0818
+44\u00a020\u20117946\u20110818 | +44 20 7946 0818
+44 20 7946 0818 (office) | +44 20 7946 0818
+44 20 7946 0818 / 020 7946 0818 @ United Kingdom | +442079460818
"""
DIFFERENT_PHONE = """
+44 20 7946 0818 | +44 20 7946 0819
+1 202 555 0187 | +1 202 555 0188
+1 202 555 0187 ext. 4 | +1 202 555 0187 ext. 5
+1 202 555 0187 | +44 20 7946 0818
020 7946 0818 @ United Kingdom | 020 794 0818 @ Netherlands
+49 89 520575950 | +49 89 520575951
+33 1 99 00 12 34 | +33 1 99 00 12 43
+52 55 1234 5678 | +52 55 1234 5679
+54 11 4321 0000 | +54 11 4321 0001
"""
SAME_WEBSITE = """
http://www.acme.com | https://acme.com
HTTP://WWW.ACME.COM/ | acme.com
www.acme.com | acme.com/
https://acme.com/index.html | http://acme.com
https://www.acme.com/en/contact?utm_source=crm&utm_medium=email | acme.com
https://acme.com/?gclid=abc | acme.com
acme.com/en | acme.com/de-de/
https://acme.com:443/ | http://acme.com:80
htp://www.acme.com | https://acme.com
http:/acme.com | http//acme.com
https;//acme.com | https:\\\\acme.com
acme.com. | acme.com
info@acme.com | www.acme.com
https://acme.com, https://www.acme.com | acme.com
shop.acme.com | acme.com
https://www2.acme.co.uk/about-us | acme.co.uk
<https://acme.com> | acme.com
[Acme](https://acme.com) | acme.com
see www.acme.com | acme.com
m\u00fcnchen-firma.de | xn--mnchen-firma-dlb.de
M\u00dcNCHEN-FIRMA.DE | https://www.m\u00fcnchen-firma.de/impressum
https://www.facebook.com/acme | facebook.com/acme/
https://acme.com#top | acme.com
"""
DIFFERENT_WEBSITE = """
https://acme.com | https://acme.de
https://acme.com | https://acme-group.com
https://acme.co.uk | https://acme.com
https://acme.github.io | https://other.github.io
https://www.facebook.com/acme | https://www.facebook.com/other
https://sites.google.com/view/acme | https://sites.google.com/view/other
https://acme.com | https://acme.com.au
m\u00fcnchen-firma.de | muenchen-firma.de
"""
SAME = {
    "domain": """
www.Acme.com | https://acme.com/en
mail.acme.co.uk | acme.co.uk
acme.com | info@acme.com
""",
    "email": """
Anna.Berg@Acme.com | anna.berg@acme.com
 anna.berg@acme.com  | mailto:anna.berg@acme.com
Anna Berg <anna.berg@acme.com> | anna.berg@acme.com
anna.berg@acme.com; ANNA.BERG@ACME.COM | anna.berg@acme.com
anna@m\u00fcnchen-firma.de | anna@xn--mnchen-firma-dlb.de
""",
    "linkedinUrl": """
https://www.linkedin.com/in/anna-berg/ | linkedin.com/in/anna-berg
http://de.linkedin.com/in/Anna-Berg?trk=x | https://www.linkedin.com/in/anna-berg/en
/in/anna-berg | anna-berg
https://m.linkedin.com/in/anna-berg | https://linkedin.com/in/anna-berg#about
https://www.linkedin.com/in/j%C3%BCrgen-meyer | https://www.linkedin.com/in/j\u00fcrgen-meyer
""",
    "twitterHandle": """
@AnnaBerg | annaberg
https://twitter.com/AnnaBerg | https://x.com/annaberg?lang=en
https://mobile.twitter.com/annaberg/status/1 | @annaberg
""",
    "avatarUrl": """
https://cdn.acme.com/a/anna.png | cdn.acme.com/a/anna.png
https://CDN.acme.com:443/a/anna.png#x | https://cdn.acme.com/a/anna.png
http://cdn.acme.com/a/anna.png | https://cdn.acme.com/a/anna.png
""",
}
DIFFERENT = {
    "domain": """
acme.com | acme.de
acme.com | acme.co
""",
    "email": """
anna.berg@acme.com | anna.berg@acme.de
anna.berg@acme.com | anna.borg@acme.com
anna.berg@acme.com | annaberg@acme.com
""",
    "linkedinUrl": """
https://www.linkedin.com/in/anna-berg | https://www.linkedin.com/in/anna-berg-1
""",
    "twitterHandle": """
@annaberg | @anna_berg
""",
    "avatarUrl": """
https://cdn.acme.com/a/anna.png | https://cdn.acme.com/a/ben.png
https://cdn.acme.com/a?id=1 | https://cdn.acme.com/a?id=2
https://cdn.acme.com/a/Anna.png | https://cdn.acme.com/a/anna.png
""",
}
SAME_PROFILE = {
    "linkedinUrl": """
https://www.linkedin.com/company/acme/ | linkedin.com/company/Acme/about?x=1
acme | https://linkedin.com/company-beta/acme
""",
    "twitterUrl": """
https://twitter.com/Acme | x.com/acme
@acme | https://www.twitter.com/acme/
""",
    "facebookUrl": """
https://www.facebook.com/Acme/ | fb.com/acme
https://de-de.facebook.com/acme?ref=x | acme
https://www.facebook.com/pages/Acme/12345 | https://facebook.com/12345
https://www.facebook.com/profile.php?id=12345 | https://facebook.com/12345
""",
}
DIFFERENT_PROFILE = {
    "linkedinUrl": """
https://www.linkedin.com/company/acme | https://www.linkedin.com/company/acme-inc
https://www.linkedin.com/company/acme | https://www.linkedin.com/school/acme
""",
    "twitterUrl": "@acme | @acme_de",
    "facebookUrl": "facebook.com/acme | facebook.com/acme.de",
}


def of_each(tables: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(field, one, other) for field, table in tables.items() for one, other in rows(table)]


@pytest.mark.parametrize(("one", "other"), rows(SAME_PHONE))
def test_one_line_in_two_spellings(one: str, other: str) -> None:
    check_same(LEAD, "phone", one, other)
    check_same(ACCOUNT, "phone", one, other)


@pytest.mark.parametrize(("one", "other"), rows(DIFFERENT_PHONE))
def test_two_lines(one: str, other: str) -> None:
    check_different(LEAD, "mobilePhone", one, other)


@pytest.mark.parametrize(("one", "other"), rows(SAME_WEBSITE))
def test_one_site_in_two_spellings(one: str, other: str) -> None:
    check_same(ACCOUNT, "website", one, other)
    check_same(LEAD, "website", one, other)


@pytest.mark.parametrize(("one", "other"), rows(DIFFERENT_WEBSITE))
def test_two_sites(one: str, other: str) -> None:
    check_different(ACCOUNT, "website", one, other)


@pytest.mark.parametrize(("field", "one", "other"), of_each(SAME))
def test_one_address_in_two_spellings(field: str, one: str, other: str) -> None:
    check_same(ACCOUNT if field == "domain" else LEAD, field, one, other)


@pytest.mark.parametrize(("field", "one", "other"), of_each(DIFFERENT))
def test_two_addresses(field: str, one: str, other: str) -> None:
    check_different(ACCOUNT if field == "domain" else LEAD, field, one, other)


@pytest.mark.parametrize(("field", "one", "other"), of_each(SAME_PROFILE))
def test_one_companys_profile_in_two_spellings(field: str, one: str, other: str) -> None:
    check_same(ACCOUNT, field, one, other)


@pytest.mark.parametrize(("field", "one", "other"), of_each(DIFFERENT_PROFILE))
def test_two_companies_profiles(field: str, one: str, other: str) -> None:
    check_different(ACCOUNT, field, one, other)
