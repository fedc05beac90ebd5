"""How Apollo's person and organization become findings: e-mail statuses, phones that came later, dollars."""

from collections.abc import Iterator, Mapping
from typing import Any

from enrichment.normalize.contact.url import registrable_domain
from providers.api import Question
from providers.http.inputs import is_account
from providers.http.replies import Findings, at, items, mapping, number, positive, text
from providers.matching.identity import StatedIdentity
from providers.titles.labels import department_of, seniority_of

PHONE_FIELDS = frozenset({"phone", "mobilePhone"})
PERSON_FIELDS = frozenset(
    {
        *("firstName", "lastName", "email", "title", "department", "seniorityLevel", "linkedinUrl", "twitterHandle"),
        *("avatarUrl", "city", "state", "country"),
    }
)
EMPLOYER_FIELDS = frozenset({"company", "companyDomain", "website", "industry", "numberOfEmployees", "annualRevenue"})
COMPANY_FIELDS = frozenset(
    {
        *("name", "domain", "website", "phone", "industry", "numberOfEmployees", "annualRevenue", "foundedYear"),
        *("description", "logoUrl", "linkedinUrl", "twitterUrl", "facebookUrl", "street", "city", "state"),
        *("postalCode", "country", "techStack", "tags", "stockSymbol"),
    }
)

# Share of the confidence in the person, by `email_status`; an address that is known not to work is left out.
_EMAIL_STATUS = {"verified": 1.0, "likely": 0.85, "likely to engage": 0.85, "unverified": 0.6}
_NO_EMAIL = frozenset({"unavailable", "invalid", "bounced", "do not email"})
_GUESSED, _EMAIL_UNRATED = 0.55, 0.75
_LOCKED = "email_not_unlocked"  # stands where the address would, until it is paid for

# Share of it by `confidence_cd` of a phone number. One that may not be called, or is none, is left out.
_PHONE_CONFIDENCE = {"high": 0.95, "medium": 0.8, "low": 0.55}
_PHONE_UNRATED = 0.75
_MAY_BE_CALLED = frozenset({"", "not_found", "unknown"})
_NOT_OWN = frozenset({"work_hq", "home"})  # the switchboard is the company's, and home is private


def domains_of(organization: Mapping[str, Any]) -> tuple[str, ...]:
    """The registrable domains that an organization names."""
    named = (text(organization.get("primary_domain")), text(organization.get("website_url")))
    return tuple(dict.fromkeys(domain for value in named if value and (domain := registrable_domain(value))))


def read_person(question: Question, person: Mapping[str, Any], confidence: float, *, phones: bool) -> Findings:
    """What a person's record says; the employer is in it. Numbers only where `phones` are asked for."""
    findings = Findings(question, confidence, None)
    findings.in_country(person.get("country"))
    findings.add("firstName", text(person.get("first_name")))
    findings.add("lastName", text(person.get("last_name")))
    _read_email(findings, person)
    title = text(person.get("title"))
    findings.add("title", title, 0.95)
    if level := seniority_of(person.get("seniority"), title):
        findings.add("seniorityLevel", level.label, 0.95 * level.confidence)
    if department := department_of(list(_departments(person)), title):
        findings.add("department", department.label, 0.95 * department.confidence)
    findings.add("linkedinUrl", text(person.get("linkedin_url")))
    findings.add("twitterHandle", text(person.get("twitter_url")), 0.9)
    findings.add("avatarUrl", text(person.get("photo_url")), 0.85)
    findings.add("city", text(person.get("city")), 0.85)
    findings.add("state", text(person.get("state")), 0.85)
    findings.add("country", text(person.get("country")), 0.92)
    if phones:
        add_phones(findings, at(person, "contact", "phone_numbers"))
    organization = mapping(person.get("organization"))
    _read_employer(findings, organization)
    findings.add("company", _present_employer(person), 0.9)
    return findings


def read_company(question: Question, organization: Mapping[str, Any], confidence: float) -> Findings:
    """What an organization's record says of an account, or of somebody who works there."""
    findings = Findings(question, confidence, None)
    if is_account(question):
        _read_account(findings, organization)
    else:
        _read_employer(findings, organization)
    return findings


def add_phones(findings: Findings, numbers: Any) -> None:
    """The numbers of a person: mobile ones, and those at work."""
    for entry in items(numbers):
        kind = _word(entry, "type")
        if kind in _NOT_OWN or _word(entry, "dnc_status") not in _MAY_BE_CALLED:
            continue
        if _word(entry, "status").startswith("invalid"):
            continue
        share = _PHONE_CONFIDENCE.get(_word(entry, "confidence"), _PHONE_UNRATED)
        written = text(at(entry, "sanitized_number")) or text(at(entry, "raw_number"))
        findings.add("mobilePhone" if kind == "mobile" else "phone", written, share)


def reveals_mobile(numbers: Any) -> bool:
    """Whether a mobile number is among them, which costs more whether or not it may be used."""
    mobiles = (entry for entry in items(numbers) if _word(entry, "type") == "mobile")
    return any(text(at(entry, "sanitized_number")) or text(at(entry, "raw_number")) for entry in mobiles)


def _word(entry: Any, name: str) -> str:
    """A code in lower case; a saved contact writes `type` where a revealed number has `type_cd`."""
    return (text(at(entry, f"{name}_cd")) or text(at(entry, name)) or "").lower()


def _read_email(findings: Findings, person: Mapping[str, Any]) -> None:
    email, status = text(person.get("email")), (text(person.get("email_status")) or "").lower().replace("_", " ")
    if email is None or email.lower().startswith(_LOCKED) or status in _NO_EMAIL:
        return
    if status in {"guessed", "extrapolated"}:
        stated = number(person.get("extrapolated_email_confidence"))
        findings.add("email", email, stated if stated is not None and 0 < stated < 1 else _GUESSED)
        return
    findings.add("email", email, _EMAIL_STATUS.get(status, _EMAIL_UNRATED))


def _departments(person: Mapping[str, Any]) -> Iterator[Any]:
    """The narrowest first."""
    for name in ("subdepartments", "departments", "functions"):
        yield from items(person.get(name))


def _present_employer(person: Mapping[str, Any]) -> str | None:
    jobs = (job for job in items(person.get("employment_history")) if at(job, "current") is True)
    return next(filter(None, (text(at(job, "organization_name")) for job in jobs)), None)


def _read_employer(findings: Findings, organization: Mapping[str, Any]) -> None:
    findings.add("company", text(organization.get("name")), 0.97)
    for domain in domains_of(organization)[:1]:
        findings.add("companyDomain", domain, 0.97)
        findings.add("website", f"https://{domain}", 0.97)
    _read_size(findings, organization)


def _read_account(findings: Findings, organization: Mapping[str, Any]) -> None:
    findings.in_country(organization.get("country"))
    findings.add("name", text(organization.get("name")))
    for domain in domains_of(organization)[:1]:
        findings.add("domain", domain)
        findings.add("website", f"https://{domain}")
    primary = organization.get("primary_phone")
    for phone in (at(primary, "sanitized_number"), at(primary, "number"), organization.get("phone")):
        findings.add("phone", text(phone), 0.9)
    _read_size(findings, organization)
    findings.add("foundedYear", positive(organization.get("founded_year")), 0.93)
    for description in (organization.get("short_description"), organization.get("seo_description")):
        findings.add("description", text(description), 0.92)
    findings.add("logoUrl", text(organization.get("logo_url")), 0.9)
    findings.add("linkedinUrl", text(organization.get("linkedin_url")))
    findings.add("twitterUrl", text(organization.get("twitter_url")), 0.93)
    findings.add("facebookUrl", text(organization.get("facebook_url")), 0.9)
    findings.add("street", text(organization.get("street_address")), 0.88)
    for field, name in (("city", "city"), ("state", "state"), ("postalCode", "postal_code"), ("country", "country")):
        findings.add(field, text(organization.get(name)), 0.92)
    findings.add("techStack", _texts(organization.get("technology_names")), 0.85)
    findings.add(
        "techStack", _texts([at(used, "name") for used in items(organization.get("current_technologies"))]), 0.85
    )
    findings.add("tags", _texts(organization.get("keywords")), 0.85)
    findings.add("stockSymbol", text(organization.get("publicly_traded_symbol")), 0.93)


def _read_size(findings: Findings, organization: Mapping[str, Any]) -> None:
    findings.add("industry", text(organization.get("industry")), 0.85)
    for label in items(organization.get("industries")):
        findings.add("industry", text(label), 0.8)
    findings.add("numberOfEmployees", positive(organization.get("estimated_num_employees")), 0.88)
    findings.add("annualRevenue", positive(organization.get("annual_revenue")), 0.8)


def _texts(values: Any) -> list[str] | None:
    return [value for value in map(text, items(values)) if value] or None


def identity_of(person: Mapping[str, Any]) -> StatedIdentity:
    """Whom a person's record is about."""
    organization = mapping(person.get("organization"))
    jobs = (at(job, "organization_name") for job in items(person.get("employment_history")))
    return StatedIdentity(
        email=text(person.get("email")),
        first=text(person.get("first_name")),
        last=text(person.get("last_name")),
        domains=domains_of(organization),
        employers=map(text, (organization.get("name"), *jobs)),
        profiles=[text(person.get("linkedin_url"))],
    )
