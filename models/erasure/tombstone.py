"""Tombstones: what keeps an erased person from coming back with the next import."""

from collections.abc import Collection

from models.db.connection import dialect
from models.db.rows import fetch, projection, select
from models.db.statements import dump_rows, query, rows
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
