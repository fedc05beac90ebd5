"""Every spelling of a mailbox, a phone line and a domain is the same one."""

import pytest

from enrichment.enums import EntityType
from enrichment.identity import Identifier, IdentifierKind, domain, identifiers, is_shared, mailbox, name_of, phone_line
from enrichment.normalize.text.text import Refused


def wide(text: str) -> str:
    """The text in full-width characters."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


SPELLINGS = {
    Identifier(IdentifierKind.EMAIL, "joe.doe@acme.com"): [
        "joe.doe@acme.com",
        " Joe.Doe@ACME.com ",
        "mailto:joe.doe@acme.com",
        "MAILTO: joe.doe@acme.com",
        "mailto:joe.doe@acme.com?subject=Hello",
        "Joe Doe <joe.doe@acme.com>",
        "joe.doe+crm@acme.com",
        wide("joe.doe@acme.com"),
        "joe.doe@acme。com",
        "joe.doe%40acme.com",
        "'joe.doe@acme.com'",
        "joe.doe@acme.com.",
        "j\u200boe.doe@acme.com",
        "joe.doe@acme.com; joe.doe@acme.com",
    ],
    Identifier(IdentifierKind.EMAIL, "ann@xn--mnchen-3ya.de"): [
        "ann@münchen.de",
        "ANN@xn--mnchen-3ya.de",
        "ann@MÜNCHEN.DE",
    ],
    Identifier(IdentifierKind.EMAIL, "joedoe@gmail.com"): ["joe.doe@gmail.com", "j.o.e.doe+x@googlemail.com"],
    Identifier(IdentifierKind.DOMAIN, "acme.com"): [
        "acme.com",
        "HTTPS://WWW.Acme.com/de/",
        wide("acme.com"),
        "acme.com.",
    ],
    Identifier(IdentifierKind.DOMAIN, "eu.acme.com"): [
        "eu.acme.com",
        "http://EU.acme.com:8080",
        "https://www.eu.acme.com/de",
        "joe@eu.acme.com",
        wide("eu.acme.com"),
        "eu.acme.com.",
    ],
    Identifier(IdentifierKind.DOMAIN, "xn--mnchen-3ya.de"): [
        "münchen.de",
        "xn--mnchen-3ya.de",
        "https://www.MÜNCHEN.de",
    ],
    Identifier(IdentifierKind.PHONE, "+4930901820"): [
        "+49 30 901820",
        "0049 30 901820",
        "(030) 90 18 20",
        "030/901820",
        "tel:+4930901820",
        "+49 (0)30 901820",
        wide("+49 30 901820"),
        "+49-30-901820 ext. 12",
        "4930901820",
    ],
}
EVERY = [(wanted, spelling) for wanted, spellings in SPELLINGS.items() for spelling in spellings]


@pytest.mark.parametrize(("wanted", "spelling"), EVERY)
def test_a_spelling_in_an_unknown_field_is_read(wanted: Identifier, spelling: str) -> None:
    fields = {"country": "Germany", "some field": {"deep": [None, True, spelling]}}
    assert wanted in identifiers(EntityType.LEAD, fields)


@pytest.mark.parametrize(("wanted", "spelling"), EVERY)
def test_a_spelling_that_is_put_on_the_list_means_the_same(wanted: Identifier, spelling: str) -> None:
    if wanted.kind is IdentifierKind.PHONE:
        assert phone_line(spelling, "Germany") == wanted.value
    elif wanted.kind is IdentifierKind.EMAIL:
        assert mailbox(spelling) == wanted.value
    else:
        assert domain(spelling) == wanted.value


def test_fields_of_the_catalogue_are_read_by_what_they_hold() -> None:
    lead = {
        "email": "joe@mail.acme.co.uk",
        "companyDomain": "acme.com",
        "website": "https://facebook.com/acme",
        "phone": "+4930901820;ext=12",
        "linkedinUrl": "https://www.linkedin.com/in/joe-doe",
        "lastName": "joe@home.org",
    }
    assert {(identifier.kind.value, identifier.value) for identifier in identifiers(EntityType.LEAD, lead)} == {
        ("email", "joe@mail.acme.co.uk"),
        ("email", "joe@home.org"),
        ("domain", "mail.acme.co.uk"),
        ("domain", "acme.co.uk"),
        ("domain", "acme.com"),
        ("domain", "home.org"),
        ("phone", "+4930901820"),
        ("profile", "https://www.linkedin.com/in/joe-doe"),
    }


@pytest.mark.parametrize("site", ["github.io", "wordpress.com"])
def test_a_site_below_somebody_elses_name_is_its_own_and_below_that_name(site: str) -> None:
    found = identifiers(EntityType.ACCOUNT, {"domain": f"acme.{site}"})
    assert {identifier.value for identifier in found} == {f"acme.{site}", site}


def test_a_domain_with_a_star_is_the_domain() -> None:
    assert (domain("*.acme.com"), domain("*.eu.acme.com"), domain("@acme.com")) == (
        "acme.com",
        "eu.acme.com",
        "acme.com",
    )


def test_a_host_is_at_each_domain_above_it() -> None:
    found = identifiers(EntityType.ACCOUNT, {"website": "https://shop.eu.acme.co.uk/de"})
    assert {identifier.value for identifier in found} == {"shop.eu.acme.co.uk", "eu.acme.co.uk", "acme.co.uk"}
    found = identifiers(EntityType.ACCOUNT, {"website": "https://shop.acme.github.io"})
    assert {identifier.value for identifier in found} == {"shop.acme.github.io", "acme.github.io", "github.io"}


def test_a_page_on_a_site_that_many_share_is_not_at_its_domain() -> None:
    for page in ("https://facebook.com/acme", "https://google.com/search", "sites.google.com/view/acme"):
        assert identifiers(EntityType.ACCOUNT, {"website": page}) == frozenset()
    assert {found.value for found in identifiers(EntityType.ACCOUNT, {"website": "google.com"})} == {"google.com"}


def test_prose_and_pages_of_others_tell_nobody() -> None:
    prose = "Met at the fair. " * 30 + "Knows joe@acme.com."
    page = "https://eu1.salesforce.com/0012345"
    assert identifiers(EntityType.LEAD, {"notes": prose, "crm link": page, "n": 12345, "x": None}) == frozenset()


@pytest.mark.parametrize("raw", ["joe@gmail.com", "facebook.com/acme", "acme", "192.168.0.1", "localhost"])
def test_what_names_no_domain_of_its_own_is_refused(raw: str) -> None:
    with pytest.raises(Refused):
        domain(raw)


def test_lines_and_mailboxes_that_several_people_share() -> None:
    assert is_shared(Identifier(IdentifierKind.PHONE, "+4930901820"))
    assert is_shared(Identifier(IdentifierKind.EMAIL, "info@acme.com"))
    assert not is_shared(Identifier(IdentifierKind.EMAIL, "joe@acme.com"))


def test_the_name_that_speaks_for_or_against_somebody() -> None:
    assert (
        name_of(EntityType.LEAD, {"lastName": "DOÉ"}) == name_of(EntityType.CONTACT, {"fullName": "Joe Doe"}) == "doe"
    )
    assert name_of(EntityType.ACCOUNT, {"name": "Acme, Inc."}) == "acme"
    assert name_of(EntityType.LEAD, {"email": "joe@acme.com"}) is None


def test_a_long_text_without_an_address_is_looked_through_once() -> None:
    """At each of its characters anew it would take minutes."""
    assert not identifiers(EntityType.LEAD, {"email": "a" * 500_000})
