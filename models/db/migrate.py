"""Brings a database to the newest schema: numbered SQL files, each applied once, in order, step by step.

Two processes may migrate at once: one waits for the other between two steps. On PostgreSQL no step waits long for a
lock while others queue up behind it: it gives way and tries again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources.abc import Traversable
from typing import ParamSpec, TypeVar

import asyncpg

from models.db.columns import to_micros
from models.db.connection import connection, dialect
from models.db.distribute import distribute, fit_for_partitions, read_distribution
from models.db.migration_file import MigrationFile, MigrationStep, Phase, StepKind, shipped_files
from models.db.row_security import protect_new_tables
from models.db.schema_state import (
    BOOKKEEPING,
    SchemaOutdated,
    SchemaRefused,
    pending,
    prepare_bookkeeping,
    read_applied,
    refuse_unusable,
)
from models.db.statements import execute, query
from models.db.transaction import Transaction, is_caused_by, unit_of_work

BATCH_ROWS = 2000
LOCK_TIMEOUT_MS = 200
PATIENCE_SECONDS = 600.0
_PAUSE_SECONDS = 0.2
_OF_AN_EXTENSION = "gin_trgm_ops"  # of pg_trgm, which not everybody may create
_LOCK = 4_827_115  # any number that nothing else in the database uses

P = ParamSpec("P")
T = TypeVar("T")


class MigrationBlocked(SchemaRefused):
    """Other sessions held for too long what a migration needs."""


class _InUse(Exception):
    """Another process is migrating at this moment."""


@dataclass(frozen=True, slots=True)
class _Position:
    """The next step to take: of which file, its number there, and the row after which its next batch begins."""

    file: MigrationFile
    number: int
    after_id: str

    @property
    def step(self) -> MigrationStep:
        return self.file.steps(dialect())[self.number]


async def migrate(folder: Traversable | None = None, phase: Phase | None = None) -> list[str]:
    """Apply what is missing of the shipped files, or of a folder's, in one phase or both. Returns what was applied.

    Raises SchemaRefused where this code must not touch the database, where files that run before lack and those after
    are wanted, or where others hold it for too long; then what was begun is finished by the next call.
    """
    shipped = shipped_files(folder)
    if dialect() == "sqlite":
        await execute(BOOKKEEPING)  # by itself: where the table is there, it would only read
    await patiently(_prepare)
    refuse_unusable(await read_applied(), shipped)
    if phase is Phase.AFTER and (lacking := await pending(Phase.BEFORE, shipped)):
        raise SchemaOutdated(
            f"the database lacks {len(lacking)} migration(s) that run before, first {lacking[0]}: run"
            " `auto-enrichment migrate --before`, and start the new version everywhere first"
        )
    shipped = [file for file in shipped if phase in {None, file.phase}]
    done: list[str] = []
    await read_distribution()
    while (position := await _next_position(shipped)) is not None:
        if await patiently(_advance, position):
            done.append(position.file.name)
    if (partitions := await read_distribution()) and done:
        await distribute(partitions)
    if done:
        await patiently(protect_new_tables)
    return done


async def patiently(work: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` returns, tried again while another process migrates or others hold what it needs to lock."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await work(*args, **kwargs)
        except Exception as error:
            if not is_caused_by(error, _InUse, asyncpg.LockNotAvailableError):
                raise
            if time.monotonic() > end:
                raise MigrationBlocked(
                    "other sessions have held for too long what the migration needs to lock: end long transactions"
                    " on the database and run `auto-enrichment migrate` again"
                ) from error
        await asyncio.sleep(_PAUSE_SECONDS)


@unit_of_work
async def _prepare(tx: Transaction) -> None:
    await _begin(tx)
    await prepare_bookkeeping(tx)


async def _begin(tx: Transaction) -> None:
    """Be the only one who migrates until the transaction ends, and wait for no lock for long. Raises _InUse."""
    if dialect() == "sqlite":
        # A write first, so that SQLite holds its lock before anything is read.
        await execute("DELETE FROM schema_migration WHERE name = ''", using=tx)
        return
    # Not waited for: who waits inside a transaction holds up another's CREATE INDEX CONCURRENTLY.
    [lock] = await query("SELECT pg_try_advisory_xact_lock(?) AS held", [_LOCK], using=tx)
    if not lock["held"]:
        raise _InUse
    await execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}", using=tx)


async def _next_position(shipped: Sequence[MigrationFile], using: Transaction | None = None) -> _Position | None:
    """The step to be taken next; None where the schema is the newest."""
    applied = {migration.name for migration in await read_applied(using=using)}
    file = next((file for file in shipped if file.name not in applied), None)
    if file is None:
        return None
    under_way = await query(
        "SELECT step, after_id FROM schema_migration_progress WHERE name = ?", [file.name], using=using
    )
    return _Position(file, under_way[0]["step"], under_way[0]["after_id"]) if under_way else _Position(file, 0, "")


async def _advance(position: _Position) -> bool:
    """Take a step, unless another process has taken it. Whether that completed the file."""
    if position.step.kind is StepKind.OUTSIDE and dialect() == "postgresql":
        await _run_outside(position.step)
        return await _finish_step(position)
    return await _run_inside(position)


async def _run_outside(step: MigrationStep) -> None:
    """Run statements that PostgreSQL takes in no transaction, as the only one who migrates. Raises _InUse."""
    async with connection().acquire_connection() as session:
        if not await session.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            raise _InUse
        try:
            for statement in step.statements:
                await _run_if_possible(session, fit_for_partitions(statement))
        finally:
            await session.execute(f"SELECT pg_advisory_unlock({_LOCK})")


async def _run_if_possible(session: asyncpg.Connection, statement: str) -> None:
    """Run a statement, but for an index that needs an extension which the database is without."""
    try:
        await session.execute(statement)
    except asyncpg.UndefinedObjectError:
        if _OF_AN_EXTENSION not in statement:
            raise


@unit_of_work
async def _finish_step(tx: Transaction, position: _Position) -> bool:
    await _begin(tx)
    return await _is_still_next(tx, position) and await _note_done(tx, position)


@unit_of_work
async def _run_inside(tx: Transaction, position: _Position) -> bool:
    await _begin(tx)
    if not await _is_still_next(tx, position):
        return False
    step = position.step
    if step.kind is StepKind.BATCHES:
        last_id = await _last_of_batch(tx, step.table, position.after_id)
        if last_id is not None:
            await execute(step.statements[0], [position.after_id, last_id], using=tx)
            await _note_progress(tx, position, position.number, last_id)
            return False
    else:
        for statement in step.statements:
            await execute(statement, using=tx)
    return await _note_done(tx, position)


async def _is_still_next(tx: Transaction, position: _Position) -> bool:
    return await _next_position([position.file], using=tx) == position


async def _last_of_batch(tx: Transaction, table: str, after_id: str) -> str | None:
    """The id of the last row of the next batch; None where no row is left."""
    part = f"SELECT id FROM {table} WHERE id > ? ORDER BY id LIMIT {BATCH_ROWS}"
    [found] = await query(f"SELECT MAX(id) AS last FROM ({part}) AS part", [after_id], using=tx)
    last: str | None = found["last"]
    return last


async def _note_progress(tx: Transaction, position: _Position, step: int, after_id: str) -> None:
    await execute(
        "INSERT INTO schema_migration_progress (name, step, after_id) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET step = excluded.step, after_id = excluded.after_id",
        [position.file.name, step, after_id],
        using=tx,
    )


async def _note_done(tx: Transaction, position: _Position) -> bool:
    """Record that the step is done. Whether it was the file's last."""
    file = position.file
    if position.number + 1 < len(file.steps(dialect())):
        await _note_progress(tx, position, position.number + 1, "")
        return False
    await execute("DELETE FROM schema_migration_progress WHERE name = ?", [file.name], using=tx)
    await execute(
        "INSERT INTO schema_migration (name, applied_at, checksum, oldest_code) VALUES (?, ?, ?, ?)",
        [file.name, to_micros(datetime.now(UTC)), file.checksum, file.oldest_code],
        using=tx,
    )
    return True
