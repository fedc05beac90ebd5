"""No paid call goes unseen: whatever ends it, it is charged, released or maybe charged, and not made twice before.

The provider's own count (`StandIn.asked`) stands on one side of each test, the ledger on the other.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import CreditKind, EntityType, JobStatus
from models.credit.entry import CreditEntry
from models.credit.intent import CallIntent
from models.db.statements import execute, query
from models.job import Job
from models.job.transitions import claim
from models.record import FieldValue
from providers.api import ProviderError, Question
from resolvers.context import Context
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.erasure.api import erase_record
from resolvers.job.api import cancel_job, get_job
from tests.support.factories import Clock, StandIn, context, job_of, send, services, work
from tests.support.waiting import until
from workers.job.runner import JobRunner
from workers.upkeep.rescue import rescue

pytestmark = pytest.mark.usefixtures("db")

PRICE = 3
ACME = {"industry": "Software", "city": "Berlin"}


class Paid(StandIn):
    """A remote provider whose answers come when the test lets them: `answer` is set."""

    def __init__(self, **more: Any) -> None:
        self.answer = asyncio.Event()
        super().__init__(id="paid", price=PRICE, remote=True, knows={"acme.com": ACME}, on_ask=self._wait, **more)

    async def _wait(self, _: Question) -> None:
        await self.answer.wait()


async def figures(ctx: Context) -> tuple[int, int, int]:
    """Credits charged, reserved, and maybe charged."""
    usage = await get_credits(ctx)
    assert (await check_ledger("acme")).faults == []
    return usage.used, usage.reserved, sum(part.credits for part in usage.maybe_charged)


async def test_the_intent_is_there_before_the_call_goes_out(redis: ArqRedis) -> None:
    seen: Sequence[CallIntent] = []

    async def look(_: Question) -> None:
        nonlocal seen
        seen = await CallIntent.all()

    paid = StandIn(id="paid", price=PRICE, remote=True, knows={"acme.com": ACME}, on_ask=look)
    shared = services(redis, paid)
    job = await job_of(await send(context(shared), "account", "A1", domain="acme.com"))
    await work(shared)
    [intent], [reservation] = seen, await CreditEntry.filter(kind=CreditKind.RESERVATION)
    assert (intent.id, intent.job_id, intent.fence, intent.credits) == (reservation.id, job.id, 1, PRICE)
    [answer] = await query("SELECT input_key FROM answer")
    assert intent.input_key == answer["input_key"]
    assert await CallIntent.all() == []
    assert await figures(context(shared)) == (PRICE, 0, 0)


async def test_the_answer_to_a_cancelled_job_is_charged_and_serves_whoever_asks_next(redis: ArqRedis) -> None:
    paid = Paid()
    shared = services(redis, paid)
    ctx = context(shared)
    cancelled = await job_of(await send(ctx, "account", "A1", domain="acme.com"))
    runner = JobRunner(shared)
    runner.start()
    working = asyncio.create_task(runner.work())
    await until(lambda: paid.asked)
    await cancel_job(ctx, cancelled.id)
    [job] = runner._in_flight.values()
    await until(lambda: job.withdrawn)
    paid.answer.set()
    await working
    await runner.stop(0)

    shown = await get_job(ctx, cancelled.id)
    assert (shown.status, shown.credits_used) == (JobStatus.CANCELLED, PRICE)
    assert await FieldValue.filter(source="paid") == []
    await send(ctx, "account", "A2", domain="acme.com")
    await work(shared)
    assert await FieldValue.filter(source="paid").count() == len(ACME)
    assert len(paid.asked) == 1
    assert await figures(ctx) == (PRICE, 0, 0)


async def test_a_job_that_is_cancelled_before_its_worker_knows_shows_its_cost_too(redis: ArqRedis) -> None:
    shared = services(redis, paid := Paid())
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A1", domain="acme.com"))
    working = asyncio.create_task(work(shared))
    await until(lambda: paid.asked)
    await cancel_job(ctx, job.id)
    paid.answer.set()
    await working
    assert (await get_job(ctx, job.id)).credits_used == PRICE


async def test_a_job_that_is_cancelled_later_shows_what_it_had_paid_before(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=PRICE, knows={"acme.com": {"industry": "Software"}})
    slow = StandIn(id="slow", remote=True, delay_seconds=3600.0)
    shared = services(redis, paid, slow)
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A1", domain="acme.com"))
    runner = JobRunner(shared)
    working = asyncio.create_task(runner.work())
    await until(lambda: slow.asked)
    await cancel_job(ctx, job.id)
    assert (await get_job(ctx, job.id)).credits_used == PRICE
    await runner.stop(0)
    await working


async def test_a_question_is_not_put_again_while_its_call_may_be_answered(redis: ArqRedis) -> None:
    shared = services(redis, paid := Paid())
    later = services(redis, paid, now=Clock(40))  # the lease is over, the call is not
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    runner = JobRunner(shared)
    working = asyncio.create_task(runner.work())
    await until(lambda: paid.asked)
    await rescue({"services": later})
    assert [claimed.fence for claimed in await claim("acme", later.now(), 1)] == [2]
    await execute("UPDATE job SET status = 'pending', lease_until = NULL, next_attempt_at = 0")
    await send(ctx, "account", "A2", domain="acme.com")
    await JobRunner(later).work()
    assert len(paid.asked) == 1
    paid.answer.set()
    await working
    await runner.stop(0)


async def test_of_an_answer_after_an_erasure_only_its_cost_is_kept(redis: ArqRedis) -> None:
    shared = services(redis, paid := Paid())
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    working = asyncio.create_task(work(shared))
    await until(lambda: paid.asked)
    await erase_record(ctx, EntityType.ACCOUNT, "A1")
    assert [intent.input_key for intent in await CallIntent.all()] == [None]
    paid.answer.set()
    await working
    assert await figures(ctx) == (PRICE, 0, 0)
    assert await query("SELECT * FROM answer") == []
    assert await CallIntent.all() == []


@pytest.mark.parametrize("ended", ["nothing", "cancel", "erase"])
async def test_a_worker_that_ends_says_what_may_have_been_charged(ended: str, redis: ArqRedis) -> None:
    paid = Paid()
    shared = services(redis, paid)
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A1", domain="acme.com"))
    runner = JobRunner(shared)
    runner.start()
    working = asyncio.create_task(runner.work())
    await until(lambda: paid.asked)
    if ended == "cancel":
        await cancel_job(ctx, job.id)
    if ended == "erase":
        await erase_record(ctx, EntityType.ACCOUNT, "A1")
    await runner.stop(0)
    await working
    assert await figures(ctx) == (0, 0, PRICE)
    if ended != "erase":
        assert [row["state"] for row in await query("SELECT state FROM answer")] == ["maybe_charged"]


@pytest.mark.parametrize("outage", ["call_intent", "credit_entry", "job"])
async def test_an_outage_of_the_database_loses_no_charge(outage: str, redis: ArqRedis) -> None:
    shared = services(redis, paid := Paid())
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    runner = JobRunner(shared)
    working = asyncio.create_task(runner.work())
    await until(lambda: paid.asked)
    await execute(f"ALTER TABLE {outage} RENAME TO not_there")
    paid.answer.set()
    [job] = runner._in_flight.values()
    await until(lambda: job.lookup is not None and job.lookup.tries)
    await execute(f"ALTER TABLE not_there RENAME TO {outage}")
    await working
    await runner.stop(0)
    assert await figures(ctx) == (PRICE, 0, 0)
    assert await FieldValue.filter(source="paid").count() == len(ACME)
    assert [job.credits_used for job in await Job.all()] == [PRICE]


async def test_an_outage_forgets_no_call_that_may_have_been_charged(redis: ArqRedis) -> None:
    timeout = ProviderError("timeout", "no reply", retryable=True, maybe_charged=True)
    shared = services(redis, paid := Paid(fails=[timeout]))
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    runner = JobRunner(shared)
    working = asyncio.create_task(runner.work())
    await until(lambda: paid.asked)
    await execute("ALTER TABLE call_intent RENAME TO not_there")
    paid.answer.set()
    [job] = runner._in_flight.values()
    await until(lambda: job.lookup is not None and job.lookup.tries)
    await execute("ALTER TABLE not_there RENAME TO call_intent")
    await working
    await runner.stop(0)
    assert await figures(ctx) == (0, 0, PRICE)
    assert [row["state"] for row in await query("SELECT state FROM answer")] == ["maybe_charged"]
