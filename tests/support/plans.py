"""How the database finds the rows of a statement: a scan reads a whole table, or all of an organization's rows."""

import logging
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import Any, cast

from models.db.connection import connection, dialect
from models.db.statements import load

LARGE = {"record", "job", "step", "field_value", "conflict", "credit_entry", "daily_count"}
_ENOUGH = 2_000  # rows that a page, a batch or a probe may read


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: dict[str, Sequence[Any]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        # Other messages have other arguments, such as that a connection was opened.
        sql, values = record.args if isinstance(record.args, tuple) and len(record.args) == 2 else ("", ())
        if str(sql).lstrip().upper().startswith(("SELECT", "WITH")):
            self.found[str(sql)] = cast("Sequence[Any]", values) or ()


@contextmanager
def statements_read() -> Iterator[dict[str, Sequence[Any]]]:
    """The SELECT statements that run meanwhile, each once, with their last values."""
    log, handler = connection().log, _Collector()
    before = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        yield handler.found
    finally:
        log.level, log.propagate = before
        log.removeHandler(handler)


async def scans(sql: str, values: Sequence[Any], *, large: Set[str] = LARGE) -> list[str]:
    """What a statement, as it was given to the database, reads without an index, or reads many rows of to find few.

    `large` are the tables of which that counts.
    """
    client = connection()
    if dialect() == "sqlite":
        plan = await client.execute_query_dict(f"EXPLAIN QUERY PLAN {sql}", list(values))
        details = [words for row in plan if len(words := row["detail"].split()) > 1]
        # A subquery of few rows has the name of its table.
        made = {words[1] for words in details if words[0] in {"CO-ROUTINE", "MATERIALIZE"}}
        return [" ".join(words) for words in details if words[1] not in made and _is_scan_of_sqlite(words, large)]
    [row] = await client.execute_query_dict(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", list(values))
    return list(_scans_of_postgresql(load(row["QUERY PLAN"])[0]["Plan"], large))


async def pages_read(sql: str, values: Sequence[Any]) -> int:
    """How many pages of tables and indexes PostgreSQL goes through for a statement, as it was given to it."""
    [row] = await connection().execute_query_dict(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", list(values))
    plan = load(row["QUERY PLAN"])[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _is_scan_of_sqlite(words: Sequence[str], large: Set[str]) -> bool:
    return words[0] == "SCAN" and words[1] in large and "USING" not in words


def _scans_of_postgresql(node: Mapping[str, Any], large: Set[str]) -> Iterator[str]:
    read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    table = node.get("Relation Name")
    # The daily counts of a long period are many rows, and never those of all jobs.
    if table in large and (node["Node Type"] == "Seq Scan" or (read > _ENOUGH and table != "daily_count")):
        index = node.get("Index Name")
        yield f"{node['Node Type']} of {table}{f' by {index}' if index else ''}: {read} rows"
    for child in node.get("Plans", ()):
        yield from _scans_of_postgresql(child, large)
