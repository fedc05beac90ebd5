"""The statements that write records and their values in bulk."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from models.db.connection import dialect
from models.db.statements import dump_rows, execute, insert_rows, load, marks, query, rows
from models.db.transaction import Transaction

_RECORD = {
    "id": "text",
    "organization_id": "text",
    "entity_type": "text",
    "external_id": "text",
    "fields": "json",
    "received": "json",
    "search_text": "text",
    "completeness": "real",
    "created_at": "integer",
    "updated_at": "integer",
}
_CHANGE = {
    "id": "text",
    "version": "integer",
    "fields": "json",
    "received": "json",
    "search_text": "text",
    "completeness": "real",
}
_VALUE = {
    "id": "text",
    "organization_id": "text",
    "record_id": "text",
    "field": "text",
    "value": "json",
    "source": "text",
    "actor": "text",
    "confidence": "real",
    "job_id": "text",
    "observed_at": "integer",
    "written_at": "integer",
    "first_observed_at": "integer",
    "verified_at": "integer",
    "verified_count": "integer",
    "replaces": "text",
    "restores": "text",
    "undo_id": "text",
}


async def insert_records(tx: Transaction, records: Sequence[Mapping[str, Any]]) -> set[str]:
    """Add records; one whose external id is known already is left out. Returns the ids added."""
    added = await insert_rows(tx, "record", _RECORD, records, then="ON CONFLICT DO NOTHING RETURNING id")
    return {row["id"] for row in added}


async def update_records(tx: Transaction, changes: Sequence[Mapping[str, Any]], now: int) -> set[str]:
    """Change records that still have the named `version`, and raise it. Returns the ids changed.

    `received` is for a message of the CRM alone: without it what the CRM last sent stays as it is.
    """
    if not changes:
        return set()
    done = await query(
        "UPDATE record SET fields = v.fields, received = COALESCE(v.received, record.received),"
        " search_text = v.search_text, completeness = v.completeness, version = record.version + 1, updated_at = ?"
        f" FROM {rows(_CHANGE)} WHERE record.id = v.id AND record.version = v.version RETURNING record.id",
        [now, dump_rows([{name: change.get(name) for name in _CHANGE} for change in changes])],
        using=tx,
    )
    return {row["id"] for row in done}


async def lock_records(tx: Transaction, record_ids: Iterable[str]) -> dict[str, int]:
    """The versions of these records, locked in one order for everyone until the transaction ends."""
    ids = sorted(record_ids)
    if dialect() == "sqlite":  # a write takes the whole database; a read first could not become one
        sql = f"UPDATE record SET version = version WHERE id IN ({marks(ids)}) RETURNING id, version"
    else:
        sql = f"SELECT id, version FROM record WHERE id IN ({marks(ids)}) ORDER BY id FOR UPDATE"
    return {row["id"]: row["version"] for row in await query(sql, ids, using=tx)}


async def mark_enriched(tx: Transaction, record_ids: Sequence[str], moment: int, *, refreshed: bool = False) -> None:
    """Note when these records were last enriched; that is no change of them.

    `refreshed`: what enrichment itself had written was looked up again.
    """
    if record_ids:
        columns = ("last_enriched_at", "refreshed_at") if refreshed else ("last_enriched_at",)
        renewed = ", ".join(f"{column} = ?" for column in columns)
        sql = f"UPDATE record SET {renewed} WHERE id IN ({marks(record_ids)})"
        await execute(sql, [*[moment] * len(columns), *record_ids], using=tx)


async def update_received(tx: Transaction, echoes: Sequence[Mapping[str, Any]]) -> None:
    """Note what the CRM last sent (`id`, `received`) where that changed nothing of the record."""
    if echoes:
        await execute(
            f"UPDATE record SET received = v.received FROM {rows({'id': 'text', 'received': 'json'})}"
            " WHERE record.id = v.id",
            [dump_rows(list(echoes))],
            using=tx,
        )


async def replace_values(tx: Transaction, values: Sequence[Mapping[str, Any]], now: int) -> None:
    """Make these the current values of their fields; what they replace becomes history, and is named in `replaces`."""
    replaced = await end_values(tx, [(value["record_id"], value["field"]) for value in values], now)
    items = [
        {"verified_count": 0, **value, "replaces": replaced.get((value["record_id"], value["field"]))}
        for value in values
    ]
    await insert_rows(tx, "field_value", _VALUE, items)


async def end_values(tx: Transaction, fields: Sequence[tuple[str, str]], now: int) -> dict[tuple[str, str], str]:
    """Make the current values of these (record id, field) pairs history. Returns the id of each."""
    if not fields:
        return {}
    ended = await query(
        "UPDATE field_value SET replaced_at = ?"
        f" FROM {rows({'record_id': 'text', 'field': 'text'})}"
        " WHERE field_value.record_id = v.record_id AND field_value.field = v.field"
        " AND field_value.replaced_at IS NULL"
        " RETURNING field_value.id, field_value.record_id, field_value.field",
        [now, dump_rows([{"record_id": record_id, "field": name} for record_id, name in fields])],
        using=tx,
    )
    return {(row["record_id"], row["field"]): row["id"] for row in ended}


async def verify_values(tx: Transaction, confirmed: Sequence[Mapping[str, Any]], now: int) -> None:
    """Note that a source saw the current value again: `record_id`, `field`, `observed_at`, `confidence`.

    `observed_at` moves on; when the value was seen first is kept.
    """
    if not confirmed:
        return
    columns = {"record_id": "text", "field": "text", "observed_at": "integer", "confidence": "real"}
    await execute(
        "UPDATE field_value SET observed_at = v.observed_at,"
        " first_observed_at = COALESCE(field_value.first_observed_at, field_value.observed_at),"
        " verified_at = ?, verified_count = field_value.verified_count + 1,"
        " confidence = CASE WHEN v.confidence > field_value.confidence THEN v.confidence"
        " ELSE field_value.confidence END"
        f" FROM {rows(columns)} WHERE field_value.record_id = v.record_id AND field_value.field = v.field"
        " AND field_value.replaced_at IS NULL AND field_value.observed_at < v.observed_at",
        [now, dump_rows(list(confirmed))],
        using=tx,
    )


async def current_values(
    record_ids: Iterable[str], *, using: Transaction | None = None
) -> dict[str, dict[str, dict[str, Any]]]:
    """The provenance of every current value, by record and field."""
    ids = list(record_ids)
    found: dict[str, dict[str, dict[str, Any]]] = {record_id: {} for record_id in ids}
    if ids:
        sql = (
            "SELECT id, record_id, field, value, source, actor, confidence, job_id, observed_at, written_at"
            f" FROM field_value WHERE replaced_at IS NULL AND record_id IN ({marks(ids)})"
        )
        for row in await query(sql, ids, using=using):
            row["value"] = load(row["value"])
            found[row["record_id"]][row["field"]] = row
    return found
