"""Statements of ours: written once, with `?` for parameters, and translated for the database at hand.

Bulk statements take their rows as one JSON parameter (`rows`), so that 500 rows cost one round trip on either
database.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from tortoise.backends.sqlite.client import SqliteClient, translate_exceptions

from models.db.connection import FROM_BASE64, connection, dialect, reader
from models.db.transaction import Transaction


def _translate(sql: str) -> str:
    if dialect() == "sqlite":
        return sql
    head, *rest = sql.split("?")
    return head + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


async def query(sql: str, values: Sequence[Any] = (), *, using: Transaction | None = None) -> list[dict[str, Any]]:
    """Rows of a SELECT, or of a statement with RETURNING. JSON columns come as text: see `load`."""
    client = using or (reader() if sql.startswith("SELECT ") else connection())
    found: list[dict[str, Any]] = await client.execute_query_dict(_translate(sql), list(values))
    return found


async def driver_rows(sql: str, values: Sequence[Any] = (), *, using: Transaction | None = None) -> Sequence[Any]:
    """Rows of a SELECT as the driver has them: their values by position or name."""
    _, found = await (using or reader()).execute_query(_translate(sql), list(values))
    return found


async def execute(sql: str, values: Sequence[Any] = (), *, using: Transaction | None = None) -> int:
    """Run a statement; how many rows it changed itself, those that triggers changed left out."""
    client = using or connection()
    if isinstance(client, SqliteClient):
        changed: int = await _execute_on_sqlite(client, sql, list(values))
        return changed
    found, _ = await client.execute_query(_translate(sql), list(values))
    return int(found)


@translate_exceptions
async def _execute_on_sqlite(client: SqliteClient, sql: str, values: list[Any]) -> Any:
    """As Tortoise would do it, which counts what triggers changed as well."""
    async with client.acquire_connection() as session:
        cursor = await session.execute(sql, values)
        try:
            return max(cursor.rowcount, 0)
        finally:
            await cursor.close()


def rows(columns: Mapping[str, str], *, of: str = "?", name: str = "v") -> str:
    """A FROM item `v` with these columns, read from one JSON parameter (`dump_rows`), or of another JSON list.

    A column's type is `text`, `integer`, `real`, `boolean`, `json` or `bytes`, which come as Base64.
    """
    if dialect() == "sqlite":
        picked = ", ".join(_of_json(column, kind) for column, kind in columns.items())
        return f"(SELECT {picked} FROM json_each({of})) AS {name}"
    types = {
        "text": "text",
        "integer": "bigint",
        "real": "double precision",
        "boolean": "boolean",
        "json": "text",
        "bytes": "text",
    }
    read = {"json": "{0}::jsonb AS {0}", "bytes": "decode({0}, 'base64') AS {0}"}
    picked = ", ".join(read.get(kind, "{0}").format(column) for column, kind in columns.items())
    declared = ", ".join(f"{column} {types[kind]}" for column, kind in columns.items())
    return f"(SELECT {picked} FROM json_to_recordset({of}::json) AS r({declared})) AS {name}"


def _of_json(name: str, kind: str) -> str:
    extracted = f"json_extract(value, '$.{name}')"
    return f"{FROM_BASE64}({extracted}) AS {name}" if kind == "bytes" else f"{extracted} AS {name}"


def dump_rows(items: Sequence[Mapping[str, Any]]) -> str:
    """Rows for `rows`; a column of type `json` must have been through `dump`."""
    return orjson.dumps(items).decode()


def dump(value: Any) -> str:
    """A value for a JSON column."""
    return orjson.dumps(value).decode()


def load(value: Any) -> Any:
    """The value of a JSON column, however the driver handed it over."""
    return orjson.loads(value) if value.__class__ in (str, bytes) else value


def marks(values: Collection[Any]) -> str:
    """Placeholders for an IN list."""
    return ", ".join("?" for _ in values)


def one_of(column: str) -> str:
    """The condition that a column is one of many texts, which are one parameter (`texts`): one plan for any number."""
    return f"{column} IN (SELECT value FROM json_each(?))" if dialect() == "sqlite" else f"{column} = ANY(?)"


def given_texts() -> str:
    """A FROM item `given` with the column `id`: many texts, which are one parameter (`texts`)."""
    if dialect() == "sqlite":
        return "(SELECT value AS id FROM json_each(?)) AS given"
    return "unnest(CAST(? AS text[])) AS given(id)"


def texts(values: Iterable[str]) -> Any:
    """The parameter of `one_of` and `given_texts`."""
    return dump(list(values)) if dialect() == "sqlite" else list(values)


def json_items(column: str, key: str | None = None) -> tuple[str, str]:
    """How to read a JSON array column row by row: a FROM item, and the text of each element (or of its `key`)."""
    if dialect() == "sqlite":
        return f"json_each({column}) AS item", f"json_extract(item.value, '$.{key}')" if key else "item.value"
    if key:
        return f"jsonb_array_elements({column}) AS item(value)", f"item.value ->> '{key}'"
    return f"jsonb_array_elements_text({column}) AS item(value)", "item.value"
