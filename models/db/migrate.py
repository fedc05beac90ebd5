"""Brings a database to the newest schema: numbered SQL files, each applied once, in order.

The files are portable SQL. A statement ends with a `;` at the end of a line; one after a line
`-- sqlite only` or `-- postgresql only` runs on that database alone. Two processes may migrate at once:
one waits for the other.
"""

import re
from datetime import UTC, datetime
from importlib.resources import files

from models.db.columns import to_micros
from models.db.connection import Dialect, dialect
from models.db.statements import execute, query
from models.db.transaction import Transaction, unit_of_work

_TYPES: dict[Dialect, dict[str, str]] = {
    "sqlite": {"id": "VARCHAR(36)", "json": "TEXT"},
    # "C" compares bytes: ids are plain ASCII, and their order is the order of creation.
    "postgresql": {"id": 'VARCHAR(36) COLLATE "C"', "json": "JSONB"},
}
_LOCK = 4_827_115  # any number that nothing else in the database uses
_ONLY = re.compile(r"-- (sqlite|postgresql) only")
_TABLE = "CREATE TABLE IF NOT EXISTS schema_migration (name VARCHAR(64) PRIMARY KEY, applied_at BIGINT NOT NULL)"


class SchemaOutdated(Exception):
    """The database lacks migrations that this version needs."""


def _names() -> list[str]:
    folder = files("models").joinpath("migrations")
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))


def statements(text: str, target: Dialect) -> list[str]:
    """The statements of a migration file that `target` should run, in order."""
    found: list[str] = []
    lines: list[str] = []
    only: str | None = None
    for line in text.splitlines():
        if match := _ONLY.fullmatch(line.strip()):
            only = match[1]
        elif line.strip() and not line.lstrip().startswith("--"):
            lines.append(line)
            if line.rstrip().endswith(";"):
                if only in (None, target):
                    found.append("\n".join(lines).rstrip().removesuffix(";"))
                lines, only = [], None
    for name, column_type in _TYPES[target].items():
        found = [statement.replace("{" + name + "}", column_type) for statement in found]
    return found


async def pending() -> list[str]:
    """Names of the migrations that the database has not had yet."""
    exists = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'"
        if dialect() == "sqlite"
        else "SELECT to_regclass('schema_migration')::text AS name"
    )
    applied = set()
    if any(row["name"] for row in await query(exists)):
        applied = {row["name"] for row in await query("SELECT name FROM schema_migration")}
    return [name for name in _names() if name not in applied]


async def require_current() -> None:
    """Raises SchemaOutdated unless every migration has been applied."""
    missing = await pending()
    if missing:
        raise SchemaOutdated(
            f"the database lacks {len(missing)} migration(s), first {missing[0]}: run `auto-enrichment migrate`"
        )


async def migrate() -> list[str]:
    """Apply what is missing, each file in a transaction of its own. Returns the names applied."""

    async def apply_next(tx: Transaction) -> str | None:
        if dialect() == "postgresql":
            await query("SELECT pg_advisory_xact_lock(?)", [_LOCK], using=tx)
            await execute(_TABLE, using=tx)
        # A write first, so that SQLite holds its lock before the list is read.
        await execute("DELETE FROM schema_migration WHERE name = ''", using=tx)
        applied = {row["name"] for row in await query("SELECT name FROM schema_migration", using=tx)}
        name = next((name for name in _names() if name not in applied), None)
        if name is None:
            return None
        text = files("models").joinpath("migrations", name).read_text("utf-8")
        for statement in statements(text, dialect()):
            await execute(statement, using=tx)
        now = to_micros(datetime.now(UTC))
        await execute("INSERT INTO schema_migration VALUES (?, ?)", [name, now], using=tx)
        return name

    if dialect() == "sqlite":
        await execute(_TABLE)  # by itself: where the table is there, it would only read
    done: list[str] = []
    while name := await unit_of_work(apply_next)():
        done.append(name)
    return done
