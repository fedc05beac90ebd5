"""The statements on suppressions: which hashes are on an organization's list."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from models.db.statements import dump_rows, insert_rows, marks, query, rows
from models.db.transaction import Transaction

_SUPPRESSION = {
    "id": "text",
    "organization_id": "text",
    "kind": "text",
    "hash": "text",
    "note": "text",
    "added_at": "integer",
    "added_by": "text",
}
_PRINT = {"organization_id": "text", "hash": "text"}
SUPPRESSES = "EXISTS (SELECT 1 FROM suppression WHERE suppression.organization_id = {column})"


async def organizations_that_suppress(organization_ids: Collection[str]) -> set[str]:
    """Those of the organizations that have anything on their list."""
    ids = sorted(organization_ids)
    if not ids:
        return set()
    suppresses = SUPPRESSES.format(column="organization.id")
    found = await query(f"SELECT id FROM organization WHERE id IN ({marks(ids)}) AND {suppresses}", ids)
    return {row["id"] for row in found}


async def listed(prints: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these (organization id, hash) pairs that are on the organization's list."""
    if not prints:
        return set()
    items = [{"organization_id": organization_id, "hash": value} for organization_id, value in prints]
    found = await query(
        f"SELECT v.organization_id, v.hash FROM {rows(_PRINT)} JOIN suppression"
        " ON suppression.organization_id = v.organization_id AND suppression.hash = v.hash",
        [dump_rows(items)],
    )
    return {(row["organization_id"], row["hash"]) for row in found}


async def add_suppressions(tx: Transaction, items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Put these on the list; what is on it already stays as it is. Returns the ids added."""
    then = "ON CONFLICT DO NOTHING RETURNING id"
    return [row["id"] for row in await insert_rows(tx, "suppression", _SUPPRESSION, items, then=then)]


async def remove_suppressions(
    tx: Transaction, organization_id: str, *, hashes: Sequence[str] = (), ids: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Take these off the list. Returns `id` and `kind` of what was on it."""
    removed: list[dict[str, Any]] = []
    for column, wanted in (("hash", hashes), ("id", ids)):
        if wanted:
            removed += await query(
                f"DELETE FROM suppression WHERE organization_id = ? AND {column} IN ({marks(wanted)})"
                " RETURNING id, kind",
                [organization_id, *wanted],
                using=tx,
            )
    return removed
