"""New rows in bulk, by the shortest way that each database has: COPY on PostgreSQL, one prepared INSERT on SQLite.

PostgreSQL takes no COPY into tables whose rows a policy checks; there arrays are inserted, a column each.
"""

from collections.abc import Sequence
from typing import Any, cast

import asyncpg
from tortoise.exceptions import IntegrityError

from models.db.acting import rows_are_checked
from models.db.connection import dialect
from models.db.rows import columns_of, encoded_rows, table_of
from models.db.statements import marks
from models.db.transaction import Transaction

_ARRAYS = {
    "text": "text[]",
    "integer": "bigint[]",
    "real": "double precision[]",
    "boolean": "boolean[]",
    "json": "jsonb[]",
    "bytes": "bytea[]",
}


class RowRefused(Exception):
    """One of the rows is there already, or what it refers to is not. The transaction cannot go on."""


async def add_rows(tx: Transaction, items: Sequence[Any]) -> None:
    """Add rows of one projection to its table, none of which may be there. Raises RowRefused."""
    if items:
        await add_encoded(tx, type(items[0]), encoded_rows(items))


async def add_encoded(tx: Transaction, cls: type[Any], rows: Sequence[tuple[Any, ...]]) -> None:
    """As `add_rows`: rows of a projection as they are stored, JSON as text, their columns in its order."""
    if not rows:
        return
    table, columns = table_of(cls), list(columns_of(cls))
    try:
        if dialect() == "sqlite":
            sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks(columns)})"
            await tx.execute_many(sql, cast("list[list[Any]]", rows))  # any sequence does
        elif rows_are_checked():
            arrays = ", ".join(f"${number}::{_ARRAYS[kind]}" for number, kind in enumerate(columns_of(cls).values(), 1))
            sql = f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays})"
            await tx.execute_query(sql, [list(values) for values in zip(*rows, strict=True)])
        else:
            async with tx.acquire_connection() as session:
                await session.copy_records_to_table(table, records=rows, columns=columns)
    except (IntegrityError, asyncpg.IntegrityConstraintViolationError) as error:
        raise RowRefused(table) from error
