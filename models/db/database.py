"""The one connection to SQLite or PostgreSQL, and the few things that differ between them.

SQL of ours is written once, with `?` for parameters; `query` and `execute` translate it. Bulk statements
take their rows as one JSON parameter (`rows`), so that 500 rows cost one round trip on either database.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import orjson
from tortoise import Tortoise, connections
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

T = TypeVar("T")
Dialect = Literal["sqlite", "postgresql"]

_MODULES = [
    "models.organization",
    "models.record",
    "models.job",
    "models.conflict",
    "models.credit",
    "models.answer",
    "models.undo",
    "models.erasure",
]
_OLDEST_SQLITE = (3, 35, 0)  # UPDATE ... FROM and RETURNING
_DEADLOCK_TRIES = 5
_BUSY_TIMEOUT_MS = 15_000


class DatabaseUnsupported(Exception):
    """The database is of a kind or version that this service cannot use."""


def tortoise_url(url: str, *, pool: int) -> str:
    """The URL as Tortoise wants it: `sqlite:///path` or `postgresql://…`, with our defaults added.

    Raises DatabaseUnsupported for any other scheme.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "sqlite":
        options.setdefault("busy_timeout", str(_BUSY_TIMEOUT_MS))
        options.setdefault("synchronous", "FULL")  # an accepted record survives a power cut
        path = url.removeprefix("sqlite://").split("?")[0]
        return f"sqlite://{path}?{urlencode(options)}"
    if parts.scheme in {"postgres", "postgresql", "asyncpg"}:
        options.setdefault("minsize", "1")
        options.setdefault("maxsize", str(pool))
        return urlunsplit(parts._replace(scheme="asyncpg", query=urlencode(options)))
    raise DatabaseUnsupported(f"DATABASE_URL: {parts.scheme or 'no'} scheme; use sqlite:/// or postgresql://")


async def connect(url: str, *, pool: int = 10) -> None:
    """Open the process's only database connection (SQLite) or pool (PostgreSQL)."""
    target = tortoise_url(url, pool=pool)
    if target.startswith("sqlite") and sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise DatabaseUnsupported(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    await Tortoise.init(
        db_url=target,
        modules={"models": _MODULES},
        # A server's lifespan runs in another task than its requests; both must see the connection.
        _enable_global_fallback=True,
    )


async def close() -> None:
    await Tortoise.close_connections()


def connection() -> BaseDBAsyncClient:
    """The current connection: of the transaction this code runs in, if any."""
    client: BaseDBAsyncClient = connections.get("default")
    return client


def dialect() -> Dialect:
    name = connection().capabilities.dialect
    return "sqlite" if name == "sqlite" else "postgresql"


async def transaction(body: Callable[[BaseDBAsyncClient], Awaitable[T]]) -> T:
    """Run `body` in a transaction that a cancelled caller cannot tear apart.

    A task cancelled while a transaction opens or closes would keep SQLite's only lock, or a pooled
    connection, for ever. So the body runs in a task of its own, and is waited for even then. It must do
    nothing but database work, and write first (SQLite cannot turn a reader into a writer). On a deadlock
    PostgreSQL ends one of the two; that one is run again.
    """

    async def run() -> T:
        for attempt in range(1, _DEADLOCK_TRIES + 1):
            try:
                async with in_transaction() as tx:
                    return await body(cast("BaseDBAsyncClient", tx))
            except Exception as error:
                if attempt == _DEADLOCK_TRIES or not _is_deadlock(error):
                    raise
                await asyncio.sleep(0.01 * attempt)
        raise AssertionError("unreachable")

    task = asyncio.create_task(run())
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            await asyncio.wait({task})
        raise


def _is_deadlock(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, asyncpg.DeadlockDetectedError | asyncpg.SerializationError):
            return True
        error = error.__cause__ or (error.args[0] if error.args and isinstance(error.args[0], Exception) else None)
    return False


def _translate(sql: str) -> str:
    if dialect() == "sqlite":
        return sql
    head, *rest = sql.split("?")
    return head + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


async def query(
    sql: str, values: Sequence[Any] = (), *, using: BaseDBAsyncClient | None = None
) -> list[dict[str, Any]]:
    """Rows of a SELECT, or of a statement with RETURNING. JSON columns come as text: see `load`."""
    client = using or connection()
    return [dict(row) for row in await client.execute_query_dict(_translate(sql), list(values))]


async def execute(sql: str, values: Sequence[Any] = (), *, using: BaseDBAsyncClient | None = None) -> int:
    """Run a statement; how many rows it changed."""
    changed, _ = await (using or connection()).execute_query(_translate(sql), list(values))
    return int(changed)


def rows(columns: Mapping[str, str]) -> str:
    """A FROM item `v` with these columns, read from one JSON parameter (`dump_rows`).

    A column's type is `text`, `integer`, `real`, `boolean` or `json`.
    """
    if dialect() == "sqlite":
        picked = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
        return f"(SELECT {picked} FROM json_each(?)) AS v"
    types = {
        "text": "text",
        "integer": "bigint",
        "real": "double precision",
        "boolean": "boolean",
        "json": "text",
    }
    picked = ", ".join(f"{name}::jsonb AS {name}" if kind == "json" else name for name, kind in columns.items())
    declared = ", ".join(f"{name} {types[kind]}" for name, kind in columns.items())
    return f"(SELECT {picked} FROM json_to_recordset(?::json) AS r({declared})) AS v"


def dump_rows(items: Sequence[Mapping[str, Any]]) -> str:
    """Rows for `rows`; a column of type `json` must have been through `dump`."""
    return orjson.dumps(items).decode()


def dump(value: Any) -> str:
    """A value for a JSON column."""
    return orjson.dumps(value).decode()


def load(value: Any) -> Any:
    """The value of a JSON column, however the driver handed it over."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


async def insert_rows(
    tx: BaseDBAsyncClient,
    table: str,
    columns: Mapping[str, str],
    items: Sequence[Mapping[str, Any]],
    *,
    then: str = "",
) -> list[dict[str, Any]]:
    """Insert many rows with one statement; `then` is what follows it (ON CONFLICT …, RETURNING …).

    A missing column is NULL. Returns the rows of RETURNING.
    """
    if not items:
        return []
    names = ", ".join(columns)
    picked = ", ".join(f"v.{name}" for name in columns)
    filled = [{name: item.get(name) for name in columns} for item in items]
    # WHERE true: without it SQLite takes ON CONFLICT for a join condition.
    sql = f"INSERT INTO {table} ({names}) SELECT {picked} FROM {rows(columns)} WHERE true {then}"
    return await query(sql, [dump_rows(filled)], using=tx)


def marks(values: Sequence[Any]) -> str:
    """Placeholders for an IN list."""
    return ", ".join("?" for _ in values)


def row_lock() -> str:
    """What makes a SELECT lock its rows and pass by those that others hold. SQLite locks the whole database."""
    return "" if dialect() == "sqlite" else "FOR UPDATE SKIP LOCKED"


def json_items(column: str, key: str | None = None) -> tuple[str, str]:
    """How to read a JSON array column row by row: a FROM item, and the text of each element (or of its `key`)."""
    if dialect() == "sqlite":
        return f"json_each({column}) AS item", f"json_extract(item.value, '$.{key}')" if key else "item.value"
    if key:
        return f"jsonb_array_elements({column}) AS item(value)", f"item.value ->> '{key}'"
    return f"jsonb_array_elements_text({column}) AS item(value)", "item.value"
