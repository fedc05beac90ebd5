"""The process's connection to SQLite or PostgreSQL, and which of the two it is."""

import sqlite3
from base64 import b64decode
from copy import deepcopy
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tortoise import Tortoise, connections
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.config_generator import generate_config
from tortoise.backends.sqlite.client import SqliteClient

from models.db.acting import is_bound
from models.db.bound_session import BoundSession, Session, use_bound_sessions

Dialect = Literal["sqlite", "postgresql"]

_MODULES = [
    "models.organization",
    "models.record",
    "models.job.row",
    "models.decision_log",
    "models.conflict.table",
    "models.credit.account",
    "models.credit.entry",
    "models.credit.intent",
    "models.credit.checkpoint",
    "models.credit.budget",
    "models.credit.alert",
    "models.audit",
    "models.trust",
    "models.half_life",
    "models.refresh.state",
    "models.refresh.plan",
    "models.answer.row",
    "models.provider_state",
    "models.idempotency",
    "models.operation",
    "models.undo",
    "models.erasure.table",
    "models.source_reliability",
    "models.suggestion",
    "models.suppression",
    "models.provider_key",
    "models.token_revocation",
    "models.installation_choice",
    "models.installation_secret",
    "models.daily_count.table",
    "models.event.table",
    "models.webhook.endpoint",
    "models.webhook.delivery",
]
_READER = "reader"
_OLDEST_SQLITE = (3, 35, 0)  # UPDATE ... FROM and RETURNING
_BUSY_TIMEOUT_MS = 15_000
_CACHED_KIB = (
    65_536  # pages of SQLite kept by a connection; with its 2 MB an index of some size is read again and again
)
FROM_BASE64 = "from_base64"
"""A function of ours in SQLite, which has none: the bytes that a text in Base64 says; NULL of NULL."""


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
        options.setdefault("cache_size", str(-_CACHED_KIB))
        path = url.removeprefix("sqlite://").split("?")[0]
        return f"sqlite://{path}?{urlencode(options)}"
    if parts.scheme in {"postgres", "postgresql", "asyncpg"}:
        options.setdefault("minsize", "1")
        options.setdefault("maxsize", str(pool))
        return urlunsplit(parts._replace(scheme="asyncpg", query=urlencode(options)))
    raise DatabaseUnsupported(f"DATABASE_URL: {parts.scheme or 'no'} scheme; use sqlite:/// or postgresql://")


_given: list[str] = []  # the address that the connections were last opened with


def given_url() -> str:
    """The database's address as it was given, for asyncpg."""
    parts = urlsplit(_given[-1])
    return urlunsplit(parts._replace(scheme="postgresql"))


async def connect(url: str, *, pool: int = 10, behind_pooler: bool = False) -> None:
    """Open the process's database connections: a pool (PostgreSQL), or one to write with and one to read (SQLite).

    `behind_pooler`: each transaction may be in another session of PostgreSQL, so that no statement is prepared for the
    next one: it is parsed anew each time.
    """
    _given[:] = [url]
    target = tortoise_url(url, pool=pool)
    if target.startswith("sqlite") and sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise DatabaseUnsupported(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    config = generate_config(target, {"models": _MODULES})
    if target.startswith("sqlite"):
        config["connections"][_READER] = deepcopy(config["connections"]["default"])
        config["connections"][_READER]["credentials"] |= {"journal_mode": "WAL", "query_only": "ON"}
    else:
        use_bound_sessions(bound=is_bound(), behind_pooler=behind_pooler)
        config["connections"]["default"]["credentials"]["connection_class"] = BoundSession if is_bound() else Session
        if behind_pooler:
            config["connections"]["default"]["credentials"]["statement_cache_size"] = 0
    await Tortoise.init(
        config=config,
        # A server's lifespan runs in another task than its requests; both must see the connection.
        _enable_global_fallback=True,
    )
    if target.startswith("sqlite"):
        async with connection().acquire_connection() as session:
            await session.create_function(FROM_BASE64, 1, _from_base64, deterministic=True)


def _from_base64(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)


async def close() -> None:
    await Tortoise.close_connections()


def connection() -> BaseDBAsyncClient:
    """The current connection: of the transaction this code runs in, if any."""
    client: BaseDBAsyncClient = connections.get("default")
    return client


def reader() -> BaseDBAsyncClient:
    """What a SELECT is read with: as `connection`, but on SQLite outside a transaction a connection of its own.

    So a read waits for no transaction of others. It sees what has been committed, each statement as of one moment.
    """
    client = connection()
    return connections.get(_READER) if client.__class__ is SqliteClient else client


def dialect() -> Dialect:
    name = connection().capabilities.dialect
    return "sqlite" if name == "sqlite" else "postgresql"
