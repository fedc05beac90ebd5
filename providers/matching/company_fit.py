"""How well a company that a source answers with fits the one that was asked for.

A company has several domains: one for each country, an old one from before a rename. An answer under another domain of
the same company was paid for and is right, so that it is taken, and believed less, instead of refused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from rapidfuzz import fuzz

from enrichment.catalogue import Refused, normalize
from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.names.company_name import core_name
from providers.api import Finding, Question
from providers.http.inputs import company_domain, company_name, is_account, known

SURE, NOT_IT = 1.0, 0.0
_OF_A_COUNTRY, _NAMELESS, _OTHER_ENDING, _SAME_PROFILE, _SAME_NAME = 0.85, 0.8, 0.75, 0.8, 0.7
_ALIKE = 85  # of 100, for two core names
_TELLING = 6  # letters of a domain's name that two companies rarely share
_WORLDWIDE = frozenset({"com", "net", "org", "eu"})
# Endings that were given to a country and are used by anybody.
_ANYBODYS = frozenset({"ai", "cc", "co", "fm", "gg", "io", "is", "la", "ly", "me", "sh", "so", "to", "tv", "vc", "ws"})


def fit_of_company(
    question: Question, domains: Iterable[str | None], name: str | None, profiles: Iterable[str | None] = ()
) -> float:
    """Share of the confidence in an answer (0-1) that a company of these domains, this name and these profiles keeps.

    1 where nothing speaks against it, 0 for another company. In between it answers under another domain of its own:
    that of another country with the same name, or one that its LinkedIn profile or its name says is the same company's.
    """
    profiles = list(profiles)
    ours, theirs = company_domain(question), _registrable(domains)
    our_name = company_name(question)
    if ours and theirs:
        if ours in theirs:
            return SURE
        same_profile = is_account(question) and agree(
            question, "linkedinUrl", [known(question, "linkedinUrl")], profiles
        )
        return max(_fit_of_domain(ours, domain, our_name, name, same_profile is True) for domain in theirs)
    if our_name and name and not names_alike(our_name, name):
        return NOT_IT
    if not is_account(question) or ours or our_name:
        return SURE
    same_profile = agree(question, "linkedinUrl", [known(question, "linkedinUrl")], profiles)
    return NOT_IT if same_profile is False else SURE


def names_alike(a: str, b: str) -> bool:
    """Whether two names can be one company's: legal forms and accents aside, and whatever their order of words."""
    core_a, core_b = core_name(a), core_name(b)
    return core_a == core_b or (bool(core_a and core_b) and fuzz.token_sort_ratio(core_a, core_b) >= _ALIKE)


def less_sure(findings: Sequence[Finding], fit: float) -> tuple[Finding, ...]:
    """The findings of a company that fits so well."""
    if fit == SURE:
        return tuple(findings)
    return tuple(replace(finding, confidence=round(finding.confidence * fit, 3)) for finding in findings)


def agree(question: Question, field: str, ours: Iterable[str | None], theirs: Iterable[str | None]) -> bool | None:
    """Whether both sides name a value in common; None where one of them names none."""
    our_values, their_values = (
        {found for value in side if (found := _canonical(question, field, value)) is not None}
        for side in (ours, theirs)
    )
    return None if not our_values or not their_values else not our_values.isdisjoint(their_values)


def _fit_of_domain(ours: str, theirs: str, our_name: str | None, their_name: str | None, same_profile: bool) -> float:
    """The fit of a company under another domain than the one asked for."""
    if same_profile:
        return _SAME_PROFILE
    alike = names_alike(our_name, their_name) if our_name and their_name else None
    our_label, _, our_ending = ours.partition(".")
    their_label, _, their_ending = theirs.partition(".")
    if alike is False:
        return NOT_IT
    if our_label == their_label:
        telling = len(our_label) >= _TELLING
        if _are_of_countries(our_ending, their_ending):
            return _OF_A_COUNTRY if alike else _NAMELESS if telling else NOT_IT
        return _OTHER_ENDING if alike and telling else NOT_IT
    return _SAME_NAME if alike and _is_named_so(their_label, our_name, their_name) else NOT_IT


def _are_of_countries(*endings: str) -> bool:
    """Whether endings are of countries or of the whole world, and one at least of a country."""
    of_country = [len(last := ending.rpartition(".")[2]) == 2 and last not in _ANYBODYS for ending in endings]
    return any(of_country) and all(of or ending in _WORLDWIDE for of, ending in zip(of_country, endings, strict=True))


def _is_named_so(label: str, our_name: str | None, their_name: str | None) -> bool:
    """Whether a domain's name is the name of both companies, and telling enough."""
    cores = {core_name(name or "").replace(" ", "") for name in (our_name, their_name)}
    return len(cores) == 1 and label.replace("-", "") in cores and len(label) >= _TELLING


def _registrable(domains: Iterable[str | None]) -> set[str]:
    return {found for domain in domains if domain and (found := registrable_domain(domain))}


def _canonical(question: Question, field: str, value: str | None) -> Any:
    try:
        return normalize(question.entity_type, field, value, hints=question.fields)
    except Refused:
        return None
