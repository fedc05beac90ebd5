"""Makes a filled PostgreSQL larger by copies of what it holds, inside the database: a million jobs in minutes.

A copy of a row differs in its ids, which are those of a later moment, and in the record's external id. No trigger or
reference is checked meanwhile; the daily counts, which triggers would keep, are multiplied instead.
"""

import asyncio

from benchmarks.measurement import progress
from models.db.statements import dump_rows, execute, query, rows
from models.db.transaction import Transaction, unit_of_work

# The columns of each table that another row's id stands in.
_IDS = {
    "record": ("id",),
    "job": ("id", "record_id"),
    "step": ("id", "job_id"),
    "field_value": ("id", "record_id", "job_id"),
}
_BETWEEN_COPIES_MS = 3_600_000  # an id begins with its moment: copies lie an hour apart, and are ordered
_KEY = "organization_id, measure, day, entity_type, trigger_kind, provider, name"
_COPIES_AT_ONCE = 5


async def may_copy() -> bool:
    """Whether this user of the database may leave triggers out."""
    [found] = await query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    return bool(found["rolsuper"])


async def add_copies(copies: int) -> None:
    """Add so many copies of every record, job, step and value that is there."""
    ids = " UNION ALL ".join(f"SELECT MAX(id) AS id FROM {table}" for table in _IDS)
    [seed] = await query(f"SELECT MAX(id) AS last FROM ({ids}) AS ids")
    counted = await query(
        f"SELECT {_KEY}, SUM(events) AS events, SUM(credits) AS credits FROM daily_count GROUP BY {_KEY}"
    )
    for first in range(1, copies + 1, _COPIES_AT_ONCE):
        last = min(first + _COPIES_AT_ONCE - 1, copies)
        await asyncio.gather(*(_add(table, first, last, seed["last"]) for table in _IDS))
        progress(f"copied {last} of {copies} times")
    more = [{**row, "events": int(row["events"]) * copies, "credits": int(row["credits"]) * copies} for row in counted]
    kinds = dict.fromkeys(_KEY.split(", "), "text") | dict.fromkeys(("day", "events", "credits"), "integer")
    names = ", ".join(kinds)
    await execute(f"INSERT INTO daily_count ({names}) SELECT {names} FROM {rows(kinds)}", [dump_rows(more)])


@unit_of_work
async def _add(tx: Transaction, table: str, first: int, last: int, seed: str) -> None:
    await execute("SET LOCAL session_replication_role = replica", using=tx)
    sql = "SELECT column_name FROM information_schema.columns WHERE table_name = ? AND table_schema = 'public'"
    names = [row["column_name"] for row in await query(sql, [table], using=tx)]
    changed = {name: _later(name) for name in _IDS[table]}
    if table == "record":
        changed["external_id"] = "external_id || '-' || copy"
    picked = ", ".join(changed.get(name, name) for name in names)
    await execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {picked}"
        f" FROM {table} CROSS JOIN generate_series({first}, {last}) AS copy WHERE {table}.id <= ?"
        f" ORDER BY copy, {table}.id",
        [seed],
        using=tx,
    )


def _later(column: str) -> str:
    """The id of a copy, as SQL: the first 48 bits are milliseconds."""
    moment = f"('x' || lpad(substr({column}, 1, 8) || substr({column}, 10, 4), 16, '0'))::bit(64)::bigint"
    digits = f"lpad(to_hex({moment} + copy * {_BETWEEN_COPIES_MS}::bigint), 12, '0')"
    return f"substr({digits}, 1, 8) || '-' || substr({digits}, 9) || substr({column}, 14)"
