"""Apollo's requests for ten people or ten companies, and which of its records is whose."""

from collections.abc import Mapping, Sequence
from typing import Any

from enrichment.normalize.contact.url import registrable_domain
from providers.apollo.parse import domains_of
from providers.apollo.request import COMPANY, Lookup, headers
from providers.http.adapter import Http, Reply
from providers.http.bulk import all_of
from providers.http.replies import at, items, mapping, unreadable

BULK = 10
PEOPLE_PATH, COMPANIES_PATH = "/people/bulk_match", "/organizations/bulk_enrich"


async def send_many(lookups: Sequence[Lookup], http: Http) -> Reply:
    """The reply to one request for all of them, which are of one kind and without phone numbers."""
    body = {"details": [lookup.params for lookup in lookups]}
    if lookups[0].kind == COMPANY:
        return await http.send("POST", COMPANIES_PATH, json=body, headers=headers(http))
    flags = {"reveal_personal_emails": "false", "reveal_phone_number": "false"}
    return await http.send("POST", PEOPLE_PATH, params=flags, json=body, headers=headers(http))


def matches_of(body: Any, lookups: Sequence[Lookup]) -> list[Mapping[str, Any]]:
    """The record of each look-up, empty for a miss. They come in the order of the look-ups, a miss as null.

    Companies that were found only once or left out are told by their domains. Raises ProviderError where nobody can say
    whose a record is.
    """
    companies = lookups[0].kind == COMPANY
    listed = at(body, "organizations" if companies else "matches")
    if (found := all_of(listed, len(lookups))) is not None:
        return [mapping(item) for item in found]
    if not companies or not isinstance(listed, list):
        raise unreadable("Apollo", "has not one record for each question")
    by_domain = {domain: mapping(item) for item in items(listed) for domain in domains_of(mapping(item))}
    return [by_domain.get(registrable_domain(lookup.by.get("domain", "")) or "", {}) for lookup in lookups]
