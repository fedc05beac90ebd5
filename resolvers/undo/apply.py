"""Writes what an undo has decided: values, provenance, rejections and its lines, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import completeness, is_equivalent, value_key
from enrichment.enums import EntityType
from enrichment.undo import Restoration, SkippedField
from models.conflict_queue import remember_rejections, supersede
from models.db.columns import new_id, to_micros
from models.db.statements import dump, execute, load, marks, query
from models.db.transaction import Transaction
from models.record_values import end_values, replace_values, update_records
from models.undo import insert_lines
from resolvers.record.ingest import search_text


@dataclass(frozen=True, slots=True)
class UndoChange:
    """What becomes of one field of one record. `rows` is every value it has had, by id."""

    record_id: str
    field: str
    what: Restoration | SkippedField
    rows: Mapping[str, Mapping[str, Any]]


async def apply_undo(
    tx: Transaction,
    organization_id: str,
    undo_id: str,
    changes: Sequence[UndoChange],
    now: datetime,
    *,
    remembers: bool,
) -> list[str]:
    """Carry the changes out; the records are locked. Returns the ids of the conflicts that ended with them.

    `remembers`: the values that go are remembered as turned down, so that the same sources do not write them again.
    """
    moment = to_micros(now)
    done = [(change, change.what) for change in changes if isinstance(change.what, Restoration)]
    records = await _records(tx, [change.record_id for change, _ in done])
    written = [_copy(organization_id, undo_id, change, what, moment) for change, what in done if what.target]
    emptied = [(change.record_id, change.field) for change, what in done if what.target is None]
    await end_values(tx, emptied, moment)
    await replace_values(tx, written, moment)
    await _write_records(tx, records, done, moment)
    ended = await supersede(tx, [(change.record_id, change.field) for change, _ in done], moment)
    if remembers:
        await remember_rejections(tx, await _rejections(tx, organization_id, undo_id, records, done, moment))
    restored_ids = {(value["record_id"], value["field"]): value["id"] for value in written}
    await insert_lines(tx, [_line(organization_id, undo_id, change, restored_ids) for change in changes])
    await execute(
        "UPDATE undo SET restored = restored + ?, skipped = skipped + ? WHERE id = ?",
        [len(done), len(changes) - len(done), undo_id],
        using=tx,
    )
    return list(ended)


_Done = Sequence[tuple[UndoChange, Restoration]]


async def _records(tx: Transaction, record_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    if not record_ids:
        return {}
    sql = f"SELECT id, entity_type, external_id, version, fields FROM record WHERE id IN ({marks(record_ids)})"
    found = {row["id"]: row for row in await query(sql, list(record_ids), using=tx)}
    for row in found.values():
        row["fields"] = load(row["fields"])
    return found


def _copy(organization_id: str, undo_id: str, change: UndoChange, what: Restoration, moment: int) -> dict[str, Any]:
    assert what.target is not None  # the caller picks those
    kept = change.rows[what.target.id]
    return {
        "id": new_id(),
        "organization_id": organization_id,
        "record_id": change.record_id,
        "field": change.field,
        "value": dump(kept["value"]),
        "source": kept["source"],
        "actor": kept["actor"],
        "confidence": kept["confidence"],
        "job_id": kept["job_id"],
        "observed_at": kept["observed_at"],
        "first_observed_at": kept["first_observed_at"],
        "verified_at": kept["verified_at"],
        "verified_count": kept["verified_count"],
        "written_at": moment,
        "restores": kept["id"],
        "undo_id": undo_id,
    }


async def _write_records(tx: Transaction, records: Mapping[str, dict[str, Any]], done: _Done, moment: int) -> None:
    for change, what in done:
        fields = records[change.record_id]["fields"]
        if what.target is None or what.target.value is None:
            fields.pop(change.field, None)
        else:
            fields[change.field] = what.target.value
    changed = [
        {
            "id": row["id"],
            "version": row["version"],
            "fields": dump(row["fields"]),
            "search_text": search_text(row["external_id"], row["fields"]),
            "completeness": completeness(EntityType(row["entity_type"]), row["fields"]),
        }
        for row in records.values()
    ]
    await update_records(tx, changed, moment)


async def _rejections(
    tx: Transaction,
    organization_id: str,
    undo_id: str,
    records: Mapping[str, dict[str, Any]],
    done: _Done,
    moment: int,
) -> list[dict[str, Any]]:
    """Each value that goes, for each source that gave it."""
    gone = [(change, what.removed) for change, what in done if what.removed is not None]
    told = await _told(tx, sorted({removed.job_id for _, removed in gone if removed.job_id is not None}))
    found: list[dict[str, Any]] = []
    for change, removed in gone:
        kind = EntityType(records[change.record_id]["entity_type"])
        value = removed.value
        agreeing = {
            source
            for source, said in told.get((removed.job_id or "", change.field), [])
            if is_equivalent(kind, change.field, said, value)
        }
        found += [
            {
                "id": new_id(),
                "organization_id": organization_id,
                "record_id": change.record_id,
                "field": change.field,
                "value_key": value_key(kind, change.field, value),
                "source": source,
                "rejected_at": moment,
                "undo_id": undo_id,
            }
            for source in sorted(agreeing | {removed.source})
        ]
    return found


async def _told(tx: Transaction, job_ids: Sequence[str]) -> dict[tuple[str, str], list[tuple[str, Any]]]:
    """What each source said in these jobs: by (job id, field), pairs of source and value."""
    found: dict[tuple[str, str], list[tuple[str, Any]]] = {}
    if job_ids:
        sql = f"SELECT job_id, provider, candidates FROM step WHERE job_id IN ({marks(job_ids)})"
        for row in await query(sql, list(job_ids), using=tx):
            for candidate in load(row["candidates"]):
                found.setdefault((row["job_id"], candidate["field"]), []).append((row["provider"], candidate["value"]))
    return found


def _line(
    organization_id: str, undo_id: str, change: UndoChange, restored_ids: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    line = {
        "id": new_id(),
        "organization_id": organization_id,
        "undo_id": undo_id,
        "record_id": change.record_id,
        "field": change.field,
    }
    if isinstance(change.what, SkippedField):
        return line | {"outcome": "skipped", "reason": change.what.because.value}
    return line | {
        "outcome": "restored",
        "removed_id": None if change.what.removed is None else change.what.removed.id,
        "restored_id": restored_ids.get((change.record_id, change.field)),
    }
