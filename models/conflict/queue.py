"""Raising conflicts, and ending those that a change of the record has made pointless."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, FieldUnit, Recommendation
from models.conflict.table import Conflict
from models.db.columns import to_micros
from models.db.distribute import unique_target
from models.db.rows import fetch, insert, projection, read_rows, select
from models.db.statements import dump_rows, rows
from models.db.transaction import Transaction


@projection(Conflict)
class NewConflict:
    """A conflict to raise. See Conflict for its JSON columns."""

    id: str
    organization_id: str
    record_id: str
    job_id: str
    entity_type: EntityType
    field: str
    unit: FieldUnit | None
    part_names: str | None
    reason: ConflictReason
    current: dict[str, Any] | None
    candidates: list[dict[str, Any]]
    providers: str
    recommended_id: str | None
    recommended_because: str
    recommendation: Recommendation | None
    created_at: datetime
    updated_at: datetime
    status: ConflictStatus = ConflictStatus.OPEN


@projection(Conflict)
class ConflictId:
    """A conflict, whose it is, and where it stands."""

    id: str
    organization_id: str
    record_id: str
    entity_type: EntityType
    status: ConflictStatus


async def raise_conflicts(tx: Transaction, conflicts: Sequence[NewConflict]) -> list[ConflictId]:
    """Open these conflicts. Where a field, or a unit, has an open one, that one gets the new candidates instead."""
    renewed = (
        "reason", "current", "candidates", "providers", "part_names", "recommended_id", "recommended_because",
        "recommendation", "updated_at",
    )  # fmt: skip
    raised = await insert(
        tx,
        conflicts,
        then=f"ON CONFLICT ({unique_target('record_id, field')}) WHERE status = 'open' DO UPDATE SET"
        f" {', '.join(f'{column} = excluded.{column}' for column in renewed)} RETURNING {select(ConflictId)}",
    )
    return read_rows(ConflictId, raised)


async def supersede(tx: Transaction, fields: Sequence[tuple[str, str]], now: datetime) -> list[ConflictId]:
    """End the open conflicts of these (record id, field) pairs. Returns those that were open."""
    if not fields:
        return []
    items = [{"record_id": record_id, "field": name} for record_id, name in fields]
    return await fetch(
        ConflictId,
        "UPDATE conflict SET status = 'superseded', updated_at = ?"
        f" FROM {rows({'record_id': 'text', 'field': 'text'})} WHERE conflict.record_id = v.record_id"
        f" AND conflict.field = v.field AND conflict.status = 'open' RETURNING {select(ConflictId, 'conflict')}",
        [to_micros(now), dump_rows(items)],
        using=tx,
    )


async def conflict_ids_of(tx: Transaction, organization_id: str, record_id: str) -> list[str]:
    """The ids of all conflicts about a record."""
    found = await fetch(
        ConflictId,
        f"SELECT {select(ConflictId)} FROM conflict WHERE organization_id = ? AND record_id = ?",
        [organization_id, record_id],
        using=tx,
    )
    return [conflict.id for conflict in found]
