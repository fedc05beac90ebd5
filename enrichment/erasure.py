"""How an erased person or company is recognised when a record of it is imported again: by the marks of both records.

The mark of a company does not match that of a person, so that a company's phone line does not keep a lead out. A mark
that several people may share (a phone line, `info@`), or that a record merely mentions, counts only where the names
do not differ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from enrichment.enums import EntityType
from enrichment.identity import IdentifierKind, identifiers_with_certainty, is_shared, name_of
from enrichment.normalize.contact.host import ascii_host
from enrichment.normalize.contact.url import registrable_domain

EXTERNAL_ID, NAME = "external_id", "name"


@dataclass(frozen=True, slots=True)
class Mark:
    """An identifier, external id or name. `sure`: it is nobody else's. Marks of different `scope` never match."""

    kind: str
    scope: str
    value: str
    sure: bool


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
    scope = _scope(entity_type)
    marks = {Mark(EXTERNAL_ID, entity_type.value, external_id, sure=True)}
    for fields in states:
        marks.update(
            Mark(identifier.kind.value, scope, identifier.value, sure=not is_shared(identifier))
            for identifier, sure in identifiers_with_certainty(entity_type, fields)
            if sure and identifier.kind is not IdentifierKind.DOMAIN
        )
        if with_domain and entity_type is EntityType.ACCOUNT:
            marks.update(Mark(IdentifierKind.DOMAIN, scope, name, sure=True) for name in _domains(fields))
        if name := name_of(entity_type, fields):
            marks.add(Mark(NAME, scope, name, sure=False))
    return marks


def marks_of_imported(
    entity_type: EntityType, external_id: str, fields: Mapping[str, Any], refused: Mapping[str, Any]
) -> set[Mark]:
    """The marks of a record that is imported, also those in raw values that could not be stored (`refused`)."""
    scope = _scope(entity_type)
    marks = {Mark(EXTERNAL_ID, entity_type.value, external_id, sure=True)}
    country = {"country": fields["country"]} if "country" in fields else {}
    for part in (fields, {**refused, **country}):
        for identifier, sure in identifiers_with_certainty(entity_type, part):
            if identifier.kind is not IdentifierKind.DOMAIN:
                is_own = sure and not is_shared(identifier)
                marks.add(Mark(identifier.kind.value, scope, identifier.value, sure=is_own))
    if entity_type is EntityType.ACCOUNT:
        marks.update(Mark(IdentifierKind.DOMAIN, scope, name, sure=True) for name in _domains(fields))
    if name := name_of(entity_type, fields):
        marks.add(Mark(NAME, scope, name, sure=False))
    return marks


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


def _scope(entity_type: EntityType) -> str:
    return "company" if entity_type is EntityType.ACCOUNT else "person"


def _domains(fields: Mapping[str, Any]) -> set[str]:
    """The domains that are an account's own: not those of a site where it only has a page."""
    sites = (fields.get(name) for name in ("domain", "website"))
    found = (registrable_domain(text) for text in sites if isinstance(text, str))
    return {ascii_host(name) or name for name in found if name}
