"""Whether a person or company is who was asked for, also where the record has neither an e-mail address nor a domain.

Then a profile, a telephone number or the name of an employer has to tell, and an answer that names another one is
somebody else's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from enrichment.catalogue import Refused, normalize
from enrichment.normalize.company_name import core_name
from enrichment.normalize.person_name import person_key
from providers.base import Question
from providers.inputs import company_domain, company_name, is_account, known, persons_email, persons_name
from providers.likeness import is_same_company, is_same_person, names_alike

_TWO_NAMES = re.compile(r"([a-z]{2,})[._]([a-z]{2,})[0-9]*@")
_PHONES = ("mobilePhone", "phone")


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says of a person; what it does not name is left out. Employers are present and past ones."""

    email: str | None = None
    first: str | None = None
    last: str | None = None
    domains: Iterable[str | None] = ()
    employers: Iterable[str | None] = ()
    profiles: Iterable[str | None] = ()
    phones: Iterable[str | None] = ()


def is_asked_person(question: Question, told: Told) -> bool:
    """Whether the person is the one asked for.

    By what providers are asked by: the first that the record has of e-mail address, profile, name with employer, and
    telephone number.
    """
    named, by_email = persons_name(question) is not None, persons_email(question) is not None
    profile = None if by_email else known(question, "linkedinUrl")
    same_profile = _agree(question, "linkedinUrl", [profile], told.profiles) if profile else None
    if same_profile:
        return True
    if same_profile is False and not named:
        return False
    domains = list(told.domains)
    if not is_same_person(question, email=told.email, first=told.first, last=told.last, domains=domains):
        return False
    if by_email:
        return named or told.email is not None or not _names_another(persons_email(question) or "", told)
    if profile:
        return True
    if named and company_name(question):
        return _works_there(question, told.employers, domains)
    return _agree(question, "phone", [known(question, name) for name in _PHONES], told.phones) is not False


def _names_another(address: str, told: Told) -> bool:
    """Whether an address made of two names, like `bo.berg@`, has none of the person's, who is a colleague then."""
    parts = _TWO_NAMES.match(address.casefold())
    theirs = {word for name in (told.first, told.last) if name for word in person_key(name).split()}
    return bool(parts and theirs) and theirs.isdisjoint(map(person_key, parts.groups() if parts else ()))


def is_asked_company(
    question: Question, domains: Iterable[str | None], name: str | None, profiles: Iterable[str | None] = ()
) -> bool:
    """Whether a company of these domains, name and profiles is the one asked for; the profile decides last."""
    if not is_same_company(question, domains, name):
        return False
    if not is_account(question) or company_domain(question) or company_name(question):
        return True
    return _agree(question, "linkedinUrl", [known(question, "linkedinUrl")], profiles) is not False


def _works_there(question: Question, employers: Iterable[str | None], domains: list[str | None]) -> bool:
    """Whether one of the employers is the record's. Where both sides name a domain, that was compared already."""
    ours = company_name(question)
    theirs = [employer for employer in employers if employer]
    if not ours or not theirs or (company_domain(question) and any(domains)):
        return True
    return any(names_alike(ours, employer) or _is_part(ours, employer) for employer in theirs)


def _is_part(a: str, b: str) -> bool:
    """Whether one name is the other, shortened by whole words: `Example` and `Example Robotics`."""
    shorter, longer = sorted((set(core_name(name).split()) for name in (a, b)), key=len)
    return bool(shorter) and shorter <= longer


def _agree(question: Question, field: str, ours: Iterable[str | None], theirs: Iterable[str | None]) -> bool | None:
    """Whether both sides name a value in common; None where one of them names none."""
    asked, answered = (
        {found for value in side if (found := _canonical(question, field, value)) is not None}
        for side in (ours, theirs)
    )
    return None if not asked or not answered else not asked.isdisjoint(answered)


def _canonical(question: Question, field: str, value: str | None) -> Any:
    try:
        return normalize(question.entity_type, field, value, hints=question.fields)
    except Refused:
        return None
