"""What leaves the log: what names an erased record, and what is older than it is kept."""

from datetime import datetime

from models.db.columns import to_micros
from models.db.connection import dialect
from models.db.statements import execute, query
from models.db.transaction import Transaction, unit_of_work
from models.event.kinds import EventKind
from models.event.write import NewEvent, add_events


async def replace_events_of(tx: Transaction, erased: NewEvent) -> None:
    """Say that a record was erased in the place of all that was said of it.

    The new row comes first: on SQLite the last position of a log must not come again.
    """
    await add_events(tx, [erased])
    await execute(
        "DELETE FROM event WHERE organization_id = ? AND record_id = ? AND kind <> ?",
        [erased.organization_id, erased.record_id, EventKind.RECORD_ERASED.value],
        using=tx,
    )


@unit_of_work
async def prune_events(tx: Transaction, organization_id: str, before: datetime, most: int) -> int:
    """Delete the first rows of a log that are from before this moment, `most` at most. Returns how many.

    How far it was pruned is noted: a cursor from before that is refused.
    """
    floor = "INSERT INTO event_floor (organization_id, position, number) VALUES (?, 0, 0) ON CONFLICT DO NOTHING"
    await execute(floor, [organization_id], using=tx)
    first = await query(
        "SELECT position, number, at FROM event WHERE organization_id = ? ORDER BY position, number LIMIT ?",
        [organization_id, most],
        using=tx,
    )
    old = 0
    while old < len(first) and first[old]["at"] < to_micros(before):
        old += 1
    if not old:
        return 0
    last = [first[old - 1]["position"], first[old - 1]["number"]]
    deleted = await execute(
        "DELETE FROM event WHERE organization_id = ? AND (position, number) <= (?, ?)",
        [organization_id, *last],
        using=tx,
    )
    await execute(
        "UPDATE event_floor SET position = ?, number = ? WHERE organization_id = ?", [*last, organization_id], using=tx
    )
    return deleted


async def delete_impossible(organization_id: str) -> int:
    """Delete rows of transactions that this database has not had: it was restored from another one's copy."""
    if dialect() == "sqlite":
        return 0
    beyond = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    return await execute(f"DELETE FROM event WHERE organization_id = ? AND position >= {beyond}", [organization_id])
