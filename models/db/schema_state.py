"""What a database records of its migrations, and which code it refuses because of that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.db.connection import dialect
from models.db.distribute import read_distribution
from models.db.migration_file import FIRST_RELEASE, MigrationFile, Phase, files_of_first_release, shipped_files
from models.db.statements import execute, query
from models.db.transaction import Transaction
from models.db.version import VERSION, parse_version

BOOKKEEPING = "CREATE TABLE IF NOT EXISTS schema_migration (name VARCHAR(64) PRIMARY KEY, applied_at BIGINT NOT NULL)"
_SINCE_0_2_0 = {"checksum": "VARCHAR(64)", "oldest_code": "VARCHAR(32)"}
# The file whose steps are under way: the next step, and the row after which its next batch begins.
_PROGRESS = (
    "CREATE TABLE IF NOT EXISTS schema_migration_progress"
    " (name VARCHAR(64) PRIMARY KEY, step INTEGER NOT NULL, after_id VARCHAR(64) NOT NULL)"
)


class SchemaRefused(Exception):
    """This code cannot use the database as it is; the message says why and what to do."""


class SchemaOutdated(SchemaRefused):
    """The database lacks migrations that this version needs."""


class CodeOutdated(SchemaRefused):
    """The database has had a migration on whose result this version cannot run."""


class MigrationChanged(SchemaRefused):
    """A file is no longer what this database was migrated with."""


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """A migration that the database has had. What is None was not recorded (version 0.1.0 recorded names alone)."""

    name: str
    checksum: str | None = None
    oldest_code: str | None = None


async def read_applied(*, using: Transaction | None = None) -> list[AppliedMigration]:
    """The migrations that the database has had, in order."""
    names = await _columns_of_bookkeeping(using)
    if not names:
        return []
    told = ", ".join(["name", *(name for name in _SINCE_0_2_0 if name in names)])
    rows = await query(f"SELECT {told} FROM schema_migration ORDER BY name", using=using)
    return [AppliedMigration(**row) for row in rows]


async def pending(phase: Phase = Phase.BEFORE, shipped: Sequence[MigrationFile] | None = None) -> list[str]:
    """Names of the shipped migrations of a phase that the database has not had yet. Code needs those before it."""
    applied = {migration.name for migration in await read_applied()}
    files = shipped_files() if shipped is None else shipped
    return [file.name for file in files if file.phase is phase and file.name not in applied]


async def require_current() -> None:
    """Raises SchemaRefused unless this code can use the database: every migration of its own applied that runs before
    it, none changed, and none there that needs newer code. Migrations of newer code that this version can run beside
    are fine.
    """
    refuse_unusable(await read_applied(), shipped_files())
    if missing := await pending():
        raise SchemaOutdated(
            f"the database lacks {len(missing)} migration(s), first {missing[0]}: run `auto-enrichment migrate`"
        )
    await read_distribution()


def refuse_unusable(applied: Sequence[AppliedMigration], shipped: Iterable[MigrationFile]) -> None:
    """Raises CodeOutdated or MigrationChanged where this code must neither use nor migrate the database."""
    for migration in applied:
        if migration.oldest_code and parse_version(migration.oldest_code) > parse_version(VERSION):
            raise CodeOutdated(
                f"the database has had migration {migration.name}, after which versions older than"
                f" {migration.oldest_code} cannot use it, and this is {VERSION}: start a newer version"
            )
    recorded = {migration.name: migration.checksum for migration in applied}
    for file in shipped:
        if file.name in recorded and not file.is_what_was_applied(recorded[file.name]):
            raise MigrationChanged(
                f"migration {file.name} was changed after this database had it (its SHA-256 was {recorded[file.name]}"
                f" and is {file.checksum}): put the file back as it was, and change the schema by a new file"
            )


async def prepare_bookkeeping(tx: Transaction) -> None:
    """Make the tables that record migrations, or bring those of version 0.1.0 up to date."""
    if dialect() == "postgresql":
        await execute(BOOKKEEPING, using=tx)
    there = await _columns_of_bookkeeping(tx)
    for name, column_type in _SINCE_0_2_0.items():
        if name not in there:
            await execute(f"ALTER TABLE schema_migration ADD COLUMN {name} {column_type}", using=tx)
    await execute(_PROGRESS, using=tx)
    if any(migration.checksum is None for migration in await read_applied(using=tx)):
        for name, checksum in files_of_first_release().items():
            await execute(
                "UPDATE schema_migration SET checksum = ?, oldest_code = ? WHERE name = ? AND checksum IS NULL",
                [checksum, FIRST_RELEASE, name],
                using=tx,
            )


async def _columns_of_bookkeeping(using: Transaction | None) -> set[str]:
    """The columns of `schema_migration`; none where there is no such table."""
    sql = (
        "SELECT name FROM pragma_table_info('schema_migration')"
        if dialect() == "sqlite"
        else "SELECT attname::text AS name FROM pg_attribute"
        " WHERE attrelid = to_regclass('schema_migration') AND attnum > 0 AND NOT attisdropped"
    )
    return {row["name"] for row in await query(sql, using=using)}
