"""Writes what an undo has decided: values, provenance, rejections and its lines, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from enrichment.catalogue import is_equivalent, value_key
from enrichment.undo import Restoration, SkippedField
from models.conflict.rejection import NewRejection, insert_rejections
from models.db.columns import new_id
from models.db.transaction import Transaction
from models.event.of_record import records_changed
from models.event.write import add_events
from models.job.steps import candidates_of_jobs
from models.record.row import RecordRow, records_of
from models.undo import NewUndoLine, insert_lines
from resolvers.conflict.follow import follow_values
from resolvers.undo.restore import Restorations, UndoChange, restore_values


async def apply_undo(
    tx: Transaction,
    organization_id: str,
    undo_id: str,
    changes: Sequence[UndoChange],
    now: datetime,
    *,
    rejects: bool,
) -> list[str]:
    """Write the changes; the records are locked. Returns the ids of the conflicts that ended with them.

    `rejects`: the values that go are remembered as rejected, so that the same sources do not write them again.
    """
    done = [(change, change.decision) for change in changes if isinstance(change.decision, Restoration)]
    records = await records_of(tx, organization_id, {change.record_id for change, _ in done})
    restored_ids = await restore_values(tx, records, done, now, undo_id=undo_id)
    ended = await follow_values(tx, [(change.record_id, change.field) for change, _ in done], now)
    if rejects:
        await insert_rejections(tx, await _rejections(tx, organization_id, undo_id, records, done, now))
    await insert_lines(tx, undo_id, [_line(organization_id, undo_id, change, restored_ids) for change in changes])
    restored = {
        record_id: [change.field for change, _ in done if change.record_id == record_id] for record_id in records
    }
    await add_events(
        tx, records_changed([(records[id_], fields) for id_, fields in restored.items()], now, conflicts=ended)
    )
    return [conflict.id for conflict in ended]


async def _rejections(
    tx: Transaction,
    organization_id: str,
    undo_id: str,
    records: Mapping[str, RecordRow],
    done: Restorations,
    now: datetime,
) -> list[NewRejection]:
    """Each value that goes, for each source that gave it."""
    gone = [(change, version) for change, restoration in done for version in restoration.passed]
    stated = await _stated(tx, sorted({removed.job_id for _, removed in gone if removed.job_id is not None}))
    found: list[NewRejection] = []
    for change, removed in gone:
        kind = records[change.record_id].entity_type
        value = removed.value
        agreeing = {
            source
            for source, other in stated.get((removed.job_id or "", change.field), [])
            if is_equivalent(kind, change.field, other, value)
        }
        found += [
            NewRejection(
                id=new_id(),
                organization_id=organization_id,
                record_id=change.record_id,
                field=change.field,
                value_key=value_key(kind, change.field, value),
                source=source,
                rejected_at=now,
                undo_id=undo_id,
            )
            for source in sorted(agreeing | {removed.source})
        ]
    return found


async def _stated(tx: Transaction, job_ids: Sequence[str]) -> dict[tuple[str, str], list[tuple[str, Any]]]:
    """What each source stated in these jobs: by (job id, field), pairs of source and value."""
    found: dict[tuple[str, str], list[tuple[str, Any]]] = {}
    for step in await candidates_of_jobs(tx, job_ids):
        for candidate in step.candidates:
            found.setdefault((step.job_id, candidate["field"]), []).append((step.provider, candidate["value"]))
    return found


def _line(
    organization_id: str, undo_id: str, change: UndoChange, restored_ids: Mapping[tuple[str, str], str]
) -> NewUndoLine:
    skipped = isinstance(change.decision, SkippedField)
    removed = None if isinstance(change.decision, SkippedField) else change.decision.removed
    return NewUndoLine(
        id=new_id(),
        organization_id=organization_id,
        undo_id=undo_id,
        record_id=change.record_id,
        field=change.field,
        outcome="skipped" if skipped else "restored",
        reason=change.decision.because.value if isinstance(change.decision, SkippedField) else None,
        removed_id=None if removed is None else removed.id,
        restored_id=restored_ids.get((change.record_id, change.field)),
    )
