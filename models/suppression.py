"""The suppression list: whom no provider is asked about. It holds keyed hashes, never a value."""

from collections.abc import Collection, Sequence
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import SuppressionKind
from models.db.columns import Instant, id_field
from models.db.paging import Keyset, Page, fetch_page
from models.db.rows import fetch, insert, projection, query_row, read_rows, select
from models.db.statements import dump_rows, marks, query, rows
from models.db.transaction import Transaction


class Suppression(Model):
    """One mailbox, domain or phone line that no provider is asked about. `hash` stands for it."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    kind = fields.CharField(max_length=16)  # `email`, `domain` or `phone`
    hash = fields.CharField(max_length=64)
    note = fields.TextField(null=True)
    added_at: datetime = Instant()
    added_by = fields.CharField(max_length=255, null=True)

    class Meta:
        table = "suppression"


@projection(Suppression)
class NewSuppression:
    """See Suppression."""

    id: str
    organization_id: str
    kind: SuppressionKind
    hash: str
    note: str | None
    added_at: datetime
    added_by: str | None


@projection(Suppression)
class SuppressionId:
    """An entry of the list, and of what kind it is."""

    id: str
    kind: SuppressionKind


@query_row
class OwnedHash:
    """A hash, and the organization whose list it may be on."""

    organization_id: str
    hash: str


def suppresses(column: str) -> str:
    """The condition that the organization with the id in this column has anything on its list."""
    return f"EXISTS (SELECT 1 FROM suppression WHERE suppression.organization_id = {column})"


async def organizations_that_suppress(organization_ids: Collection[str]) -> set[str]:
    """Those of the organizations that have anything on their list."""
    ids = sorted(organization_ids)
    if not ids:
        return set()
    found = await query(
        f"SELECT id FROM organization WHERE id IN ({marks(ids)}) AND {suppresses('organization.id')}", ids
    )
    return {row["id"] for row in found}


async def listed(hashes: Collection[OwnedHash]) -> set[OwnedHash]:
    """Those of these hashes that are on their organization's list."""
    if not hashes:
        return set()
    items = [{"organization_id": owned.organization_id, "hash": owned.hash} for owned in hashes]
    found = await fetch(
        OwnedHash,
        f"SELECT {select(OwnedHash, 'v')} FROM {rows({'organization_id': 'text', 'hash': 'text'})} JOIN suppression"
        " ON suppression.organization_id = v.organization_id AND suppression.hash = v.hash",
        [dump_rows(items)],
    )
    return set(found)


async def suppression_page(organization_id: str, kind: SuppressionKind | None, keyset: Keyset) -> Page[Suppression]:
    """A page of what is on an organization's list, of one kind where it is named, newest first."""
    return await fetch_page(Suppression, organization_id, {"kind": kind and kind.value}, keyset)


async def suppressions_by_id(organization_id: str, ids: Sequence[str]) -> list[Suppression]:
    """Those of these that are on the organization's list."""
    return await Suppression.filter(organization_id=organization_id, id__in=list(ids))


async def add_suppressions(tx: Transaction, items: Sequence[NewSuppression]) -> list[SuppressionId]:
    """Put these on the list. What is on it already stays as it is, and is not among those returned."""
    then = f"ON CONFLICT DO NOTHING RETURNING {select(SuppressionId)}"
    return read_rows(SuppressionId, await insert(tx, items, then=then))


async def remove_suppressions(
    tx: Transaction, organization_id: str, *, hashes: Sequence[str] = (), ids: Sequence[str] = ()
) -> list[SuppressionId]:
    """Take these off the list. Returns those that were on it."""
    removed: list[SuppressionId] = []
    for column, wanted in (("hash", hashes), ("id", ids)):
        if wanted:
            removed += await fetch(
                SuppressionId,
                f"DELETE FROM suppression WHERE organization_id = ? AND {column} IN ({marks(wanted)})"
                f" RETURNING {select(SuppressionId)}",
                [organization_id, *wanted],
                using=tx,
            )
    return removed
