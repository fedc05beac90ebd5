"""Opening a conflict again whose decision is taken back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from enrichment.enums import ConflictStatus, EntityType, FieldUnit, Recommendation
from models.conflict.table import Conflict
from models.db.columns import to_micros
from models.db.rows import fetch, fetch_one, projection, select
from models.db.statements import dump, execute, marks
from models.db.transaction import Transaction


@projection(Conflict)
class DecidedConflict:
    """A conflict with its question and the decision on it, if there is one."""

    id: str
    organization_id: str
    record_id: str
    job_id: str
    entity_type: EntityType
    field: str
    unit: FieldUnit | None
    current: dict[str, Any] | None
    candidates: list[dict[str, Any]]
    recommendation: Recommendation | None
    status: ConflictStatus
    resolution: dict[str, Any] | None
    resolution_id: str | None
    by_rule: bool
    taken_back: list[dict[str, Any]] | None
    resolved_at: datetime | None


@projection(Conflict)
class LaterQuestion:
    """A conflict that was opened, or decided, after the decision on another about the same."""

    id: str
    field: str
    status: ConflictStatus


async def decided_conflict(tx: Transaction, organization_id: str, conflict_id: str) -> DecidedConflict | None:
    """The conflict as it is now; None when it was erased with its record."""
    return await fetch_one(
        DecidedConflict,
        f"SELECT {select(DecidedConflict)} FROM conflict WHERE id = ? AND organization_id = ?",
        [conflict_id, organization_id],
        using=tx,
    )


@projection(Conflict)
class _ConflictId:
    id: str


async def decided_by(tx: Transaction, organization_id: str, resolution_id: str) -> list[str]:
    """The ids of the conflicts that this operation on many has resolved, but for those taken back; the latest first."""
    sql = (
        f"SELECT {select(_ConflictId)} FROM conflict WHERE organization_id = ? AND resolution_id = ?"
        " ORDER BY resolved_at DESC, id DESC"
    )
    return [row.id for row in await fetch(_ConflictId, sql, [organization_id, resolution_id], using=tx)]


async def later_questions(
    tx: Transaction, conflict: DecidedConflict, fields: Sequence[str], decided_at: datetime
) -> list[LaterQuestion]:
    """The other conflicts of its record about these fields, or units by their names, that are open or decided later."""
    sql = (
        f"SELECT {select(LaterQuestion)} FROM conflict WHERE organization_id = ? AND record_id = ? AND id <> ?"
        f" AND field IN ({marks(fields)}) AND (status = 'open' OR (status = 'resolved' AND resolved_at > ?))"
        " ORDER BY id"
    )
    values = [conflict.organization_id, conflict.record_id, conflict.id, *fields, to_micros(decided_at)]
    return await fetch(LaterQuestion, sql, values, using=tx)


async def mark_reopened(
    tx: Transaction, conflict: DecidedConflict, taken_back: Sequence[dict[str, Any]], now: datetime
) -> None:
    """Open it again; `taken_back` are all decisions on it that were taken back."""
    await execute(
        "UPDATE conflict SET status = 'open', resolution = NULL, resolution_id = NULL, by_rule = FALSE,"
        " resolved_at = NULL, taken_back = ?, updated_at = ?"
        " WHERE id = ? AND organization_id = ? AND status = 'resolved'",
        [dump(list(taken_back)), to_micros(now), conflict.id, conflict.organization_id],
        using=tx,
    )
