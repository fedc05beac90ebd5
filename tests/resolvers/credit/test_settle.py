"""Settlements: a match is charged once, anything else is released, and the ledger adds up."""

from dataclasses import replace

import pytest
from arq.connections import ArqRedis

from enrichment.enums import CreditKind, EntityType, JobStatus
from models.credit.account import CreditAccount
from models.credit.entry import CreditEntry
from models.db.transaction import unit_of_work
from providers.api import ProviderError
from resolvers.credit.api import get_credits
from resolvers.credit.settle import CreditSettlement, settle
from resolvers.job.api import retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from tests.support.credits import ledger_adds_up, reservation, reserved
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

ACME = {"industry": "Software", "city": "Berlin"}


async def test_a_match_is_charged_and_a_miss_is_not(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(id="paid", price=3, knows={"acme.com": ACME}))
    ctx = context(shared)
    hit = await send(ctx, "account", "A1", domain="acme.com")
    miss = await send(ctx, "account", "A2", domain="other.com")

    await work(shared)

    assert (await job_of(hit)).credits_used == 3
    assert (await job_of(miss)).credits_used == 0
    usage = await get_credits(ctx)
    assert (usage.balance, usage.used, usage.reserved, usage.remaining) == (997, 3, 0, 997)
    assert [(used.key, used.credits) for used in usage.by_provider] == [("paid", 3)]
    assert [(used.key, used.credits) for used in usage.by_trigger] == [("record_created", 3)]
    await ledger_adds_up()


async def test_the_calls_of_many_organizations_are_settled_together_and_each_pays_its_own(redis: ArqRedis) -> None:
    known = {f"acme{n}.com": ACME for n in range(3)}
    shared = services(redis, StandIn(id="paid", price=3, knows=known))
    for n in range(3):
        for other in range(n + 1):
            await send(context(shared, org=f"org{n}"), "account", f"A{other}", domain=f"acme{other}.com")
    await work(shared)
    for n in range(3):
        usage = await get_credits(context(shared, org=f"org{n}"))
        assert (usage.used, usage.reserved) == (3 * (n + 1), 0)
        await ledger_adds_up(f"org{n}")


async def test_a_second_match_of_a_job_is_not_charged_and_shown_as_maybe_charged(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(id="paid"))
    first = reservation(3)
    ids = await reserved(shared, first, replace(first))
    settlements = [CreditSettlement(str(id_), charge=True) for id_ in ids]
    now, grant = shared.now(), shared.monthly_credit_grant
    charged = await unit_of_work(settle)("acme", settlements, now=now, monthly_grant=grant)
    assert sorted(charged.values()) == [0, 3]
    usage = await get_credits(context(shared))
    assert (usage.used, usage.reserved) == (3, 0)
    assert [(part.key, part.credits) for part in usage.maybe_charged] == [("paid", 3)]
    await ledger_adds_up()


async def test_a_failed_call_gives_its_reservation_back(redis: ArqRedis) -> None:
    fails = [ProviderError("unavailable", "down", retryable=False)]
    shared = services(redis, StandIn(id="paid", price=3, fails=fails))
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    kinds = [entry.kind for entry in await CreditEntry.all().order_by("id")]
    assert kinds == [CreditKind.GRANT, CreditKind.RESERVATION, CreditKind.RELEASE]
    await ledger_adds_up()


async def test_many_records_that_need_the_same_company_ask_and_pay_once(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=2, knows={"acme.com": {"company": "Acme"}}, delay_seconds=0.05)
    shared = services(redis, paid)
    ctx = context(shared)
    sent = [await send(ctx, "lead", f"L{n}", lastName=f"N{n}", companyDomain="acme.com") for n in range(20)]

    await work(shared)

    assert paid.asked == ["acme.com"]
    assert (await get_credits(ctx)).used == 2
    assert {(await job_of(record)).record.fields.get("company") for record in sent} == {"Acme"}
    await ledger_adds_up()


async def test_a_retry_does_not_pay_again_for_what_was_answered(redis: ArqRedis) -> None:
    clock = Clock()
    paid = StandIn(id="paid", price=2, knows={"acme.com": ACME})
    down = StandIn(id="down", fails=[ProviderError("bad_key", "no", retryable=False)])
    shared = services(redis, paid, down, now=clock)
    ctx = context(shared)
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.credits_used) == (JobStatus.PARTIAL, 2)

    await retry_job(ctx, job.id)
    await work(shared)

    again = await job_of(sent)
    assert (again.status, again.credits_used, paid.asked) == (JobStatus.COMPLETED, 2, ["acme.com"])
    assert (await get_credits(ctx)).used == 2


async def test_settling_twice_charges_once(redis: ArqRedis) -> None:
    shared = services(redis)
    [reservation_id] = await reserved(shared, reservation(4))
    assert isinstance(reservation_id, str)

    async def charge(settlement: CreditSettlement) -> dict[str, int]:
        return await unit_of_work(settle)("acme", [settlement], now=shared.now(), monthly_grant=1000)

    assert await charge(CreditSettlement(reservation_id, charge=True)) == {reservation_id: 4}
    assert await charge(CreditSettlement(reservation_id, charge=True)) == {}
    assert await charge(CreditSettlement(reservation_id, charge=False)) == {}
    account = await CreditAccount.get(organization_id="acme")
    assert (account.balance, account.reserved) == (996, 0)
    await ledger_adds_up()


async def test_a_run_within_the_answers_days_reuses_a_cached_answer_instead_of_paying_again(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=2, knows={"acme.com": ACME})
    shared = services(redis, paid)
    ctx = context(shared)
    await configure(ctx, cooldownHours=0)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT))
    await work(shared)
    assert paid.asked == ["acme.com"]
    assert (await get_credits(ctx)).used == 2
