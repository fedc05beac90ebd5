"""Reservations: set aside before a call, and never over a limit."""

import asyncio
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.credits import CreditLimits
from enrichment.enums import EntityType, JobStatus
from enrichment.waterfall.skip_reason import SkipReason
from models.credit.account import CreditAccount
from models.job import Job
from resolvers.credit.api import get_credits
from resolvers.job.enrich import RecordSelection, enrich_records
from tests.support.credits import ledger_adds_up, reservation, reserved
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

LIMITED = [
    {"credits": {"monthlyLimit": 2}},
    {"credits": {"dailyLimit": 2}},
    {"providers": [{"id": "paid", "dailyLimit": 2}]},
]


async def test_limits_hold_however_many_race(redis: ArqRedis) -> None:
    shared = services(redis)
    racing = [reserved(shared, reservation(3), reservation(3), limits=CreditLimits(monthly=20)) for _ in range(10)]
    results = [result for batch in await asyncio.gather(*racing) for result in batch]
    assert sum(isinstance(result, SkipReason) for result in results) == 14
    assert (await CreditAccount.get(organization_id="acme")).reserved == 18
    await ledger_adds_up()


async def test_each_kind_of_limit_refuses(redis: ArqRedis) -> None:
    shared = services(redis)
    assert (await reserved(shared, reservation(1001)))[0] is SkipReason.INSUFFICIENT_CREDITS
    assert (await reserved(shared, reservation(6), limits=CreditLimits(daily=5)))[0] is SkipReason.INSUFFICIENT_CREDITS
    capped = await reserved(
        shared, reservation(2, cap=3), reservation(2, cap=3), reservation(2, provider="other", cap=3)
    )
    assert [type(result) for result in capped] == [str, SkipReason, str]
    assert capped[1] is SkipReason.CREDITS_HELD
    assert (await reserved(shared, reservation(4, cap=3)))[0] is SkipReason.PROVIDER_DAILY_LIMIT


@pytest.mark.parametrize("limit", LIMITED)
async def test_credits_that_calls_under_way_hold_are_waited_for(redis: ArqRedis, limit: dict[str, Any]) -> None:
    clock = Clock()
    paid = StandIn(id="paid", price=1, remote=True, knows={"acme1.com": {"industry": "Software"}}, delay_seconds=0.1)
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await configure(ctx, **limit)
    sent = [await send(ctx, "account", f"A{n}", domain=f"acme{n}.com") for n in range(6)]
    await work(shared)
    waiting = [job for job in [await job_of(record) for record in sent] if job.status is JobStatus.PENDING]
    assert {(job.attempts, job.steps[0].skipped_reason) for job in waiting} == {(0, "credits_held")}
    for _ in range(6):
        clock.ahead_seconds += 60
        await work(shared)
    assert {(await job_of(record)).status for record in sent} == {JobStatus.COMPLETED}
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
    first = StandIn(id="first", price=3, knows={"acme.com": {"city": "Berlin"}})
    second = StandIn(id="second", price=3, knows={"acme.com": {"industry": "Software", "city": "Berlin"}})
    shared = services(redis, first, second)
    ctx = context(shared)
    await configure(ctx, credits={"perRecordMax": 5})
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.credits_used) == (JobStatus.COMPLETED, 3)
    assert [step.skipped_reason for step in job.steps] == [None, "per_record_max"]
