"""What the promises rest on is enforced by the database itself, on SQLite and on PostgreSQL."""

import asyncio
from typing import Any

import pytest
from tortoise.exceptions import BaseORMException, IntegrityError, OperationalError

from models.db import connection
from models.db.columns import new_id
from models.db.statements import dump, dump_rows, execute, load, query, rows
from models.db.transaction import Transaction, unit_of_work
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("db")

RECORD, JOB = new_id(), new_id()
COLUMNS: dict[str, dict[str, Any]] = {
    "organization": {"id": "acme", "created_at": 1, "config": "{}", "config_updated_at": 1},
    "record": {
        "id": RECORD, "organization_id": "acme", "entity_type": "lead", "external_id": "L1", "fields": "{}",
        "received": "{}", "created_at": 1, "updated_at": 1,
    },
    "job": {
        "id": JOB, "organization_id": "acme", "record_id": RECORD, "entity_type": "lead", "trigger_kind": "manual",
        "status": "pending", "next_attempt_at": 1, "fields_updated": "[]", "outcomes": "[]", "filled_before": "[]",
        "filled_after": "[]", "created_at": 1, "updated_at": 1,
    },
    "conflict": {
        "organization_id": "acme", "record_id": RECORD, "job_id": JOB, "entity_type": "lead", "field": "city",
        "reason": "existing_differs", "status": "open", "candidates": "[]", "created_at": 1, "updated_at": 1,
    },
    "field_value": {
        "organization_id": "acme", "record_id": RECORD, "field": "city", "value": '"Berlin"', "source": "crm",
        "confidence": 1.0, "observed_at": 1, "written_at": 1,
    },
    "step": {
        "organization_id": "acme", "job_id": JOB, "position": 1, "provider": "directory", "outcome": "match",
        "fields_found": "[]", "candidates": "[]", "asked_at": 1,
    },
    "credit_account": {"organization_id": "acme", "balance": 10},
    "credit_entry": {"organization_id": "acme", "kind": "grant", "amount": 10, "created_at": 1},
}  # fmt: skip


async def insert(table: str, **changes: Any) -> None:
    row = COLUMNS[table] | changes
    if table not in {"organization", "credit_account"}:
        row.setdefault("id", new_id())
    marks = ", ".join("?" for _ in row)
    await execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


@pytest.fixture(autouse=True)
async def one_job(db: str) -> None:
    for table in ("organization", "record", "job"):
        await insert(table)


CHARGE = {
    "kind": "charge",
    "amount": -3,
    "reserved_change": -3,
    "job_id": JOB,
    "provider": "paid",
    "entity_type": "lead",
}


@pytest.mark.parametrize(
    ("table", "first", "second"),
    [
        pytest.param("job", None, {}, id="a second active job of a record"),
        pytest.param(
            "job", None, {"status": "in_progress", "lease_until": 9, "next_attempt_at": None}, id="or running"
        ),
        pytest.param("conflict", {}, {}, id="a second open conflict of a field"),
        pytest.param("field_value", {}, {}, id="a second current value of a field"),
        pytest.param("step", {}, {}, id="a second step of a job and provider"),
        pytest.param("credit_entry", CHARGE | {"settles": "a"}, CHARGE | {"settles": "b"}, id="a second charge"),
        pytest.param(
            "credit_entry", CHARGE | {"settles": "a"}, CHARGE | {"settles": "a", "provider": "x"}, id="settled twice"
        ),
        pytest.param("credit_entry", {"idempotency_key": "k"}, {"idempotency_key": "k"}, id="the same grant twice"),
        pytest.param("record", None, {"id": new_id()}, id="the same external id twice"),
    ],
)
async def test_what_may_be_there_once_is_refused_twice(
    table: str, first: dict[str, Any] | None, second: dict[str, Any]
) -> None:
    if first is not None:
        await insert(table, **first)
    with pytest.raises(IntegrityError):
        await insert(table, **({"id": new_id()} | second))


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        pytest.param("credit_account", {"balance": -1}, id="a balance below 0"),
        pytest.param("credit_account", {"balance": 5, "reserved": 6}, id="more reserved than there is"),
        pytest.param("credit_account", {"balance": 5, "monthly_balance": 6}, id="a monthly part above the whole"),
        pytest.param("credit_entry", {"amount": -5}, id="a grant that takes"),
        pytest.param("credit_entry", CHARGE, id="a charge of nothing held"),
        pytest.param("credit_entry", CHARGE | {"kind": "release", "settles": "a"}, id="a release that pays"),
        pytest.param("record", {"external_id": "x", "completeness": 1.5}, id="more than complete"),
        pytest.param("record", {"external_id": "x", "entity_type": "deal"}, id="an unknown entity type"),
        pytest.param("field_value", {"confidence": 1.1}, id="more than certain"),
        pytest.param("conflict", {"status": "resolved"}, id="a resolved conflict without a resolution"),
    ],
)  # fmt: skip
async def test_what_may_not_be_is_refused(table: str, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        await insert(table, **changes)


async def test_a_job_cannot_be_final_and_waiting() -> None:
    with pytest.raises(IntegrityError):
        await execute("UPDATE job SET status = 'completed' WHERE id = ?", [JOB])
    with pytest.raises(IntegrityError):
        await execute("UPDATE job SET status = 'in_progress', next_attempt_at = NULL WHERE id = ?", [JOB])


async def test_the_ledger_only_grows() -> None:
    await insert("credit_entry")
    for change in ("UPDATE credit_entry SET amount = 99", "DELETE FROM credit_entry"):
        with pytest.raises(BaseORMException):
            await execute(change)
    assert [row["amount"] for row in await query("SELECT amount FROM credit_entry")] == [10]


async def test_rows_carry_every_kind_of_value() -> None:
    kinds = {"t": "text", "n": "integer", "r": "real", "b": "boolean", "j": "json"}
    sent: list[dict[str, Any]] = [
        {"t": "Zoë ' \" $1 ?", "n": 2**53, "r": 0.5, "b": True, "j": dump({"a": [1, "x", None]})},
        {"t": None, "n": None, "r": None, "b": False, "j": dump("text")},
    ]
    found = await query(f"SELECT t, n, r, b, j FROM {rows(kinds)}", [dump_rows(sent)])
    read = [{**row, "b": bool(row["b"]), "j": load(row["j"])} for row in found]
    assert read == [{**row, "j": load(row["j"])} for row in sent]


async def test_a_failed_transaction_leaves_no_trace() -> None:
    async def body(tx: Transaction) -> None:
        await execute("UPDATE job SET priority = 7", using=tx)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        await unit_of_work(body)()
    assert (await query("SELECT priority FROM job"))[0]["priority"] == 0


async def test_a_read_waits_for_no_transaction_of_others_and_sees_what_is_committed() -> None:
    written, may_end = asyncio.Event(), asyncio.Event()

    @unit_of_work
    async def slow(tx: Transaction) -> int:
        await execute("UPDATE job SET priority = 77 WHERE id = ?", [JOB], using=tx)
        [inside] = await query("SELECT priority FROM job WHERE id = ?", [JOB])
        written.set()
        await may_end.wait()
        return int(inside["priority"])

    async def priority() -> int:
        [found] = await asyncio.wait_for(query("SELECT priority FROM job WHERE id = ?", [JOB]), PATIENCE_SECONDS)
        return int(found["priority"])

    before = await priority()
    writing = asyncio.create_task(slow())
    await written.wait()
    assert await priority() == before != 77
    may_end.set()
    assert await writing == 77  # what a transaction has written, it reads
    assert await priority() == 77


async def test_a_select_writes_nothing() -> None:
    if connection.dialect() == "sqlite":
        with pytest.raises(OperationalError, match="readonly"):
            await connection.reader().execute_query("UPDATE job SET priority = 1")
    assert connection.reader() is not None


async def test_a_cancelled_caller_does_not_tear_a_transaction_apart() -> None:
    async def body(tx: Transaction) -> None:
        await execute("UPDATE job SET priority = priority + 1", using=tx)
        await asyncio.sleep(0.005)

    for wait in (0.0, 0.001, 0.002, 0.004, 0.006) * 6:
        task = asyncio.create_task(unit_of_work(body)())
        await asyncio.sleep(wait)
        task.cancel()
        await asyncio.wait({task})
    async with asyncio.timeout(PATIENCE_SECONDS):
        await unit_of_work(body)()
    assert (await query("SELECT priority FROM job"))[0]["priority"] >= 1


async def test_a_database_of_another_kind_is_refused() -> None:
    with pytest.raises(connection.DatabaseUnsupported):
        connection.tortoise_url("mysql://localhost/x", pool=1)
    with pytest.raises(OperationalError):
        await query("SELECT nonsense FROM nowhere")


@pytest.mark.postgresql
async def test_a_statement_costs_one_round_trip_and_leaves_a_clean_session() -> None:
    sent: list[str] = []
    async with connection.connection().acquire_connection() as session:
        session.add_query_logger(lambda record: sent.append(record.query))
    try:
        await query("SELECT 1 AS one")
        await query("SELECT 2 AS two")
        assert sent == ["SELECT 1 AS one", "SELECT 2 AS two"]
        async with connection.connection().acquire_connection() as session:
            await session.execute("BEGIN")
        assert sent[-1] == "ROLLBACK"
    finally:
        await connection.close()  # and with it the logger
