"""How People Data Labs' person and company become findings: lower case, ranges, and values that are masked.

A plan that lacks a bundle answers `true` or `false` where a value would be: that it exists is no value, so only
texts, numbers and lists are read.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.text.casing import cased_words
from providers.api import Question
from providers.http.inputs import is_account
from providers.http.replies import Findings, at, items, mapping, moment, number, positive, text
from providers.titles.labels import department_of, seniority_of

PERSON_FIELDS = frozenset(
    {
        *("firstName", "lastName", "email", "phone", "mobilePhone", "title", "department", "seniorityLevel"),
        *("linkedinUrl", "twitterHandle", "city", "state", "country"),
    }
)
EMPLOYER_FIELDS = frozenset({"company", "companyDomain", "website", "industry", "numberOfEmployees", "annualRevenue"})
COMPANY_FIELDS = frozenset(
    {
        *("name", "domain", "website", "industry", "numberOfEmployees", "annualRevenue", "foundedYear"),
        *("description", "linkedinUrl", "twitterUrl", "facebookUrl", "street", "city", "state", "postalCode"),
        *("country", "techStack", "tags", "naicsCode", "sicCode", "stockSymbol"),
    }
)

# Confidence by `likelihood`, 1-10, which is logarithmic: the highest ones differ little, the low ones are guesses.
_CONFIDENCE = (0.1, 0.15, 0.25, 0.4, 0.55, 0.68, 0.78, 0.86, 0.91, 0.94, 0.96)
_UNSTATED = 0.6
_AT_WORK = frozenset({"professional", "current_professional", "work"})


def confidence_of(answer: Mapping[str, Any]) -> float:
    """The confidence that an answer is about the one who was asked for."""
    likelihood = number(answer.get("likelihood"))
    if likelihood is None:
        return _UNSTATED
    return _CONFIDENCE[int(min(max(likelihood, 0), len(_CONFIDENCE) - 1))]


def emails_of(person: Mapping[str, Any]) -> Iterator[str]:
    """Every address that a person is known by, that at work first."""
    listed = (at(entry, "address") or entry for entry in items(person.get("emails")))
    personal = (*items(person.get("personal_emails")), person.get("recommended_personal_email"))
    for value in (person.get("work_email"), *listed, *personal):
        if email := text(value):
            yield email


def employers_of(person: Mapping[str, Any]) -> Iterator[str | None]:
    """The companies where a person works and worked."""
    yield text(person.get("job_company_name"))
    for job in items(person.get("experience")):
        yield text(at(job, "company", "name"))


def profiles_of(person: Mapping[str, Any]) -> Iterator[str | None]:
    """The addresses of a person's profile at LinkedIn."""
    yield text(person.get("linkedin_url")) or text(person.get("linkedin_username"))
    for profile in items(person.get("profiles")):
        if at(profile, "network") == "linkedin":
            yield text(at(profile, "url"))


def domains_of(company: Mapping[str, Any]) -> tuple[str, ...]:
    """The registrable domains that a company names, its website's first."""
    named = map(text, (company.get("website"), *items(company.get("alternative_domains"))))
    return tuple(dict.fromkeys(domain for value in named if value and (domain := registrable_domain(value))))


def read_person(question: Question, person: Mapping[str, Any], confidence: float) -> Findings:
    """What a person's record says, with the employer's name, site, industry and size.

    A personal address or street is nobody's business contact, and left out.
    """
    findings = Findings(question, confidence, _seen(person))
    findings.in_country(person.get("location_country"))
    findings.add("firstName", text(person.get("first_name")))
    findings.add("lastName", text(person.get("last_name")))
    findings.add("email", text(person.get("work_email")), 0.92)
    for entry in items(person.get("emails")):
        if text(at(entry, "type")) in _AT_WORK:
            findings.add("email", text(at(entry, "address")), 0.85)
    _read_phones(findings, person)
    title = text(person.get("job_title"))
    findings.add("title", title, 0.93)
    if level := seniority_of(person.get("job_title_levels"), title):
        findings.add("seniorityLevel", level.label, 0.93 * level.confidence)
    if department := department_of([person.get("job_title_sub_role"), person.get("job_title_role")], title):
        findings.add("department", department.label, 0.93 * department.confidence)
    findings.add("linkedinUrl", text(person.get("linkedin_url")) or text(person.get("linkedin_username")))
    for entry in items(person.get("profiles")):
        if at(entry, "network") == "linkedin":
            findings.add("linkedinUrl", text(at(entry, "url")), 0.95)
    findings.add("twitterHandle", text(person.get("twitter_username")) or text(person.get("twitter_url")), 0.9)
    findings.add("city", text(person.get("location_locality")), 0.88)
    findings.add("state", text(person.get("location_region")), 0.9)
    findings.add("country", text(person.get("location_country")), 0.95)
    _read_employer(findings, person)
    return findings


def read_company(question: Question, company: Mapping[str, Any], confidence: float) -> Findings:
    """What a company's record says of an account, or of somebody who works there."""
    findings = Findings(question, confidence, None)
    account = is_account(question)
    for name in (company.get("display_name"), company.get("name")):
        findings.add("name" if account else "company", _cased(name))
    for domain in domains_of(company)[:1]:
        findings.add("domain" if account else "companyDomain", domain)
        findings.add("website", f"https://{domain}")
    findings.add("industry", text(company.get("industry")), 0.85)
    findings.add("industry", text(company.get("industry_v2")), 0.85)
    findings.add("numberOfEmployees", positive(company.get("employee_count")), 0.85)
    findings.add("numberOfEmployees", text(company.get("size")), 0.88)
    findings.add("annualRevenue", text(company.get("inferred_revenue")), 0.75)
    if account:
        _read_account(findings, company)
    return findings


def _seen(person: Mapping[str, Any]) -> datetime | None:
    return moment(person.get("job_last_verified")) or moment(person.get("job_last_changed"))


def _read_phones(findings: Findings, person: Mapping[str, Any]) -> None:
    mobile = text(person.get("mobile_phone"))
    findings.add("mobilePhone", mobile, 0.85)
    for other in map(text, items(person.get("phone_numbers"))):
        if other != mobile:
            findings.add("phone", other, 0.7)


def _read_employer(findings: Findings, person: Mapping[str, Any]) -> None:
    findings.add("company", _cased(person.get("job_company_name")), 0.95)
    domain = registrable_domain(text(person.get("job_company_website")) or "")
    findings.add("companyDomain", domain, 0.95)
    findings.add("website", f"https://{domain}" if domain else None, 0.95)
    findings.add("industry", text(person.get("job_company_industry")), 0.82)
    findings.add("numberOfEmployees", text(person.get("job_company_size")), 0.85)


def _read_account(findings: Findings, company: Mapping[str, Any]) -> None:
    location = mapping(company.get("location"))
    findings.in_country(location.get("country"))
    findings.add("foundedYear", positive(company.get("founded")), 0.93)
    findings.add("description", text(company.get("summary")), 0.9)
    findings.add("linkedinUrl", text(company.get("linkedin_url")))
    findings.add("twitterUrl", text(company.get("twitter_url")), 0.93)
    findings.add("facebookUrl", text(company.get("facebook_url")), 0.9)
    findings.add("street", _cased(location.get("street_address")), 0.88)
    findings.add("city", text(location.get("locality")), 0.92)
    findings.add("state", text(location.get("region")), 0.92)
    findings.add("postalCode", text(location.get("postal_code")), 0.88)
    findings.add("country", text(location.get("country")), 0.95)
    findings.add("techStack", _texts(at(used, "name") for used in items(company.get("technologies_used"))), 0.75)
    findings.add("tags", _texts(items(company.get("tags"))), 0.85)
    for code in items(company.get("naics")):
        findings.add("naicsCode", text(code) or text(at(code, "naics_code")), 0.8)
    for code in items(company.get("sic")):
        findings.add("sicCode", text(code) or text(at(code, "sic_code")), 0.8)
    findings.add("stockSymbol", text(company.get("ticker")), 0.95)


def _cased(raw: Any) -> str | None:
    """A name with capitals; all texts but a company's display name come in lower case."""
    written = text(raw)
    return cased_words(written) if written and written.islower() else written


def _texts(values: Iterable[Any]) -> list[str] | None:
    return [value for value in map(text, values) if value] or None
