"""Which look-up at Apollo a question becomes: a person by what is known of them, or a company alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.api import Question
from providers.http.adapter import Http
from providers.http.inputs import (
    company_domain,
    company_name,
    employers_domain,
    is_account,
    known,
    persons_email,
    persons_name,
    present,
)

PERSON, COMPANY = "person", "company"
_CONFIDENCE = {"email": 0.95, "linkedin_url": 0.93, "domain": 0.93}  # by the only thing looked up by
_BY_NAME = {PERSON: 0.82, COMPANY: 0.72}


@dataclass(frozen=True, slots=True)
class Lookup:
    """One call: what is looked up, by what decides the answer, and what else is known."""

    kind: str  # person or company
    by: Mapping[str, str]
    phones: bool = False
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def params(self) -> dict[str, str]:
        """All that is known, as it is sent."""
        return {**self.more, **self.by}

    @property
    def key(self) -> str:
        """Equal for calls that get the same answer: by what decides it, as whatever else is known only helps."""
        by = "|".join(f"{name}={value.casefold()}" for name, value in sorted(self.by.items()))
        return f"{self.kind}|{by}{'|phones' if self.phones else ''}"

    @property
    def confidence(self) -> float:
        """The confidence that this finds the right person or company."""
        return next(
            (_CONFIDENCE[name] for name in self.by if name in _CONFIDENCE and len(self.by) == 1), _BY_NAME[self.kind]
        )


def headers(http: Http) -> Mapping[str, str]:
    """Of every request."""
    return {"x-api-key": http.key, "Accept": "application/json", "Cache-Control": "no-cache"}


def person_by(question: Question) -> Mapping[str, str] | None:
    """The parameters that find the record's person; None where too little is known."""
    if email := persons_email(question):
        return {"email": email}
    if profile := known(question, "linkedinUrl"):
        return {"linkedin_url": profile}
    name, domain, employer = persons_name(question), company_domain(question), company_name(question)
    if name is None or not (domain or employer):
        return None
    at_work = {"domain": domain} if domain else {"organization_name": employer or ""}
    return {"first_name": name[0], "last_name": name[1], **at_work}


def person_more(question: Question) -> dict[str, str]:
    """What is known of the person besides."""
    first, last = persons_name(question) or (known(question, "firstName"), known(question, "lastName"))
    return present(
        first_name=first,
        last_name=last,
        organization_name=company_name(question),
        domain=employers_domain(question),
        linkedin_url=known(question, "linkedinUrl"),
    )


def company_more(question: Question) -> dict[str, str]:
    """What is known of the company besides."""
    profile = known(question, "linkedinUrl") if is_account(question) else None
    return present(name=company_name(question), linkedin_url=profile)


def company_by(question: Question) -> Mapping[str, str] | None:
    """The parameters that find the record's company; None where too little is known."""
    if domain := company_domain(question):
        return {"domain": domain}
    profile = known(question, "linkedinUrl") if is_account(question) else None
    if profile:
        return {"linkedin_url": profile}
    name = company_name(question)
    return {"name": name} if name else None
