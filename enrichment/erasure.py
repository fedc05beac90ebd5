"""How an erased person or company is recognised when a record of it is imported again: by the marks of both records.

The mark of a company does not match that of a person, so that a company's phone line does not keep a lead out. A mark
that several people may share (a phone line, `info@`), or that a record merely mentions, counts only where the names
do not differ. A person is also known by the full name together with the employer (`PERSON`): that alone keeps no record
of the CRM out, for a namesake may work there, but it is not written by enrichment (`erased_values.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from enrichment.enums import EntityType
from enrichment.identity import IdentifierKind, identifiers_with_certainty, is_shared, name_of
from enrichment.normalize.contact.host import ascii_host
from enrichment.normalize.contact.mail_domains import names_no_employer
from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.text.text import without_umlauts
from enrichment.person_names import full_names, last_names, own_full_names

EXTERNAL_ID, NAME, PERSON = "external_id", "name", "person"
ANY_EMPLOYER, NO_EMPLOYER = "*", "-"


@dataclass(frozen=True, slots=True)
class Mark:
    """An identifier, external id, name, or full name and employer. `sure`: it is nobody else's.

    Marks of different `scope` never match.
    """

    kind: str
    scope: str
    value: str
    sure: bool

    @property
    def stored_kind(self) -> str:
        """The kind under which it is stored: a full name is a name. What it stands for is in its hash."""
        return NAME if self.kind == PERSON else self.kind


@dataclass(frozen=True, slots=True)
class MarkMatch:
    """A mark that an erased record and an imported one share. `named`: the erased record had a name."""

    erasure_id: str
    kind: str
    sure: bool
    named: bool


def marks_of_erased(
    entity_type: EntityType, external_id: str, states: Iterable[Mapping[str, Any]], *, with_domain: bool
) -> set[Mark]:
    """The marks of an erased record, from all that its fields have held. `with_domain`: also an account's domain."""
    scope = scope_of(entity_type)
    marks = {Mark(EXTERNAL_ID, entity_type.value, external_id, sure=True)}
    for fields in states:
        marks.update(
            Mark(identifier.kind.value, scope, identifier.value, sure=not is_shared(identifier))
            for identifier, sure in identifiers_with_certainty(entity_type, fields)
            if sure and identifier.kind is not IdentifierKind.DOMAIN
        )
        if with_domain and entity_type is EntityType.ACCOUNT:
            marks.update(Mark(IdentifierKind.DOMAIN, scope, name, sure=True) for name in domains_of(fields))
        if name := name_of(entity_type, fields):
            marks.update(Mark(NAME, scope, form, sure=False) for form in (name, without_umlauts(name)))
        if entity_type is not EntityType.ACCOUNT:
            known_at = {ANY_EMPLOYER, *(employers_of(fields) or {NO_EMPLOYER})}
            marks.update(person_mark(key, employer) for key in own_full_names(fields) for employer in known_at)
    return marks


def marks_of_imported(
    entity_type: EntityType, external_id: str, fields: Mapping[str, Any], refused: Mapping[str, Any]
) -> set[Mark]:
    """The marks of a record that is imported, also those in raw values that could not be stored (`refused`)."""
    scope = scope_of(entity_type)
    marks = {Mark(EXTERNAL_ID, entity_type.value, external_id, sure=True)}
    country = {"country": fields["country"]} if "country" in fields else {}
    for part in (fields, {**refused, **country}):
        for identifier, sure in identifiers_with_certainty(entity_type, part):
            if identifier.kind is not IdentifierKind.DOMAIN:
                is_own = sure and not is_shared(identifier)
                marks.add(Mark(identifier.kind.value, scope, identifier.value, sure=is_own))
    if entity_type is EntityType.ACCOUNT:
        marks.update(Mark(IdentifierKind.DOMAIN, scope, name, sure=True) for name in domains_of(fields))
    return marks | names_of(entity_type, fields)


def names_of(entity_type: EntityType, fields: Mapping[str, Any]) -> set[Mark]:
    """The marks that tell whether a record's name is that of an erased one; they keep nobody out by themselves."""
    name, scope = name_of(entity_type, fields), scope_of(entity_type)
    marks = {Mark(NAME, scope, name, sure=False)} if name else set()
    if entity_type is not EntityType.ACCOUNT:
        marks |= {Mark(NAME, scope, last, sure=False) for last in last_names(fields)}
        marks |= {person_mark(key, ANY_EMPLOYER) for key in full_names(fields)}
    return marks


def person_mark(full_name: str, employer: str) -> Mark:
    """The mark of a full name, by its key, at an employer."""
    return Mark(PERSON, scope_of(EntityType.CONTACT), f"{full_name}\n{employer}", sure=True)


def employers_of(fields: Mapping[str, Any]) -> set[str]:
    """What tells the employer of a person: the core of the company's name, and its domains."""
    company = fields.get("company")
    found = {core_name(company)} if isinstance(company, str) else set()
    sites = _site_domains(fields, ("companyDomain", "website", "email"))
    return (found | {site for site in sites if not names_no_employer(site)}) - {""}


def erasure_of(marks: Iterable[Mark], matches: Iterable[MarkMatch]) -> str | None:
    """The id of the erasure that a record with these marks would undo, if any."""
    has_name = any(mark.kind == NAME for mark in marks)
    matches = list(matches)
    same_name = {match.erasure_id for match in matches if match.kind == NAME}
    for match in matches:
        if match.kind == NAME:
            continue
        if match.sure or not has_name or not match.named or match.erasure_id in same_name:
            return match.erasure_id
    return None


def scope_of(entity_type: EntityType) -> str:
    """Whose marks match those of a record of this type: a company's, or a person's."""
    return "company" if entity_type is EntityType.ACCOUNT else "person"


def domains_of(fields: Mapping[str, Any]) -> set[str]:
    """The domains that are an account's own: not those of a site where it only has a page."""
    return _site_domains(fields, ("domain", "website"))


def _site_domains(fields: Mapping[str, Any], names: Iterable[str]) -> set[str]:
    sites = (fields.get(name) for name in names)
    found = (registrable_domain(text) for text in sites if isinstance(text, str))
    return {ascii_host(name) or name for name in found if name}
