"""The statements that raise conflicts, and end those whose question is gone."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.db.statements import dump_rows, insert_rows, marks, query, rows
from models.db.transaction import Transaction

_CONFLICT = {
    "id": "text",
    "organization_id": "text",
    "record_id": "text",
    "job_id": "text",
    "entity_type": "text",
    "field": "text",
    "reason": "text",
    "status": "text",
    "current": "json",
    "candidates": "json",
    "providers": "text",
    "recommended_id": "text",
    "recommended_because": "text",
    "created_at": "integer",
    "updated_at": "integer",
}


_READ_AT_ONCE = 500


async def raise_conflicts(tx: Transaction, conflicts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Open these conflicts. Where a field has an open one, that one gets the new candidates instead.

    Returns `id`, `record_id` and `field` of each, and `job_id`, which tells a new one from an older one.
    """
    return await insert_rows(
        tx,
        "conflict",
        _CONFLICT,
        [{"status": "open", **conflict} for conflict in conflicts],
        then="ON CONFLICT (record_id, field) WHERE status = 'open' DO UPDATE SET reason = excluded.reason,"
        " current = excluded.current, candidates = excluded.candidates, providers = excluded.providers,"
        " recommended_id = excluded.recommended_id, recommended_because = excluded.recommended_because,"
        " updated_at = excluded.updated_at RETURNING id, record_id, field, job_id",
    )


async def supersede(tx: Transaction, fields: Sequence[tuple[str, str]], moment: int) -> dict[str, str]:
    """End the open conflicts of these (record id, field) pairs. Returns their ids, and the organization of each."""
    if not fields:
        return {}
    items = [{"record_id": record_id, "field": name} for record_id, name in fields]
    ended = await query(
        "UPDATE conflict SET status = 'superseded', updated_at = ?"
        f" FROM {rows({'record_id': 'text', 'field': 'text'})} WHERE conflict.record_id = v.record_id"
        " AND conflict.field = v.field AND conflict.status = 'open' RETURNING conflict.id, conflict.organization_id",
        [moment, dump_rows(items)],
        using=tx,
    )
    return {row["id"]: row["organization_id"] for row in ended}


_ASKED = "id, entity_type, field, reason, current, candidates"


async def latest_decisions(organization_id: str, most: int) -> list[dict[str, Any]]:
    """The latest conflicts that people resolved, `most` of them, newest first."""
    return await query(
        f"SELECT {_ASKED}, resolution FROM conflict WHERE organization_id = ? AND status = 'resolved' AND NOT by_rule"
        " ORDER BY resolved_at DESC, id DESC LIMIT ?",
        [organization_id, most],
    )


async def open_questions(organization_id: str, fields: Sequence[tuple[str, str]], most: int) -> list[dict[str, Any]]:
    """The newest open conflicts about these (entity type, field), `most` of them, newest first."""
    if not fields:
        return []
    names = [f"{entity_type}/{field}" for entity_type, field in fields]
    return await query(
        f"SELECT {_ASKED} FROM conflict WHERE organization_id = ? AND status = 'open'"
        f" AND entity_type || '/' || field IN ({marks(names)}) ORDER BY id DESC LIMIT ?",
        [organization_id, *names, most],
    )


async def open_at(organization_id: str, moments: Mapping[str, int]) -> list[tuple[str, str]]:
    """The (record id, field) of conflicts that were open just before each record's moment (microseconds)."""
    if not moments:
        return []
    columns = "record_id, field, created_at, updated_at"
    found = await query(
        f"SELECT {columns} FROM conflict WHERE organization_id = ? AND status <> 'open' AND updated_at >= ?",
        [organization_id, min(moments.values())],
    )
    found = [row for row in found if row["updated_at"] >= moments.get(row["record_id"], row["updated_at"] + 1)]
    ids = list(moments)
    for start in range(0, len(ids), _READ_AT_ONCE):
        some = ids[start : start + _READ_AT_ONCE]
        sql = f"SELECT {columns} FROM conflict WHERE status = 'open' AND record_id IN ({marks(some)})"
        found += await query(sql, some)
    return [(row["record_id"], row["field"]) for row in found if row["created_at"] < moments[row["record_id"]]]


async def rejections(record_ids: Sequence[str], *, using: Transaction | None = None) -> set[tuple[str, str, str, str]]:
    """What reviewers turned down on these records: (record id, field, value key, source)."""
    if not record_ids:
        return set()
    found = await query(
        f"SELECT record_id, field, value_key, source FROM rejection WHERE record_id IN ({marks(record_ids)})",
        list(record_ids),
        using=using,
    )
    return {(row["record_id"], row["field"], row["value_key"], row["source"]) for row in found}


_REJECTION = {
    "id": "text",
    "organization_id": "text",
    "record_id": "text",
    "field": "text",
    "value_key": "text",
    "source": "text",
    "rejected_at": "integer",
    "undo_id": "text",
}


async def remember_rejections(tx: Transaction, rejections: Sequence[Mapping[str, Any]]) -> None:
    """Note values that a source is not heard with again."""
    await insert_rows(tx, "rejection", _REJECTION, rejections, then="ON CONFLICT DO NOTHING")
