"""Sites that many share: an address on one of them is not its owner's.

What the public suffix list does not know stands in two lists. Below a name of `site_suffixes.txt` each host is a site
of its own (`acme.wordpress.com`); on a host of `page_hosts.txt` the path says whose page it is (`facebook.com/acme`).
"""

import re
from functools import cache
from typing import NamedTuple

from enrichment.normalize.contact.host import domain_of_host, readable_host, registry_domain_of_host, sold_suffixes
from enrichment.normalize.word_list import read_groups

_ANY_SUFFIX = ".*"
# Pages that every site has: with them the address still means the whole site.
_DULL_NAMES = (
    "index|home|homepage|main|default|start|startseite|welcome|contact(?:[-_]?us)?|kontakt|impressum|imprint"
    "|about(?:[-_]?us)?|ueber-uns|web|site|global|en-global|company|corporate|privacy|legal|login|careers?|jobs"
)
_LANGUAGE = "[a-z]{2}(?:[-_][a-z]{2,4})?"
_DULL_PATH = re.compile(
    rf"(?:/+(?:{_LANGUAGE}|(?:{_DULL_NAMES})(?:\.(?:html?|php[0-9]?|aspx?|jsp|jsf|cfm|shtml|do))?))*/*", re.I
)
_AFTER_PATH = re.compile("[?#]")


def is_dull_path(path: str) -> bool:
    """Whether a path, query and fragment aside, is one that every site has: `/`, `/de/kontakt.html`."""
    return _DULL_PATH.fullmatch(_AFTER_PATH.split(path, maxsplit=1)[0]) is not None


def is_page(host: str, path: str) -> bool:
    """Whether an address (host in ASCII, path with query) is a page on a host that many share."""
    domain = domain_of_host(host)
    if domain is None:
        return False
    hosts, labels = _page_hosts().hosts, host.split(".")
    above = {".".join(labels[index:]) for index in range(len(labels) - domain.count("."))}
    return not hosts.isdisjoint(above - {domain}) or (has_pages(domain) and not is_dull_path(path))


def has_pages(domain: str) -> bool:
    """Whether a registrable domain is that of a site on which many have a page."""
    known = _page_hosts()
    if domain in known.hosts:
        return True
    return domain.partition(".")[0] in known.labels and domain == registry_domain_of_host(domain)


def is_below_anothers(domain: str) -> bool:
    """Whether a domain is that of a site below somebody else's: `acme.wordpress.com`."""
    above = registry_domain_of_host(domain)
    return above is not None and above != domain and readable_host(above) not in sold_suffixes()


def owner_names(domain: str) -> tuple[str, ...]:
    """Other names of the company whose shared site this is, folded; none for what is not in the list."""
    known = _page_hosts()
    return known.owners.get(domain) or known.owners.get(domain.partition(".")[0] + _ANY_SUFFIX, ())


class _PageHosts(NamedTuple):
    hosts: frozenset[str]
    labels: frozenset[str]  # of the hosts that stand under any top-level domain
    owners: dict[str, tuple[str, ...]]


@cache
def _page_hosts() -> _PageHosts:
    listed = read_groups("contact", "page_hosts.txt")
    names = {host for host, _ in listed}
    labels = frozenset(name.removesuffix(_ANY_SUFFIX) for name in names if name.endswith(_ANY_SUFFIX))
    return _PageHosts(frozenset(names), labels, {host: tuple(others) for host, others in listed if others})
