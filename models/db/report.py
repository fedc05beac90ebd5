"""What an operator should know of the database: its version, its schema, and what it lacks."""

from dataclasses import dataclass, field

from models.db.connection import dialect
from models.db.migration_file import Phase
from models.db.row_security import read_roles, tables_without_policies
from models.db.schema_state import pending
from models.db.statements import query


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """`version` in the database's own words; `pending`: migrations that it lacks; `searches_by_index`: texts too.

    `pending_after`: migrations that wait until the version before is gone.
    `separated`: the API and the workers have a role each; `unprotected`: tables of tenants without policies.
    """

    version: str
    pending: list[str]
    searches_by_index: bool
    sessions_left: int | None = None  # None: SQLite has no such limit
    separated: bool = False
    unprotected: list[str] | None = None  # None: SQLite has no policies
    pending_after: list[str] = field(default_factory=list)


async def report() -> DatabaseReport:
    """The report of the database that is connected to. Raises what the driver raises."""
    if dialect() == "sqlite":
        [row] = await query("SELECT sqlite_version() AS version")
        indexed = await query("SELECT 1 FROM sqlite_master WHERE name = 'record_search'")
        return DatabaseReport(
            f"SQLite {row['version']}", await pending(), bool(indexed), pending_after=await pending(Phase.AFTER)
        )
    [row] = await query(
        "SELECT current_setting('server_version') AS version,"
        " EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') AS indexed,"
        " current_setting('max_connections')::int - (SELECT COUNT(*) FROM pg_stat_activity) AS sessions"
    )
    return DatabaseReport(
        f"PostgreSQL {row['version']}",
        await pending(),
        row["indexed"],
        row["sessions"],
        await read_roles() is not None,
        await tables_without_policies(),
        await pending(Phase.AFTER),
    )
