"""Grants and the use of credits: what is there, what it was used for, and what runs again once there is more."""

import asyncio
from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from enrichment.enums import CreditKind, EntityType, JobStatus, JobTrigger, StepOutcome
from models.credit.entry import CreditEntry
from models.db.transaction import unit_of_work
from models.job import Job
from resolvers.context import Role
from resolvers.credit.api import get_credits, grant_credits
from resolvers.credit.settle import CreditSettlement, settle
from resolvers.erasure.api import erase_record
from resolvers.errors import Forbidden, ValidationFailed
from tests.support.credits import ledger_adds_up, reservation, reserved
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from workers.upkeep.new_day import new_day

pytestmark = pytest.mark.usefixtures("db")

ACME = {"industry": "Software", "city": "Berlin"}


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


async def test_the_monthly_grant_ends_with_its_month_and_other_grants_stay(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, now=clock)
    ctx = context(shared)
    await grant_credits(ctx, amount=50, note=None, idempotency_key="gift")
    [reservation_id] = await reserved(shared, reservation(10))
    assert isinstance(reservation_id, str)
    await unit_of_work(settle)("acme", [CreditSettlement(reservation_id, charge=True)], now=clock(), monthly_grant=1000)
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


async def test_credits_that_brought_no_value_are_counted_apart(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=2, knows={"acme.com": ACME, "acme.de": {"city": ("Berlin", 0.1)}})
    shared = services(redis, paid)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await send(ctx, "account", "A2", domain="acme.de")
    await work(shared)
    usage = await get_credits(ctx)
    assert (usage.used, usage.wasted) == (4, 2)
    assert usage.projected_exhaustion_at is not None


async def test_an_erasure_makes_no_charge_a_wasted_one(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=2, knows={"acme.com": ACME, "acme.de": {"city": ("Berlin", 0.1)}})
    shared = services(redis, paid)
    ctx = context(shared, role=Role.ADMIN)
    started = shared.now() - timedelta(seconds=1)
    await send(ctx, "account", "A1", domain="acme.com")
    await send(ctx, "account", "A2", domain="acme.de")
    await work(shared)
    await erase_record(ctx, EntityType.ACCOUNT, "A1")
    part_of_day = await get_credits(ctx, started, shared.now() + timedelta(seconds=1))
    assert (part_of_day.used, part_of_day.wasted) == (4, 2)
