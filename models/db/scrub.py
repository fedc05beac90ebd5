"""After rows are deleted: get their bytes out of the files, as far as the database can."""

import asyncio

import structlog

from models.db.connection import dialect
from models.db.statements import execute, query

_TRIES = 20
_PAUSE_SECONDS = 0.1
_TABLES = (
    *("record", "field_value", "job", "step", "decision_snapshot", "conflict", "rejection"),
    *("undo_line", "refresh_plan", "answer", "operation"),
)
_ELSEWHERE = {
    "sqlite": "copies and backups of the database file, and blocks of the disk that the file has freed",
    "postgresql": "the write-ahead log, replicas and backups of the database, until they are recycled; and bytes in"
    " its pages that vacuum has freed but nothing has overwritten yet",
}

_log = structlog.get_logger(__name__)


def out_of_reach() -> str:
    """Where deleted bytes may stay whatever this service does, in plain words."""
    return _ELSEWHERE[dialect()]


async def scrub() -> str | None:
    """Take deleted rows out of the database's files. Returns what is still to do, in plain words, if anything."""
    try:
        return await (_scrub_sqlite() if dialect() == "sqlite" else _scrub_postgresql())
    except Exception as error:
        _log.warning("deleted rows are still in the database's files", error=type(error).__name__)
        return "deleted rows in the database's files: run VACUUM"


async def _scrub_sqlite() -> str | None:
    """Rewrite the file: freed cells, and stale copies that splitting pages leaves, would keep what was deleted."""
    if await query("SELECT 1 AS found FROM sqlite_master WHERE name = 'record_search'"):
        await execute("INSERT INTO record_search (record_search) VALUES ('optimize')")  # parts of deleted texts
    await execute("VACUUM")
    for _ in range(_TRIES):
        [result] = await query("PRAGMA wal_checkpoint(TRUNCATE)")
        if not result["busy"]:
            return None
        await asyncio.sleep(_PAUSE_SECONDS)
    return "deleted rows in the write-ahead log, which another process is reading"


async def _scrub_postgresql() -> str | None:
    for table in _TABLES:
        await execute(f"VACUUM (INDEX_CLEANUP ON) {table}")
    return None
