"""Who was erased and who comes back: the marks that an erased record leaves, and those that a new one shows.

A mark is bound to persons or to companies, so that a company's line does not speak for a lead. What several people may
go by (a phone line, `info@`), and what a record merely mentions, speaks only where the name does not speak against it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from enrichment.enums import EntityType
from enrichment.identity import IdentifierKind, is_shared, name_of, whose
from enrichment.normalize.contact.host import ascii_host
from enrichment.normalize.contact.url import registrable_domain

EXTERNAL_ID, NAME = "external_id", "name"


@dataclass(frozen=True, slots=True)
class Mark:
    """One sign of who somebody is. `sure`: it is nobody else's. `scope` tells what it is compared with."""

    kind: str
    scope: str
    value: str
    sure: bool


@dataclass(frozen=True, slots=True)
class MarkMatch:
    """A mark that an erased record left and a new one shows. `named`: the erased record left a name."""

    erasure_id: str
    kind: str
    sure: bool
    named: bool


def marks_left(
    entity_type: EntityType, external_id: str, states: Iterable[Mapping[str, Any]], *, with_domain: bool
) -> set[Mark]:
    """What an erased record leaves, by all that its fields have held. `with_domain`: also the domain of an account."""
    scope = _scope(entity_type)
    left = {Mark(EXTERNAL_ID, entity_type.value, external_id, sure=True)}
    for fields in states:
        own = {one for one, sure in whose(entity_type, fields) if sure}
        left.update(
            Mark(one.kind.value, scope, one.value, sure=not is_shared(one))
            for one in own
            if one.kind is not IdentifierKind.DOMAIN
        )
        if with_domain and entity_type is EntityType.ACCOUNT:
            left.update(Mark(IdentifierKind.DOMAIN, scope, name, sure=True) for name in _domains(fields))
        if name := name_of(entity_type, fields):
            left.add(Mark(NAME, scope, name, sure=False))
    return left


def marks_shown(
    entity_type: EntityType, external_id: str, fields: Mapping[str, Any], refused: Mapping[str, Any]
) -> set[Mark]:
    """What a record that comes in shows, also in raw values that could not be stored (`refused`)."""
    scope = _scope(entity_type)
    shown = {Mark(EXTERNAL_ID, entity_type.value, external_id, sure=True)}
    country = {"country": fields["country"]} if "country" in fields else {}
    for part in (fields, {**refused, **country}):
        for one, sure in whose(entity_type, part):
            if one.kind is not IdentifierKind.DOMAIN:
                shown.add(Mark(one.kind.value, scope, one.value, sure=sure and not is_shared(one)))
    if entity_type is EntityType.ACCOUNT:
        shown.update(Mark(IdentifierKind.DOMAIN, scope, name, sure=True) for name in _domains(fields))
    if name := name_of(entity_type, fields):
        shown.add(Mark(NAME, scope, name, sure=False))
    return shown


def erasure_of(shown: Iterable[Mark], matches: Iterable[MarkMatch]) -> str | None:
    """The erasure that this record would undo, if any."""
    has_name = any(mark.kind == NAME for mark in shown)
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
    said = (fields.get(name) for name in ("domain", "website"))
    found = (registrable_domain(text) for text in said if isinstance(text, str))
    return {ascii_host(name) or name for name in found if name}
