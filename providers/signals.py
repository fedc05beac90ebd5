"""What a record itself says: the domain of an e-mail at work, the country of a phone, the seniority in a title."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from enrichment.normalize.contact.company_site import domain_of_company
from enrichment.normalize.contact.email import EmailKind, email_kind
from enrichment.normalize.contact.host import RESERVED_TLDS
from enrichment.normalize.contact.mail_domains import names_no_employer
from enrichment.normalize.contact.shared_site import is_below_anothers
from enrichment.normalize.contact.url import registrable_domain
from providers.api import Answer, Finding, ProviderInfo, Question
from providers.matching.person_names import PersonName, names_of_email, split_full_name
from providers.matching.phone_region import PhoneRegion, region_of
from providers.titles.titles import department, seniority

_OF_A_PERSON = frozenset(
    ["firstName", "lastName", "companyDomain", "website", "seniorityLevel", "department", "city", "state", "country"]
)
_OF_AN_ACCOUNT = frozenset(["domain", "website", "city", "state", "country"])
_FULL_NAMES = ("fullName", "full_name", "Full Name", "fullname", "name")
_READ = (
    "email",
    "name",
    "company",
    "domain",
    "companyDomain",
    "website",
    "phone",
    "mobilePhone",
    "title",
    "firstName",
    "lastName",
    "city",
    "state",
    "country",
)
_FROM_EMAIL, _FROM_WEBSITE, _FROM_DOMAIN = 0.97, 0.97, 0.95
# A switchboard is where the company is; people keep their number when they move.
_PHONE_OF_ACCOUNT = {"country": 0.9, "state": 0.6, "city": 0.55}
_PHONE_OF_PERSON = {"country": 0.65, "state": 0.45, "city": 0.4}

INFO = ProviderInfo(
    id="signals",
    name="Signals",
    gives={
        EntityType.LEAD: _OF_A_PERSON,
        EntityType.CONTACT: _OF_A_PERSON,
        EntityType.ACCOUNT: _OF_AN_ACCOUNT,
    },
    needs="an e-mail address, a phone number, a title, a full name, a website or a domain",
    answer_lifetime_days=0,
    miss_lifetime_days=0,
    attribution="phonenumbers (Apache-2.0), nameparser (LGPL)",
)


class Signals:
    """Derives fields from a record's other fields, offline."""

    def __init__(self) -> None:
        self.info = INFO

    def input_key(self, question: Question) -> str | None:
        """The fields that it reads."""
        known = set(fields_of(question.entity_type))
        names = (*(name for name in _READ if name in known), *_full_name_fields(question.entity_type))
        read = {name: question.fields[name] for name in names if isinstance(question.fields.get(name), str)}
        if not read:
            return None
        return json.dumps([question.entity_type.value, read], ensure_ascii=False, sort_keys=True)

    async def ask(self, question: Question) -> Answer:
        """All that follows from the record. It never raises, whatever the record holds."""
        return self.answer(question)

    def answer(self, question: Question) -> Answer:
        """The same at once."""
        findings = tuple(derive(question.entity_type, question.fields))
        given = ", ".join(finding.field for finding in findings)
        return Answer(bool(findings), findings, f"from the record itself: {given}" if findings else "")


def derive(entity_type: EntityType, fields: Mapping[str, Any]) -> Iterator[Finding]:
    """What follows from a record's fields."""
    texts = {name: value for name, value in fields.items() if isinstance(value, str) and value.strip()}
    if entity_type is EntityType.ACCOUNT:
        yield from _domain_and_website(texts, "domain", "name", None)
        yield from _place(texts, _PHONE_OF_ACCOUNT)
        return
    yield from _domain_and_website(texts, "companyDomain", "company", _domain_at_work(texts.get("email", "")))
    yield from _place(texts, _PHONE_OF_PERSON)
    yield from _position(texts.get("title", ""))
    yield from _names(texts, _full_name_fields(entity_type))


def _full_name_fields(entity_type: EntityType) -> tuple[str, ...]:
    return () if entity_type is EntityType.ACCOUNT else _FULL_NAMES


def _domain_at_work(email: str) -> str | None:
    """The employer's domain of a person's address; none of a shared mailbox, which may be anybody's."""
    return registrable_domain(email) if email and email_kind(email) is EmailKind.CORPORATE else None


def _own_domain(address: str | None, name: str | None = None) -> str | None:
    domain = domain_of_company(address, name) if address else None
    if domain is None or names_no_employer(domain) or domain.rpartition(".")[2] in RESERVED_TLDS:
        return None
    return domain


def _domain_and_website(
    texts: Mapping[str, str], field: str, name_field: str, at_work: str | None
) -> Iterator[Finding]:
    """The domain by e-mail or website, and the website by e-mail or domain.

    A site below somebody else's name is a website of its own, and its name no domain of the company's.
    """
    name = texts.get(name_field)
    of_website, of_domain = _own_domain(texts.get("website"), name), _own_domain(texts.get(field), name)
    at_work = _own_domain(at_work)
    for domain, confidence in ((at_work, _FROM_EMAIL), (of_website, _FROM_WEBSITE)):
        if domain and not is_below_anothers(domain):
            yield Finding(field, domain, confidence)
            break
    site = of_domain or at_work
    if site and not of_website:
        yield Finding("website", f"https://{site}", _FROM_DOMAIN if of_domain else _FROM_EMAIL - 0.03)


def _place(texts: Mapping[str, str], confidence: Mapping[str, float]) -> Iterator[Finding]:
    """The region of the phone, for fields that the record leaves empty and does not contradict."""
    regions = [region_of(texts[name]) for name in ("phone", "mobilePhone") if name in texts]
    region = next((region for region in regions if region), None)
    if region is None or not _fits(region, regions, texts.get("country")):
        return
    if "country" not in texts:
        yield Finding("country", region.country, confidence["country"])
    if region.state and "state" not in texts and "city" not in texts:
        yield Finding("state", region.state, confidence["state"])
    if region.city and "city" not in texts and texts.get("state") in (None, region.state):
        yield Finding("city", region.city, confidence["city"])


def _fits(region: PhoneRegion, regions: list[PhoneRegion | None], country: str | None) -> bool:
    """Whether the record's numbers agree with each other and with its country."""
    return country in (None, region.country) and all(
        other is None or other.country == region.country for other in regions
    )


def _position(title: str) -> Iterator[Finding]:
    if not title:
        return
    if level := seniority(title):
        yield Finding("seniorityLevel", level.label, level.confidence)
    if unit := department(title):
        yield Finding("department", unit.label, unit.confidence)


def _names(texts: Mapping[str, str], full_name_fields: tuple[str, ...]) -> Iterator[Finding]:
    """The names that are missing, from the full name or else from the e-mail address."""
    first, last = texts.get("firstName"), texts.get("lastName")
    if first and last:
        return
    full = next((texts[name] for name in full_name_fields if name in texts), None)
    name = split_full_name(full) if full else None
    name = name or _name_by_email(texts.get("email", ""), first, last)
    if name is None:
        return
    if not first and name.first:
        yield Finding("firstName", name.first, name.confidence)
    if not last and name.last:
        yield Finding("lastName", name.last, name.confidence)


def _name_by_email(email: str, first: str | None, last: str | None) -> PersonName | None:
    kinds_of_persons = {EmailKind.CORPORATE, EmailKind.FREE, EmailKind.EXAMPLE}
    return names_of_email(email, first, last) if email and email_kind(email) in kinds_of_persons else None
