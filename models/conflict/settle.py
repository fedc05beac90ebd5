"""Settling an open conflict."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from enrichment.enums import ConflictStatus
from models.conflict.table import Conflict
from models.db.columns import to_micros
from models.db.rows import fetch_one, projection, select
from models.db.statements import dump
from models.db.transaction import Transaction


@projection(Conflict)
class ConflictCandidates:
    """What a conflict offers to choose from."""

    candidates: list[dict[str, Any]]


@projection(Conflict)
class ConflictState:
    """Where a conflict is, and how it was resolved, if it was."""

    status: ConflictStatus
    resolution: dict[str, Any] | None


async def mark_resolved(
    tx: Transaction,
    conflict: Conflict,
    resolution: Mapping[str, Any],
    now: datetime,
    *,
    by_rule: bool,
    resolution_id: str | None,
    unchanged: bool,
) -> ConflictCandidates | None:
    """Resolve an open conflict. Returns its candidates as they are now; None: it is not open any more.

    `resolution_id`: the operation on many that this is a part of. `unchanged`: only a conflict that has not changed
    since it was read.
    """
    at = to_micros(now)
    values = [dump(resolution), by_rule, resolution_id, at, at, conflict.id, conflict.organization_id]
    return await fetch_one(
        ConflictCandidates,
        "UPDATE conflict SET status = 'resolved', resolution = ?, by_rule = ?, resolution_id = ?,"
        " resolved_at = ?, updated_at = ?"
        f" WHERE id = ? AND organization_id = ? AND status = 'open'{' AND updated_at = ?' if unchanged else ''}"
        f" RETURNING {select(ConflictCandidates)}",
        [*values, to_micros(conflict.updated_at)] if unchanged else values,
        using=tx,
    )


async def conflict_state(tx: Transaction, organization_id: str, conflict_id: str) -> ConflictState | None:
    """Where the conflict is now; None when it was erased with its record."""
    return await fetch_one(
        ConflictState,
        f"SELECT {select(ConflictState)} FROM conflict WHERE id = ? AND organization_id = ?",
        [conflict_id, organization_id],
        using=tx,
    )
