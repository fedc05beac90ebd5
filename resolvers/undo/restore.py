"""Puts back what fields held: as new values that name the ones they restore, and in their records."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.enums import SOURCE_CRM
from enrichment.ingest import forget_echo
from enrichment.record_state import Unreadable
from enrichment.undo import Restoration, SkippedField, Version
from models.db.columns import new_id
from models.db.transaction import Transaction
from models.record.row import RecordRow, RecordUpdate, update_records
from models.record.value import NewValue, ValueVersion, end_values, replace_values
from resolvers.record.change import record_update


@dataclass(frozen=True, slots=True)
class UndoChange:
    """What becomes of one field of one record. `versions` is every value it has had, by id."""

    record_id: str
    field: str
    decision: Restoration | SkippedField
    versions: Mapping[str, ValueVersion]


Restorations = Sequence[tuple[UndoChange, Restoration]]


async def restore_values(
    tx: Transaction,
    records: Mapping[str, RecordRow],
    done: Restorations,
    now: datetime,
    *,
    undo_id: str | None = None,
) -> dict[tuple[str, str], str]:
    """Write these restorations; their `records`, by id, are locked. `undo_id` names the undo that they belong to.

    Returns the ids of the new values by (record id, field); a field that is emptied has none.
    """
    written = [
        _copy(records[change.record_id], change, restoration.target, now, undo_id)
        for change, restoration in done
        if restoration.target is not None
    ]
    emptied = [(change.record_id, change.field) for change, restoration in done if restoration.target is None]
    await end_values(tx, emptied, now)
    await replace_values(tx, written, now)
    await update_records(tx, _updates(records, done), now)
    return {(value.record_id, value.field): value.id for value in written}


def _copy(record: RecordRow, change: UndoChange, target: Version, now: datetime, undo_id: str | None) -> NewValue:
    original = change.versions[target.id]
    return NewValue(
        id=new_id(),
        organization_id=record.organization_id,
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


def _updates(records: Mapping[str, RecordRow], done: Restorations) -> list[RecordUpdate]:
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
