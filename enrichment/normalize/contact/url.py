"""Web addresses: the canonical website, and the registrable domain of whatever a cell holds."""

import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.contact.host import ascii_host, domain_of_host, is_ip_address, readable_host
from enrichment.normalize.contact.mail_domains import names_no_employer
from enrichment.normalize.contact.shared_site import is_dull_path, is_page
from enrichment.normalize.text.text import Refused, tidy

LONGEST_URL = 2048

# `http://` and what fingers make of it: `htp://`, `http:/`, `http//`, `http;//`, `https:\\`.
_SCHEME = re.compile(r"(?:h{0,2}t{1,3}p{1,2}s{0,2}|https?|htps?)\s?(?:[:;.]\s?[/\\]+|:|[/\\]{2,})", re.I)
_SEMICOLON = re.compile(r"(?<=ttp);(?=[/\\])|(?<=ttps);(?=[/\\])", re.I)
_OTHER_SCHEME = re.compile(r"([a-z][a-z0-9+-]*)\s*:(?![0-9]+(?:[/?#]|$))(?![^/?#]*@)", re.I)
_PORT = re.compile(r":([0-9]*)$")
_AUTHORITY_END = re.compile(r"[/?#\\]")
_WWW = re.compile(r"w{2,4}[0-9]?\.(?=[^.]+\.)", re.I)
_SEPARATORS = re.compile(r"[\s,;|]+|(?<=[\w/])(?=https?://)(?<!=)(?<!%2F)|/(?=www\.)", re.I)
_WWW_AND_SPACE = re.compile(r"\bwww\.\s+", re.I)
_REMARK = re.compile(r"(?<=\S)\s+\([^()]*\)$")
_LINK_TEXT = re.compile(r"^\[[^\]]*\]\((\S+)\)$")
_WRAPPING = "<>\"'`()[]{}\u201c\u201d\u00ab\u00bb \t"
_DEFAULT_PORTS = {"", "80", "443"}
_UNSAFE = re.compile(r"[\s<>\"`{}|^]")
_TYPED_SITE = re.compile(r"(?:https?:|www\.)", re.I)


def split_url(text: str) -> tuple[str, str, str]:
    """Host (ASCII, lower case), port and path with query of one address. Raises Refused."""
    rest = _without_scheme(text.strip(_WRAPPING))
    end = _AUTHORITY_END.search(rest)
    authority, path = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    if "@" in authority:
        raise Refused("a web address with a user name in it")
    if authority.startswith("[") or authority.count(":") > 1:
        raise Refused("an IP address, not a web address")
    port = _PORT.search(authority)
    name = authority[: port.start()] if port else authority
    return _site_host(name), port[1] if port else "", path.replace("\\", "/")


def _without_scheme(text: str) -> str:
    """The address without its (perhaps misspelt) http scheme. Raises Refused for another scheme."""
    for _ in range(3):
        match = _SCHEME.match(text)
        if match is None:
            break
        text = text[match.end() :].lstrip("/\\ ")
    other = _OTHER_SCHEME.match(text)
    if other:
        raise Refused(f"a {other[1].lower()[:20]}: address, not a web address")
    return text.lstrip(":/\\ ")


def _site_host(name: str) -> str:
    bare = name.strip(". ").lower()
    if bare == "localhost" or bare.endswith((".localhost", ".local", ".internal", ".lan", ".localdomain")):
        raise Refused("a local address, not a web address")
    host = ascii_host(name)
    if host is None:
        raise Refused("not a web address")
    if is_ip_address(host):
        raise Refused("an IP address, not a web address")
    if domain_of_host(host) is None:
        raise Refused("not a web address: it ends in no known top-level domain")
    return host


def _without_www(host: str) -> str:
    match = _WWW.match(host)
    bare = host[match.end() :] if match else host
    return bare if domain_of_host(bare) else host


def _domain_of_mail(text: str) -> str:
    host = text.rpartition("@")[2].strip(_WRAPPING + ".,;")
    domain = domain_of_host(host)
    if domain is None:
        raise Refused("not a web address")
    if names_no_employer(domain):
        raise Refused("an e-mail address at a mail provider, not a web address")
    return domain


def _is_mail(text: str) -> bool:
    return "@" in text and "/" not in text


def _one_website(text: str) -> str:
    if _is_mail(text):
        return f"https://{_domain_of_mail(text)}"
    host, _, path = split_url(text)
    site = readable_host(_without_www(host))
    path = re.split("[?#]", path, maxsplit=1)[0].rstrip("/")
    if len(path) > 300:
        raise Refused("longer than a web address can be")
    return f"https://{site}" + ("" if is_dull_path(path) or _UNSAFE.search(path) else path)


def _parts(text: str) -> list[str]:
    """The addresses of a cell; words beside a typed-out address (`see www.acme.com`) are left out."""
    text = _WWW_AND_SPACE.sub("www.", _REMARK.sub("", _LINK_TEXT.sub(r"\1", _SEMICOLON.sub(":", text))))
    parts = [bare for part in _SEPARATORS.split(text) if any(map(str.isalnum, bare := part.strip(_WRAPPING)))]
    typed = [part for part in parts if _TYPED_SITE.match(part)]
    return ([part for part in parts if "." in part] if typed else []) or parts


# A host alone, with or without its scheme.
_PLAIN = re.compile(r"(?:https?://)?((?:[a-z0-9][a-z0-9-]*\.)+[a-z]{2,})/?", re.I)


@lru_cache(16384)
def _website(text: str) -> str:
    plain = _PLAIN.fullmatch(text) if text.isascii() else None
    return _by_parts(text) if plain is None else f"https://{readable_host(_without_www(_site_host(plain[1])))}"


def _by_parts(text: str) -> str:
    parts = _parts(text)
    if not parts:
        raise Refused("not a web address")
    sites = [_one_website(part) for part in parts]
    if len(sites) > 1 and len({website_key(site) for site in sites}) > 1:
        raise Refused("different web addresses in one value")
    return min(sites, key=len)


def canonical_website(raw: Any) -> str | None:
    """`https://host` without `www.`, port, query and the pages that every site has; None when empty.

    Of two addresses of one site the shorter is taken; of an e-mail address its domain. Raises Refused.
    """
    text = tidy(raw, LONGEST_URL)
    return None if text is None else _website(text)


@lru_cache(65536)
def registrable_domain(text: str) -> str | None:
    """The registrable domain of a web address, host or e-mail, readable; None when there is none.

    A page on a site that many share (`facebook.com/acme`) has none: the site is not the page's owner. A site below
    somebody else's name is its own (`acme.wordpress.com`).
    """
    rest = text.strip(_WRAPPING)
    if len(rest) > LONGEST_URL:
        return None
    if _is_mail(rest):
        return domain_of_host(rest.rpartition("@")[2].strip("."))
    try:
        host, _, path = split_url(rest)
    except Refused:
        return None
    domain = domain_of_host(host)
    return None if domain is None or is_page(host, path) else domain


def canonical_domain(raw: Any) -> str | None:
    """The registrable domain in readable lower case; None when empty. Raises Refused."""
    website = canonical_website(raw)
    if website is None:
        return None
    domain = registrable_domain(website)
    if domain is None:
        raise Refused("a page on a shared site, not a domain of its own")
    return domain


def canonical_company_domain(raw: Any) -> str | None:
    """As `canonical_domain`; the domain of a mail provider is refused, for it names no employer."""
    domain = canonical_domain(raw)
    if domain is not None and names_no_employer(domain):
        raise Refused("the domain of a mail provider, not an employer's")
    return domain


def canonical_link(raw: Any) -> str | None:
    """The address of one resource such as a logo: path and query kept; None when empty. Raises Refused."""
    text = tidy(raw, LONGEST_URL)
    return None if text is None else _link(text)


@lru_cache(4096)
def _link(text: str) -> str:
    host, port, path = split_url(text)
    path = path.partition("#")[0]
    if _UNSAFE.search(path):
        raise Refused("not a web address")
    scheme = "http" if text.strip(_WRAPPING).lower().startswith("http:") else "https"
    authority = readable_host(host) + ("" if port in _DEFAULT_PORTS else f":{int(port)}")
    return f"{scheme}://{authority}{'' if path == '/' else path}"


def link_key(link: str) -> str:
    """The canonical address of a resource without its scheme."""
    return link.partition("://")[2] or link


def website_key(website: str) -> str:
    """What two addresses of one site share: the registrable domain, or the page on a shared site."""
    return registrable_domain(website) or website.removeprefix("https://").lower()
