"""How Clearbit's person and company become findings: handles, ranges such as `251-1K`, and addresses in parts."""

import re
from collections.abc import Mapping
from typing import Any

from enrichment.normalize.contact.url import registrable_domain
from providers.api import Question
from providers.http.inputs import is_account
from providers.http.replies import Findings, at, items, mapping, moment, positive, text
from providers.titles.labels import department_of, seniority_of

PERSON_FIELDS = frozenset(
    {
        *("firstName", "lastName", "phone", "title", "department", "seniorityLevel", "linkedinUrl", "twitterHandle"),
        *("avatarUrl", "city", "state", "country"),
    }
)
EMPLOYER_FIELDS = frozenset({"company", "companyDomain", "website", "industry", "numberOfEmployees", "annualRevenue"})
COMPANY_FIELDS = frozenset(
    {
        *("name", "domain", "website", "phone", "industry", "subIndustry", "numberOfEmployees", "annualRevenue"),
        *("foundedYear", "description", "logoUrl", "linkedinUrl", "twitterUrl", "facebookUrl", "street", "city"),
        *("state", "postalCode", "country", "techStack", "tags", "naicsCode", "sicCode", "stockSymbol"),
    }
)

# Clearbit says `fuzzy` where it came to the record by more than the one address or domain.
_DIRECT, _FUZZY = 0.9, 0.62
_SCALED = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMB])", re.I)
_SCALE = {"K": 10**3, "M": 10**6, "B": 10**9}
_NUMBER_FIRST = frozenset(["AU", "CA", "FR", "GB", "HK", "IE", "IN", "IL", "MY", "NZ", "PH", "SG", "TH", "US", "ZA"])


def read_person(question: Question, person: Mapping[str, Any]) -> Findings:
    """What the person half says; the employer is in it by name and domain."""
    findings = Findings(question, _confidence(person), moment(person.get("indexedAt")))
    geo, job = mapping(person.get("geo")), mapping(person.get("employment"))
    findings.in_country(geo.get("country") or geo.get("countryCode"))
    findings.add("firstName", at(person, "name", "givenName"))
    findings.add("lastName", at(person, "name", "familyName"))
    findings.add("phone", person.get("phone"), 0.85)
    title = text(job.get("title"))
    findings.add("title", title, 0.95)
    if level := seniority_of(job.get("seniority"), title):
        findings.add("seniorityLevel", level.label, 0.95 * level.confidence)
    if department := department_of([job.get("subRole"), job.get("role")], title):
        findings.add("department", department.label, 0.95 * department.confidence)
    findings.add("linkedinUrl", _profile(person, "linkedin", "linkedin.com/in/"))
    findings.add("twitterHandle", text(at(person, "twitter", "handle")), 0.95)
    findings.add("avatarUrl", text(person.get("avatar")), 0.9)
    findings.add("city", text(geo.get("city")), 0.85)
    findings.add("state", text(geo.get("state")) or text(geo.get("stateCode")), 0.85)
    findings.add("country", text(geo.get("country")) or text(geo.get("countryCode")), 0.95)
    findings.add("company", text(job.get("name")), 0.97)
    findings.add("companyDomain", text(job.get("domain")), 0.97)
    return findings


def read_company(question: Question, company: Mapping[str, Any]) -> Findings:
    """What the company half says of an account, or of somebody who works there."""
    findings = Findings(question, _confidence(company), moment(company.get("indexedAt")))
    domain = registrable_domain(text(company.get("domain")) or "")
    findings.add("name" if is_account(question) else "company", text(company.get("name")))
    findings.add("domain" if is_account(question) else "companyDomain", domain)
    findings.add("website", f"https://{domain}" if domain else None)
    findings.add("industry", text(at(company, "category", "industry")), 0.85)
    metrics = mapping(company.get("metrics"))
    findings.add("numberOfEmployees", positive(metrics.get("employees")), 0.92)
    for size in (metrics.get("employees"), metrics.get("employeesRange")):  # Hunter may write a range in the first
        findings.add("numberOfEmployees", _range(size), 0.92)
    findings.add("annualRevenue", positive(metrics.get("annualRevenue")), 0.88)
    findings.add("annualRevenue", _range(metrics.get("estimatedAnnualRevenue")), 0.75)
    if is_account(question):
        _read_account(findings, company)
    return findings


def is_mail_provider(half: Mapping[str, Any]) -> bool:
    """Whether the domain is one where anybody has an address, so that its company employs nobody by it."""
    return half.get("emailProvider") is True


def _read_account(findings: Findings, company: Mapping[str, Any]) -> None:
    geo = mapping(company.get("geo"))
    findings.in_country(geo.get("country") or geo.get("countryCode"))
    findings.add("subIndustry", text(at(company, "category", "subIndustry")), 0.85)
    for phone in (company.get("phone"), *items(at(company, "site", "phoneNumbers"))):
        findings.add("phone", phone, 0.9)
    findings.add("foundedYear", positive(company.get("foundedYear")), 0.95)
    findings.add("description", text(company.get("description")))
    findings.add("logoUrl", text(company.get("logo")), 0.95)
    findings.add("linkedinUrl", _profile(company, "linkedin", "linkedin.com/company/"))
    findings.add("twitterUrl", text(at(company, "twitter", "handle")), 0.95)
    findings.add("facebookUrl", text(at(company, "facebook", "handle")), 0.9)
    findings.add("street", _street(geo), 0.9)
    findings.add("city", text(geo.get("city")), 0.95)
    findings.add("state", text(geo.get("state")) or text(geo.get("stateCode")), 0.95)
    findings.add("postalCode", text(geo.get("postalCode")), 0.9)
    findings.add("country", text(geo.get("country")) or text(geo.get("countryCode")))
    findings.add("techStack", [name for name in map(text, items(company.get("tech"))) if name], 0.85)
    findings.add("tags", [name for name in map(text, items(company.get("tags"))) if name], 0.9)
    findings.add("naicsCode", text(at(company, "category", "naicsCode")), 0.8)
    findings.add("sicCode", text(at(company, "category", "sicCode")), 0.8)
    findings.add("stockSymbol", text(company.get("ticker")), 0.95)


def _confidence(half: Mapping[str, Any]) -> float:
    return _FUZZY if half.get("fuzzy") is True else _DIRECT


def _profile(half: Mapping[str, Any], network: str, site: str) -> str | None:
    """The address of a profile whose handle comes as `in/mara`, `company/example` or bare."""
    handle = text(at(half, network, "handle"))
    return f"https://www.{site}{handle.strip('/').rpartition('/')[2]}" if handle else None


def _range(raw: Any) -> str | None:
    """`251-1K` as `251-1000`: each end has a scale of its own, unlike that of a range that people write."""
    written = text(raw)
    return _SCALED.sub(lambda end: f"{float(end[1]) * _SCALE[end[2].upper()]:.0f}", written) if written else None


def _street(geo: Mapping[str, Any]) -> str | None:
    name, number = text(geo.get("streetName")), text(geo.get("streetNumber"))
    if name is None or number is None:
        return name
    in_front = (text(geo.get("countryCode")) or "").upper() in _NUMBER_FIRST
    line = f"{number} {name}" if in_front else f"{name} {number}"
    part = text(geo.get("subPremise"))
    return f"{line}, {part}" if part else line
