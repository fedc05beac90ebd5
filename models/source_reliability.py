"""What the records of an organization show of its sources: figures that are estimated anew now and then."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant
from models.db.rows import columns_of, fetch, fetch_one, insert, projection, query_row, select
from models.db.statements import marks
from models.db.transaction import Transaction


class SourceReliability(Model):
    """How reliable each source of an organization is, and its CRM, by how their values agree.

    `sources` has an `enrichment.learn.reliability.Reliability` as an object, by source; `records` says of how many
    records.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)
    sources = fields.JSONField[dict[str, Any]]()
    records = fields.BigIntField()
    estimated_at: datetime = Instant()

    class Meta:
        table = "source_reliability"


@projection(SourceReliability)
class ReliabilityRow:
    """See SourceReliability."""

    organization_id: str
    sources: dict[str, Any]
    records: int
    estimated_at: datetime


@query_row
class EstimateAge:
    """When an organization decided last (None: no decision is kept), and its estimate, if it has one."""

    decided_at: datetime | None
    estimated_at: datetime | None
    records: int | None


async def reliabilities_of(organization_ids: Collection[str]) -> list[ReliabilityRow]:
    """The estimates of these organizations; none of one that has no estimate yet."""
    if not organization_ids:
        return []
    sql = (
        f"SELECT {select(ReliabilityRow)} FROM source_reliability WHERE organization_id IN ({marks(organization_ids)})"
    )
    return await fetch(ReliabilityRow, sql, list(organization_ids))


async def estimate_age(organization_id: str) -> EstimateAge:
    """How old the organization's estimate is, and whether anything was decided since."""
    found = await fetch_one(
        EstimateAge,
        "SELECT (SELECT MAX(decided_at) FROM decision_snapshot WHERE organization_id = organization.id) AS decided_at,"
        " source_reliability.estimated_at, source_reliability.records"
        " FROM organization LEFT JOIN source_reliability ON source_reliability.organization_id = organization.id"
        " WHERE organization.id = ?",
        [organization_id],
    )
    return found or EstimateAge(None, None, None)


async def save_reliability(tx: Transaction, estimated: ReliabilityRow) -> None:
    """Replace the organization's estimate."""
    changed = ", ".join(
        f"{name} = excluded.{name}" for name in columns_of(ReliabilityRow, without=("organization_id",))
    )
    await insert(tx, [estimated], then=f"ON CONFLICT (organization_id) DO UPDATE SET {changed}")
