"""E-mail addresses: canonical form, and what kind of mailbox an address is."""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Any

from enrichment.normalize.contact.host import RESERVED_TLDS, domain_of_host
from enrichment.normalize.contact.mail_domains import DISPOSABLE_DOMAINS, FREE_DOMAINS, names_no_employer
from enrichment.normalize.text.text import Refused, tidy

__all__ = ["EmailKind", "canonical_email", "email_kind", "names_no_employer"]


class EmailKind(StrEnum):
    """What an address says of its owner's employer."""

    CORPORATE = "corporate"  # a person at a company's own domain
    ROLE = "role"  # a shared mailbox at a company's own domain
    FREE = "free"  # a free-mail provider: names no employer
    DISPOSABLE = "disposable"
    EXAMPLE = "example"  # a domain reserved for documentation
    INVALID = "invalid"


_ROLE_NAMES = """
info sales support admin administrator contact contactus office hello hi mail email team marketing hr jobs job career
careers press billing accounts accounting finance service services enquiries enquiry inquiries inquiry help helpdesk
webmaster postmaster hostmaster abuse noreply no-reply donotreply do-not-reply newsletter privacy legal security
kontakt contacto contato contatti vertrieb buchhaltung bewerbung presse verwaltung zentrale empfang reception feedback
customerservice customercare care orders order shop root invoice invoices it media pr procurement purchasing einkauf
rechnung general partners partner events booking bookings reservations recruiting recruitment talent investors ir
compliance datenschutz dpo
"""
_ROLES = frozenset(_ROLE_NAMES.split())
# `none@none.com`, `test@test.de`: what is typed where an address must be given.
_NOBODY = frozenset(
    {"none", "no", "na", "noemail", "no-email", "test", "asdf", "unknown", "null", "xxx", "abc", "noone"}
)
_EXAMPLES = frozenset({"example.com", "example.net", "example.org", "example.edu"})
_IN_ANGLES = re.compile(r"[^<>]*<\s*([^<>\s]+)\s*>")
_MAILTO = re.compile(r"mailto:\s*", re.I)
# Refused by the library, though samples use them; `.example` is not.
_RESERVED = re.compile(r"\.(?:test|invalid)$", re.I)
# Written by sellers of data where the address would stand. A * is allowed in one, and in none that is used.
_MASKED = re.compile(r"[*\u2022\u2026]|^email_not_unlocked@", re.I)
_SEPARATORS = re.compile(r"[\s,;|/]+")


# An address of which no more than its top-level domain is to be looked up: the library finds nothing wrong with it.
_PLAIN = re.compile(
    r"(?!email_not_unlocked@)(?=[^@]{1,64}@)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*"
    r"@((?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})"
)
_LONGEST_PLAIN = 200
_SPECIAL = frozenset({"arpa", "invalid", "local", "localhost", "onion", "test"})  # refused by the library


@lru_cache(16384)
def _canonical(text: str) -> str:
    plain = _plain(text)
    return _by_library(text) if plain is None else plain


def _plain(text: str) -> str | None:
    """An address whose form is beyond doubt, as `_by_library` gives it; None for any other."""
    address = text.lower()
    match = _PLAIN.fullmatch(address) if len(address) <= _LONGEST_PLAIN and address.isascii() else None
    if match is None or match[1].rpartition(".")[2] in _SPECIAL or domain_of_host(match[1]) is None:
        return None
    return address


def _by_library(text: str) -> str:
    match = _IN_ANGLES.fullmatch(text)
    address = _MAILTO.sub("", match[1] if match else text, count=1).strip(" <>\"'()[]").rstrip(".,;")
    if address.count("@") > 1:
        return _only_one(address)
    if _MASKED.search(address):
        raise Refused("a masked e-mail address")
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 -- big, and no start needs it

    try:
        checked = validate_email(_RESERVED.sub(".example", address), check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise Refused("not an e-mail address") from None
    if domain_of_host(checked.domain) is None:
        raise Refused("not an e-mail address: its domain ends in no known top-level domain")
    reserved = _RESERVED.search(address)
    email = checked.normalized.removesuffix(".example") + reserved[0] if reserved else checked.normalized
    return unicodedata.normalize("NFC", email.lower())


def _only_one(text: str) -> str:
    addresses = [part for part in _SEPARATORS.split(text) if part]
    if len(addresses) < 2 or any(part.count("@") != 1 for part in addresses):
        raise Refused("not an e-mail address")
    different = {_canonical(part) for part in addresses}
    if len(different) > 1:
        raise Refused("different e-mail addresses in one value")
    return different.pop()


def canonical_email(raw: Any) -> str | None:
    """The address in lower case and NFC; None when empty. Raises Refused when its syntax is wrong.

    `none@none.com` and the like are empty.
    """
    text = tidy(raw, 320)
    if text is None:
        return None
    email = _canonical(text)
    local, _, host = email.partition("@")
    return None if {local, host.partition(".")[0]} <= _NOBODY else email


@lru_cache(16384)
def email_kind(email: str) -> EmailKind:
    """What kind of mailbox this is; by its domain first: `info@gmail.com` is FREE."""
    try:
        address = canonical_email(email)
    except Refused:
        address = None
    if address is None:
        return EmailKind.INVALID
    local, _, host = address.rpartition("@")
    domain = domain_of_host(host) or host
    if domain in _EXAMPLES or domain.rpartition(".")[2] in RESERVED_TLDS:
        return EmailKind.EXAMPLE
    if host in DISPOSABLE_DOMAINS or domain in DISPOSABLE_DOMAINS:
        return EmailKind.DISPOSABLE
    if host in FREE_DOMAINS or domain in FREE_DOMAINS:
        return EmailKind.FREE
    return EmailKind.ROLE if local.partition("+")[0] in _ROLES else EmailKind.CORPORATE
