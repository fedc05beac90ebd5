"""Locks on rows: what each database needs so that nobody else changes them until the transaction ends."""

from collections.abc import Iterable
from typing import Any, Literal

from models.db.connection import dialect
from models.db.statements import marks, query
from models.db.transaction import Transaction

Strength = Literal["UPDATE", "SHARE", "KEY SHARE"]


async def lock_rows(
    tx: Transaction,
    table: str,
    ids: Iterable[str],
    *,
    columns: str = "id",
    strength: Strength = "UPDATE",
    idle: str = "organization_id",
) -> list[dict[str, Any]]:
    """Those of the rows that are there, locked in one order for everyone. Returns `columns` of each.

    SQLite locks the whole database by a write; a read first could not become one. The write sets `idle` to itself:
    a column that no index names is the quickest, and the primary key ten times as slow, since each row of another
    table that refers to it is checked.
    """
    wanted = sorted(set(ids))
    if not wanted:
        return []
    if dialect() == "sqlite":
        sql = f"UPDATE {table} SET {idle} = {idle} WHERE id IN ({marks(wanted)}) RETURNING {columns}"
    else:
        sql = f"SELECT {columns} FROM {table} WHERE id IN ({marks(wanted)}) ORDER BY id FOR {strength}"
    return await query(sql, wanted, using=tx)


def skip_locked(table: str = "") -> str:
    """What makes a SELECT lock its rows and pass by those that others hold. SQLite locks the whole database."""
    if dialect() == "sqlite":
        return ""
    return f"FOR UPDATE OF {table} SKIP LOCKED" if table else "FOR UPDATE SKIP LOCKED"


def for_update() -> str:
    """What makes a SELECT wait for its rows and lock them. On SQLite a write of the transaction must come first."""
    return "" if dialect() == "sqlite" else "FOR UPDATE"
