"""What a record says of its company, read from its fields."""

from collections.abc import Mapping
from typing import Any

from enrichment.enums import EntityType
from enrichment.normalize.contact.company_site import domain_of_shared_site, is_whole_site
from enrichment.normalize.contact.email import EmailKind, email_kind, names_no_employer
from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.places.city import city_key
from enrichment.normalize.places.country import country_code
from providers.api import Question
from providers.matching.clues import Clues
from providers.matching.phone_region import region_of


def clues_of(question: Question) -> Clues:
    """What a record says of its company. Values of an odd type say nothing."""
    texts = {name: value for name, value in question.fields.items() if isinstance(value, str) and value}
    if question.entity_type is EntityType.ACCOUNT:
        return _of_account(texts, question.fields.get("foundedYear"))
    return _of_person(texts)


def _of_account(texts: Mapping[str, str], founded: Any) -> Clues:
    name, phone = texts.get("name"), texts.get("phone")
    own, pages, shared = _domains([texts[field] for field in ("website", "domain") if field in texts], name)
    country = texts.get("country")
    if country is None and phone and (region := region_of(phone)):
        country = region.country
    return Clues(
        name=name,
        domains=own,
        pages=pages,
        shared_domains=shared,
        country=country_code(country) if country else None,
        city=city_key(texts["city"]) if "city" in texts else None,
        phone=phone,
        industry=texts.get("industry"),
        founded=founded if isinstance(founded, int) and not isinstance(founded, bool) else None,
    )


def _of_person(texts: Mapping[str, str]) -> Clues:
    name, email, country = texts.get("company"), texts.get("email"), texts.get("country")
    own, pages, shared = _domains([texts[field] for field in ("companyDomain", "website") if field in texts], name)
    at_work = _employers_domain(email) if email else None
    return Clues(
        name=name,
        domains=tuple(dict.fromkeys((*own, at_work))) if at_work else own,
        pages=pages - {at_work},
        shared_domains=shared,
        country=country_code(country) if country else None,
        city=city_key(texts["city"]) if "city" in texts else None,
        industry=texts.get("industry"),
        location_is_of_person=True,
    )


def _domains(addresses: list[str], name: str | None) -> tuple[tuple[str, ...], frozenset[str], tuple[str, ...]]:
    """The domains at these addresses: a company's own, those of them that only a page names, and shared ones.

    A shared site as a whole is its owner's where the record has no name.
    """
    own, shared, whole = [], [], set[str]()
    for address in addresses:
        domain, shared_site = registrable_domain(address), domain_of_shared_site(address)
        if domain and names_no_employer(domain):
            shared.append(domain)
        elif shared_site and (domain is None or name):
            shared.append(shared_site)
        elif domain:
            own.append(domain)
            whole |= {domain} if is_whole_site(address) else set()
    return tuple(dict.fromkeys(own)), frozenset(own) - whole, tuple(dict.fromkeys(shared))


def _employers_domain(email: str) -> str | None:
    """The domain of an address at work, of a person or shared."""
    return registrable_domain(email) if email_kind(email) in {EmailKind.CORPORATE, EmailKind.ROLE} else None
