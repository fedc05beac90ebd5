"""The plan: whom to refresh, the stalest first, and which of them are under way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import EntityType
from models.db.columns import to_micros
from models.db.rows import Json, bulk, fetch, insert, projection, query_row, select
from models.db.statements import execute, marks
from models.db.transaction import Transaction
from models.refresh.due import Due


class RefreshPlan(Model):
    """A record to refresh, with a job once it is started and the most that may cost. Its key is both ids."""

    organization_id = fields.CharField(max_length=128)
    record_id = fields.CharField(max_length=36, primary_key=True)  # Tortoise knows keys of one column only
    position = fields.IntField(source_field="place")  # the lowest is refreshed first
    staleness = fields.FloatField()
    most = fields.BigIntField(default=0)
    job_id = fields.CharField(max_length=36, null=True)

    class Meta:
        table = "refresh_plan"


@projection(RefreshPlan)
class PlannedRefresh:
    """A record that is to be refreshed. `position` counts from 0, in the order in which records are started."""

    organization_id: str
    record_id: str
    position: int
    staleness: float


@projection(RefreshPlan)
class StartedRefresh:
    """The job that a planned record is refreshed by, and the most credits that it may cost."""

    organization_id: str
    record_id: str
    job_id: str
    most: int


@query_row
class PlannedRecord:
    """The next record of the plan, and whether it is (still) due."""

    id: str
    entity_type: EntityType
    fields: Json[dict[str, Any]]
    received: Json[dict[str, Any]]
    raw_values: Json[dict[str, Any]] | None
    unreadable: Json[dict[str, dict[str, Any]]] | None
    created_at: datetime
    last_enriched_at: datetime | None
    due: bool


@query_row
class _RecordId:
    record_id: str


@query_row
class _Count:
    records: int


@query_row
class _Credits:
    credits: int


_ACTIVE = "SELECT 1 FROM job WHERE job.id = refresh_plan.job_id AND job.status IN ('pending', 'in_progress')"


async def replace_plan(
    tx: Transaction, organization_id: str, planned: Sequence[PlannedRefresh], version: int, now: datetime
) -> None:
    """Plan to refresh these records in place of what was planned before and is not under way.

    `version` is the configuration's. The state of the organization's refreshes must exist.
    """
    await execute(
        f"DELETE FROM refresh_plan WHERE organization_id = ? AND (job_id IS NULL OR NOT EXISTS ({_ACTIVE}))",
        [organization_id],
        using=tx,
    )
    there = "AND EXISTS (SELECT 1 FROM record WHERE record.id = v.record_id)"
    await insert(tx, planned, then=f"{there} ON CONFLICT DO NOTHING")
    await execute(
        "UPDATE refresh_state SET planned_at = ?, planned_for = ? WHERE organization_id = ?",
        [to_micros(now), version, organization_id],
        using=tx,
    )


async def next_planned(due: Due, limit: int) -> list[PlannedRecord]:
    """The next records of the plan that no job was started for, in order, and whether each is (still) `due`."""
    return await fetch(
        PlannedRecord,
        "SELECT record.id, record.entity_type, record.fields, record.received, record.raw_values, record.unreadable,"
        f" record.created_at, record.last_enriched_at, COALESCE({due.condition}, FALSE) AS due"
        " FROM refresh_plan JOIN record ON record.id = refresh_plan.record_id"
        " WHERE refresh_plan.organization_id = ? AND refresh_plan.job_id IS NULL ORDER BY refresh_plan.place LIMIT ?",
        [*due.values, due.organization_id, limit],
    )


async def planned_refreshes(organization_id: str, limit: int) -> list[PlannedRefresh]:
    """The next records that no job was started for, in order."""
    return await fetch(
        PlannedRefresh,
        f"SELECT {select(PlannedRefresh)} FROM refresh_plan WHERE organization_id = ? AND job_id IS NULL"
        " ORDER BY place LIMIT ?",
        [organization_id, limit],
    )


async def count_planned(organization_id: str) -> int:
    """How many records no job was started for yet."""
    sql = "SELECT COUNT(*) AS records FROM refresh_plan WHERE organization_id = ? AND job_id IS NULL"
    return (await fetch(_Count, sql, [organization_id]))[0].records


async def still_planned(tx: Transaction, organization_id: str, record_ids: Sequence[str]) -> set[str]:
    """Those of the records that are planned and that no job was started for."""
    if not record_ids:
        return set()
    found = await fetch(
        _RecordId,
        "SELECT record_id FROM refresh_plan WHERE organization_id = ? AND job_id IS NULL"
        f" AND record_id IN ({marks(record_ids)})",
        [organization_id, *record_ids],
        using=tx,
    )
    return {row.record_id for row in found}


async def drop_planned(organization_id: str, record_ids: Sequence[str]) -> None:
    """Take records out of the plan that no job was started for."""
    if record_ids:
        await execute(
            "DELETE FROM refresh_plan WHERE organization_id = ? AND job_id IS NULL"
            f" AND record_id IN ({marks(record_ids)})",
            [organization_id, *record_ids],
        )


async def note_started(tx: Transaction, organization_id: str, started: Sequence[StartedRefresh]) -> None:
    """Note the jobs that these records of the organization are refreshed by, and count them to its day."""
    if not started:
        return
    source, parameter = bulk(started)
    await execute(
        f"UPDATE refresh_plan SET job_id = v.job_id, most = v.most FROM {source}"
        " WHERE refresh_plan.organization_id = v.organization_id AND refresh_plan.record_id = v.record_id",
        [parameter],
        using=tx,
    )
    await execute(
        "UPDATE refresh_state SET started = started + ? WHERE organization_id = ?",
        [len(started), organization_id],
        using=tx,
    )


async def most_under_way(organization_id: str, *, using: Transaction | None = None) -> int:
    """The most credits that the refreshes that have not ended may cost."""
    found = await fetch(
        _Credits,
        "SELECT COALESCE(SUM(most), 0) AS credits FROM refresh_plan WHERE organization_id = ? AND job_id IS NOT NULL"
        f" AND EXISTS ({_ACTIVE})",
        [organization_id],
        using=using,
    )
    return found[0].credits
