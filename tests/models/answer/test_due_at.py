"""A pending answer's `due_at` is a column of its own, apart from the lease of a question in flight."""

from typing import Any

import pytest

from models.answer.cache import acquire, store
from models.answer.pending import pending_of
from models.answer.row import AnswerKey, AnswerResult, AnswerState
from models.db.columns import from_micros, new_id
from models.db.migrate import migrate
from models.db.statements import execute, query
from models.db.transaction import unit_of_work
from tests.models.db.test_database import COLUMNS

pytestmark = pytest.mark.usefixtures("db")
MIGRATION = "0011_answer_due_at.sql"
JOB = COLUMNS["job"]["id"]


async def insert(table: str, **columns: Any) -> None:
    marks = ", ".join("?" for _ in columns)
    await execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))


async def test_the_migration_moves_the_time_of_pending_answers_and_leaves_leases_alone() -> None:
    await insert("organization", **COLUMNS["organization"])
    await execute("ALTER TABLE answer DROP COLUMN due_at")
    await execute("DELETE FROM schema_migration WHERE name = ?", [MIGRATION])
    for key, state, token in (("a", "asking", None), ("b", "pending", "token")):
        await insert(
            "answer",
            id=new_id(),
            organization_id="acme",
            provider="paid",
            input_key=key,
            state=state,
            token=token,
            lease_until=7,
        )
    assert await migrate() == [MIGRATION]
    found = await query("SELECT state, lease_until, due_at FROM answer ORDER BY input_key")
    assert found == [
        {"state": "asking", "lease_until": 7, "due_at": None},
        {"state": "pending", "lease_until": None, "due_at": 7},
    ]


async def test_a_pending_answer_has_a_due_time_and_no_lease() -> None:
    for table in ("organization", "record", "job"):
        await insert(table, **COLUMNS[table])
    key = AnswerKey("acme", "paid", "key", JOB)
    acquired = await unit_of_work(acquire)([key], from_micros(1), from_micros(5))
    assert acquired.held == {key}
    assert await query("SELECT lease_until, due_at FROM answer") == [{"lease_until": 5, "due_at": None}]

    result = AnswerResult(
        *key.key, JOB, AnswerState.PENDING, [], "", token="t", due_at=from_micros(9), expires_at=from_micros(99)
    )
    await unit_of_work(store)([result])
    assert await query("SELECT lease_until, due_at FROM answer") == [{"lease_until": None, "due_at": 9}]
    pending = (await pending_of([JOB])).get((JOB, "paid"))
    assert pending is not None
    assert (pending.due_at, pending.token, pending.state) == (from_micros(9), "t", AnswerState.PENDING)
