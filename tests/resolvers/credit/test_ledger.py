"""Credits: reserved before a call, charged for a match once, never over a limit, and always adding up."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.credits import CreditLimits
from enrichment.enums import CreditKind, EntityType, JobStatus, JobTrigger, StepOutcome
from enrichment.waterfall.planner import SkipReason
from models.credit.account import CreditAccount
from models.credit.entry import CreditEntry
from models.db.columns import new_id
from models.db.transaction import unit_of_work
from models.job import Job
from providers.api import ProviderError
from resolvers.context import Role, Services
from resolvers.credit.api import get_credits, grant_credits
from resolvers.credit.reserve import Reservation, reserve
from resolvers.credit.settle import Settlement, settle
from resolvers.credit.verify import check_ledger
from resolvers.errors import Forbidden, ValidationFailed
from resolvers.job.api import retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from workers.upkeep.new_day import new_day

pytestmark = pytest.mark.usefixtures("db")

ACME = {"industry": "Software", "city": "Berlin"}


async def ledger_adds_up(org: str = "acme") -> None:
    assert (await check_ledger(org)).faults == []


def hold(price: int = 1, provider: str = "paid", cap: int | None = None) -> Reservation:
    return Reservation(new_id(), new_id(), provider, price, EntityType.LEAD, JobTrigger.MANUAL, cap)


NO_LIMITS = CreditLimits()


async def reserved(shared: Services, *holds: Reservation, limits: CreditLimits = NO_LIMITS) -> list[str | SkipReason]:
    await get_credits(context(shared))  # makes the organization
    return await reserve("acme", holds, limits=limits, now=shared.now(), monthly_grant=shared.monthly_credit_grant)


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
    assert [(one.key, one.credits) for one in usage.by_provider] == [("paid", 3)]
    assert [(one.key, one.credits) for one in usage.by_trigger] == [("record_created", 3)]
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
    assert {(await job_of(one)).record.fields.get("company") for one in sent} == {"Acme"}
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


async def test_without_credits_free_providers_still_answer_and_the_job_runs_again_after_a_grant(
    redis: ArqRedis,
) -> None:
    free = StandIn(id="free", knows={"acme.com": {"city": "Berlin"}})
    paid = StandIn(id="paid", price=5, knows={"acme.com": {"industry": "Software"}})
    shared = services(redis, free, paid)
    shared.monthly_credit_grant = 4
    ctx = context(shared)
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.error_code, job.short_of_credits) == (JobStatus.PARTIAL, "insufficient_credits", True)
    assert job.record.fields["city"] == "Berlin"
    skipped = next(step for step in job.steps if step.provider == "paid")
    assert (skipped.outcome, skipped.skipped_reason) == (StepOutcome.SKIPPED, "insufficient_credits")
    assert paid.asked == []

    usage = await grant_credits(ctx, amount=10, note="more", idempotency_key="k1")
    assert (usage.balance, usage.granted) == (14, 14)
    await work(shared)

    restored = await Job.get(trigger=JobTrigger.CREDITS_RESTORED).prefetch_related("record")
    assert restored.status is JobStatus.COMPLETED
    assert restored.record.fields["industry"] == "Software"
    await ledger_adds_up()


async def test_limits_hold_however_many_race(redis: ArqRedis) -> None:
    shared = services(redis)
    racing = [reserved(shared, hold(3), hold(3), limits=CreditLimits(monthly=20)) for _ in range(10)]
    results = [result for batch in await asyncio.gather(*racing) for result in batch]
    assert sum(isinstance(result, SkipReason) for result in results) == 14
    assert (await CreditAccount.get(organization_id="acme")).reserved == 18
    await ledger_adds_up()


async def test_each_kind_of_limit_refuses(redis: ArqRedis) -> None:
    shared = services(redis)
    assert (await reserved(shared, hold(1001)))[0] is SkipReason.INSUFFICIENT_CREDITS
    assert (await reserved(shared, hold(6), limits=CreditLimits(daily=5)))[0] is SkipReason.INSUFFICIENT_CREDITS
    capped = await reserved(shared, hold(2, cap=3), hold(2, cap=3), hold(2, provider="other", cap=3))
    assert [type(result) for result in capped] == [str, SkipReason, str]
    assert capped[1] is SkipReason.CREDITS_HELD
    assert (await reserved(shared, hold(4, cap=3)))[0] is SkipReason.PROVIDER_DAILY_LIMIT


LIMITED = [
    {"credits": {"monthlyLimit": 2}},
    {"credits": {"dailyLimit": 2}},
    {"providers": [{"id": "paid", "dailyLimit": 2}]},
]


@pytest.mark.parametrize("limit", LIMITED)
async def test_credits_that_calls_under_way_hold_are_waited_for(redis: ArqRedis, limit: dict[str, Any]) -> None:
    clock = Clock()
    paid = StandIn(id="paid", price=1, remote=True, knows={"acme1.com": {"industry": "Software"}}, delay_seconds=0.1)
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await configure(ctx, **limit)
    sent = [await send(ctx, "account", f"A{n}", domain=f"acme{n}.com") for n in range(6)]
    await work(shared)
    waiting = [job for job in [await job_of(one) for one in sent] if job.status is JobStatus.PENDING]
    assert {(job.attempts, job.steps[0].skipped_reason) for job in waiting} == {(0, "credits_held")}
    for _ in range(6):
        clock.ahead_seconds += 60
        await work(shared)
    assert {(await job_of(one)).status for one in sent} == {JobStatus.COMPLETED}
    assert len(paid.asked) == len(set(paid.asked)) == 6
    usage = await get_credits(ctx)
    assert (usage.used, usage.reserved) == (1, 0)
    await ledger_adds_up()


async def test_a_requests_maximum_is_for_what_matches_and_not_for_what_is_asked(redis: ArqRedis) -> None:
    clock = Clock()
    paid = StandIn(id="paid", price=1, remote=True, delay_seconds=0.1)
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    for n in range(6):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), max_credits=1)
    for _ in range(8):
        await work(shared)
        clock.ahead_seconds += 60
    assert len(paid.asked) == 6
    assert {job.status for job in await Job.all()} == {JobStatus.COMPLETED}
    assert (await get_credits(ctx)).used == 0


async def test_the_per_record_maximum_holds_over_all_paid_providers(redis: ArqRedis) -> None:
    one = StandIn(id="one", price=3, knows={"acme.com": {"city": "Berlin"}})
    two = StandIn(id="two", price=3, knows={"acme.com": ACME})
    shared = services(redis, one, two)
    ctx = context(shared)
    await configure(ctx, credits={"perRecordMax": 5})
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.credits_used) == (JobStatus.COMPLETED, 3)
    assert [step.skipped_reason for step in job.steps] == [None, "per_record_max"]


async def test_settling_twice_charges_once(redis: ArqRedis) -> None:
    shared = services(redis)
    [reservation] = await reserved(shared, hold(4))
    assert isinstance(reservation, str)

    async def charge(settlement: Settlement) -> dict[str, int]:
        return await unit_of_work(settle)("acme", [settlement], now=shared.now(), monthly_grant=1000)

    assert await charge(Settlement(reservation, charge=True)) == {reservation: 4}
    assert await charge(Settlement(reservation, charge=True)) == {}
    assert await charge(Settlement(reservation, charge=False)) == {}
    account = await CreditAccount.get(organization_id="acme")
    assert (account.balance, account.reserved) == (996, 0)
    await ledger_adds_up()


async def test_the_monthly_grant_ends_with_its_month_and_other_grants_stay(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, now=clock)
    ctx = context(shared)
    await grant_credits(ctx, amount=50, note=None, idempotency_key="gift")
    [reservation] = await reserved(shared, hold(10))
    assert isinstance(reservation, str)
    await unit_of_work(settle)("acme", [Settlement(reservation, charge=True)], now=clock(), monthly_grant=1000)
    assert (await get_credits(ctx)).balance == 1040

    clock.ahead_seconds += timedelta(days=32).total_seconds()

    usage = await get_credits(ctx)
    assert (usage.balance, usage.used, usage.granted) == (1050, 0, 1000)
    expired = await CreditEntry.get(kind=CreditKind.EXPIRY)
    assert expired.amount == -990
    await ledger_adds_up()


async def test_the_same_grant_twice_is_one_grant(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    both = await asyncio.gather(*(grant_credits(ctx, amount=7, note=None, idempotency_key="same") for _ in range(2)))
    assert {usage.balance for usage in both} <= {1007}
    with pytest.raises(ValidationFailed):
        await grant_credits(ctx, amount=8, note=None, idempotency_key="same")
    with pytest.raises(Forbidden):
        await grant_credits(context(ctx.services, role=Role.MANAGER), amount=1, note=None, idempotency_key="x")


async def test_a_balance_stays_a_number_that_can_be_shown(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    usage = await grant_credits(ctx, amount=1_000_000_000, note=None, idempotency_key="all")
    assert usage.balance == 1_000_001_000
    with pytest.raises(ValidationFailed) as refusal:
        await grant_credits(ctx, amount=1, note=None, idempotency_key="more")
    assert [fault.path for fault in refusal.value.faults] == ["amount"]
    again = await grant_credits(ctx, amount=1_000_000_000, note=None, idempotency_key="all")
    assert again.balance == 1_000_001_000
    await ledger_adds_up()


async def test_raising_a_limit_runs_again_what_it_stopped(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=2, knows={"acme.com": ACME})
    shared = services(redis, paid)
    ctx = context(shared)
    await configure(ctx, credits={"monthlyLimit": 0})
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    await configure(ctx, credits={"monthlyLimit": None})
    await work(shared)
    assert (await Job.get(trigger=JobTrigger.CREDITS_RESTORED)).status is JobStatus.COMPLETED


async def test_a_new_day_runs_again_what_the_daily_limit_stopped(redis: ArqRedis) -> None:
    clock = Clock()
    paid = StandIn(id="paid", price=2, knows={"acme.com": ACME, "acme.de": ACME})
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await configure(ctx, credits={"dailyLimit": 2})
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    short = await send(ctx, "account", "A2", domain="acme.de")
    await work(shared)
    assert (await job_of(short)).status is JobStatus.FAILED
    assert await new_day({"services": shared}) == 0

    clock.ahead_seconds += timedelta(days=1).total_seconds()
    assert await new_day({"services": shared}) == 1
    await work(shared)

    assert sorted(paid.asked) == ["acme.com", "acme.de"]
    assert (await Job.get(trigger=JobTrigger.CREDITS_RESTORED)).status is JobStatus.COMPLETED


async def test_credits_that_brought_no_value_are_told_apart(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=2, knows={"acme.com": ACME, "acme.de": {"city": ("Berlin", 0.1)}})
    shared = services(redis, paid)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await send(ctx, "account", "A2", domain="acme.de")
    await work(shared)
    usage = await get_credits(ctx)
    assert (usage.used, usage.wasted) == (4, 2)
    assert usage.projected_exhaustion_at is not None


async def test_forcing_reuses_a_kept_answer_instead_of_paying_again(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=2, knows={"acme.com": ACME})
    shared = services(redis, paid)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    await work(shared)
    assert paid.asked == ["acme.com"]
    assert (await get_credits(ctx)).used == 2
