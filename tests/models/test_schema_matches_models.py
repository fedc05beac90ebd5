"""A column is written down in a migration and in a model: the two say the same, on either database."""

import re
from typing import Any, NamedTuple

import pytest
from tortoise import Tortoise, fields
from tortoise.models import Model

from models.db.columns import Instant
from models.db.connection import dialect
from models.db.statements import query

pytestmark = pytest.mark.usefixtures("db")

# models.db.migrate makes and reads these before there are any models
OF_THE_MIGRATIONS = {"schema_migration", "schema_migration_progress"}
# SQLite's index of texts, and the tables that it consists of; triggers alone write it (migration 0025)
OF_SEARCH = {"record_number", *(f"record_search{part}" for part in ("", "_data", "_idx", "_docsize", "_config"))}
_KINDS: tuple[tuple[type[Any], str], ...] = (
    (fields.JSONField, "json"),
    (fields.BooleanField, "boolean"),
    (Instant, "bigint"),
    (fields.FloatField, "double precision"),
    (fields.BigIntField, "bigint"),
    (fields.IntField, "integer"),
    (fields.TextField, "text"),
    (fields.BinaryField, "bytea"),
)

_ON_SQLITE = {"json": "text", "bytea": "blob"}


class Column(NamedTuple):
    """A column's kind (`varchar(36)`, `bigint`, …) and whether it may be NULL."""

    kind: str
    nullable: bool


async def migrated() -> dict[str, dict[str, Column]]:
    """The columns of every table that the migrations have made."""
    return await (_of_sqlite() if dialect() == "sqlite" else _of_postgresql())


async def _of_sqlite() -> dict[str, dict[str, Column]]:
    found: dict[str, dict[str, Column]] = {}
    for table in await query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        found[table["name"]] = {
            # SQLite does not say of a primary key that it is NOT NULL.
            row["name"]: Column(row["type"].lower(), not row["notnull"] and not row["pk"])
            for row in await query(f"PRAGMA table_info({table['name']})")
        }
    return found


async def _of_postgresql() -> dict[str, dict[str, Column]]:
    found: dict[str, dict[str, Column]] = {}
    for row in await query(
        "SELECT c.table_name, c.column_name, c.data_type, c.character_maximum_length AS length, c.is_nullable"
        " FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
    ):
        kind = {"character varying": f"varchar({row['length']})", "jsonb": "json"}.get(
            row["data_type"], row["data_type"]
        )
        found.setdefault(row["table_name"], {})[row["column_name"]] = Column(kind, row["is_nullable"] == "YES")
    return found


def modelled() -> dict[str, dict[str, Column]]:
    """The columns of every model."""
    assert Tortoise.apps is not None
    return {model._meta.db_table: _columns(model) for model in Tortoise.apps["models"].values()}


def _columns(model: type[Model]) -> dict[str, Column]:
    return {
        column: Column(_kind(model._meta.fields_map[name]), model._meta.fields_map[name].null)
        for name, column in model._meta.fields_db_projection.items()
    }


def _kind(field: fields.Field[Any]) -> str:
    for known, kind in _KINDS:
        if isinstance(field, known):
            return _ON_SQLITE.get(kind, kind) if dialect() == "sqlite" else kind
    assert isinstance(field, fields.CharField)
    return f"varchar({field.max_length})"


async def test_every_table_has_a_model_with_the_same_columns() -> None:
    tables, models = await migrated(), modelled()
    assert tables.keys() - OF_THE_MIGRATIONS - OF_SEARCH == models.keys()
    for table in models:
        assert tables[table] == models[table], table


async def test_a_row_that_needs_no_value_of_a_column_gets_the_default_that_its_model_says() -> None:
    """A projection may leave out a column: then the database's own default counts."""
    differing = [
        (model._meta.db_table, column)
        for model in (Tortoise.apps or {})["models"].values()
        for name, column in model._meta.fields_db_projection.items()
        if isinstance(default := model._meta.fields_map[name].default, bool | int | float | str)
        and await _default(model._meta.db_table, column) != _plain(default)
    ]
    assert differing == []


async def _default(table: str, column: str) -> str | None:
    if dialect() == "sqlite":
        rows = {row["name"]: row["dflt_value"] for row in await query(f"PRAGMA table_info({table})")}
        found = rows[column]
    else:
        [row] = await query(
            "SELECT column_default AS value FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ? AND column_name = ?",
            [table, column],
        )
        found = row["value"]
    return None if found is None else re.sub(r"::[a-z ]+$", "", str(found)).strip("'").lower()


def _plain(default: bool | float | str) -> str:
    return str(int(default) if isinstance(default, float) else default).lower()
