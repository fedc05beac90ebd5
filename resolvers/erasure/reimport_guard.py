"""Who was erased before: looked up for all records that come in, in the transaction that would store them."""

from collections.abc import Mapping, Sequence

from enrichment.catalogue import fields_of
from enrichment.clean import Clean, own_before
from enrichment.enums import EntityType
from enrichment.erasure import Mark, MarkMatch, erasure_of, marks_of_imported
from models.db.transaction import Transaction
from models.erasure.tombstone import (
    TombstoneRow,
    has_tombstones,
    lock_ingestion,
    matching_tombstones,
    organizations_that_erased,
)
from resolvers.context import Services
from resolvers.errors import Unavailable
from resolvers.keyed_hash import KeyedHash, KeyLost, keyed_hash_of

Message = tuple[EntityType, str, Clean]  # entity type, external id, what was sent


def hash_of(keyed_hash: KeyedHash, organization_id: str, mark: Mark) -> str:
    """What a mark is stored and compared as."""
    return keyed_hash.of(organization_id, f"{mark.kind} {mark.scope}", mark.value)


class ReimportGuard:
    """Keeps those who were erased from coming back in. `keyed_hash` is None where its key cannot be read."""

    def __init__(self, keyed_hash: KeyedHash | None) -> None:
        self._keyed_hash = keyed_hash

    @classmethod
    async def of(cls, services: Services) -> "ReimportGuard":
        """With the installation's hashes."""
        try:
            return cls(await keyed_hash_of(services))
        except KeyLost:
            return cls(None)

    async def must_look(self, organization_id: str) -> bool:
        """Whether the organization has erased anybody, so that every message is to be looked at."""
        return organization_id in await organizations_that_erased([organization_id])

    async def erased(self, tx: Transaction, organization_id: str, messages: Sequence[Message]) -> dict[int, str]:
        """The records that an erasure keeps out, by their index: the id of its certificate.

        Holds for the rest of the transaction. Raises Unavailable where somebody was erased and the hashes of that
        cannot be compared.
        """
        await lock_ingestion(tx, organization_id, exclusive=False)
        if not await has_tombstones(tx, organization_id):
            return {}
        if self._keyed_hash is None:
            raise Unavailable("it cannot be told who was erased: the encryption key has changed", retry_after=3600)
        shown = [_marks(self._keyed_hash, organization_id, message) for message in messages]
        tombstones: dict[str, list[TombstoneRow]] = {}
        for tombstone in await matching_tombstones(tx, organization_id, set().union(*shown)):
            tombstones.setdefault(tombstone.hash, []).append(tombstone)
        found: dict[int, str] = {}
        for index, marks in enumerate(shown):
            erasure_id = erasure_of(marks.values(), _matches(marks, tombstones))
            if erasure_id is not None:
                found[index] = erasure_id
        return found


def _marks(keyed_hash: KeyedHash, organization_id: str, message: Message) -> dict[str, Mark]:
    """The marks that a record shows, by their hashes."""
    entity_type, external_id, cleaned = message
    fields = {**cleaned.unknown, **cleaned.values}
    known = fields_of(entity_type)
    sent = {name: raw for name, raw in cleaned.raw.items() if name in known and name != "country"}
    before = own_before(entity_type, cleaned.raw)  # a mark of an earlier version is one of its forms
    marks = marks_of_imported(entity_type, external_id, fields, sent)
    marks |= marks_of_imported(entity_type, external_id, before, {})
    return {hash_of(keyed_hash, organization_id, mark): mark for mark in marks}


def _matches(marks: Mapping[str, Mark], tombstones: Mapping[str, Sequence[TombstoneRow]]) -> list[MarkMatch]:
    return [
        MarkMatch(tombstone.erasure_id, tombstone.kind, mark.sure and not tombstone.shared, tombstone.named)
        for value, mark in marks.items()
        for tombstone in tombstones.get(value, ())
    ]
