"""Web addresses: the registrable domain and the canonical website of whatever a cell holds."""

import ipaddress
import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import idna
from publicsuffixlist import PublicSuffixList

from enrichment.normalize.text import Refused, tidy

LONGEST_URL = 2048
RESERVED_TLDS = frozenset({"example", "test", "invalid"})  # RFC 2606: never anybody's, but samples use them
_PRIVATE_TLDS = frozenset(
    {"local", "localhost", "localdomain", "internal", "lan", "intranet", "corp", "home", "arpa", "onion"}
)

_SCHEME = re.compile(
    r"(?:h?t{1,3}ps?|h{1,2}t{1,3}p{0,2}s?|hhtps?|htt?sp?)\s*(?:[:;]\s*[/\\]*|[/\\]{2,})(?=[^\d\s])", re.I
)
_OTHER_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?!\d)", re.I)
_WWW = re.compile(r"www\d?[.,]+|ww\.|wwww+\.", re.I)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_SEPARATORS = re.compile(r"[\s,;|]+(?:(?:or|and|und|et|oder|y)\s+)?", re.I)
_LEAD = re.compile(r"(?:web|web\s?site|url|homepage|site|home)\s*:\s*(?=\S)", re.I)
_WRAPPING = "<>\"'`()[]{} \t"
_DULL_PATH = re.compile(
    r"(?:/(?:[a-z]{2}(?:[-_][a-z]{2,4})?|index|home|homepage|main|default|start|startseite|welcome|contact(?:-?us)?|kontakt|impressum"
    r"|imprint|about(?:-?us)?|ueber-uns|web|site|global|en-global)(?:\.(?:html?|php\d?|aspx?|jsp|jsf|cfm|shtml|do))?)*/*",
    re.I,
)


@lru_cache(1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)


@lru_cache(1)
def _icann_suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)


@lru_cache(65536)
def _host(text: str) -> str | None:
    """A host name in lower-case ASCII, or None when it is no name of a site."""
    host = text.strip().rstrip(".").lower()
    if not host or len(host) > 253:
        return None
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            return None
    if "." not in host or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        return None
    return host


def _readable(host: str) -> str:
    if "xn--" not in host:
        return host
    try:
        return idna.decode(host)
    except idna.IDNAError:
        return host


@lru_cache(65536)
def domain_of_host(host: str) -> str | None:
    """The registrable domain of a host name, readable; None for an IP address, `localhost` or a bare suffix."""
    ascii_host = _host(host)
    if ascii_host is None or _is_ip(ascii_host):
        return None
    last = ascii_host.rpartition(".")[2]
    if last in RESERVED_TLDS:
        return ".".join(ascii_host.split(".")[-2:])
    if last in _PRIVATE_TLDS:
        return None
    found = _suffixes().privatesuffix(ascii_host) or _icann_suffixes().privatesuffix(ascii_host)
    return _readable(found) if found else None


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.replace(".", "").isdigit()
    return True


def _strip_scheme(text: str) -> str:
    """The address without its (perhaps misspelt) http scheme. Raises Refused for another scheme."""
    match = _SCHEME.match(text)
    if match:
        return text[match.end() :].lstrip("/\\")
    other = _OTHER_SCHEME.match(text)
    if other and "." not in other[1]:
        raise Refused(f"a {other[1].lower()[:20]}: address, not a web address")
    return text.lstrip("/\\")


def split_url(text: str) -> tuple[str, str]:
    """Host (ASCII, lower case) and the path with its query of one address. Raises Refused."""
    rest = _strip_scheme(text.strip(_WRAPPING))
    parts = re.split(r"(?=[/?#\\])", rest, maxsplit=1)
    authority, path = parts[0], parts[1] if len(parts) > 1 else ""
    if "@" in authority:
        raise Refused("a web address with a user name in it")
    if authority.startswith("["):
        raise Refused("an IP address, not a web address")
    name = re.sub(r":\d*$", "", authority)
    if name.lower() in ("localhost", "localhost."):
        raise Refused("a local address, not a web address")
    host = _host(name.replace("。", "."))
    if host is None:
        raise Refused("not a web address")
    if _is_ip(host):
        raise Refused("an IP address, not a web address")
    if domain_of_host(host) is None:
        raise Refused("not a web address: no such top-level domain")
    return host, path.replace("\\", "/")


def _one_website(text: str) -> str:
    if "@" in text and "/" not in text:
        return "https://" + _domain_of_mail(text)
    host, path = split_url(text)
    host = _readable(
        _WWW.sub("", host, count=1)
        if _WWW.match(host) and domain_of_host(_WWW.sub("", host, count=1))
        else host
    )
    path = path.partition("?")[0].partition("#")[0].rstrip("/")
    if len(path) > 512:
        raise Refused("longer than a web address can be")
    return f"https://{host}" + ("" if _DULL_PATH.fullmatch(path) else path)


def _domain_of_mail(text: str) -> str:
    host = text.rpartition("@")[2].strip(_WRAPPING + ".")
    domain = domain_of_host(host)
    if domain is None:
        raise Refused("not a web address")
    return domain


@lru_cache(65536)
def _website(text: str) -> str:
    parts = [
        p
        for p in _SEPARATORS.split(_LEAD.sub("", text, count=1) if _LEAD.match(text) else text)
        if p.strip(_WRAPPING)
    ]
    if not parts:
        raise Refused("not a web address")
    sites = [_one_website(part) for part in parts]
    if len({registrable_domain(site) for site in sites}) > 1:
        raise Refused("two different web addresses")
    return sites[0]


def canonical_website(raw: Any) -> str | None:
    """`https://host` without `www.`, port, query or a page that every site has; None when empty. Raises Refused."""
    text = tidy(raw, LONGEST_URL)
    return None if text is None else _website(text)


@lru_cache(65536)
def registrable_domain(text: str) -> str | None:
    """The registrable domain of a web address, host or e-mail, readable; None when there is none."""
    rest = text.strip(_WRAPPING)
    if "@" in rest and "/" not in rest:
        return domain_of_host(rest.rpartition("@")[2])
    try:
        host, _ = split_url(rest)
    except Refused:
        return None
    return domain_of_host(host)


def canonical_domain(raw: Any) -> str | None:
    """The registrable domain in readable lower case; None when empty. Raises Refused."""
    website = canonical_website(raw)
    return None if website is None else registrable_domain(website)


def canonical_link(raw: Any) -> str | None:
    """A link to one resource such as a logo: path and query kept. Raises Refused."""
    text = tidy(raw, LONGEST_URL)
    if text is None:
        return None
    if " " in text:
        raise Refused("not a web address")
    host, path = split_url(text)
    scheme = "http" if urlsplit(text.lower()).scheme == "http" else "https"
    return f"{scheme}://{_readable(host)}{path.partition('#')[0]}"


def website_key(website: str) -> str:
    """What two addresses of one site have in common: the registrable domain."""
    return registrable_domain(website) or website
