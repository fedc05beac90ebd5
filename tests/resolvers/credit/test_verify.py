"""The proof of the ledger finds whatever was changed in it, in the counters that limits rest on, and beside it."""

from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from models.db.columns import to_micros
from models.db.statements import execute, query
from models.job import Job
from resolvers.credit.verify import check_ledger
from resolvers.erasure.api import erase_record
from tests.support.factories import Clock, StandIn, context, send, services, work
from tests.support.ledgers import ACCOUNT, KNOWS, filled, unguarded

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("UPDATE credit_account SET used_in_month = 0", "used in"),
        ("UPDATE credit_account SET used_in_day = used_in_day - 1", "used on"),
        ("UPDATE credit_account SET used_in_day = used_in_day + 1", "used on"),
        ("UPDATE credit_account SET balance = balance + 10", "the account says"),
        ("UPDATE credit_budget SET held = 0", "budget"),
        ("UPDATE credit_budget SET held = held + 1", "budget"),
        ("UPDATE credit_entry SET provider = 'other' WHERE kind = 'charge' AND provider = 'dear'", "settles"),
        ("UPDATE credit_entry SET provider = 'other' WHERE provider = 'dear'", "shows"),
        ("UPDATE credit_entry SET job_id = NULL WHERE kind = 'release'", "settles"),
        ("UPDATE step SET credits_charged = 2 WHERE provider = 'cheap'", "shows"),
        ("UPDATE credit_entry SET amount = 70 WHERE amount = 7", "audit log"),
        ("UPDATE credit_entry SET actor = 'eve' WHERE amount = 7", "audit log"),
        ("UPDATE credit_entry SET actor = NULL, idempotency_key = NULL WHERE amount = 7", "of nobody"),
        ("DELETE FROM credit_entry WHERE amount = 7", "of the audit log is not in the ledger"),
        ("DELETE FROM audit_entry WHERE action = 'credits.granted'", "not in the audit log"),
    ],
)
async def test_what_was_tampered_with_shows(redis: ArqRedis, tampering: str, fault: str) -> None:
    await filled(redis, Clock())
    await unguarded(tampering)
    faults = (await check_ledger("acme")).faults
    assert [found for found in faults if fault in found], faults


async def test_a_charge_that_was_moved_to_another_day_shows(redis: ArqRedis) -> None:
    """Also with its reservation, and with the counters set right."""
    ctx = await filled(redis, Clock())
    [first, *_] = await query("SELECT id, settles FROM credit_entry WHERE kind = 'charge' ORDER BY id DESC")
    yesterday = to_micros(ctx.services.now() - timedelta(days=1))
    ids = f"('{first['id']}', '{first['settles']}')"
    await unguarded(f"UPDATE credit_entry SET created_at = {yesterday} WHERE id IN {ids}")
    [moved] = await query("SELECT -amount AS credits FROM credit_entry WHERE id = ?", [first["id"]])
    await execute(f"UPDATE credit_account SET used_in_day = used_in_day - {moved['credits']}")
    faults = (await check_ledger("acme")).faults
    assert faults
    assert all("is dated before the line that was added before it" in fault for fault in faults)


async def test_a_monthly_grant_is_one_for_its_month(redis: ArqRedis) -> None:
    await filled(redis, Clock())
    [grant] = await query("SELECT * FROM credit_entry WHERE kind = 'grant' AND actor IS NULL")
    columns = ", ".join(name for name in grant if name != "id")
    await execute(
        f"INSERT INTO credit_entry (id, {columns}) SELECT 'z', {columns} FROM credit_entry WHERE id = ?", [grant["id"]]
    )
    await execute("UPDATE credit_account SET balance = balance + ?", [grant["amount"]])
    faults = (await check_ledger("acme")).faults
    assert f"grant z is a second one of {grant['note'].removeprefix('grant of ')}" in faults


async def test_what_an_erasure_took_with_it_is_no_fault_of_a_budget(redis: ArqRedis) -> None:
    ctx = await filled(redis, Clock())
    await erase_record(ctx, ACCOUNT, "A-1")
    assert (await check_ledger("acme")).faults == []
    await execute("UPDATE credit_budget SET held = 0")
    assert len((await check_ledger("acme")).faults) == 1


async def test_only_so_many_faults_of_a_kind_are_named(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.credit.proof.MOST", 2)
    await filled(redis, Clock())
    await unguarded("UPDATE job SET credits_used = credits_used + 1")
    assert await Job.all().count() > 2
    assert len((await check_ledger("acme")).faults) == 2


async def test_a_process_whose_clock_is_behind_does_not_begin_the_day_before_again(redis: ArqRedis) -> None:
    clock = Clock()
    source = StandIn(id="cheap", price=1, knows=KNOWS)
    ctx = context(services(redis, source, now=clock))
    clock.ahead_seconds = 40 * 86_400.0
    await send(ctx, "account", "A-0", domain="company0.com")
    await work(ctx.services)
    clock.ahead_seconds = 0
    await send(ctx, "account", "A-1", domain="company1.com")
    await work(ctx.services)
    [account] = await query("SELECT month, day, used_in_month, used_in_day, balance FROM credit_account")
    ahead = ctx.services.now() + timedelta(days=40)
    assert account == {
        "month": f"{ahead:%Y-%m}",
        "day": f"{ahead:%Y-%m-%d}",
        "used_in_month": 2,
        "used_in_day": 2,
        "balance": 998,
    }
