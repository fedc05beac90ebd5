"""Whether the database can be used."""

import asyncio
import sqlite3

import asyncpg
from tortoise.exceptions import BaseORMException

from models.db.connection import dialect, given_url
from models.db.statements import execute, query
from models.db.transaction import Transaction, unit_of_work

UNUSABLE = (OSError, BaseORMException, asyncpg.PostgresError, asyncpg.InternalClientError, sqlite3.Error)
"""What connecting and `ping` raise for a database that cannot be used."""


async def ping() -> None:
    """Raises what the driver raises where the database does not answer."""
    await query("SELECT 1 AS answered")


_LEAST_ROOM_ROWS = 30_000  # numbers, which take about 400 kB


@unit_of_work
async def needs_room(tx: Transaction) -> None:
    """Raises asyncpg.DiskFullError where PostgreSQL has no 400 kB left on its disk. Of SQLite it says nothing.

    It has a temporary file written: that needs room as a stored row does, leaves nothing behind, and needs no right to
    write. Reading alone goes on working on a full disk.
    """
    if dialect() != "sqlite":
        await execute("SET LOCAL work_mem = '64kB'", [], using=tx)
        await query(f"SELECT COUNT(*) AS rows FROM generate_series(1, {_LEAST_ROOM_ROWS})", [], using=tx)


_ENDS = (asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError)


async def answers_within(seconds: float) -> bool:
    """Whether the database answers so soon, on a connection of its own. SQLite does, as far as anybody could know.

    An error that it answers with is an answer too, unless it says that it ends or has not started.
    """
    if dialect() == "sqlite":
        return True
    try:
        async with asyncio.timeout(seconds):
            connection = await asyncpg.connect(given_url(), timeout=seconds)
            try:
                await connection.execute("SELECT 1")
            finally:
                connection.terminate()
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, *_ENDS):
        return False
    except asyncpg.PostgresError:
        return True
    return True
