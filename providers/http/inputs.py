"""What a record gives to ask with: a person's e-mail and name, a company's domain and name."""

from typing import Any

from enrichment.enums import EntityType
from enrichment.normalize.contact.company_site import domain_of_company
from enrichment.normalize.contact.email import EmailKind, email_kind, names_no_employer
from enrichment.normalize.contact.url import registrable_domain
from providers.api import Question
from providers.matching.person_names import split_full_name

# A shared mailbox names nobody, so that asking by it can only cost.
_NOBODYS = frozenset({EmailKind.ROLE, EmailKind.DISPOSABLE, EmailKind.INVALID})


def known(question: Question, field: str) -> str | None:
    """The record's value of a field where it is a text."""
    value: Any = question.fields.get(field)
    return value.strip() or None if isinstance(value, str) else None


def is_account(question: Question) -> bool:
    """Whether the record is a company, and not a person."""
    return question.entity_type is EntityType.ACCOUNT


def wants_any(question: Question, fields: frozenset[str]) -> bool:
    """Whether any of these fields is wanted; a question that names none wants all."""
    return not question.wanted or not question.wanted.isdisjoint(fields)


def persons_email(question: Question) -> str | None:
    """The e-mail address of the one person whom the record is about."""
    email = None if is_account(question) else known(question, "email")
    return email if email and email_kind(email) not in _NOBODYS else None


def persons_name(question: Question) -> tuple[str, str] | None:
    """First and last name, from the fields or from a full name that the CRM sent."""
    if is_account(question):
        return None
    first, last = known(question, "firstName"), known(question, "lastName")
    if first and last:
        return first, last
    full = known(question, "fullName") or known(question, "name")
    split = split_full_name(full) if full else None
    return (split.first, split.last) if split and split.first and split.last else None


def persons_phone(question: Question) -> str | None:
    """A telephone number of the person, a mobile one first."""
    return None if is_account(question) else known(question, "mobilePhone") or known(question, "phone")


def employers_domain(question: Question) -> str | None:
    """The company's domain where the record knows it otherwise than by the e-mail address, which says it already."""
    domain, email = company_domain(question), persons_email(question)
    return None if email and domain == registrable_domain(email) else domain


def present(**values: str | None) -> dict[str, str]:
    """The parameters of a request that have a value."""
    return {name: value for name, value in values.items() if value}


def company_name(question: Question) -> str | None:
    """The name of the company that the record is or of the person's employer."""
    return known(question, "name" if is_account(question) else "company")


def company_domain(question: Question) -> str | None:
    """The registrable domain of the company that the record is or of the person's employer.

    That of a mail provider is no employer's; of an account it may be the very company. That of a site that many share
    is nobody's but its owner's.
    """
    if is_account(question):
        fields: tuple[str, ...] = ("domain", "website")
    else:
        fields = ("companyDomain", "website", "email")
    for field in fields:
        value = known(question, field)
        if not value:
            continue
        domain = registrable_domain(value) if field == "email" else domain_of_company(value, company_name(question))
        if domain and (field == "domain" or not names_no_employer(domain)):
            return domain
    return None
