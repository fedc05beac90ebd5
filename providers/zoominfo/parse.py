"""How a ZoomInfo record becomes findings: match statuses, units, and what its accuracy score says."""

from collections.abc import Iterator, Mapping
from typing import Any

from enrichment.catalogue import Refused, normalize
from enrichment.enums import EntityType
from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.numbers.number import bounds
from providers.api import Question
from providers.http.inputs import is_account
from providers.http.replies import Findings, at, items, mapping, moment, positive, text
from providers.titles.labels import department_of, seniority_of

CONTACT_FIELDS = frozenset(
    {
        *("firstName", "lastName", "email", "phone", "mobilePhone", "title", "department", "seniorityLevel"),
        *("linkedinUrl", "street", "city", "state", "postalCode", "country"),
    }
)
EMPLOYER_FIELDS = frozenset({"company", "companyDomain", "website", "industry", "numberOfEmployees", "annualRevenue"})
COMPANY_FIELDS = frozenset(
    {
        *("name", "domain", "website", "phone", "industry", "subIndustry", "numberOfEmployees", "annualRevenue"),
        *("foundedYear", "description", "logoUrl", "linkedinUrl", "twitterUrl", "facebookUrl", "street", "city"),
        *("state", "postalCode", "country", "naicsCode", "sicCode", "stockSymbol", "parentCompany"),
    }
)

# Confidence in who or what was found, by match status. A surface that names no status matched.
FULL_MATCH = 0.95
MATCHED = {"FULL_MATCH": FULL_MATCH, "CONTACT_ONLY_MATCH": 0.8, "COMPANY_ONLY_MATCH": 0.85}
# `contactAccuracyScore` (75-99) is the confidence that somebody can be reached and still works there.
_UNSCORED = 0.8
_MOVED = {"yes": 0.5, "uncertain": 0.8}  # share of it left once the contact may have left that employer


def contact_findings(question: Question, status: str | None, record: Mapping[str, Any]) -> Findings:
    """What a contact's record says of a person. Numbers that must not be called are left out."""
    seen = max(filter(None, (moment(record.get("validDate")), moment(record.get("lastUpdatedDate")))), default=None)
    findings = Findings(question, MATCHED.get(status or "", FULL_MATCH), seen)
    if status != "COMPANY_ONLY_MATCH":
        _read_person(findings, record)
    if status != "CONTACT_ONLY_MATCH":
        share = 1.0 if status == "COMPANY_ONLY_MATCH" else _reachable(record)
        _read_employer(findings, mapping(record.get("company")), share, numeric="revenueNumeric")
    return findings


def company_findings(question: Question, status: str | None, record: Mapping[str, Any]) -> Findings:
    """What a company's record says of an account, or of somebody who works there."""
    findings = Findings(question, MATCHED.get(status or "", FULL_MATCH), moment(record.get("lastUpdatedDate")))
    if is_account(question):
        _read_account(findings, record)
    else:
        _read_employer(findings, record, 1.0, numeric=None)
    return findings


def domains_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The domains that a company's record names, its website's first."""
    named = (text(value) for value in (record.get("website"), *items(record.get("domainList"))))
    return tuple(dict.fromkeys(domain for value in named if value and (domain := registrable_domain(value))))


def _reachable(record: Mapping[str, Any]) -> float:
    score = positive(record.get("contactAccuracyScore"))
    confidence = score / 100 if score is not None and score <= 100 else _UNSCORED
    return confidence * _MOVED.get((text(record.get("personHasMoved")) or "").lower(), 1.0)


def _read_person(findings: Findings, record: Mapping[str, Any]) -> None:
    reachable = _reachable(record)
    findings.in_country(record.get("country"))
    findings.add("firstName", record.get("firstName"))
    findings.add("lastName", record.get("lastName"))
    findings.add("email", record.get("email"), reachable)
    if record.get("directPhoneDoNotCall") is not True:
        findings.add("phone", record.get("phone"), reachable)
    if record.get("mobilePhoneDoNotCall") is not True:
        findings.add("mobilePhone", record.get("mobilePhone"), reachable)
    title = text(record.get("jobTitle"))
    findings.add("title", title, reachable)
    if level := seniority_of(record.get("managementLevel"), title):
        findings.add("seniorityLevel", level.label, reachable * level.confidence)
    if department := department_of(list(_functions(record.get("jobFunction"))), title):
        findings.add("department", department.label, reachable * department.confidence)
    for link in items(record.get("externalUrls")):
        findings.add("linkedinUrl", text(at(link, "url")))
    _read_place(findings, record, reachable * 0.95)


def _functions(raw: Any) -> Iterator[Any]:
    """The names and departments of a job's functions: one object at GTM, a list of them at the older surface."""
    for function in items(raw):
        yield at(function, "name")
        yield at(function, "department")


def _read_employer(findings: Findings, record: Mapping[str, Any], share: float, *, numeric: str | None) -> None:
    findings.add("company", text(record.get("name")), share)
    for domain in domains_of(record)[:1]:
        findings.add("companyDomain", domain, share)
        findings.add("website", f"https://{domain}", share)
    findings.add("industry", _first_text(record.get("primaryIndustry")), share * 0.85)
    _read_size(findings, record, share, _dollars(record.get(numeric)) if numeric else _revenue(record))


def _read_account(findings: Findings, record: Mapping[str, Any]) -> None:
    findings.in_country(record.get("country"))
    findings.add("name", text(record.get("name")))
    for domain in domains_of(record)[:1]:
        findings.add("domain", domain)
        findings.add("website", f"https://{domain}")
    findings.add("phone", record.get("phone"), 0.95)
    primary = _first_text(record.get("primaryIndustry"))
    findings.add("industry", primary, 0.85)
    narrower = (text(label) for label in items(record.get("industries")))
    findings.add("subIndustry", next((label for label in narrower if label and label != primary), None), 0.8)
    _read_size(findings, record, 1.0, _revenue(record))
    findings.add("foundedYear", text(record.get("foundedYear")) or positive(record.get("foundedYear")), 0.9)
    findings.add("description", text(record.get("description")), 0.9)
    findings.add("logoUrl", text(record.get("logo")), 0.85)
    for link in items(record.get("socialMediaUrls")):
        for field in ("linkedinUrl", "twitterUrl", "facebookUrl"):
            findings.add(field, text(at(link, "url")), 0.95)
    _read_place(findings, record, 0.95)
    findings.add("naicsCode", _narrowest(record.get("naicsCodes")), 0.8)
    findings.add("sicCode", _narrowest(record.get("sicCodes")), 0.8)
    findings.add("stockSymbol", text(record.get("ticker")), 0.95)
    findings.add("parentCompany", text(record.get("parentName")), 0.85)


def _read_place(findings: Findings, record: Mapping[str, Any], share: float) -> None:
    findings.add("street", text(record.get("street")), share)
    findings.add("city", text(record.get("city")), share)
    findings.add("state", text(record.get("state")) or text(record.get("region")), share)
    findings.add("postalCode", record.get("zipCode"), share)
    findings.add("country", text(record.get("country")), share)


def _read_size(findings: Findings, record: Mapping[str, Any], share: float, revenue: Any) -> None:
    findings.add("numberOfEmployees", positive(record.get("employeeCount")), share * 0.9)
    findings.add("numberOfEmployees", text(record.get("employeeRange")), share * 0.9)
    findings.add("annualRevenue", revenue, share * 0.8)
    findings.add("annualRevenue", text(record.get("revenueRange")), share * 0.8)


def _dollars(raw: Any) -> float | int | None:
    return positive(raw)


def _revenue(record: Mapping[str, Any]) -> float | int | None:
    """A company's `revenue` in dollars. It is stated in thousands; where only the bare number lies in the range
    beside it, it was stated in dollars, as in one published example.
    """
    stated = positive(record.get("revenue"))
    if stated is None:
        return None
    span = _span(record.get("revenueRange"))
    if span and span[0] <= stated <= span[1] and not span[0] <= stated * 1000 <= span[1]:
        return stated
    return stated * 1000


def _span(raw: Any) -> tuple[float, float] | None:
    try:
        value = normalize(EntityType.ACCOUNT, "annualRevenue", text(raw))
    except Refused:
        return None
    return None if value is None else bounds(value)


def _first_text(raw: Any) -> str | None:
    return next(filter(None, map(text, items(raw))), None)


def _narrowest(codes: Any) -> str | None:
    """Of the codes from wide to narrow the narrowest that the first one opens: 35, then 3537."""
    ids = [text(at(code, "id")) or text(code) for code in items(codes)]
    known = [code for code in ids if code]
    return max((code for code in known if code.startswith(known[0])), key=len, default=None)
