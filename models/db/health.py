"""Whether the database can be used."""

import sqlite3

import asyncpg
from tortoise.exceptions import BaseORMException

from models.db.statements import query

UNUSABLE = (OSError, BaseORMException, asyncpg.PostgresError, asyncpg.InternalClientError, sqlite3.Error)
"""What connecting and `ping` raise for a database that cannot be used."""


async def ping() -> None:
    """Raises what the driver raises where the database does not answer."""
    await query("SELECT 1 AS answered")
