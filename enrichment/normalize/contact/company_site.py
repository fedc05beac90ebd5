"""Whether the site at an address is that of a company, by the company's name and by where the address points."""

from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from enrichment.normalize.contact.host import domain_of_host, owners_hosts
from enrichment.normalize.contact.shared_site import has_pages, is_dull_path, owner_names
from enrichment.normalize.contact.url import registrable_domain, split_url
from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.text.text import Refused, fold, without_umlauts, words

_ALIKE = 75  # of 100, for a name in one word and the label of a domain
_TELLING = 3  # letters of a name or a label that are no coincidence in the other
_TELLING_WORD = 4
_SMALL_WORDS = frozenset({"and", "of", "the", "und", "et", "y", "e"})


def domain_of_company(address: str, name: str | None) -> str | None:
    """The registrable domain of a web address by which a company of this name (None: unknown) may be asked about.

    None for a page on a site that many share, and where the name shares nothing with the domain and the address is
    that of a shared site as a whole (`google.com`), of a page or of a host below the domain: these are somebody else's.
    A site below somebody else's name is asked about as itself (`acme.wordpress.com`).
    """
    domain = registrable_domain(address)
    if domain is None or name is None:
        return domain
    if has_pages(domain):
        return domain if owns_shared_site(name, domain) else None
    return domain if is_whole_site(address) or fits_domain(name, domain) else None


def domain_of_shared_site(address: str) -> str | None:
    """The domain of the site that many share, where the address is that of the site or of a page on it."""
    try:
        domain = domain_of_host(split_url(address)[0])
    except Refused:
        return None
    return domain if domain and (has_pages(domain) or registrable_domain(address) is None) else None


@lru_cache(16384)
def is_whole_site(address: str) -> bool:
    """Whether an address is that of a whole site, and not of a page or of a host that says whose it is."""
    try:
        host, _, path = split_url(address)
    except Refused:
        return True  # an e-mail address, which names a domain
    labels = host.split(".")
    below = labels[: len(labels) - (domain_of_host(host) or host).count(".") - 1]
    return is_dull_path(path) and owners_hosts().issuperset(below)


@lru_cache(16384)
def owns_shared_site(name: str, domain: str) -> bool:
    """Whether a company of this name is that of a site that many share."""
    core, label = core_name(name), _label(domain)
    joined = without_umlauts(core.replace(" ", ""))
    whole = without_umlauts(words(domain).replace(" ", ""))
    if joined in (label, whole) or label in core.split():
        return True
    if len(label) >= _TELLING_WORD and (joined.startswith(label) or _one_letter_off(joined, label, whole)):
        return True
    return any(core == other or core.startswith(f"{other} ") for other in owner_names(domain))


@lru_cache(16384)
def fits_domain(name: str, domain: str) -> bool:
    """Whether a name shares something with a domain: a word, its initials or most of its letters."""
    core, label = core_name(name), _label(domain)
    joined = without_umlauts(core.replace(" ", ""))
    if not joined:
        return True
    if len(joined) >= _TELLING and (joined in label or (len(label) >= _TELLING and label in joined)):
        return True
    if fuzz.ratio(joined, label) >= _ALIKE:
        return True
    if any(len(word) >= _TELLING_WORD and without_umlauts(word) in label for word in core.split()):
        return True
    return len(label) > 1 and any(
        len(found) > 1 and (label.startswith(found) or found.startswith(label)) for found in _initials(name)
    )


def _initials(name: str) -> set[str]:
    texts = (core_name(name), words(name))
    return {"".join(word[0] for word in text.split() if word not in _SMALL_WORDS) for text in texts}


def _one_letter_off(name: str, *known: str) -> bool:
    return any(OSA.distance(name, other, score_cutoff=1) <= 1 for other in known)


def _label(domain: str) -> str:
    """The first label of a domain in plain letters: what it says of a name."""
    return without_umlauts(fold(domain.partition(".")[0].replace("-", "")))
