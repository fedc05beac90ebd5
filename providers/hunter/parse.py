"""How Hunter's person and company become findings: Clearbit's shape, with other ways to write sizes and codes."""

from collections.abc import Mapping
from typing import Any

from providers.api import Question
from providers.clearbit.parse import COMPANY_FIELDS, EMPLOYER_FIELDS
from providers.clearbit.parse import PERSON_FIELDS as _CLEARBITS_FIELDS
from providers.clearbit.parse import read_company as read_clearbits_company
from providers.clearbit.parse import read_person as read_clearbits_person
from providers.http.inputs import is_account, persons_email
from providers.http.replies import Findings, at, items, mapping, moment, text

__all__ = ["COMPANY_FIELDS", "EMPLOYER_FIELDS", "PERSON_FIELDS", "read_company", "read_person"]

PERSON_FIELDS = _CLEARBITS_FIELDS | {"email"}

_CODES = {"naicsCode": ("naics6Codes2022", "naics6Codes"), "sicCode": ("sic4Codes",)}


def read_person(question: Question, person: Mapping[str, Any]) -> Findings:
    """What a person's record says. Of somebody who is not active there any more it is believed less."""
    findings = read_clearbits_person(question, {**person, "fuzzy": True} if _has_left(person) else person)
    if persons_email(question) is None:  # else it only repeats what it was asked by
        findings.add("email", text(person.get("email")))
    return findings


def read_company(question: Question, company: Mapping[str, Any]) -> Findings:
    """What a company's record says of an account, or of somebody who works there."""
    category = mapping(company.get("category"))
    findings = read_clearbits_company(question, {**company, "category": _narrowed(category)})
    if is_account(question):
        findings.add("street", text(at(company, "geo", "streetAddress")), 0.9)
    return findings


def _has_left(person: Mapping[str, Any]) -> bool:
    left, active = moment(person.get("inactiveAt")), moment(person.get("activeAt"))
    return left is not None and (active is None or left >= active)


def _narrowed(category: Mapping[str, Any]) -> Mapping[str, Any]:
    """The category with the narrowest codes where the usual places have them."""
    narrowed = dict(category)
    for name, lists in _CODES.items():
        codes = (text(code) for wide in lists for code in items(category.get(wide)))
        if narrow := next(filter(None, codes), None):
            narrowed[name] = narrow
    return narrowed
