"""E-mail addresses and what they say of an employer."""

from typing import Any

import pytest

from enrichment.normalize.contact.email import EmailKind, canonical_email, email_kind
from enrichment.normalize.text.text import Refused


@pytest.mark.parametrize(
    ("raw", "email"),
    [
        (" Jane.Doe@Acme.COM ", "jane.doe@acme.com"),
        ("jane@acme.com.", "jane@acme.com"),
        ("mailto:jane@acme.com", "jane@acme.com"),
        ("Jane Doe <jane@acme.com>", "jane@acme.com"),
        ("'jane@acme.com'", "jane@acme.com"),
        ("jane@acme.com; Jane@ACME.com", "jane@acme.com"),
        ("jane@xn--mller-kva.de", "jane@müller.de"),
        ("jane@MÜLLER.de", "jane@müller.de"),
        ("ju\u0308rgen@acme.com", "jürgen@acme.com"),
        ("jane+news@acme.com", "jane+news@acme.com"),
        ("jane@example.com", "jane@example.com"),
        ("jane@acme.example", "jane@acme.example"),
        ("jane@acme.test", "jane@acme.test"),
        ("none@none.com", None),
        ("test@test.de", None),
        ("test@example.com", "test@example.com"),
        ("test@acme.com", "test@acme.com"),
        ("n/a", None),
        (None, None),
    ],
)
def test_an_address_is_understood(raw: Any, email: str | None) -> None:
    assert canonical_email(raw) == email


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("janeacme.com", "not an e-mail address"),
        ("jane@@acme.com", "not an e-mail address"),
        ("jane@acme,com", "not an e-mail address"),
        ("jane @acme.com", "not an e-mail address"),
        ("jane@\u0430cme.com", "not an e-mail address"),
        ("jane@acme", "not an e-mail address"),
        ("jane@acme.nosuchtld", "no known top-level domain"),
        ("jane@[192.0.2.1]", "not an e-mail address"),
        ("@acme.com", "not an e-mail address"),
        ("jane@", "not an e-mail address"),
        ("jane@acme.com, john@acme.com", "different e-mail addresses"),
        ("=HYPERLINK(1)", "a spreadsheet formula"),
        ("a" * 70 + "@acme.com", "not an e-mail address"),
        ("a" * 400 + "@acme.com", "longer than"),
        (True, "true or false"),
        (5, "not an e-mail address"),
        ({}, "an object"),
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_email(raw)


@pytest.mark.parametrize(
    ("email", "kind"),
    [
        ("jane@acme.com", EmailKind.CORPORATE),
        ("info@acme.com", EmailKind.ROLE),
        ("Sales+de@acme.com", EmailKind.ROLE),
        ("jane@gmail.com", EmailKind.FREE),
        ("info@gmail.com", EmailKind.FREE),
        ("jane@mailinator.com", EmailKind.DISPOSABLE),
        ("jane@example.org", EmailKind.EXAMPLE),
        ("jane@acme.test", EmailKind.EXAMPLE),
        ("jane@acme.invalid", EmailKind.EXAMPLE),
        ("jane.acme.com", EmailKind.INVALID),
        ("", EmailKind.INVALID),
    ],
)
def test_the_kind_of_a_mailbox(email: str, kind: EmailKind) -> None:
    assert email_kind(email) is kind
