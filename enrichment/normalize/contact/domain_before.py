"""The domain that version 0.1.0 took for a website's, which knew few of the sites that many share."""

from functools import lru_cache

from enrichment.normalize.contact.host import listed_domain_of_host
from enrichment.normalize.contact.shared_site import is_dull_path
from enrichment.normalize.contact.url import canonical_website, split_url
from enrichment.normalize.text.text import Refused
from enrichment.normalize.word_list import read_words

# Of these the owner's other hosts were its own, or but for the pages below these paths the whole site.
_HOSTS_OF = {
    "google.com": frozenset(f"{name}.google.com" for name in ("sites", "docs", "drive", "maps", "play")),
    "apple.com": frozenset({"apps.apple.com", "itunes.apple.com"}),
}
_OWN_PATHS = {"ebay.com": ("/str/", "/usr/"), "amazon.com": ("/stores/", "/shops/")}


def domain_before(raw: object) -> str | None:
    """The domain of an address, or of an e-mail address; None when empty. Raises Refused."""
    website = canonical_website(raw)
    return None if website is None else _domain_of(website)


@lru_cache(16384)
def _domain_of(website: str) -> str:
    host, _, path = split_url(website)
    domain = listed_domain_of_host(host)
    if domain is None or _is_page(domain, host, path):
        raise Refused("a page on a shared site, not a domain of its own")
    return domain


def _is_page(domain: str, host: str, path: str) -> bool:
    if domain not in read_words("contact", "pages_before.txt") or is_dull_path(path):
        return False
    return host in _HOSTS_OF[domain] if domain in _HOSTS_OF else path.startswith(_OWN_PATHS.get(domain, "/"))
