"""Whether the database can be used."""

import asyncio
import sqlite3

import asyncpg
from tortoise.exceptions import BaseORMException

from models.db.connection import dialect, given_url
from models.db.statements import query

UNUSABLE = (OSError, BaseORMException, asyncpg.PostgresError, asyncpg.InternalClientError, sqlite3.Error)
"""What connecting and `ping` raise for a database that cannot be used."""


async def ping() -> None:
    """Raises what the driver raises where the database does not answer."""
    await query("SELECT 1 AS answered")


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
