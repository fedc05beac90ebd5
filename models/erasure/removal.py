"""Removing a record with everything that belongs to it, and what providers answered about it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from models.answer.row import Answer, AnswerState
from models.db.connection import dialect
from models.db.rows import fetch, projection, select
from models.db.statements import dump_rows, execute, marks, query, rows
from models.db.transaction import Transaction

_OF_JOBS = "job_id IN (SELECT id FROM job WHERE record_id = ?)"
# What belongs to a record, by table and in plain words; all of it goes with the record's row.
BELONGINGS: Mapping[str, tuple[str, str]] = {
    "field_value": ("values and their history", "record_id = ?"),
    "job": ("jobs", "record_id = ?"),
    "step": ("answers within jobs", _OF_JOBS),
    "decision_snapshot": ("recorded decisions", "record_id = ?"),
    "conflict": ("conflicts", "record_id = ?"),
    "rejection": ("remembered rejections", "record_id = ?"),
    "undo_line": ("lines of undos", "record_id = ?"),
    "refresh_plan": ("planned refreshes", "record_id = ?"),
    "event": ("events of the log", "record_id = ?"),  # the one that says that it was erased takes their place
    "webhook_delivery": ("contents of webhook deliveries", "record_id = ?"),  # their rows stay and name it no more
}
# What names a record or a job by its id alone, and stays: the ledger must add up, and a call under way is settled.
NAMING_ONLY = frozenset({"credit_entry", "call_intent"})


@projection(Answer)
class RelatedAnswer:
    """An answer that may be about a record."""

    id: str
    provider: str
    input_key: str
    state: AnswerState
    asked_by: str | None
    findings: list[dict[str, Any]] | None


async def lock_jobs_of(tx: Transaction, record_id: str) -> list[str]:
    """The ids of a record's jobs, locked against everyone who would write for them until the transaction ends."""
    if dialect() == "sqlite":
        sql = "UPDATE job SET fence = fence WHERE record_id = ? RETURNING id"
    else:
        sql = "SELECT id FROM job WHERE record_id = ? ORDER BY id FOR UPDATE"
    return sorted(row["id"] for row in await query(sql, [record_id], using=tx))


async def count_belongings(tx: Transaction, record_id: str) -> dict[str, int]:
    """How many rows of each table go with the record."""
    parts = [f"(SELECT COUNT(*) FROM {table} WHERE {where}) AS {table}" for table, (_, where) in BELONGINGS.items()]
    [counted] = await query(f"SELECT {', '.join(parts)}", [record_id] * len(parts), using=tx)
    return {table: int(counted[table]) for table in BELONGINGS}


async def delete_record(tx: Transaction, organization_id: str, record_id: str) -> None:
    """Remove the record; what belongs to it goes with it."""
    sql = "DELETE FROM record WHERE id = ? AND organization_id = ?"
    await execute(sql, [record_id, organization_id], using=tx)


async def related_answers(
    tx: Transaction, organization_id: str, job_ids: Sequence[str], questions: Collection[tuple[str, str]]
) -> list[RelatedAnswer]:
    """The answers that these jobs asked for, and those to these questions (provider, input key)."""
    found = await fetch(
        RelatedAnswer,
        f"SELECT {select(RelatedAnswer, 'answer')} FROM {rows({'provider': 'text', 'input_key': 'text'})} JOIN answer"
        " ON answer.organization_id = ? AND answer.provider = v.provider AND answer.input_key = v.input_key",
        [dump_rows([{"provider": provider, "input_key": key} for provider, key in questions]), organization_id],
        using=tx,
    )
    if job_ids:
        found += await fetch(
            RelatedAnswer,
            f"SELECT {select(RelatedAnswer)} FROM answer WHERE organization_id = ? AND asked_by IN ({marks(job_ids)})",
            [organization_id, *job_ids],
            using=tx,
        )
    return list({answer.id: answer for answer in found}.values())


async def delete_answers(tx: Transaction, ids: Sequence[str]) -> int:
    """Remove these answers. Returns how many."""
    return await execute(f"DELETE FROM answer WHERE id IN ({marks(ids)})", list(ids), using=tx) if ids else 0
