"""How a Crunchbase organization becomes findings: its classes of head-count and revenue, dates and places."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.places.country import country_code
from providers.api import Question
from providers.http.inputs import is_account
from providers.http.replies import Findings, at, items, moment, text

ACCOUNT_FIELDS = frozenset(
    {
        *("name", "domain", "website", "phone", "industry", "subIndustry", "numberOfEmployees", "annualRevenue"),
        *("foundedYear", "description", "linkedinUrl", "twitterUrl", "facebookUrl", "city", "state", "country"),
        "tags",
    }
)
EMPLOYER_FIELDS = frozenset({"company", "companyDomain", "website", "industry", "numberOfEmployees", "annualRevenue"})

# What every plan has, and what only some have: one field too many fails the whole call.
EVERY_PLAN = (
    *("identifier", "name", "short_description", "website_url", "website", "linkedin", "founded_on"),
    *("num_employees_enum", "categories", "category_groups", "location_identifiers", "phone_number"),
    *("operating_status", "rank_org", "updated_at"),
)
NETWORKS = ("facebook", "twitter")
PAID_PLANS = ("revenue_range",)
# What is asked for, and what next where a plan lacks some of it.
FIELD_SETS = ((*EVERY_PLAN, *NETWORKS, *PAID_PLANS), (*EVERY_PLAN, *NETWORKS), EVERY_PLAN)

# Whole US dollars.
_REVENUE = MappingProxyType(
    {
        "r_00000000": "0-1000000",
        "r_00001000": "1000000-10000000",
        "r_00010000": "10000000-50000000",
        "r_00050000": "50000000-100000000",
        "r_00100000": "100000000-500000000",
        "r_00500000": "500000000-1000000000",
        "r_01000000": "1000000000-10000000000",
        "r_10000000": "10000000000+",
    }
)
_EMPLOYEES = re.compile(r"c_0*([0-9]+)_(?:0*([0-9]+)|max)")
_DATED = frozenset({"year", "month", "day"})


def name_of(company: Mapping[str, Any]) -> str | None:
    """What the organization is called."""
    return text(company.get("name")) or text(at(company, "identifier", "value"))


def domain_of(company: Mapping[str, Any]) -> str | None:
    """The registrable domain of its website."""
    site = text(company.get("website_url")) or text(at(company, "website", "value"))
    return registrable_domain(site) if site else None


def country_of(company: Mapping[str, Any]) -> str | None:
    """The ISO 3166-1 code of where it has its seat."""
    name = text(_location(company, "country"))
    return country_code(name) if name else None


def page_of(company: Mapping[str, Any]) -> str | None:
    """Its page at Crunchbase, which the licence asks to link to."""
    permalink = text(at(company, "identifier", "permalink"))
    return f"https://www.crunchbase.com/organization/{permalink}" if permalink else None


def findings_of(question: Question, company: Mapping[str, Any], confidence: float) -> Findings:
    """What an organization's properties say of an account, or of somebody who works there."""
    findings = Findings(question, confidence, moment(company.get("updated_at")))
    findings.in_country(_location(company, "country"))
    domain = domain_of(company)
    findings.add("name" if is_account(question) else "company", name_of(company))
    findings.add("domain" if is_account(question) else "companyDomain", domain)
    findings.add("website", f"https://{domain}" if domain else None)
    groups, categories = _values(company.get("category_groups")), _values(company.get("categories"))
    # The lists are in no order of weight, so the first is one of several that would be right.
    findings.add("industry", next(iter((*groups, *categories)), None), 0.75)
    findings.add("numberOfEmployees", _employees(company.get("num_employees_enum")), 0.9)
    findings.add("annualRevenue", _REVENUE.get(text(company.get("revenue_range")) or ""), 0.8)
    if is_account(question):
        _read_account(findings, company, categories)
    return findings


def _read_account(findings: Findings, company: Mapping[str, Any], categories: Sequence[str]) -> None:
    findings.add("subIndustry", next(iter(categories), None), 0.7)
    findings.add("tags", list(categories), 0.85)
    findings.add("phone", text(company.get("phone_number")), 0.85)
    findings.add("foundedYear", _year(company.get("founded_on")), 0.9)
    findings.add("description", text(company.get("short_description")), 0.95)
    for network in ("linkedin", "twitter", "facebook"):
        findings.add(f"{network}Url", text(at(company, network, "value")), 0.95)
    findings.add("city", text(_location(company, "city")), 0.9)
    findings.add("state", text(_location(company, "region")), 0.9)
    findings.add("country", text(_location(company, "country")), 0.95)


def _values(listed: Any) -> list[str]:
    return [value for entry in items(listed) if (value := text(at(entry, "value")))]


def _location(company: Mapping[str, Any], kind: str) -> Any:
    for location in items(company.get("location_identifiers")):
        if at(location, "location_type") == kind:
            return at(location, "value")
    return None


def _employees(raw: Any) -> str | None:
    """`c_00251_00500` as `251-500`, `c_10001_max` as `10001+`."""
    match = _EMPLOYEES.fullmatch(text(raw) or "")
    if match is None:
        return None
    return f"{match[1]}-{match[2]}" if match[2] else f"{match[1]}+"


def _year(founded: Any) -> str | None:
    """The year of a date whose precision is at least that; the month and day of a year alone mean nothing."""
    return (text(at(founded, "value")) or "")[:4] if at(founded, "precision") in _DATED else None
