"""Whether an answer is about the company or the person that was asked for, by what both sides say.

An e-mail address or a domain settles it where both sides have one. Where the record has neither, a profile, a telephone
number or the name of an employer has to tell, and an answer that names another one is somebody else's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from enrichment.catalogue import Refused, normalize
from enrichment.enums import EntityType
from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.names.person_name import person_key
from providers.api import ProviderError, Question
from providers.http.inputs import company_domain, company_name, known, persons_email, persons_name
from providers.matching.company_fit import NOT_IT, agree, fit_of_company, names_alike

_ALIKE = 85  # of 100, for two names
_PARTS = re.compile(r"[._\-+0-9]+")
_TELLING = 3  # letters of a name that are no coincidence in an address
_TWO_NAMES = re.compile(r"([a-z]{2,})[._]([a-z]{2,})[0-9]*@")
_PHONES = ("mobilePhone", "phone")
_EXTENSION = re.compile(r"[a-z;,#]", re.IGNORECASE)
_LEAST_DIGITS = 7


@dataclass(frozen=True, slots=True)
class StatedIdentity:
    """What an answer says of a person; what it does not name is left out. Employers are present and past ones."""

    email: str | None = None
    first: str | None = None
    last: str | None = None
    domains: Iterable[str | None] = ()
    employers: Iterable[str | None] = ()
    profiles: Iterable[str | None] = ()
    phones: Iterable[str | None] = ()


def wrong_entity(provider: str, stated: float | None = None) -> ProviderError:
    """The error of an answer that is about somebody else; `stated` are the credits that it says it consumed."""
    return ProviderError("wrong_entity", f"{provider}'s answer is about somebody else", retryable=False, stated=stated)


def is_asked_company(
    question: Question, domains: Iterable[str | None], name: str | None, profiles: Iterable[str | None] = ()
) -> bool:
    """Whether a company of these domains, aliases included, and of this name and these profiles is the one asked for.

    The domain decides where both sides have one, unless it is another of the same company's (see `fit_of_company`);
    else the name, or the profile where the record has neither. True where nothing can be compared.
    """
    return fit_of_company(question, domains, name, profiles) > NOT_IT


def is_asked_person(question: Question, stated: StatedIdentity) -> bool:
    """Whether the person is the one asked for.

    Compared is the first of these that the record has: e-mail address, profile, name with employer, telephone number.
    """
    stated = _unmasked(stated)
    named, by_email = persons_name(question) is not None, persons_email(question) is not None
    profile = None if by_email else known(question, "linkedinUrl")
    same_profile = agree(question, "linkedinUrl", [profile], stated.profiles) if profile else None
    if same_profile:
        return True
    if same_profile is False and not named:
        return False
    domains = list(stated.domains)
    if not _is_same_person(question, stated, domains):
        return False
    if by_email:
        return named or stated.email is not None or not _names_another(persons_email(question) or "", stated)
    if profile:
        return True
    if named and company_name(question):
        return _works_there(question, stated.employers, domains)
    return _share_a_number((known(question, name) for name in _PHONES), stated.phones) is not False


def _unmasked(stated: StatedIdentity) -> StatedIdentity:
    """The same without masks, which providers put where an address or a name would be until it is paid for."""
    try:
        email = normalize(EntityType.LEAD, "email", stated.email)
    except Refused:
        email = None
    first, last = (None if name and "**" in name else name for name in (stated.first, stated.last))
    return replace(stated, email=email, first=first, last=last)


def _is_same_person(question: Question, stated: StatedIdentity, domains: list[str | None]) -> bool:
    """Whether e-mail address, names and employer's domain fit.

    The address in the question settles it. People have several addresses, so where the answer names another one or
    none, the names must agree with the record's or with the address; where the answer names nobody, the employer's
    domain must. Where the question has no address, the employer must fit too.
    """
    address = persons_email(question)
    if address and stated.email and address.casefold() == stated.email.casefold():
        return True
    named = persons_name(question) or (known(question, "firstName"), known(question, "lastName"))
    agree = _names_agree(named, (stated.first, stated.last))
    if agree is not None:
        return agree and (bool(address) or is_asked_company(question, domains, None))
    if address:
        return _address_names(address, stated) or (stated.email is None and _share_a_domain(question, domains))
    return is_asked_company(question, domains, None)


def _share_a_domain(question: Question, domains: Iterable[str | None]) -> bool:
    ours = company_domain(question)
    return ours is not None and ours in {registrable_domain(domain) for domain in domains if domain}


def _names_agree(ours: tuple[str | None, str | None], theirs: tuple[str | None, str | None]) -> bool | None:
    """Whether the first and last names of both sides agree; None where there is nothing to compare."""
    compared = [
        alike(person_key(our), person_key(their))
        for our, their, alike in zip(ours, theirs, (_are_first_names, _are_last_names), strict=True)
        if our and their
    ]
    return all(compared) if compared else None


def _are_first_names(a: str, b: str) -> bool:
    """One name, its initial or short form (`Sam`, `Samuel`), or one of several."""
    shorter, longer = sorted((a, b), key=len)
    return longer.startswith(shorter) or _are_last_names(a, b)


def _are_last_names(a: str, b: str) -> bool:
    """One name, perhaps misspelt, its initial, or one half of a double name."""
    shorter, longer = sorted((a, b), key=len)
    initial = len(shorter) == 1 and longer.startswith(shorter)
    return initial or shorter in longer.split() or fuzz.ratio(a, b) >= _ALIKE


def _address_names(address: str, stated: StatedIdentity) -> bool:
    """Whether the part before the @ is made of somebody's names: `mara`, `m.lindqvist`, `lindqvistm`."""
    local = address.rpartition("@")[0].casefold()
    parts = {person_key(part) for part in _PARTS.split(local) if len(part) >= _TELLING}
    given, family = (person_key(name).replace(" ", "") if name else "" for name in (stated.first, stated.last))
    if len(family) >= _TELLING and family in _PARTS.sub("", local):
        return True
    return given in parts or family in parts


def _names_another(address: str, stated: StatedIdentity) -> bool:
    """Whether an address made of two names, like `bo.berg@`, has none of the person's, who is a colleague then."""
    parts = _TWO_NAMES.match(address.casefold())
    theirs = {word for name in (stated.first, stated.last) if name for word in person_key(name).split()}
    return bool(parts and theirs) and theirs.isdisjoint(map(person_key, parts.groups() if parts else ()))


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


def _share_a_number(ours: Iterable[str | None], theirs: Iterable[str | None]) -> bool | None:
    """Whether both sides name one telephone number, of which one may lack the country; None where one names none."""
    our_digits, their_digits = ([digits for phone in side if (digits := _digits(phone))] for side in (ours, theirs))
    if not our_digits or not their_digits:
        return None
    return any(a.endswith(b) or b.endswith(a) for a in our_digits for b in their_digits)


def _digits(phone: str | None) -> str | None:
    """The digits without extension and leading zeros; None for what is too short to tell anybody apart."""
    before = _EXTENSION.split(phone or "", maxsplit=1)[0]
    digits = re.sub(r"\D", "", before).lstrip("0")
    return digits if len(digits) >= _LEAST_DIGITS else None
