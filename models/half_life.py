"""The half-lives of an organization's fields, and what its history says of how fast they change."""

from collections.abc import Mapping, Sequence
from typing import Any

from enrichment.enums import SOURCE_CRM
from models.db.statements import insert_rows, load, query
from models.db.transaction import Transaction
from models.value_source import from_provider

_HALF_LIFE = {
    "organization_id": "text",
    "entity_type": "text",
    "field": "text",
    "days": "real",
    "low_days": "real",
    "high_days": "real",
    "prior_days": "real",
    "changes": "integer",
    "observed_days": "real",
}


async def stored_half_lives(organization_id: str) -> list[dict[str, Any]]:
    """The rows of the last fit; none before the first."""
    return await query("SELECT * FROM half_life WHERE organization_id = ?", [organization_id])


async def fitted_at(organization_id: str) -> int | None:
    """When the half-lives were fitted last."""
    found = await query("SELECT fitted_at FROM refresh_state WHERE organization_id = ?", [organization_id])
    return found[0]["fitted_at"] if found else None


async def save_half_lives(tx: Transaction, organization_id: str, fitted: Sequence[Mapping[str, Any]], now: int) -> None:
    """Replace the organization's half-lives by the ones fitted just `now`."""
    columns = [name for name in _HALF_LIFE if name not in {"organization_id", "entity_type", "field"}]
    await insert_rows(
        tx,
        "half_life",
        _HALF_LIFE,
        [{"organization_id": organization_id, **row} for row in fitted],
        then="ON CONFLICT (organization_id, entity_type, field) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in columns),
    )
    await query(
        "INSERT INTO refresh_state (organization_id, fitted_at, swept_at) VALUES (?, ?, ?)"
        " ON CONFLICT (organization_id) DO UPDATE SET fitted_at = excluded.fitted_at, swept_at = excluded.swept_at"
        " RETURNING fitted_at",
        [organization_id, now, now],
        using=tx,
    )


async def count_records(organization_id: str) -> int:
    found = await query("SELECT COUNT(*) AS records FROM record WHERE organization_id = ?", [organization_id])
    return int(found[0]["records"])


async def next_page(organization_id: str, after: str, size: int) -> str | None:
    """The last of the next `size` records after this id, in order of their ids; None when there are none left."""
    found = await query(
        "SELECT MAX(id) AS last FROM (SELECT id FROM record WHERE organization_id = ? AND id > ?"
        " ORDER BY id LIMIT ?) AS page",
        [organization_id, after, size],
    )
    last: str | None = found[0]["last"]
    return last


_OWN = from_provider()
_FIRST_SEEN = "COALESCE(first_observed_at, observed_at)"
# Every value that a page of records holds or held, with what followed it.
_CHAINED = f"""
    SELECT record.entity_type, held.*, {_FIRST_SEEN} AS first_seen, LEAD(replaces) OVER line AS next_replaces,
        LEAD(source) OVER line AS next_source, LEAD(value) OVER line AS next_value,
        LEAD(undo_id) OVER line AS next_undo, LEAD({_FIRST_SEEN}) OVER line AS next_seen,
        LEAD(restores, 2) OVER line AS then_restores
    FROM record JOIN field_value held ON held.record_id = record.id
    WHERE record.organization_id = ? AND record.id > ? AND record.id <= ?
    WINDOW line AS (PARTITION BY held.record_id, held.field ORDER BY held.id)"""
# What an undo put back or took away is no change of the world, nor is a field that was cleared.
_REAL = (
    "next_replaces = id AND next_undo IS NULL AND next_value <> 'null'"
    " AND (then_restores IS NULL OR then_restores <> id)"
)
# A source saw each from `since` to `seen`. `found`: the same source saw another value later. `edited`: the CRM sent
# another. What a reviewer chose is neither: that settles which value was right, not when it changed.
_LIVED = f"""
    (SELECT entity_type, field, value, next_value, next_seen, replaced_at, {_OWN} AS own,
        CASE WHEN undo_id IS NOT NULL THEN written_at ELSE first_seen END AS since,
        CASE WHEN undo_id IS NOT NULL AND observed_at < written_at THEN written_at ELSE observed_at END AS seen,
        COALESCE({_OWN} AND next_source = source AND next_seen > observed_at AND {_REAL}, FALSE) AS found,
        COALESCE(next_source = '{SOURCE_CRM}' AND {_REAL}, FALSE) AS edited
    FROM ({_CHAINED}) AS chained WHERE value <> 'null') AS lived"""


async def time_watched(organization_id: str, after: str, last: str, now: int) -> list[dict[str, Any]]:
    """For the records after one id up to another: `entity_type`, `field`, and in microseconds `looked` and `told`.

    See `enrichment.learn.half_life.Evidence`. The gap before a change that a source found is in neither.
    """
    return await query(
        "SELECT entity_type, field, SUM(CASE WHEN own AND seen > since THEN seen - since ELSE 0 END) AS looked,"
        " SUM(CASE WHEN found THEN 0 ELSE COALESCE(replaced_at, ?) - (CASE WHEN own THEN seen ELSE since END) END)"
        f" AS told FROM {_LIVED} GROUP BY entity_type, field",
        [now, organization_id, after, last],
    )


async def changes_seen(organization_id: str, after: str, last: str) -> list[dict[str, Any]]:
    """For the records after one id up to another, every value that was followed by another one of the world's.

    `entity_type`, `field`, `value`, `next_value`, `edited` (by the CRM; else found by a source) and `gap`, the
    microseconds from the last sight of the one to the first of the other.
    """
    found = await query(
        f"SELECT entity_type, field, value, next_value, edited, next_seen - seen AS gap FROM {_LIVED}"
        " WHERE found OR edited",
        [organization_id, after, last],
    )
    return [{**row, "value": load(row["value"]), "next_value": load(row["next_value"])} for row in found]
