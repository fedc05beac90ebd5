"""Migrations: each file once, in order and unchanged; code and schema that fit; nobody kept waiting.

One file, because the tests run the same small set of migration files.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest
from tortoise.exceptions import BaseORMException

from models.db import migrate as migrating
from models.db.migrate import MigrationBlocked, migrate
from models.db.migration_file import (
    FIRST_RELEASE,
    MigrationFile,
    Phase,
    StepKind,
    files_of_first_release,
    shipped_files,
)
from models.db.schema_state import (
    CodeOutdated,
    MigrationChanged,
    SchemaOutdated,
    pending,
    read_applied,
    require_current,
)
from models.db.statements import execute, query
from models.db.version import VERSION, parse_version
from tests.support.processes import ROOT
from tests.support.waiting import PATIENCE_SECONDS, until

SHIPPED = Path(str(files("models").joinpath("migrations")))
A_TABLE = "CREATE TABLE thing (id VARCHAR(36) PRIMARY KEY, number INTEGER);\n"
SOME_ROWS = "".join(f"INSERT INTO thing (id) VALUES ('{number:02}');\n" for number in range(11))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "migrations"
    made.mkdir()
    return made


def write(folder: Path, name: str, text: str, *, oldest_code: str = "0.1.0") -> None:
    (folder / name).write_text(f"-- oldest code: {oldest_code}\n{text}", "utf-8")


async def numbers() -> list[int | None]:
    return [row["number"] for row in await query("SELECT number FROM thing ORDER BY id")]


# --- what a file says


def test_a_statement_runs_only_on_the_database_that_it_is_meant_for() -> None:
    text = (
        "-- about\nCREATE TABLE a (id {id},\n  b {json});\n"
        "-- sqlite only\nDROP TABLE x;\n-- postgresql only\nDROP TABLE y;\n"
    )
    file = MigrationFile("0001_a.sql", text.encode())
    (sqlite,) = file.steps("sqlite")
    assert sqlite.statements == ("CREATE TABLE a (id VARCHAR(36),\n  b TEXT)", "DROP TABLE x")
    (postgresql,) = file.steps("postgresql")
    assert postgresql.statements[1:] == ("DROP TABLE y",)


def test_what_runs_apart_is_a_step_of_its_own() -> None:
    text = (
        "CREATE TABLE a (id {id});\nCREATE TABLE b (id {id});\n"
        "-- in batches of a\nUPDATE a SET n = 1 WHERE {batch};\n"
        "-- outside a transaction\nDROP INDEX CONCURRENTLY IF EXISTS i;\n"
        "-- outside a transaction\nCREATE INDEX CONCURRENTLY i ON a (n);\nDROP TABLE b;\n"
    )
    file = MigrationFile("0001_a.sql", text.encode())
    steps = file.steps("postgresql")
    assert [(step.kind, len(step.statements)) for step in steps] == [
        (StepKind.TRANSACTION, 2),
        (StepKind.BATCHES, 1),
        (StepKind.OUTSIDE, 2),
        (StepKind.TRANSACTION, 1),
    ]
    assert steps[1].statements == ("UPDATE a SET n = 1 WHERE a.id > ? AND a.id <= ?",)
    assert file.steps("sqlite")[2].statements == ("DROP INDEX IF EXISTS i", "CREATE INDEX i ON a (n)")


def test_every_migration_names_code_that_exists_as_the_oldest_that_can_run_on_it() -> None:
    for file in shipped_files():
        assert parse_version(FIRST_RELEASE) <= parse_version(file.oldest_code) <= parse_version(VERSION), file.name
    with pytest.raises(ValueError, match=r"0099_x\.sql: the line `-- oldest code: VERSION` is missing"):
        _ = MigrationFile("0099_x.sql", b"DROP TABLE x;\n").oldest_code


MADE = re.compile(r"CREATE TABLE (\w+)")
TAKES_LONG = re.compile(r"(?:UPDATE|DELETE FROM|CREATE (?:UNIQUE )?INDEX \w+ ON) (\w+)")


@pytest.mark.parametrize("file", shipped_files(), ids=lambda file: file.name)
def test_what_takes_long_on_a_filled_table_runs_in_batches_or_outside_a_transaction(file: MigrationFile) -> None:
    inside = [
        statement
        for step in file.steps("postgresql")
        if step.kind is StepKind.TRANSACTION
        for statement in step.statements
    ]
    made = {match[1] for statement in inside if (match := MADE.match(statement))}
    changed = {match[1] for statement in inside if (match := TAKES_LONG.match(statement))}
    assert changed <= made


def test_what_the_first_release_applied_is_accepted_and_nothing_else() -> None:
    released = files_of_first_release()
    shipped = {file.name: file for file in shipped_files()}
    assert sorted(released) == sorted(shipped)[: len(released)]
    for name, checksum in released.items():
        assert shipped[name].is_what_was_applied(checksum), name
        assert not shipped[name].is_what_was_applied("0" * 64)


# --- what becomes of the database


async def test_migrating_twice_changes_nothing(db: str) -> None:
    assert await pending() == []
    assert await migrate() == []


async def test_each_file_is_recorded_with_its_checksum_and_oldest_code(db: str) -> None:
    recorded = [(row.name, row.checksum, row.oldest_code) for row in await read_applied()]
    assert recorded == [(file.name, file.checksum, file.oldest_code) for file in shipped_files()]


EXPANDED = "CREATE TABLE thing (id VARCHAR(36) PRIMARY KEY, number INTEGER, old INTEGER);\n"
CONTRACTED = "-- runs: after\nALTER TABLE thing DROP COLUMN old;\n"
_TAKES_AWAY = re.compile(r"DROP (TABLE|COLUMN)|RENAME|SET NOT NULL|DROP VIEW")
_BEFORE_PHASES = "0058"  # the last file from before there were phases


@pytest.mark.parametrize("file", shipped_files(), ids=lambda file: file.name)
def test_a_file_that_takes_away_what_older_code_uses_runs_after(file: MigrationFile) -> None:
    if file.name > _BEFORE_PHASES and _TAKES_AWAY.search(file.text):
        assert file.phase is Phase.AFTER
        assert parse_version(file.oldest_code) > parse_version(FIRST_RELEASE)


async def test_an_upgrade_has_two_halves_and_the_first_leaves_what_older_code_uses(
    new_database: str, folder: Path
) -> None:
    write(folder, "0001_thing.sql", EXPANDED)
    write(folder, "0002_less.sql", CONTRACTED)
    write(folder, "0003_more.sql", "-- runs: before\nALTER TABLE thing ADD COLUMN more INTEGER;\n")
    files = shipped_files(folder)
    with pytest.raises(SchemaOutdated, match="0001_thing"):
        await migrate(folder, Phase.AFTER)
    assert await migrate(folder, Phase.BEFORE) == ["0001_thing.sql", "0003_more.sql"]
    await execute("INSERT INTO thing (id, old, more) VALUES ('1', 2, 3)")  # older and newer code at once
    assert (await pending(Phase.BEFORE, files), await pending(Phase.AFTER, files)) == ([], ["0002_less.sql"])
    assert await migrate(folder, Phase.AFTER) == ["0002_less.sql"]
    assert await query("SELECT * FROM thing") == [{"id": "1", "number": None, "more": 3}]
    assert await migrate(folder) == []


async def test_a_failed_migration_leaves_no_trace_and_is_begun_again(new_database: str, folder: Path) -> None:
    write(folder, "0001_a.sql", A_TABLE + "INSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(BaseORMException):
        await migrate(folder)
    write(folder, "0001_a.sql", A_TABLE)
    assert await migrate(folder) == ["0001_a.sql"]
    assert await numbers() == []


async def test_batches_reach_every_row_once(new_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "BATCH_ROWS", 3)
    text = (
        A_TABLE
        + SOME_ROWS
        + "-- in batches of thing\nUPDATE thing SET number = COALESCE(number, 0) + 1 WHERE {batch};\n"
    )
    write(folder, "0001_a.sql", text)
    assert await migrate(folder) == ["0001_a.sql"]
    assert await numbers() == [1] * 11
    assert await query("SELECT * FROM schema_migration_progress") == []


async def test_a_migration_that_broke_off_goes_on_with_its_next_batch(
    new_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "BATCH_ROWS", 3)
    text = (
        A_TABLE
        + SOME_ROWS
        + (
            "CREATE UNIQUE INDEX once ON thing (number);\nUPDATE thing SET number = 7 WHERE id = '00';\n"
            "-- in batches of thing\n"
            "UPDATE thing SET number = COALESCE(number, 0) + CAST(id AS INTEGER) WHERE {batch};\n"
        )
    )
    write(folder, "0001_a.sql", text)
    with pytest.raises(BaseORMException):
        await migrate(folder)  # 07 would be the second 7
    assert await numbers() == [7, 1, 2, 3, 4, 5, None, None, None, None, None]
    with pytest.raises(SchemaOutdated):
        await require_current()
    await execute("UPDATE thing SET number = 70 WHERE id = '00'")
    assert await migrate(folder) == ["0001_a.sql"]
    assert await numbers() == [70, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


MIGRATES = """
import asyncio, sys
from pathlib import Path
from models.db import connection
from models.db.migrate import migrate

async def run():
    await connection.connect(sys.argv[1])
    try:
        for _ in range(10):
            await migrate()
    finally:
        await connection.close()

asyncio.run(run())
"""


async def test_processes_that_start_at_once_migrate_one_after_the_other(new_database: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATES, new_database, cwd=ROOT, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    errors = [(await process.communicate())[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert await pending() == []


# --- a database of version 0.1.0


@pytest.fixture
async def of_first_release(new_database: str, folder: Path) -> None:
    """A database as version 0.1.0 left it: without checksums."""
    for name in files_of_first_release():
        shutil.copy(SHIPPED / name, folder)
    await migrate(folder)
    for column in ("checksum", "oldest_code"):
        await execute(f"ALTER TABLE schema_migration DROP COLUMN {column}")
    await execute("DROP TABLE schema_migration_progress")


@pytest.mark.usefixtures("of_first_release")
async def test_a_database_of_the_first_release_is_given_the_checksums_of_that_release() -> None:
    assert [row.checksum for row in await read_applied()] == [None] * len(files_of_first_release())
    await migrate()
    recorded = {row.name: row for row in await read_applied()}
    for name, checksum in files_of_first_release().items():
        assert (recorded[name].checksum, recorded[name].oldest_code) == (checksum, FIRST_RELEASE)
    await require_current()


@pytest.mark.usefixtures("of_first_release")
async def test_code_that_is_newer_than_the_database_asks_for_migrate() -> None:
    with pytest.raises(SchemaOutdated, match=r"lacks \d+ migration\(s\), first 0010_.*: run `auto-enrichment migrate`"):
        await require_current()


@pytest.mark.usefixtures("of_first_release")
async def test_decision_snapshots_written_under_the_old_name_of_their_table_are_kept_and_seen() -> None:
    """A worker of version 0.1.0 may still run: it writes and drops `hearing`, which is a view now."""
    await execute("INSERT INTO organization (id, created_at, config, config_updated_at) VALUES ('acme', 1, '{}', 1)")
    await execute(
        "INSERT INTO record (id, organization_id, entity_type, external_id, fields, received, created_at, updated_at)"
        " VALUES ('r', 'acme', 'lead', 'L-1', '{}', '{}', 1, 1)"
    )
    columns = "id, organization_id, record_id, job_id, decided_at, body"
    insert = f"INSERT INTO hearing ({columns}) SELECT ?, 'acme', 'r', 'j', ?, 'x'"
    await execute(insert, ["old", 1])
    await migrate()
    await execute(insert, ["new", 2])
    await execute(insert, ["gone", 3])
    await execute(
        "DELETE FROM hearing WHERE id IN (SELECT id FROM hearing WHERE organization_id = ? AND decided_at > ?"
        " ORDER BY decided_at LIMIT ?)",
        ["acme", 2, 10],
    )
    found = await query("SELECT id, body FROM decision_snapshot ORDER BY decided_at")
    assert [(row["id"], row["body"]) for row in found] == [("old", "x"), ("new", "x")]


# --- code and schema that do not fit


async def record(name: str, *, checksum: str | None = None, oldest_code: str | None = None) -> None:
    await execute(
        "INSERT INTO schema_migration (name, applied_at, checksum, oldest_code) VALUES (?, 1, ?, ?)",
        [name, checksum, oldest_code],
    )


async def test_code_too_old_for_a_migration_is_refused_and_told_which_version_it_takes(db: str) -> None:
    await record("9001_next.sql", oldest_code="97.1")
    try:
        for refused in (require_current, migrate):
            with pytest.raises(CodeOutdated) as refusal:
                await refused()
            assert str(refusal.value) == (
                "the database has had migration 9001_next.sql, after which versions older than 97.1 cannot use it,"
                f" and this is {VERSION}: start a newer version"
            )
    finally:
        await execute("DELETE FROM schema_migration WHERE name = '9001_next.sql'")


async def test_code_runs_beside_a_newer_schema_that_allows_it(db: str) -> None:
    await record("9001_next.sql", checksum="0" * 64, oldest_code=VERSION)
    try:
        await require_current()
        assert await migrate() == []
    finally:
        await execute("DELETE FROM schema_migration WHERE name = '9001_next.sql'")


async def test_a_file_changed_after_it_was_applied_is_refused(new_database: str, folder: Path) -> None:
    write(folder, "0001_a.sql", A_TABLE)
    await migrate(folder)
    write(folder, "0001_a.sql", A_TABLE + "CREATE TABLE other (id INTEGER);\n")
    with pytest.raises(
        MigrationChanged,
        match=r"migration 0001_a\.sql was changed after this database had it \(its SHA-256 was \w{64} and is \w{64}\):"
        " put the file back as it was, and change the schema by a new file",
    ):
        await migrate(folder)


async def test_another_form_of_a_file_with_the_same_result_is_accepted(new_database: str, folder: Path) -> None:
    write(folder, "0001_a.sql", A_TABLE)
    await migrate(folder)
    (file,) = shipped_files(folder)
    write(folder, "0001_a.sql", f"-- same result as: {file.checksum}\n{A_TABLE}")
    assert await migrate(folder) == []


# --- what the third migration fills in


async def value(value_id: str, record_id: str, field: str) -> None:
    await execute(
        "INSERT INTO field_value (id, organization_id, record_id, field, value, source, confidence, observed_at,"
        " written_at, replaced_at) VALUES (?, 'acme', ?, ?, '1', 'crm', 1, 1, 1, 1)",
        [value_id, record_id, field],
    )


async def filled_at_0002(folder: Path) -> None:
    """A database as it was before values named those that they replace."""
    for name in sorted(files_of_first_release())[:2]:
        shutil.copy(SHIPPED / name, folder)
    await migrate(folder)
    await execute("INSERT INTO organization (id, created_at, config, config_updated_at) VALUES ('acme', 1, '{}', 1)")
    for record_id in ("r1", "r2"):
        await execute(
            "INSERT INTO record (id, organization_id, entity_type, external_id, fields, received, created_at,"
            " updated_at) VALUES (?, 'acme', 'lead', ?, '{}', '{}', 1, 1)",
            [record_id, record_id],
        )


async def test_each_value_is_told_which_one_it_replaced(
    new_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "BATCH_ROWS", 2)
    await filled_at_0002(folder)
    for value_id, record_id, field in (
        ("v1", "r1", "city"), ("v2", "r2", "city"), ("v3", "r1", "city"), ("v4", "r1", "phone"), ("v5", "r1", "city"),
    ):  # fmt: skip
        await value(value_id, record_id, field)
    await migrate()
    found = {row["id"]: row["replaces"] for row in await query("SELECT id, replaces FROM field_value")}
    assert found == {"v1": None, "v2": None, "v3": "v1", "v4": None, "v5": "v3"}


# --- nobody is kept waiting (SQLite has one writer at a time anyway)


@pytest.fixture
async def session(new_database: str) -> AsyncIterator[asyncpg.Connection]:
    """Another session on the same database."""
    other = await asyncpg.connect(new_database)
    yield other
    await other.close()


ADDS_A_COLUMN = "ALTER TABLE thing ADD COLUMN other INTEGER;\n"


@pytest.mark.postgresql
async def test_a_migration_that_waits_for_a_lock_lets_others_pass(
    new_database: str, folder: Path, session: asyncpg.Connection
) -> None:
    write(folder, "0001_a.sql", A_TABLE)
    await migrate(folder)
    write(folder, "0002_b.sql", ADDS_A_COLUMN)
    reading = session.transaction()
    await reading.start()
    await session.execute("SELECT * FROM thing")
    task = asyncio.create_task(migrate(folder))
    waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relation = 'thing'::regclass"
    await until(lambda: query(waits))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await execute("INSERT INTO thing (id) VALUES ('passed')")
    assert not task.done()
    await reading.rollback()
    assert await task == ["0002_b.sql"]


@pytest.mark.postgresql
async def test_a_migration_that_gets_no_lock_says_so_and_leaves_no_trace(
    new_database: str, folder: Path, session: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "PATIENCE_SECONDS", 0)
    write(folder, "0001_a.sql", A_TABLE)
    await migrate(folder)
    write(folder, "0002_b.sql", ADDS_A_COLUMN)
    async with session.transaction():
        await session.execute("SELECT * FROM thing")
        with pytest.raises(MigrationBlocked, match="end long transactions on the database and run"):
            await migrate(folder)
    assert await migrate(folder) == ["0002_b.sql"]


@pytest.mark.postgresql
async def test_an_index_of_an_extension_that_is_not_there_is_left_out_and_no_other(
    new_database: str, folder: Path
) -> None:
    index = "-- outside a transaction\nCREATE INDEX CONCURRENTLY thing_search ON thing USING gin (id {});\n"
    write(folder, "0001_a.sql", A_TABLE + index.format("gin_trgm_ops"))
    assert await migrate(folder) == ["0001_a.sql"]
    assert await query("SELECT 1 FROM pg_indexes WHERE indexname = 'thing_search'") == []
    write(folder, "0002_b.sql", index.format("no_such_ops"))
    with pytest.raises(asyncpg.UndefinedObjectError):
        await migrate(folder)


@pytest.mark.postgresql
@pytest.mark.long
async def test_no_writer_waits_a_second_while_a_filled_database_is_migrated(
    new_database: str,
    folder: Path,
    session: asyncpg.Connection,
) -> None:
    await filled_at_0002(folder)
    await session.execute(
        "INSERT INTO record (id, organization_id, entity_type, external_id, fields, received, created_at, updated_at)"
        " SELECT 'many-' || number, 'acme', 'lead', number, '{}', '{}', 1, 1 FROM generate_series(0, 39999) AS number"
    )
    await session.execute(
        "INSERT INTO field_value (id, organization_id, record_id, field, value, source, confidence, observed_at,"
        " written_at, replaced_at) SELECT to_char(number, 'FM00000000'), 'acme', 'many-' || number % 40000,"
        " 'field-' || number % 5, '1', 'crm', 1, 1, 1, 1 FROM generate_series(1, 400000) AS number"
    )
    await session.execute("ANALYZE")
    task = asyncio.create_task(migrate())
    longest = 0.0
    count = 0
    while not task.done():
        started = time.monotonic()
        await session.execute("UPDATE record SET version = version + 1 WHERE id = 'r2'")
        await session.execute(
            "INSERT INTO field_value (id, organization_id, record_id, field, value, source, confidence, observed_at,"
            " written_at, replaced_at) VALUES ($1, 'acme', 'r2', 'city', '1', 'crm', 1, 1, 1, 1)",
            f"00000000-{count:08}",
        )
        longest = max(longest, time.monotonic() - started)
        count += 1
        await asyncio.sleep(0.002)
    assert task.result() != []
    assert longest < 1.0, f"a writer waited {longest:.2f} s"
