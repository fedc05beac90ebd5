"""The statements on hearings: what each job decided on, kept for a while so that it can be replayed."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.db.statements import execute, insert_rows, marks, query
from models.db.transaction import Transaction

_HEARING = {
    "id": "text",
    "organization_id": "text",
    "record_id": "text",
    "job_id": "text",
    "decided_at": "integer",
    "body": "text",
}
_DROPPED_AT_ONCE = 5000
_READ_AT_ONCE = 1000
_LATEST = 2**62


async def insert_hearings(tx: Transaction, hearings: Sequence[Mapping[str, Any]]) -> None:
    """Keep these: `body` is the JSON text of `enrichment.replay.snapshot.write_down`."""
    await insert_rows(tx, "decision_snapshot", _HEARING, hearings)


async def hearings_of_period(
    organization_id: str, start: int | None, end: int | None, limit: int
) -> list[dict[str, Any]]:
    """What was decided from `start` until before `end` (microseconds), the oldest first; read a part at a time."""
    found: list[dict[str, Any]] = []
    last, until = (0 if start is None else start, ""), (_LATEST if end is None else end)
    while len(found) < limit:
        wanted = min(limit - len(found), _READ_AT_ONCE)
        some = await query(
            "SELECT id, record_id, job_id, decided_at, body FROM decision_snapshot WHERE organization_id = ?"
            " AND (decided_at, id) > (?, ?) AND decided_at < ? ORDER BY decided_at, id LIMIT ?",
            [organization_id, *last, until, wanted],
        )
        found += some
        if len(some) < wanted:
            break
        last = some[-1]["decided_at"], some[-1]["id"]
    return found


async def latest_hearings(record_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The last hearing of each of these records that has one."""
    if not record_ids:
        return []
    return await query(
        "SELECT id, record_id, job_id, decided_at, body FROM decision_snapshot WHERE id IN (SELECT"
        " (SELECT own.id FROM decision_snapshot own WHERE own.record_id = record.id"
        " ORDER BY own.decided_at DESC, own.id DESC LIMIT 1)"
        f" FROM record WHERE record.id IN ({marks(record_ids)}))",
        list(record_ids),
    )


async def drop_hearings(before: int) -> int:
    """Forget what was decided before this moment (microseconds), a part at a time. Returns how many."""
    dropped = 0
    for row in await query("SELECT id FROM organization"):
        while True:
            some = await execute(
                "DELETE FROM decision_snapshot WHERE id IN (SELECT id FROM decision_snapshot WHERE organization_id = ?"
                " AND decided_at < ? ORDER BY decided_at LIMIT ?)",
                [row["id"], before, _DROPPED_AT_ONCE],
            )
            dropped += some
            if some < _DROPPED_AT_ONCE:
                break
    return dropped
