"""Host names: what is one, and the registrable domain that it belongs to."""

import ipaddress
import re
import unicodedata
from functools import lru_cache

import idna
from publicsuffixlist import PublicSuffixList

from enrichment.normalize.word_list import read_words

RESERVED_TLDS = frozenset({"example", "test", "invalid"})  # RFC 2606: never anybody's, but samples use them
_LOOK_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK"})
_LONGEST_HOST = 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


@lru_cache(1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)


@lru_cache(1)
def _registry_suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)


@lru_cache(1)
def site_suffixes() -> frozenset[str]:
    """Names below which each host is a site of its own, beside those that the public suffix list knows."""
    return read_words("contact", "site_suffixes.txt")


@lru_cache(1)
def owners_hosts() -> frozenset[str]:
    """First labels of hosts that belong to the owner of the domain: `www`, `help`, `careers`."""
    return read_words("contact", "owners_hosts.txt")


@lru_cache(1)
def sold_suffixes() -> frozenset[str]:
    """Private suffixes whose names are sold as a registry sells them (`uk.com`)."""
    return read_words("contact", "sold_suffixes.txt")


@lru_cache(16384)
def ascii_host(text: str) -> str | None:
    """A host name in lower case and punycode; None when the text is none (an IP address is one)."""
    host = text.strip().rstrip(".").lower()
    if not host or len(host) > _LONGEST_HOST:
        return None
    if not host.isascii():
        if any(map(_mixes_alphabets, host.split("."))):
            return None
        try:
            host = idna.encode(host, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            return None
    labels = host.split(".")
    if len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)):
        return None
    return host


def _mixes_alphabets(label: str) -> bool:
    """Whether a label has letters of alphabets that look alike, as only a forgery has."""
    names = (unicodedata.name(char, "").partition(" ")[0] for char in label)
    return len(_LOOK_ALIKE.intersection(names)) > 1


def readable_host(host: str) -> str:
    """An ASCII host name with its punycode decoded, where it is valid."""
    if "xn--" not in host:
        return host
    try:
        readable: str = idna.decode(host)
        again = idna.encode(readable, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return host
    return readable if again == host else host


def is_ip_address(host: str) -> bool:
    """Whether this is an IP address, also in the short forms that browsers understand."""
    if ":" not in host and not host.rpartition(".")[2].isdigit():
        return False
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.replace(".", "").isdigit()
    return True


@lru_cache(65536)
def domain_of_host(text: str) -> str | None:
    """The registrable domain of a host name, readable; None for an IP address or a bare public suffix.

    A site below somebody else's name counts as its own (`acme.github.io`, `acme.wordpress.com`).
    """
    host = ascii_host(text)
    if host is None or is_ip_address(host):
        return None
    labels = host.split(".")
    if labels[-1] in RESERVED_TLDS:
        return ".".join(labels[-2:])
    found = _site_of(labels) or _private_suffix(host) or _registry_suffixes().privatesuffix(host)
    return readable_host(found) if found else None


def _site_of(labels: list[str]) -> str | None:
    """The site below a name of the list; None where the host is the owner's."""
    for index in range(1, len(labels) - 1):
        if ".".join(labels[index:]) in site_suffixes():
            return None if labels[index - 1] in owners_hosts() else ".".join(labels[index - 1 :])
    return None


def _private_suffix(host: str) -> str | None:
    found: str | None = _suffixes().privatesuffix(host)
    is_sites_own = found is not None and found.startswith("www.") and _registry_suffixes().privatesuffix(host) != found
    return None if is_sites_own else found


def listed_domain_of_host(host: str) -> str | None:
    """The registrable domain of an ASCII host by the public suffix list alone, as version 0.1.0 knew it."""
    if is_ip_address(host):
        return None
    if host.rpartition(".")[2] in RESERVED_TLDS:
        return domain_of_host(host)
    found = _suffixes().privatesuffix(host) or _registry_suffixes().privatesuffix(host)
    return readable_host(found) if found else None


@lru_cache(65536)
def registry_domain_of_host(text: str) -> str | None:
    """The domain that a registry sold: `github.io` of `acme.github.io`; None as for `domain_of_host`."""
    host = ascii_host(text)
    if host is None or is_ip_address(host):
        return None
    if host.rpartition(".")[2] in RESERVED_TLDS:
        return domain_of_host(host)
    found = _registry_suffixes().privatesuffix(host)
    return readable_host(found) if found else None
