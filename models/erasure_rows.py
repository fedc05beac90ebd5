"""The statements that remove a record with everything that hangs on it, and keep it from coming back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from models.db.connection import dialect
from models.db.statements import dump, dump_rows, execute, insert_rows, marks, query, rows
from models.db.transaction import Transaction

_LOCK = 4_827_116  # any number that nothing else in the database uses
_OF_JOBS = "job_id IN (SELECT id FROM job WHERE record_id = ?)"
# What a record holds, by table and in plain words; all of it goes with the record's row.
HOLDINGS: Mapping[str, tuple[str, str]] = {
    "field_value": ("values and their history", "record_id = ?"),
    "job": ("jobs", "record_id = ?"),
    "step": ("answers within jobs", _OF_JOBS),
    "decision_snapshot": ("recorded decisions", "record_id = ?"),
    "conflict": ("conflicts", "record_id = ?"),
    "rejection": ("remembered rejections", "record_id = ?"),
    "undo_line": ("lines of undos", "record_id = ?"),
    "refresh_plan": ("planned refreshes", "record_id = ?"),
}
# What names a record or a job by its id alone, and stays: the ledger must add up.
NAMING_ONLY = frozenset({"credit_entry"})

_TOMBSTONE = {
    "id": "text",
    "organization_id": "text",
    "erasure_id": "text",
    "kind": "text",
    "hash": "text",
    "shared": "boolean",
    "named": "boolean",
}


async def hold_intake(tx: Transaction, organization_id: str, *, alone: bool) -> None:
    """Until the transaction ends: take records in (`alone` false), or keep everyone from doing so.

    So nobody comes in between the look for tombstones and the record that is stored. SQLite has one writer anyway.
    """
    if dialect() == "sqlite":
        sql, values = "UPDATE organization SET config_version = config_version WHERE id = ?", [organization_id]
    else:
        shared = "" if alone else "_shared"
        sql = f"SELECT pg_advisory_xact_lock{shared}({_LOCK}, hashtext(?))"
        values = [organization_id]
    await query(f"{sql} RETURNING id" if dialect() == "sqlite" else sql, values, using=tx)


async def has_tombstones(organization_id: str, *, using: Transaction | None = None) -> bool:
    """Whether the organization has erased anybody."""
    sql = "SELECT 1 AS one FROM tombstone WHERE organization_id = ? LIMIT 1"
    return bool(await query(sql, [organization_id], using=using))


async def matching_tombstones(tx: Transaction, organization_id: str, hashes: Collection[str]) -> list[dict[str, Any]]:
    """The tombstones with these hashes: `erasure_id`, `kind`, `hash`, `shared` and `named`."""
    return await query(
        "SELECT tombstone.erasure_id, tombstone.kind, tombstone.hash, tombstone.shared, tombstone.named"
        f" FROM {rows({'hash': 'text'})} JOIN tombstone ON tombstone.organization_id = ? AND tombstone.hash = v.hash",
        [dump_rows([{"hash": value} for value in hashes]), organization_id],
        using=tx,
    )


async def lock_jobs(tx: Transaction, record_id: str) -> list[str]:
    """The record's jobs, locked against everyone who would write for them, until the transaction ends."""
    if dialect() == "sqlite":
        sql = "UPDATE job SET fence = fence WHERE record_id = ? RETURNING id"
    else:
        sql = "SELECT id FROM job WHERE record_id = ? ORDER BY id FOR UPDATE"
    return sorted(row["id"] for row in await query(sql, [record_id], using=tx))


async def count_holdings(tx: Transaction, record_id: str) -> dict[str, int]:
    """How many rows of each table go with the record."""
    parts = [f"(SELECT COUNT(*) FROM {table} WHERE {where}) AS {table}" for table, (_, where) in HOLDINGS.items()]
    [counted] = await query(f"SELECT {', '.join(parts)}", [record_id] * len(parts), using=tx)
    return {table: int(counted[table]) for table in HOLDINGS}


async def delete_record(tx: Transaction, organization_id: str, record_id: str) -> None:
    """Remove the record; what hangs on it goes with it."""
    sql = "DELETE FROM record WHERE id = ? AND organization_id = ?"
    await execute(sql, [record_id, organization_id], using=tx)


async def answers_about(
    tx: Transaction, organization_id: str, job_ids: Sequence[str], keys: Collection[tuple[str, str]]
) -> list[dict[str, Any]]:
    """The answers that these jobs asked for, or that have these (provider, input key) pairs."""
    columns = "answer.id, answer.provider, answer.input_key, answer.state, answer.asked_by, answer.findings"
    found = await query(
        f"SELECT {columns} FROM {rows({'provider': 'text', 'input_key': 'text'})} JOIN answer"
        " ON answer.organization_id = ? AND answer.provider = v.provider AND answer.input_key = v.input_key",
        [dump_rows([{"provider": provider, "input_key": key} for provider, key in keys]), organization_id],
        using=tx,
    )
    if job_ids:
        found += await query(
            f"SELECT {columns} FROM answer WHERE organization_id = ? AND asked_by IN ({marks(job_ids)})",
            [organization_id, *job_ids],
            using=tx,
        )
    return list({row["id"]: row for row in found}.values())


async def delete_answers(tx: Transaction, ids: Sequence[str]) -> int:
    """Remove these answers. Returns how many."""
    return await execute(f"DELETE FROM answer WHERE id IN ({marks(ids)})", list(ids), using=tx) if ids else 0


async def insert_erasure(
    tx: Transaction, certificate: Mapping[str, Any], tombstones: Sequence[Mapping[str, Any]]
) -> None:
    """Keep the certificate of an erasure and the tombstones that it leaves."""
    row = {**certificate, "removed": dump(certificate["removed"]), "not_reached": dump(certificate["not_reached"])}
    sql = f"INSERT INTO erasure ({', '.join(row)}) VALUES ({marks(list(row))})"
    await execute(sql, list(row.values()), using=tx)
    await insert_rows(tx, "tombstone", _TOMBSTONE, tombstones, then="ON CONFLICT DO NOTHING")


async def note_not_reached(erasure_id: str, not_reached: Sequence[str]) -> None:
    """Say in a certificate what was not reached after all."""
    await execute("UPDATE erasure SET not_reached = ? WHERE id = ?", [dump(list(not_reached)), erasure_id])


async def lift(tx: Transaction, organization_id: str, erasure_id: str, moment: int, user: str) -> bool:
    """Remove the tombstones of an erasure. Whether it was there and had not been lifted before."""
    lifted = await query(
        "UPDATE erasure SET lifted_at = ?, lifted_by = ? WHERE id = ? AND organization_id = ? AND lifted_at IS NULL"
        " RETURNING id",
        [moment, user, erasure_id, organization_id],
        using=tx,
    )
    if lifted:
        await execute("DELETE FROM tombstone WHERE erasure_id = ?", [erasure_id], using=tx)
    return bool(lifted)
