"""Counters of how people judged each source's values, by field. They hold no values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import EntityType
from models.db.rows import bulk, columns_of, fetch, insert, projection, select
from models.db.statements import execute, marks
from models.db.transaction import Transaction


class Trust(Model):
    """How people judged the values of one source for one field. Its key is the organization and the three names.

    `stated` is the sum of the confidences (0-1) that the judged values came with.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)  # Tortoise knows keys of one column only
    provider = fields.CharField(max_length=64)
    entity_type = fields.CharEnumField(EntityType, max_length=16)
    field = fields.CharField(max_length=64)
    accepted = fields.BigIntField(default=0)
    rejected = fields.BigIntField(default=0)
    overwritten = fields.BigIntField(default=0)
    stated = fields.FloatField(default=0)

    class Meta:
        table = "trust"


@projection(Trust)
class TrustRow:
    """See Trust."""

    organization_id: str
    provider: str
    entity_type: EntityType
    field: str
    accepted: int = 0
    rejected: int = 0
    overwritten: int = 0
    stated: float = 0.0


_Key = tuple[str, str, EntityType, str]
_KEY = ("organization_id", "provider", "entity_type", "field")


class ReviewVerdict(StrEnum):
    """How people judged a source's value: one of the three counters."""

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
    def key(self) -> _Key:
        return self.organization_id, self.provider, self.entity_type, self.field


async def count_judgements(tx: Transaction, judgements: Sequence[Judgement]) -> None:
    """Add these to the counters, in the transaction of the event itself."""
    added = ", ".join(f"{name} = trust.{name} + excluded.{name}" for name in columns_of(TrustRow, without=_KEY))
    await insert(
        tx,
        _counted(judgements),
        then=f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {added}",
    )


async def withdraw_judgements(tx: Transaction, judgements: Sequence[Judgement]) -> None:
    """Take these out of the counters, to which they were added before."""
    if not judgements:
        return
    source, parameter = bulk(_counted(judgements))
    withdrawn = ", ".join(
        f"{name} = CASE WHEN trust.{name} > v.{name} THEN trust.{name} - v.{name} ELSE 0 END"
        for name in columns_of(TrustRow, without=_KEY)
    )
    await execute(
        f"UPDATE trust SET {withdrawn} FROM {source} WHERE trust.organization_id = v.organization_id"
        " AND trust.provider = v.provider AND trust.entity_type = v.entity_type AND trust.field = v.field",
        [parameter],
        using=tx,
    )


def _counted(judgements: Sequence[Judgement]) -> list[TrustRow]:
    """These as counters, in one order for everyone, so that two reviewers cannot lock each other out."""
    counts: dict[_Key, TrustRow] = {}
    for judgement in judgements:
        counts[judgement.key] = _with(counts.get(judgement.key) or TrustRow(*judgement.key), judgement)
    return [counts[key] for key in sorted(counts)]


def _with(counted: TrustRow, judgement: Judgement) -> TrustRow:
    return replace(
        counted,
        accepted=counted.accepted + (judgement.verdict is ReviewVerdict.ACCEPTED),
        rejected=counted.rejected + (judgement.verdict is ReviewVerdict.REJECTED),
        overwritten=counted.overwritten + (judgement.verdict is ReviewVerdict.OVERWRITTEN),
        stated=counted.stated + judgement.stated,
    )


async def trust_counts(organization_ids: Sequence[str]) -> list[TrustRow]:
    """The counters of these organizations."""
    if not organization_ids:
        return []
    sql = f"SELECT {select(TrustRow)} FROM trust WHERE organization_id IN ({marks(organization_ids)})"
    return await fetch(TrustRow, sql, list(organization_ids))
