"""The question about a person's company: the account's own, so that all who work there, and the account, share it.

A source that does not know a person, or says nothing of the employer, may still know the company. It is asked as it
would be asked about an account with this domain and name, and what it answers is read as fields of the person.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from enrichment.catalogue import Refused, normalize
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType
from enrichment.normalize.contact.company_site import domain_of_company
from enrichment.normalize.contact.email import names_no_employer
from enrichment.normalize.contact.url import registrable_domain

# By field of a person: the field of an account that says the same of the company.
FIELDS_OF_COMPANY: Mapping[str, str] = {
    "company": "name",
    "companyDomain": "domain",
    "website": "website",
    "industry": "industry",
    "numberOfEmployees": "numberOfEmployees",
    "annualRevenue": "annualRevenue",
}
_PERSONS_NAMES: Mapping[str, str] = {of_account: name for name, of_account in FIELDS_OF_COMPANY.items()}


def company_of(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """The company of a person with these fields, as those of an account; None where neither domain nor name is known.

    A mailbox at a mail provider, and a site that many share, name no employer.
    """
    name, domain = _text(fields.get("company")), None
    for field in ("companyDomain", "website", "email"):
        value = _text(fields.get(field))
        if value is None:
            continue
        found = registrable_domain(value) if field == "email" else domain_of_company(value, name)
        if found and not names_no_employer(found):
            domain = found
            break
    known = {"domain": domain, "name": name}
    return {field: value for field, value in known.items() if value} or None


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def persons_field(of_account: str) -> str | None:
    """The field of a person that holds what this field of the company's account does; None where there is none."""
    return _PERSONS_NAMES.get(of_account)


def as_persons(entity_type: EntityType, candidates: Mapping[str, Candidate]) -> dict[str, Candidate]:
    """What a source says of the company, as fields of somebody who works there."""
    found: dict[str, Candidate] = {}
    for of_account, candidate in candidates.items():
        name = _PERSONS_NAMES.get(of_account)
        if name is None:
            continue
        try:
            value = normalize(entity_type, name, candidate.value)
        except Refused:
            continue
        if value is not None:
            found[name] = candidate if value == candidate.value else replace(candidate, value=value)
    return found
