"""Certificates of erasures: issued with their tombstones, read, and lifted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from enrichment.enums import EntityType
from models.db.columns import to_micros
from models.db.paging import Keyset, Page, fetch_page
from models.db.rows import insert, projection
from models.db.statements import dump, execute, query
from models.db.transaction import Transaction
from models.erasure.table import Erasure
from models.erasure.tombstone import TombstoneRow


@projection(Erasure)
class Certificate:
    """See Erasure."""

    id: str
    organization_id: str
    entity_type: EntityType
    reason: str | None
    erased_at: datetime
    erased_by: str | None
    removed: list[dict[str, Any]]
    not_reached: list[str]


async def insert_erasure(tx: Transaction, certificate: Certificate, tombstones: Sequence[TombstoneRow]) -> None:
    """Store the certificate of an erasure and the tombstones that it leaves."""
    await insert(tx, [certificate])
    await insert(tx, tombstones, then="ON CONFLICT DO NOTHING")


async def erasure_page(organization_id: str, keyset: Keyset) -> Page[Erasure]:
    """A page of the organization's certificates, newest first."""
    return await fetch_page(Erasure, organization_id, {}, keyset)


async def find_erasure(organization_id: str, erasure_id: str) -> Erasure | None:
    """One certificate."""
    return await Erasure.get_or_none(organization_id=organization_id, id=erasure_id)


async def certificates_by_id(organization_id: str, erasure_ids: Sequence[str]) -> list[Erasure]:
    """Those of these certificates that there are."""
    return await Erasure.filter(organization_id=organization_id, id__in=list(erasure_ids))


async def note_not_reached(tx: Transaction, erasure_id: str, not_reached: Sequence[str]) -> None:
    """Replace what a certificate says was not reached."""
    await execute("UPDATE erasure SET not_reached = ? WHERE id = ?", [dump(list(not_reached)), erasure_id], using=tx)


async def lift(tx: Transaction, organization_id: str, erasure_id: str, now: datetime, user: str) -> bool:
    """Remove the tombstones of an erasure. Whether it was there and had not been lifted before."""
    lifted = await query(
        "UPDATE erasure SET lifted_at = ?, lifted_by = ? WHERE id = ? AND organization_id = ? AND lifted_at IS NULL"
        " RETURNING id",
        [to_micros(now), user, erasure_id, organization_id],
        using=tx,
    )
    if lifted:
        await execute("DELETE FROM tombstone WHERE erasure_id = ?", [erasure_id], using=tx)
    return bool(lifted)
