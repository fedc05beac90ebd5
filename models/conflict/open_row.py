"""Rows of open conflicts, and what a change of their records makes of their questions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, FieldUnit, Recommendation
from models.conflict.queue import ConflictId
from models.conflict.table import Conflict
from models.db.columns import to_micros
from models.db.rows import bulk, fetch, projection, select
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction


@projection(Conflict)
class OpenConflict:
    """An open conflict with its question, as far as a change of its record may change it."""

    id: str
    organization_id: str
    record_id: str
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

    @property
    def named(self) -> ConflictId:
        """The conflict as it stands in lists of those that changed."""
        return ConflictId(self.id, self.organization_id, self.record_id, self.entity_type, ConflictStatus.OPEN)


async def open_conflicts(
    tx: Transaction, record_ids: Sequence[str], fields: Sequence[str], *, about_units: bool
) -> list[OpenConflict]:
    """The open conflicts of these records about any of these fields, or units by their names; the oldest first."""
    if not record_ids or not fields:
        return []
    sql = (
        f"SELECT {select(OpenConflict)} FROM conflict WHERE status = 'open' AND record_id IN ({marks(record_ids)})"
        f" AND field IN ({marks(fields)}) AND unit IS {'NOT NULL' if about_units else 'NULL'} ORDER BY id"
    )
    return await fetch(OpenConflict, sql, [*record_ids, *fields], using=tx)


async def update_questions(tx: Transaction, conflicts: Sequence[OpenConflict], now: datetime) -> None:
    """Let these conflicts, which are open, ask what their rows say."""
    if not conflicts:
        return
    source, parameter = bulk(conflicts)
    columns = (
        "field", "unit", "part_names", "reason", "current", "candidates", "providers", "recommended_id",
        "recommended_because", "recommendation",
    )  # fmt: skip
    renewed = ", ".join(f"{column} = v.{column}" for column in columns)
    await execute(
        f"UPDATE conflict SET {renewed}, updated_at = ? FROM {source} WHERE conflict.id = v.id"
        " AND conflict.status = 'open'",
        [to_micros(now), parameter],
        using=tx,
    )


async def supersede_conflicts(tx: Transaction, conflict_ids: Sequence[str], now: datetime) -> list[ConflictId]:
    """End these conflicts as far as they are open. Returns those that were."""
    if not conflict_ids:
        return []
    return await fetch(
        ConflictId,
        "UPDATE conflict SET status = 'superseded', updated_at = ? WHERE status = 'open'"
        f" AND id IN ({marks(conflict_ids)}) RETURNING {select(ConflictId)}",
        [to_micros(now), *conflict_ids],
        using=tx,
    )


async def records_with_open(fields: Sequence[str], after_id: str, most: int) -> list[str]:
    """The ids of records, in their order, with open conflicts about any of these fields; `most` from `after_id` on."""
    sql = (
        f"SELECT DISTINCT record_id FROM conflict WHERE status = 'open' AND field IN ({marks(fields)})"
        " AND record_id > ? ORDER BY record_id LIMIT ?"
    )
    return [row["record_id"] for row in await query(sql, [*fields, after_id, most])]
