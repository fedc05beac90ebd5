"""What a migration's file says: the oldest code that can run on its result, and the steps that lead there.

The files are portable SQL. A statement ends with a `;` at the end of a line. Lines of their own before a statement say
how it runs:

- `-- sqlite only`, `-- postgresql only`: on that database alone; `-- sqlite with trigrams only`: where its library has
  FTS5 with that tokenizer
- `-- outside a transaction`: by itself, for `CREATE INDEX CONCURRENTLY`. After a crash it and its neighbours of this
  kind run again, so they must bear that (`DROP INDEX CONCURRENTLY IF EXISTS` first).
- `-- in batches of TABLE`: again and again, each time in a transaction of its own with `{batch}` naming the next rows
  by the table's `id`, until all that were there have had their turn

All other statements run in one transaction with their neighbours. Lines that hold for the whole file:

- `-- oldest code: 0.1.0`: the oldest version that can run on the database afterwards
- `-- runs: before` or `-- runs: after`: before the new version starts, beside processes of the old one (what is new:
  also without this line), or once none of the old one is left (what the new one no longer uses goes). A file that
  runs before may rest only on files that do.
- `-- same result as: SHA-256`: the checksum of another form of the file, which was applied to some databases and led
  to the same schema and data
"""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from models.db.connection import Dialect

_TYPES: dict[Dialect, dict[str, str]] = {
    "sqlite": {"id": "VARCHAR(36)", "json": "TEXT", "bytes": "BLOB"},
    # "C" compares bytes: ids are plain ASCII, and their order is the order of creation.
    "postgresql": {"id": 'VARCHAR(36) COLLATE "C"', "json": "JSONB", "bytes": "BYTEA"},
}
_ONLY = re.compile(r"-- (sqlite|postgresql|sqlite with trigrams) only")
_OUTSIDE = "-- outside a transaction"
_BATCHES = re.compile(r"-- in batches of (\w+)")
_OLDEST_CODE = re.compile(r"^-- oldest code: (\d+(?:\.\d+)+)$", re.MULTILINE)
_RUNS = re.compile(r"^-- runs: (before|after)$", re.MULTILINE)
_SAME_RESULT = re.compile(r"^-- same result as: ([0-9a-f]{64})$", re.MULTILINE)
_RELEASED = re.compile(r"^([0-9a-f]{64})  (\S+\.sql)$", re.MULTILINE)
FIRST_RELEASE = "0.1.0"


class StepKind(Enum):
    TRANSACTION = auto()
    OUTSIDE = auto()
    BATCHES = auto()


class Phase(Enum):
    """When of an upgrade a file is applied: before the new version starts, or after the old one has ended."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Statement:
    sql: str
    kind: StepKind = StepKind.TRANSACTION
    table: str = ""  # whose rows come in batches


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """Statements that are done or not done together."""

    kind: StepKind
    statements: tuple[str, ...]
    table: str = ""


@dataclass(frozen=True)
class MigrationFile:
    """One numbered file."""

    name: str
    content: bytes

    @cached_property
    def text(self) -> str:
        return self.content.decode("utf-8")

    @cached_property
    def checksum(self) -> str:
        """The SHA-256 of the file."""
        return sha256(self.content).hexdigest()

    @cached_property
    def oldest_code(self) -> str:
        """The oldest version that can run on a database that has had this migration. ValueError if none is named."""
        if found := _OLDEST_CODE.search(self.text):
            return found[1]
        if self.name in files_of_first_release():
            return FIRST_RELEASE
        raise ValueError(f"{self.name}: the line `-- oldest code: VERSION` is missing")

    @cached_property
    def phase(self) -> Phase:
        """When of an upgrade it is applied."""
        found = _RUNS.search(self.text)
        return Phase(found[1]) if found else Phase.BEFORE

    def is_what_was_applied(self, checksum: str | None) -> bool:
        """Whether a database with this checksum has had this file, or a form of it that led to the same."""
        return checksum in {None, self.checksum, *_SAME_RESULT.findall(self.text)}

    def steps(self, target: Dialect) -> list[MigrationStep]:
        """What is to be done on `target`, in order; at least one step."""
        found: list[MigrationStep] = []
        for statement in parse(self.text, target):
            last = found[-1] if found else None
            if last is not None and last.kind is statement.kind is not StepKind.BATCHES:
                found[-1] = MigrationStep(last.kind, (*last.statements, statement.sql))
            else:
                found.append(MigrationStep(statement.kind, (statement.sql,), statement.table))
        return found or [MigrationStep(StepKind.TRANSACTION, ())]


def shipped_files(folder: Traversable | None = None) -> list[MigrationFile]:
    """The migrations that this code comes with, or those of a folder, in order."""
    folder = folder or files("models").joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [MigrationFile(name, folder.joinpath(name).read_bytes()) for name in names]


def files_of_first_release() -> dict[str, str]:
    """The checksums of the files of version 0.1.0, which recorded none when it applied them, by name."""
    listed = files("models").joinpath("migrations", f"{FIRST_RELEASE}.sha256").read_text("utf-8")
    return {name: checksum for checksum, name in _RELEASED.findall(listed)}


def parse(text: str, target: Dialect) -> list[Statement]:
    """The statements of a migration that `target` should run, in order."""
    found: list[Statement] = []
    lines: list[str] = []
    only, kind, table = None, StepKind.TRANSACTION, ""
    for line in text.splitlines():
        mark = line.strip()
        if match := _ONLY.fullmatch(mark):
            only = match[1]
        elif mark == _OUTSIDE:
            kind = StepKind.OUTSIDE
        elif match := _BATCHES.fullmatch(mark):
            kind, table = StepKind.BATCHES, match[1]
        elif mark and not mark.startswith("--"):
            lines.append(line)
            if mark.endswith(";"):
                if only in (None, target) or (only != "postgresql" and target == "sqlite" and has_trigrams()):
                    found.append(Statement(_sql("\n".join(lines), target, table), kind, table))
                lines, only, kind, table = [], None, StepKind.TRANSACTION, ""
    return found


@cache
def has_trigrams() -> bool:
    """Whether SQLite's library can index three-letter parts of texts."""
    with closing(sqlite3.connect(":memory:")) as session:
        try:
            session.execute("CREATE VIRTUAL TABLE probe USING fts5(text, tokenize='trigram')")
        except sqlite3.OperationalError:
            return False
    return True


def _sql(text: str, target: Dialect, table: str) -> str:
    sql = text.rstrip().removesuffix(";")
    for name, column_type in _TYPES[target].items():
        sql = sql.replace("{" + name + "}", column_type)
    sql = sql.replace("{batch}", f"{table}.id > ? AND {table}.id <= ?")
    return sql.replace(" CONCURRENTLY", "") if target == "sqlite" else sql
