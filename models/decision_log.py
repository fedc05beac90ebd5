"""Decision snapshots: what each job decided on, kept for a while so that it can be replayed."""

from collections.abc import Sequence
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field, to_micros
from models.db.copying import add_rows
from models.db.rows import fetch, projection, select
from models.db.statements import execute, marks
from models.db.transaction import Transaction
from models.organization import organization_ids

_DELETED_AT_ONCE = 5000
_READ_AT_ONCE = 1000
_LATEST = 2**62
_IS_PACKED = '{"format":"packed"}'  # earlier versions say of it that they cannot read the format


class DecisionSnapshot(Model):
    """One attempt of one job, as it was, as `enrichment.replay.snapshot_json.write_snapshot` lays it out.

    `packed` has it (`enrichment.packed_json`); what earlier versions stored is JSON text in `body`.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    record_id = fields.CharField(max_length=36)
    job_id = fields.CharField(max_length=36)
    decided_at: datetime = Instant()
    body = fields.TextField()
    packed = fields.BinaryField(null=True)

    class Meta:
        table = "decision_snapshot"


@projection(DecisionSnapshot)
class NewSnapshot:
    """A snapshot to be added."""

    id: str
    organization_id: str
    record_id: str
    job_id: str
    decided_at: datetime
    packed: bytes
    body: str = _IS_PACKED


@projection(DecisionSnapshot)
class SnapshotRow:
    """A stored snapshot, unread. `packed` is None where an earlier version stored it, as `body`."""

    id: str
    record_id: str
    job_id: str
    decided_at: datetime
    body: str
    packed: bytes | None

    @property
    def stored(self) -> str | bytes:
        """What `enrichment.replay.snapshot_format.parse_snapshot` reads."""
        return self.body if self.packed is None else self.packed


async def insert_snapshots(tx: Transaction, snapshots: Sequence[NewSnapshot]) -> None:
    await add_rows(tx, snapshots)


async def snapshots_of_period(
    organization_id: str, start: datetime | None, end: datetime | None, limit: int
) -> list[SnapshotRow]:
    """What was decided from `start` until before `end`, the oldest first; read a part at a time."""
    found: list[SnapshotRow] = []
    last = 0 if start is None else to_micros(start), ""
    until = _LATEST if end is None else to_micros(end)
    while len(found) < limit:
        wanted = min(limit - len(found), _READ_AT_ONCE)
        page = await fetch(
            SnapshotRow,
            f"SELECT {select(SnapshotRow)} FROM decision_snapshot WHERE organization_id = ?"
            " AND (decided_at, id) > (?, ?) AND decided_at < ? ORDER BY decided_at, id LIMIT ?",
            [organization_id, *last, until, wanted],
        )
        found += page
        if len(page) < wanted:
            break
        last = to_micros(page[-1].decided_at), page[-1].id
    return found


async def newest_snapshots(organization_id: str, limit: int) -> list[SnapshotRow]:
    """The organization's last decisions, the newest first."""
    return await fetch(
        SnapshotRow,
        f"SELECT {select(SnapshotRow)} FROM decision_snapshot WHERE organization_id = ?"
        " ORDER BY decided_at DESC, id DESC LIMIT ?",
        [organization_id, limit],
    )


async def latest_snapshots(record_ids: Sequence[str]) -> list[SnapshotRow]:
    """The last snapshot of each of these records that has one."""
    if not record_ids:
        return []
    return await fetch(
        SnapshotRow,
        f"SELECT {select(SnapshotRow)} FROM decision_snapshot WHERE id IN (SELECT"
        " (SELECT s.id FROM decision_snapshot s WHERE s.record_id = record.id"
        " ORDER BY s.decided_at DESC, s.id DESC LIMIT 1)"
        f" FROM record WHERE record.id IN ({marks(record_ids)}))",
        list(record_ids),
    )


async def delete_snapshots(before: datetime) -> int:
    """Delete what was decided before this moment, a part at a time. Returns how many."""
    deleted = 0
    for organization_id in await organization_ids():
        while True:
            count = await execute(
                "DELETE FROM decision_snapshot WHERE id IN (SELECT id FROM decision_snapshot WHERE organization_id = ?"
                " AND decided_at < ? ORDER BY decided_at LIMIT ?)",
                [organization_id, to_micros(before), _DELETED_AT_ONCE],
            )
            deleted += count
            if count < _DELETED_AT_ONCE:
                break
    return deleted
