"""Which look-up at People Data Labs a question becomes, and with what: a person, or a company alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.api import Question
from providers.http.inputs import (
    company_domain,
    company_name,
    employers_domain,
    is_account,
    known,
    persons_email,
    persons_name,
    persons_phone,
    present,
    wants_any,
)
from providers.peopledatalabs.parse import COMPANY_FIELDS, EMPLOYER_FIELDS, PERSON_FIELDS

PERSON, COMPANY = "person", "company"


@dataclass(frozen=True, slots=True)
class Lookup:
    """One call: by what decides the answer, by what tells namesakes apart, and what else is known."""

    kind: str
    by: Mapping[str, str]
    apart: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    required: str = ""

    @property
    def params(self) -> dict[str, str]:
        """All that is known, as it is sent."""
        return {**self.more, **self.apart, **self.by}

    def key(self, *, apart: bool = True) -> str:
        """Equal for calls that get the same answer; without `apart` as it was when that was not sent."""
        decides = {**self.apart, **self.by} if apart else self.by
        named = [f"{name}={value.casefold()}" for name, value in sorted(decides.items())]
        return "|".join((self.kind, *named, *([f"required={self.required}"] if self.required else [])))


# What a person's record must have where nothing else is wanted of it: a match without it would be paid for in vain.
_REQUIRED = (
    (frozenset({"phone", "mobilePhone"}), "mobile_phone OR phone_numbers"),
    (frozenset({"email"}), "work_email"),
    (frozenset({"linkedinUrl"}), "linkedin_url"),
)
EVERY_REQUIREMENT = tuple(required for _, required in _REQUIRED)


def required_of(question: Question) -> str:
    """What the record of the person must have, as People Data Labs writes it; empty where anything is of use."""
    wanted = question.wanted & (PERSON_FIELDS | EMPLOYER_FIELDS)
    return next((required for fields, required in _REQUIRED if wanted and wanted <= fields), "")


def look_up_of(question: Question) -> Lookup | None:
    """The look-up that gives most. A company alone is looked up once for all who work there."""
    if not is_account(question) and wants_any(question, PERSON_FIELDS):
        by = _person_by(question)
        if by is not None:
            return _person_lookup(question, by)
    if not wants_any(question, COMPANY_FIELDS if is_account(question) else EMPLOYER_FIELDS):
        return None
    company = _company_by(question)
    return _company_lookup(question, company) if company else None


def _person_lookup(question: Question, by: Mapping[str, str]) -> Lookup:
    first, last = persons_name(question) or (known(question, "firstName"), known(question, "lastName"))
    more = present(
        first_name=first,
        last_name=last,
        company=company_name(question) or employers_domain(question),
        profile=known(question, "linkedinUrl"),
        phone=persons_phone(question),
    )
    place, required = _place(question), required_of(question)
    if "first_name" in by:
        return Lookup(PERSON, by, place, more, required)
    return Lookup(PERSON, by, more={**more, **place}, required=required)


def _company_lookup(question: Question, by: Mapping[str, str]) -> Lookup:
    of_account = is_account(question)
    more = present(name=company_name(question), profile=known(question, "linkedinUrl") if of_account else None)
    place = _place(question) if of_account else {}
    if "name" not in by:
        return Lookup(COMPANY, by, more={**more, **place})
    apart = {name: value for name, value in place.items() if name not in by}
    return Lookup(COMPANY, by, apart, more)


def _place(question: Question) -> dict[str, str]:
    """Where the record's person or company is."""
    return present(
        street_address=known(question, "street"),
        locality=known(question, "city"),
        region=known(question, "state"),
        postal_code=known(question, "postalCode"),
        country=known(question, "country"),
    )


def _person_by(question: Question) -> Mapping[str, str] | None:
    if email := persons_email(question):
        return {"email": email}
    if profile := known(question, "linkedinUrl"):
        return {"profile": profile}
    name, employer = persons_name(question), company_name(question) or company_domain(question)
    if name and employer:
        return {"first_name": name[0], "last_name": name[1], "company": employer}
    phone = persons_phone(question)
    return {"phone": phone} if phone else None


def _company_by(question: Question) -> Mapping[str, str] | None:
    if domain := company_domain(question):
        return {"website": domain}
    profile = known(question, "linkedinUrl") if is_account(question) else None
    if profile:
        return {"profile": profile}
    name, country = company_name(question), known(question, "country") if is_account(question) else None
    if name is None:
        return None
    return {"name": name, **({"country": country} if country else {})}
