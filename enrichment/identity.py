"""The identifiers of a record: mailboxes, phone lines, domains and LinkedIn profiles, each in one spelling.

Wider than the catalogue's canonical forms, because what is compared here keeps people from being looked up: the
addresses of one mailbox (`ann+crm@`, dots at Gmail) are one, a phone line is one whatever its extension, and a host is
at each domain above it, too, up to the one that a registry sold. Short texts of unknown fields are read too, since
providers may ask with them, and each of several texts in one cell.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

import idna

from enrichment.catalogue import FieldKind, fields_of
from enrichment.cell_texts import cell_texts
from enrichment.enums import EntityType
from enrichment.json_texts import texts_in
from enrichment.normalize.contact.email import EmailKind, canonical_email, email_kind
from enrichment.normalize.contact.host import ascii_host, domain_of_host, registry_domain_of_host
from enrichment.normalize.contact.phone import canonical_phone
from enrichment.normalize.contact.shared_site import is_page
from enrichment.normalize.contact.social import canonical_linkedin_company, canonical_linkedin_person
from enrichment.normalize.contact.url import canonical_domain, canonical_website, split_url
from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.text.text import Refused, visible, words


class IdentifierKind(StrEnum):
    """What an identifier is."""

    EMAIL = "email"  # a mailbox
    PHONE = "phone"  # a line, in E.164
    DOMAIN = "domain"  # a registrable domain, or a host below one
    PROFILE = "profile"  # at LinkedIn


class Identifier(NamedTuple):
    """One identifier in the one spelling that all of its spellings share."""

    kind: IdentifierKind
    value: str


_LONGEST_TEXT = 320  # characters; a longer text is prose, which may be about anybody
_LONGEST_ADDRESS = 2048
_MOST_DIGITS = 25
_FEWEST_DIGITS = 7
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
# It begins only where such characters begin: tried at each of them, it would take quadratic time in a long text.
_ADDRESS = re.compile(r"(?<![^\s<>\"(),;:|/?&=\[\]@])[^\s<>\"(),;:|/?&=\[\]@]+@[^\s<>\"(),;:|/?&=\[\]@]+")
# What the catalogue has made canonical already is not read again.
_CANONICAL_ADDRESS = re.compile(r"[a-z0-9._+-]+@[a-z0-9.-]+")
_CANONICAL_PHONE = re.compile(r"(\+[1-9][0-9]{6,14})(?:;ext=[0-9]+)?")
_PROFILE = re.compile(r"linkedin\.com/(in|company|company-beta|school|showcase)/[^/?#\s]+", re.I)
_PHONE_LIKE = re.compile(r"[+0-9A-Za-z\s().\-/#*:;,=_|\u2010-\u2015\u2212]{7,80}")
_ANY_HOST = re.compile(r"^(?:\*\.|@)")
_SITE_LIKE = re.compile(r"\S+\.\S+")
_NOT_DIALLED = re.compile(r"[^+0-9]")
_BETWEEN_PHONES = re.compile(r"\s*[;,|\n]\s*|\s*/\s*(?=[+(0])")
_OWN_NAME = re.compile(
    "(?:work|business|office|private|personal|home|direct|main|primary|secondary|other|alternative|second|my|contact)?"
    "(?:e?mail(?:address)?|(?:tele)?phone(?:number)?|mobile(?:phone)?(?:number)?|cell(?:phone)?(?:number)?"
    "|linkedin(?:url|profile|page)?|website|homepage|domain)"
)
_FULL_NAMES = ("fullName", "full_name", "Full Name", "fullname", "name")
_SITES = frozenset({FieldKind.DOMAIN, FieldKind.COMPANY_DOMAIN, FieldKind.WEBSITE})
_IDENTIFIER_KINDS = _SITES | {FieldKind.EMAIL, FieldKind.PHONE}
_PROFILES = frozenset({FieldKind.LINKEDIN_PERSON, FieldKind.LINKEDIN_COMPANY})
TELLING_KINDS = _IDENTIFIER_KINDS | _PROFILES  # of the fields whose values are identifiers


def mailbox(raw: Any) -> str | None:
    """The mailbox of an e-mail address; None when empty. Raises Refused."""
    plain = _plain(raw)
    try:
        address = canonical_email(plain)
    except Refused:
        written = set(_ADDRESS.findall(plain)) if isinstance(plain, str) else set()
        if len(written) != 1:
            raise
        address = canonical_email(written.pop())  # `mailto:ann@acme.com?subject=…`
    return None if address is None else _mailbox(address)


def phone_line(raw: Any, country: str | None = None) -> str | None:
    """The phone line in E.164; None when empty. A national number is read as one of `country`. Raises Refused."""
    number = canonical_phone(_plain(raw), country)
    return None if number is None else number.partition(";")[0]


def domain(raw: Any) -> str | None:
    """The host of a web address or an e-mail address at work, without `www.`; None when empty.

    Raises Refused, also for a page on a site that many share and for an address at a mail provider.
    """
    plain = _plain(raw)
    plain = _ANY_HOST.sub("", plain) if isinstance(plain, str) else plain
    registrable = canonical_domain(plain)
    if registrable is None:
        return None
    site = (canonical_website(plain) or "").removeprefix("https://")
    host = plain.rpartition("@")[2] if "@" in plain and "/" not in plain else site.partition("/")[0].partition(":")[0]
    return ascii_host(host.strip(" <>.,;")) or ascii_host(registrable) or registrable


def identifiers(entity_type: EntityType, fields: Mapping[str, Any]) -> frozenset[Identifier]:
    """The identifiers in a record's fields. Never raises, whatever the record holds."""
    return frozenset(identifier for identifier, _ in identifiers_with_certainty(entity_type, fields))


def identifiers_with_certainty(entity_type: EntityType, fields: Mapping[str, Any]) -> Iterator[tuple[Identifier, bool]]:
    """The identifiers in a record's fields, each with whether it surely is the record's own.

    Those in the catalogue's fields are, and those in unknown fields with a name such as `Work e-mail` or `Phone 2`.
    Those in other unknown fields may be somebody else's: an owner's, a referrer's.
    """
    known = fields_of(entity_type)
    country = fields.get("country")
    country = country if isinstance(country, str) else None
    for name, value in fields.items():
        kind = known[name].kind if name in known else None
        sure = kind is not None or _OWN_NAME.fullmatch("".join(filter(str.isalpha, name.lower()))) is not None
        for text in texts_in(value):
            yield from ((identifier, sure) for identifier in _of_text(text, kind, country))
            if kind in TELLING_KINDS or (kind is None and sure):
                for part in cell_texts(text):
                    yield from ((identifier, sure) for identifier in _of_cell(part, kind, country))


def holds_identifier(entity_type: EntityType, name: str, value: Any, sought: Collection[Identifier]) -> bool:
    """Whether a value of a field holds any of these identifiers."""
    return not identifiers(entity_type, {name: value}).isdisjoint(sought)


def is_identifier_field(entity_type: EntityType, name: str) -> bool:
    """Whether the values of a field of the catalogue are identifiers."""
    return fields_of(entity_type)[name].kind in _IDENTIFIER_KINDS


def is_shared(identifier: Identifier) -> bool:
    """Whether several people may go by it: a phone line, or a mailbox such as `info@`."""
    if identifier.kind is IdentifierKind.EMAIL:
        return email_kind(identifier.value) is EmailKind.ROLE
    return identifier.kind is IdentifierKind.PHONE


def name_of(entity_type: EntityType, fields: Mapping[str, Any]) -> str | None:
    """The last name of a person or the core of a company's name, folded; None where there is none."""
    if entity_type is EntityType.ACCOUNT:
        name = fields.get("name")
        return core_name(name) or None if isinstance(name, str) else None
    last = fields.get("lastName")
    if not isinstance(last, str) or not last.strip():
        full = next((fields[name] for name in _FULL_NAMES if isinstance(fields.get(name), str)), "")
        last = full.split()[-1] if full.split() else ""
    return words(last) or None


def _of_cell(text: str, kind: FieldKind | None, country: str | None) -> Iterator[Identifier]:
    """A part of a cell may be of another kind than the field: a phone beside an e-mail address."""
    yield from _of_text(text, kind, country)
    if kind is not None:
        yield from _of_text(text, None, country)


def _of_text(text: str, kind: FieldKind | None, country: str | None) -> Iterator[Identifier]:
    if "@" in text or "%40" in text or "\uff20" in text:
        yield from _addresses(text)
    if kind is FieldKind.PHONE or kind is None:
        yield from _lines(text, country)
    if kind in _SITES or kind is None:
        yield from _domains_of_site(text, kind is not None)
    if kind in _PROFILES or kind is None:
        yield from _profile(text)


def _addresses(text: str) -> tuple[Identifier, ...]:
    """The mailboxes that a text names, and the domains that they are at."""
    if _CANONICAL_ADDRESS.fullmatch(text):
        return (Identifier(IdentifierKind.EMAIL, _mailbox(text)), *_domains_of_host(text.rpartition("@")[2]))
    return _read_addresses(text) if len(text) <= _LONGEST_TEXT else ()


@lru_cache(16384)
def _read_addresses(text: str) -> tuple[Identifier, ...]:
    plain = _plain(text)
    found: list[Identifier] = []
    for written in [plain, *(match.strip("'`.") for match in _ADDRESS.findall(plain))]:
        try:
            address = canonical_email(written)
        except Refused:
            continue
        if address is not None:
            found.append(Identifier(IdentifierKind.EMAIL, _mailbox(address)))
            found += _domains_of_host(address.rpartition("@")[2])
    return tuple(dict.fromkeys(found))


def _mailbox(address: str) -> str:
    local, _, host = address.rpartition("@")
    host = ascii_host(host) or host
    local = local.partition("+")[0] or local
    if host in _GMAIL:
        local, host = local.replace(".", "") or local, "gmail.com"
    return f"{local.casefold()}@{host}"


def _lines(text: str, country: str | None) -> tuple[Identifier, ...]:
    canonical = _CANONICAL_PHONE.fullmatch(text)
    return (Identifier(IdentifierKind.PHONE, canonical[1]),) if canonical else _read_lines(text, country)


@lru_cache(16384)
def _read_lines(text: str, country: str | None) -> tuple[Identifier, ...]:
    plain = _plain(text)
    if not _PHONE_LIKE.fullmatch(plain) or not _FEWEST_DIGITS <= sum(map(str.isdigit, plain)) <= 2 * _MOST_DIGITS:
        return ()
    found: list[Identifier] = []
    compact = _NOT_DIALLED.sub("", plain)
    whole = (plain, compact) if compact.startswith(("+", "00")) else (plain,)
    for written in dict.fromkeys((*whole, *_BETWEEN_PHONES.split(plain))):
        try:
            number = phone_line(written, country)
        except Refused:
            continue
        if number is not None:
            found.append(Identifier(IdentifierKind.PHONE, number))
    return tuple(dict.fromkeys(found))


@lru_cache(16384)
def _domains_of_site(text: str, any_page: bool) -> tuple[Identifier, ...]:
    """The domains of a web address; none of a page on a site that many share.

    Without `any_page` only those of a whole site: a page may be on anybody's site.
    """
    plain = _plain(text)
    if len(plain) > _LONGEST_ADDRESS or "@" in plain or not _SITE_LIKE.fullmatch(plain):
        return ()
    try:
        if not any_page and "/" in (canonical_website(plain) or "").removeprefix("https://"):
            return ()
        host, _, path = split_url(plain)
    except Refused:
        return ()
    return () if is_page(host, path) else _domains_of_host(host)


@lru_cache(65536)
def _domains_of_host(host: str) -> tuple[Identifier, ...]:
    """The host and the domains that it is below: `shop.acme.github.io` is below `acme.github.io` and `github.io`."""
    ascii_name = ascii_host(host) or _punycode(host)
    sold = [name for name in (domain_of_host(ascii_name), registry_domain_of_host(ascii_name)) if name]
    names = [ascii_host(name) or name for name in sold]
    if names:
        labels = ascii_name.split(".")
        fewest = min(name.count(".") for name in names) + 1
        names = [".".join(labels[start:]) for start in range(len(labels) - fewest + 1)] + names
    return tuple(Identifier(IdentifierKind.DOMAIN, name) for name in dict.fromkeys(names))


def _punycode(host: str) -> str:
    """The host in ASCII, also where it mixes alphabets: a provider may be asked by it."""
    try:
        return idna.encode(host, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return host


@lru_cache(16384)
def _profile(text: str) -> tuple[Identifier, ...]:
    match = _PROFILE.search(_plain(text)) if len(text) <= _LONGEST_ADDRESS else None
    if match is None:
        return ()
    canonical = canonical_linkedin_person if match[1].lower() == "in" else canonical_linkedin_company
    try:
        found = canonical(match[0])
    except Refused:
        return ()
    return (Identifier(IdentifierKind.PROFILE, found),) if found else ()


def _plain(raw: Any) -> Any:
    """The text in plain letters: no full-width or invisible characters, no percent-encoding of `@` and `+`."""
    if not isinstance(raw, str):
        return raw
    text = unquote(raw) if "%40" in raw or "%2B" in raw.upper() else raw
    if text.isascii():
        return text.strip()
    return visible(unicodedata.normalize("NFKC", text.translate(_DOTS))).strip()
