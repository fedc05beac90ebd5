"""Whether an answer is about the company or the person that was asked for, by what both sides say."""

import re
from collections.abc import Iterable

from rapidfuzz import fuzz

from enrichment.normalize.company_name import core_name
from enrichment.normalize.person_name import person_key
from enrichment.normalize.url import registrable_domain
from providers.base import ProviderError, Question
from providers.inputs import company_domain, company_name, known, persons_email, persons_name

_ALIKE = 85  # of 100, for two core names
_PARTS = re.compile(r"[._\-+0-9]+")
_TELLING = 3  # letters of a name that stand in an address by more than chance


def wrong_entity(provider: str) -> ProviderError:
    """The error of an answer that is about somebody else."""
    return ProviderError("wrong_entity", f"{provider}'s answer is about somebody else", retryable=False)


def is_same_company(question: Question, domains: Iterable[str | None], name: str | None) -> bool:
    """Whether a company with these domains, aliases included, and this name is the one that was asked for.

    By domain where both sides have one, else by name; True where nothing can be compared.
    """
    asked = company_domain(question)
    answered = {registrable_domain(domain) for domain in domains if domain} - {None}
    if asked and answered:
        return asked in answered
    ours = company_name(question)
    return not (ours and name) or names_alike(ours, name)


def _share_a_domain(question: Question, domains: Iterable[str | None]) -> bool:
    asked = company_domain(question)
    return asked is not None and asked in {registrable_domain(domain) for domain in domains if domain}


def names_alike(a: str, b: str) -> bool:
    """Whether two names can be one company's: legal forms and accents aside, and whatever their order of words."""
    core_a, core_b = core_name(a), core_name(b)
    return core_a == core_b or (bool(core_a and core_b) and fuzz.token_sort_ratio(core_a, core_b) >= _ALIKE)


def is_same_person(
    question: Question, *, email: str | None, first: str | None, last: str | None, domains: Iterable[str | None] = ()
) -> bool:
    """Whether a person of this e-mail address and name, at a company of these domains, is the one asked for.

    The address that was asked by settles it. Where the answer names another one or none, for people have several,
    the names must agree: with the record's, or with what the address says; where it names none, the employer's domain
    is as good. Without an address to ask by the employer must fit too.
    """
    asked = persons_email(question)
    if asked and email and asked.casefold() == email.casefold():
        return True
    named = persons_name(question) or (known(question, "firstName"), known(question, "lastName"))
    agree = _names_agree(named, (first, last))
    if agree is not None:
        return agree and (bool(asked) or is_same_company(question, domains, None))
    if asked:
        return _address_names(asked, first, last) or (email is None and _share_a_domain(question, domains))
    return is_same_company(question, domains, None)


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


def _address_names(address: str, first: str | None, last: str | None) -> bool:
    """Whether the part before the @ is made of somebody's names: `mara`, `m.lindqvist`, `lindqvistm`."""
    local = address.rpartition("@")[0].casefold()
    parts = {person_key(part) for part in _PARTS.split(local) if len(part) >= _TELLING}
    given, family = (person_key(name).replace(" ", "") if name else "" for name in (first, last))
    if len(family) >= _TELLING and family in _PARTS.sub("", local):
        return True
    return given in parts or family in parts
