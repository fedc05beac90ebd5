"""Who was erased before: looked up for all records that come in, in the transaction that would store them."""

from collections.abc import Sequence

from enrichment.catalogue import Clean
from enrichment.enums import EntityType
from enrichment.erasure import Mark, MarkMatch, erasure_of, marks_shown
from models.db.transaction import Transaction
from models.erasure_rows import has_tombstones, hold_intake, matching_tombstones
from resolvers.context import Services
from resolvers.errors import Unavailable
from resolvers.keyed_hash import KeyedHash, KeyLost, keyed_hash_of

Sent = tuple[EntityType, str, Clean]  # entity type, external id, what was sent


def hash_of(prints: KeyedHash, organization_id: str, mark: Mark) -> str:
    """What a mark is kept and compared as."""
    return prints.of(organization_id, f"{mark.kind} {mark.scope}", mark.value)


class ReimportGuard:
    """Keeps those who were erased from coming back in. `prints` is None where their key cannot be read."""

    def __init__(self, prints: KeyedHash | None) -> None:
        self._prints = prints

    @classmethod
    async def of(cls, services: Services) -> "ReimportGuard":
        """With the installation's hashes."""
        try:
            return cls(await keyed_hash_of(services))
        except KeyLost:
            return cls(None)

    async def erased(self, tx: Transaction, organization_id: str, sent: Sequence[Sent]) -> dict[int, str]:
        """Those of the records that an erasure keeps out, by their place: the id of its certificate.

        Holds for the rest of the transaction. Raises Unavailable where somebody was erased and it cannot be told who.
        """
        await hold_intake(tx, organization_id, alone=False)
        if not await has_tombstones(organization_id, using=tx):
            return {}
        prints = self._prints
        if prints is None:
            raise Unavailable("it cannot be told who was erased: the encryption key has changed", retry_after=3600)
        shown = [
            {
                hash_of(prints, organization_id, mark): mark
                for mark in marks_shown(
                    entity_type,
                    external_id,
                    {**cleaned.unknown, **cleaned.values},
                    {name: raw for name, (raw, _) in cleaned.refused.items()},
                )
            }
            for entity_type, external_id, cleaned in sent
        ]
        found: dict[str, list[MarkMatch]] = {}
        for row in await matching_tombstones(tx, organization_id, set().union(*shown)):
            match = MarkMatch(row["erasure_id"], row["kind"], not row["shared"], bool(row["named"]))
            found.setdefault(row["hash"], []).append(match)
        kept_out: dict[int, str] = {}
        for index, marks in enumerate(shown):
            matches = [
                MarkMatch(match.erasure_id, match.kind, match.sure and mark.sure, match.named)
                for value, mark in marks.items()
                for match in found.get(value, ())
            ]
            erasure_id = erasure_of(marks.values(), matches)
            if erasure_id is not None:
                kept_out[index] = erasure_id
        return kept_out
