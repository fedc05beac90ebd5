"""Rows of rejected values: those that people rejected, for the source that gave them."""

from collections.abc import Sequence
from datetime import datetime

from models.conflict.table import Rejection
from models.db.columns import to_micros
from models.db.rows import fetch, insert, projection, select
from models.db.statements import execute, marks
from models.db.transaction import Transaction


@projection(Rejection)
class NewRejection:
    """See Rejection."""

    id: str
    organization_id: str
    record_id: str
    field: str
    value_key: str
    source: str
    rejected_at: datetime
    undo_id: str | None = None
    conflict_id: str | None = None


@projection(Rejection)
class _Rejected:
    record_id: str
    field: str
    value_key: str
    source: str


async def rejections_of(record_ids: Sequence[str]) -> dict[str, set[tuple[str, str, str]]]:
    """What people rejected of each of these records: (field, value key, source)."""
    found: dict[str, set[tuple[str, str, str]]] = {record_id: set() for record_id in record_ids}
    if record_ids:
        sql = f"SELECT {select(_Rejected)} FROM rejection WHERE record_id IN ({marks(record_ids)})"
        for rejected in await fetch(_Rejected, sql, list(record_ids)):
            found[rejected.record_id].add((rejected.field, rejected.value_key, rejected.source))
    return found


async def insert_rejections(tx: Transaction, rejections: Sequence[NewRejection]) -> None:
    """Remember rejected values. One that is remembered already stays as it is."""
    await insert(tx, rejections, then="ON CONFLICT DO NOTHING")


async def forget_rejections_of_conflict(
    tx: Transaction, record_id: str, conflict_id: str, decided_at: datetime
) -> None:
    """Forget what the decision on a conflict of this record rejected.

    One that an earlier version stored is known by the moment of the decision.
    """
    await execute(
        "DELETE FROM rejection WHERE record_id = ? AND (conflict_id = ?"
        " OR (conflict_id IS NULL AND undo_id IS NULL AND rejected_at = ?))",
        [record_id, conflict_id, to_micros(decided_at)],
        using=tx,
    )


async def forget_rejections(tx: Transaction, undo_id: str, fields: Sequence[tuple[str, str]]) -> None:
    """Forget what this undo rejected of these (record id, field) pairs."""
    for name in {name for _, name in fields}:
        ids = [record_id for record_id, other in fields if other == name]
        sql = f"DELETE FROM rejection WHERE undo_id = ? AND field = ? AND record_id IN ({marks(ids)})"
        await execute(sql, [undo_id, name, *ids], using=tx)
