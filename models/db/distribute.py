"""Spreads the tables of tenants over hash partitions by organization: an ordinary PostgreSQL that may become many.

Every table of a tenant has `organization_id`. Partitioned, its primary key and unique indexes end with it, and its
foreign keys name it, so that all rows of an organization lie in one partition of each table, and on one server where
partitions lie on several (docs/decisions/0020). `organization` and the bookkeeping stay whole.
"""

import re
from dataclasses import dataclass
from typing import Any

import asyncpg

from models.db.connection import connection, dialect
from models.db.statements import query

KEY = "organization_id"
MOST_PARTITIONS = 1024


class CannotDistribute(Exception):
    """The database cannot be partitioned as it is; the message says why and what to do."""


class _Partitions:
    count = 0  # of each table of a tenant; 0: its tables are whole


async def read_distribution() -> int:
    """How many partitions the tables of tenants have, as the database says; 0 where they are whole.

    Called once a process has connected and the schema is there: `unique_target` rests on it."""
    _Partitions.count = 0
    if dialect() == "postgresql":
        sql = "SELECT COUNT(*) AS partitions FROM pg_inherits WHERE inhparent = to_regclass('job')"
        _Partitions.count = int((await query(sql))[0]["partitions"])
    return _Partitions.count


def unique_target(columns: str) -> str:
    """The columns of a unique index, as ON CONFLICT names them: partitioned, it has the organization besides."""
    return f"{columns}, {KEY}" if _Partitions.count else columns


def fit_for_partitions(statement: str) -> str:
    """A statement of a migration that PostgreSQL takes on partitioned tables, which have no concurrent indexes."""
    return statement.replace(" CONCURRENTLY", "") if _Partitions.count else statement


async def distribute(partitions: int) -> list[str]:
    """Partition every whole table of a tenant. Returns their names. Raises CannotDistribute where one has rows."""
    if dialect() == "sqlite":
        raise CannotDistribute("only PostgreSQL has partitions: set AUTO_ENRICHMENT_DATABASE_URL")
    if not 1 <= partitions <= MOST_PARTITIONS:
        raise CannotDistribute(f"from 1 to {MOST_PARTITIONS} partitions are possible")
    if (there := await read_distribution()) not in {0, partitions}:
        raise CannotDistribute(f"the tables have {there} partitions already, which cannot be changed")
    async with connection().acquire_connection() as session, session.transaction():
        tables = [await _read(session, name) for name in await _whole_tables(session)]
        await _replace(session, tables, partitions)
    await read_distribution()
    return [table.name for table in tables]


@dataclass(frozen=True, slots=True)
class _Table:
    """A whole table of a tenant, and the statements that make again what stands on it."""

    name: str
    options: str
    keys: tuple[str, ...]
    indexes: tuple[str, ...]
    references: tuple[str, ...]
    triggers: tuple[str, ...]
    functions: tuple[tuple[str, str], ...]  # that take a row of it: how to drop them, and to make them


async def _whole_tables(session: asyncpg.Connection) -> list[str]:
    sql = f"""SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = '{KEY}'
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
        ORDER BY 1"""
    names = [row[0] for row in await session.fetch(sql)]
    for name in names:
        if await session.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"):
            raise CannotDistribute(
                f"the table {name} has rows: partition an empty database, and bring the rows over by"
                " pg_dump --data-only"
            )
    return names


async def _read(session: asyncpg.Connection, name: str) -> _Table:
    constraints = await session.fetch(
        "SELECT conname, contype::text AS kind, pg_get_constraintdef(oid) AS definition FROM pg_constraint"
        " WHERE conrelid = to_regclass($1) AND contype IN ('p', 'u', 'f') ORDER BY conname",
        name,
    )
    of_constraints = [row["conname"] for row in constraints]
    indexes = await session.fetch(
        "SELECT pg_get_indexdef(i.indexrelid) AS definition, i.indisunique AS is_unique FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1) AND c.relname <> ALL ($2)",
        name,
        of_constraints,
    )
    triggers = await session.fetch(
        "SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger WHERE tgrelid = to_regclass($1)"
        " AND NOT tgisinternal",
        name,
    )
    functions = await session.fetch(
        "SELECT p.oid::regprocedure::text AS name, pg_get_functiondef(p.oid) AS definition FROM pg_proc p"
        " JOIN pg_class c ON c.reltype = ANY (p.proargtypes) WHERE c.oid = to_regclass($1)",
        name,
    )
    options = await session.fetchval(
        "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = to_regclass($1)", name
    )
    return _Table(
        name,
        options or "",
        tuple(_added(name, row, _with_key(row["definition"])) for row in constraints if row["kind"] != "f"),
        tuple(_with_key(row["definition"]) if row["is_unique"] else row["definition"] for row in indexes),
        tuple(_added(name, row, _between_tenants(row["definition"])) for row in constraints if row["kind"] == "f"),
        tuple(row["definition"] for row in triggers),
        tuple((f"DROP FUNCTION {row['name']}", row["definition"]) for row in functions),
    )


def _added(table: str, constraint: Any, definition: str) -> str:
    return f"ALTER TABLE {table} ADD CONSTRAINT {constraint['conname']} {definition}"


def _with_key(definition: str) -> str:
    """A key or unique index with the organization as its last column, unless it has it."""
    columns = re.search(r"(?:KEY|UNIQUE|btree) \(([^()]*)\)", definition)
    if columns is None:
        raise CannotDistribute(f"a unique index is not of columns alone: {definition}")
    if KEY in columns[1].split(", "):
        return definition
    return f"{definition[: columns.end() - 1]}, {KEY}{definition[columns.end() - 1 :]}"


def _between_tenants(definition: str) -> str:
    """A foreign key that names the organization besides, unless it is the one to the organization."""
    if re.search(r"REFERENCES organization\(", definition):
        return definition
    return re.sub(r"\((\w+)\)", rf"(\1, {KEY})", definition)


async def _replace(session: asyncpg.Connection, tables: list[_Table], partitions: int) -> None:
    """Put a partitioned table in the place of each. All are made before what stands on them, which names several."""
    for table in tables:
        for drop, _ in table.functions:
            await session.execute(drop)
    for table in tables:
        await session.execute(
            f"CREATE TABLE {table.name}_partitioned (LIKE {table.name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
            f" INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS) PARTITION BY HASH ({KEY})"
        )
        await session.execute(f"DROP TABLE {table.name} CASCADE")
        await session.execute(f"ALTER TABLE {table.name}_partitioned RENAME TO {table.name}")
        options = f" WITH ({table.options})" if table.options else ""
        for number in range(partitions):
            await session.execute(
                f"CREATE TABLE {table.name}_p{number} PARTITION OF {table.name}"
                f" FOR VALUES WITH (MODULUS {partitions}, REMAINDER {number}){options}"
            )
    again = [
        *(statement for table in tables for statement in (*table.keys, *table.indexes)),
        *(statement for table in tables for statement in table.references),
        *(make for table in tables for _, make in table.functions),
        *(statement for table in tables for statement in table.triggers),
    ]
    for statement in again:
        await session.execute(statement)
