"""Tombstones: what keeps an erased person from coming back with the next import."""

from collections.abc import Collection

from models.db.connection import dialect
from models.db.rows import fetch, projection, query_row, select
from models.db.statements import dump_rows, marks, query, rows
from models.db.transaction import Transaction
from models.erasure.table import Tombstone

_LOCK = 4_827_116  # any number that nothing else in the database uses


@projection(Tombstone)
class TombstoneRow:
    """See Tombstone."""

    id: str
    organization_id: str
    erasure_id: str
    kind: str
    hash: str
    shared: bool
    named: bool


@query_row
class OwnedMark:
    """The hash of a mark, and the organization whose erased records may have left it."""

    organization_id: str
    hash: str


async def lock_ingestion(tx: Transaction, organization_id: str, *, exclusive: bool) -> None:
    """Until the transaction ends: store records (not `exclusive`), or keep every other transaction from doing so.

    So no record comes in between the look for tombstones and its being stored. SQLite has one writer anyway.
    """
    if dialect() == "sqlite":
        sql = "UPDATE organization SET config_version = config_version WHERE id = ? RETURNING id"
    else:
        sql = f"SELECT pg_advisory_xact_lock{'' if exclusive else '_shared'}({_LOCK}, hashtext(?))"
    await query(sql, [organization_id], using=tx)


async def has_tombstones(tx: Transaction, organization_id: str) -> bool:
    """Whether the organization has erased anybody."""
    sql = "SELECT 1 AS found FROM tombstone WHERE organization_id = ? LIMIT 1"
    return bool(await query(sql, [organization_id], using=tx))


async def matching_tombstones(tx: Transaction, organization_id: str, hashes: Collection[str]) -> list[TombstoneRow]:
    """The organization's tombstones with these hashes."""
    return await fetch(
        TombstoneRow,
        f"SELECT {select(TombstoneRow, 'tombstone')} FROM {rows({'hash': 'text'})} JOIN tombstone"
        " ON tombstone.organization_id = ? AND tombstone.hash = v.hash",
        [dump_rows([{"hash": value} for value in hashes]), organization_id],
        using=tx,
    )


def has_erased(column: str) -> str:
    """The condition that the organization with the id in this column has erased anybody."""
    return f"EXISTS (SELECT 1 FROM tombstone WHERE tombstone.organization_id = {column})"


async def organizations_that_erased(organization_ids: Collection[str], *, using: Transaction | None = None) -> set[str]:
    """Those of the organizations that have erased anybody."""
    ids = sorted(organization_ids)
    if not ids:
        return set()
    sql = f"SELECT id FROM organization WHERE id IN ({marks(ids)}) AND {has_erased('organization.id')}"
    return {row["id"] for row in await query(sql, ids, using=using)}


async def tombstones_of(owned: Collection[OwnedMark], *, using: Transaction | None = None) -> list[TombstoneRow]:
    """The tombstones with these hashes, each of its own organization."""
    if not owned:
        return []
    items = [{"organization_id": mark.organization_id, "hash": mark.hash} for mark in owned]
    return await fetch(
        TombstoneRow,
        f"SELECT {select(TombstoneRow, 'tombstone')} FROM {rows({'organization_id': 'text', 'hash': 'text'})}"
        " JOIN tombstone ON tombstone.organization_id = v.organization_id AND tombstone.hash = v.hash",
        [dump_rows(items)],
        using=using,
    )
