"""Who is on an organization's suppression list: looked up for many records at once, before anyone is asked."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from enrichment.enums import EntityType
from enrichment.identity import Identifier, IdentifierKind, identifiers
from models.suppression_list import listed, organizations_that_suppress
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


async def suppressed(
    services: Services, suspects: Sequence[Subject], *, suppressing: Collection[str] | None = None
) -> list[frozenset[Identifier]]:
    """For each, what of it is on its organization's list; ANYBODY where the list cannot be read.

    `suppressing` names the organizations that have a list, where the caller has just looked.
    """
    if suppressing is None:
        suppressing = await organizations_that_suppress({suspect.organization_id for suspect in suspects})
    found = [NOBODY] * len(suspects)
    places = [index for index, suspect in enumerate(suspects) if suspect.organization_id in suppressing]
    if not places:
        return found
    try:
        prints = await keyed_hash_of(services)
    except KeyLost as error:
        _log.error("suppression lists cannot be read, so nobody on any is asked about", reason=str(error))
        for index in places:
            found[index] = ANYBODY
        return found
    hashes = {index: hashed(prints, suspects[index]) for index in places}
    on_list = await listed({pair for prints in hashes.values() for pair in prints})
    for index, known in hashes.items():
        found[index] = frozenset(one for pair, one in known.items() if pair in on_list)
    return found


def hashed(prints: KeyedHash, suspect: Subject) -> dict[tuple[str, str], Identifier]:
    """Everything in a suspect that can be suppressed, by (organization id, hash)."""
    return {
        (suspect.organization_id, prints.of(suspect.organization_id, one.kind, one.value)): one
        for one in suppressible(suspect.entity_type, suspect.fields)
    }


def suppressible(entity_type: EntityType, fields: Mapping[str, Any]) -> Iterable[Identifier]:
    """What of a record can be suppressed."""
    return (one for one in identifiers(entity_type, fields) if one.kind in SUPPRESSIBLE)


async def suppressed_records(
    services: Services, organization_id: str, records: Sequence[tuple[str, EntityType, Mapping[str, Any]]]
) -> set[str]:
    """Those of the records (id, entity type, fields) of one organization that no provider is asked about."""
    if not await organizations_that_suppress([organization_id]):
        return set()
    suspects = [Subject(organization_id, entity_type, fields) for _, entity_type, fields in records]
    found = await suppressed(services, suspects, suppressing=[organization_id])
    return {record_id for (record_id, _, _), what in zip(records, found, strict=True) if what}
