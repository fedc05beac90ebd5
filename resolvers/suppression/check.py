"""Which records are on their organization's suppression list, looked up for many at once before a provider is asked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from enrichment.cell_identifiers import identifiers_in_cells
from enrichment.enums import EntityType
from enrichment.identity import Identifier, IdentifierKind, identifiers
from models.suppression import OwnedHash, listed, organizations_that_suppress
from resolvers.context import Services
from resolvers.keyed_hash import KeyedHash, KeyLost, keyed_hash_of

SUPPRESSIBLE = frozenset({IdentifierKind.EMAIL, IdentifierKind.DOMAIN, IdentifierKind.PHONE})
# In place of what is on the list where the list cannot be read: then everybody is taken to be on it.
ANYBODY = frozenset({Identifier(IdentifierKind.EMAIL, "*")})
NOBODY: frozenset[Identifier] = frozenset()

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """A record, or what a question says of one, that may be on the list."""

    organization_id: str
    entity_type: EntityType
    fields: Mapping[str, Any]
    raw: Mapping[str, Any] | None = None  # as the CRM last sent it: what its cells hold beside the values


class StoredRecord(Protocol):
    """What a row of a record must have: whichever row the caller has read."""

    @property
    def id(self) -> str: ...

    @property
    def entity_type(self) -> EntityType: ...

    @property
    def fields(self) -> Mapping[str, Any]: ...

    @property
    def raw_values(self) -> Mapping[str, Any] | None: ...


async def suppressed(
    services: Services, subjects: Sequence[Subject], *, suppressing: Collection[str] | None = None
) -> list[frozenset[Identifier]]:
    """For each subject, what of it is on its organization's list; ANYBODY where the list cannot be read.

    `suppressing` names the organizations that have a list, where the caller has just looked.
    """
    if suppressing is None:
        suppressing = await organizations_that_suppress({subject.organization_id for subject in subjects})
    found = [NOBODY] * len(subjects)
    indexes = [index for index, subject in enumerate(subjects) if subject.organization_id in suppressing]
    if not indexes:
        return found
    try:
        keyed_hash = await keyed_hash_of(services)
    except KeyLost as error:
        _log.error(
            "suppression lists cannot be read, so no record of their organizations is asked about", reason=str(error)
        )
        for index in indexes:
            found[index] = ANYBODY
        return found
    hashes = {index: hashed(keyed_hash, subjects[index]) for index in indexes}
    on_list = await listed({owned for of_subject in hashes.values() for owned in of_subject})
    for index, known in hashes.items():
        found[index] = frozenset(identifier for owned, identifier in known.items() if owned in on_list)
    return found


def hashed(keyed_hash: KeyedHash, subject: Subject) -> dict[OwnedHash, Identifier]:
    """Everything in a subject that can be suppressed, by its hash."""
    organization_id = subject.organization_id
    return {
        OwnedHash(organization_id, keyed_hash.of(organization_id, identifier.kind, identifier.value)): identifier
        for identifier in suppressible(subject.entity_type, subject.fields, subject.raw)
    }


def suppressible(
    entity_type: EntityType, fields: Mapping[str, Any], raw: Mapping[str, Any] | None = None
) -> set[Identifier]:
    """What of a record can be suppressed, also in cells that hold more than one value, or cannot be read."""
    found = identifiers(entity_type, fields) | identifiers_in_cells(entity_type, fields, raw or {})
    return {identifier for identifier in found if identifier.kind in SUPPRESSIBLE}


async def suppressed_records(services: Services, organization_id: str, records: Sequence[StoredRecord]) -> set[str]:
    """The ids of those of one organization's records that no provider is asked about."""
    if not await organizations_that_suppress([organization_id]):
        return set()
    subjects = [Subject(organization_id, record.entity_type, record.fields, record.raw_values) for record in records]
    found = await suppressed(services, subjects, suppressing=[organization_id])
    return {record.id for record, matches in zip(records, found, strict=True) if matches}
