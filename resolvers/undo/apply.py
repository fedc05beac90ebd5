"""Writes what an undo has decided: values, provenance, rejections and its lines, in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import is_equivalent, value_key
from enrichment.enums import SOURCE_CRM
from enrichment.ingest import forget_echo
from enrichment.record_state import Unreadable
from enrichment.undo import Restoration, SkippedField, Version
from models.conflict.rejection import NewRejection, insert_rejections
from models.db.columns import new_id
from models.db.transaction import Transaction
from models.job.steps import candidates_of_jobs
from models.record.row import RecordRow, RecordUpdate, records_of, update_records
from models.record.value import NewValue, ValueVersion, end_values, replace_values
from models.undo import NewUndoLine, insert_lines
from resolvers.conflict.follow import follow_values
from resolvers.record.change import record_update


@dataclass(frozen=True, slots=True)
class UndoChange:
    """What becomes of one field of one record. `versions` is every value it has had, by id."""

    record_id: str
    field: str
    decision: Restoration | SkippedField
    versions: Mapping[str, ValueVersion]


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
    written = [
        _copy(organization_id, undo_id, change, restoration.target, now)
        for change, restoration in done
        if restoration.target is not None
    ]
    emptied = [(change.record_id, change.field) for change, restoration in done if restoration.target is None]
    await end_values(tx, emptied, now)
    await replace_values(tx, written, now)
    await update_records(tx, _updates(records, done), now)
    ended = await follow_values(tx, [(change.record_id, change.field) for change, _ in done], now)
    if rejects:
        await insert_rejections(tx, await _rejections(tx, organization_id, undo_id, records, done, now))
    restored_ids = {(value.record_id, value.field): value.id for value in written}
    await insert_lines(tx, undo_id, [_line(organization_id, undo_id, change, restored_ids) for change in changes])
    return [conflict.id for conflict in ended]


_Done = Sequence[tuple[UndoChange, Restoration]]


def _copy(organization_id: str, undo_id: str, change: UndoChange, target: Version, now: datetime) -> NewValue:
    original = change.versions[target.id]
    return NewValue(
        id=new_id(),
        organization_id=organization_id,
        record_id=change.record_id,
        field=change.field,
        value=original.value,
        source=original.source,
        actor=original.actor,
        confidence=original.confidence,
        job_id=original.job_id,
        observed_at=original.observed_at,
        observed_at_known=original.observed_at_known,
        first_observed_at=original.first_observed_at,
        verified_at=original.verified_at,
        verified_count=original.verified_count,
        written_at=now,
        restores=original.id,
        undo_id=undo_id,
        raw_value=original.raw_value,
        unreadable=original.unreadable,
        accepted_from=original.accepted_from,
    )


def _updates(records: Mapping[str, RecordRow], done: _Done) -> list[RecordUpdate]:
    after = {record_id: _RecordAfter.of(record) for record_id, record in records.items()}
    for change, restoration in done:
        target = None if restoration.target is None else change.versions[restoration.target.id]
        after[change.record_id].restore(change.field, target, change.versions.values())
    return [
        record_update(
            record.id,
            record.version,
            record.entity_type,
            record.external_id,
            after[record.id].fields,
            after[record.id].unreadable,
            received=after[record.id].received,
            raw=after[record.id].raw,
        )
        for record in records.values()
    ]


@dataclass(frozen=True, slots=True)
class _RecordAfter:
    """What a record holds, and what is known of what the CRM sent, while an undo is applied to its fields."""

    fields: dict[str, Any]
    unreadable: dict[str, Unreadable]
    received: dict[str, Any]
    raw: dict[str, Any] | None

    @classmethod
    def of(cls, record: RecordRow) -> "_RecordAfter":
        raw = None if record.raw_values is None else dict(record.raw_values)
        return cls(dict(record.fields), dict(record.unreadable or {}), dict(record.received), raw)

    def restore(self, field: str, target: ValueVersion | None, versions: Collection[ValueVersion]) -> None:
        """Put back what the field held. That the CRM sent back what goes is forgotten.

        `versions` is all that the field has held.
        """
        if target is None or target.value is None:
            self.fields.pop(field, None)
        else:
            self.fields[field] = target.value
        if target is not None and target.unreadable is not None:
            self.unreadable[field] = {"raw": target.raw_value, "reason": target.unreadable}
        elif target is not None:
            self.unreadable.pop(field, None)
        sent = [version for version in versions if version.source == SOURCE_CRM and version.restores is None]
        last = max(sent, key=lambda version: (version.written_at, version.id), default=None)
        forget_echo(
            self.received,
            self.raw,
            field,
            shown=[version.value for version in versions if version.source != SOURCE_CRM and version.value is not None],
            own=None if last is None else (last.value, last.raw_value),
            current=self.fields.get(field),
        )


async def _rejections(
    tx: Transaction,
    organization_id: str,
    undo_id: str,
    records: Mapping[str, RecordRow],
    done: _Done,
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
