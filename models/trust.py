"""The statements that count how people judged each source's values, by field. Counters hold no values."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from enrichment.enums import EntityType
from models.db.statements import insert_rows, marks, query
from models.db.transaction import Transaction


class ReviewVerdict(StrEnum):
    """What people made of a source's value; the names of the counters."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    OVERWRITTEN = "overwritten"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One value that was judged. `stated`: the confidence (0-1) it came with, before anything was learned."""

    organization_id: str
    provider: str
    entity_type: EntityType
    field: str
    verdict: ReviewVerdict
    stated: float

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.organization_id, self.provider, self.entity_type.value, self.field


_KEY = {"organization_id": "text", "provider": "text", "entity_type": "text", "field": "text"}
_COUNTS = {"accepted": "integer", "rejected": "integer", "overwritten": "integer", "stated": "real"}


async def count_judgements(tx: Transaction, judgements: Sequence[Judgement]) -> None:
    """Add these to the counters, in the transaction of the event itself."""
    counts: dict[tuple[str, str, str, str], dict[str, Any]] = defaultdict(lambda: dict.fromkeys(_COUNTS, 0))
    for judgement in judgements:
        counted = counts[judgement.key]
        counted[judgement.verdict.value] += 1
        counted["stated"] += judgement.stated
    added = ", ".join(f"{name} = trust.{name} + excluded.{name}" for name in _COUNTS)
    await insert_rows(
        tx,
        "trust",
        _KEY | _COUNTS,
        # One order for everyone, so that two reviewers cannot lock each other out.
        [{**dict(zip(_KEY, key, strict=True)), **counts[key]} for key in sorted(counts)],
        then=f"ON CONFLICT (organization_id, provider, entity_type, field) DO UPDATE SET {added}",
    )


async def trust_counts(organization_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The counters of these organizations."""
    if not organization_ids:
        return []
    ids = list(organization_ids)
    return await query(f"SELECT * FROM trust WHERE organization_id IN ({marks(ids)})", ids)
