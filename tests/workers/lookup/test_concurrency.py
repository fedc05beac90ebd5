"""Jobs that cannot be asked for just now wait for their turn: nobody else is asked, nothing is held, no one starves."""

import asyncio
from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from enrichment.enums import CreditKind, EntityType, JobStatus
from models.answer.row import Answer
from models.credit.entry import CreditEntry
from models.job import Job
from providers.api import CallDeferred, ProviderError, Question
from resolvers.credit.verify import check_ledger
from tests.support.factories import Clock, StandIn, context, job_of, send, services, work
from tests.support.waiting import until
from workers.lookup.concurrency import (
    CALLS_OF_AN_ORGANIZATION,
    LONGEST_RECHECK,
    SHORTEST_RECHECK,
    TURNS,
    next_recheck,
)

pytestmark = pytest.mark.usefixtures("db")

MANY = 3 * CALLS_OF_AN_ORGANIZATION
KNOWN = {f"acme{n}.com": {"industry": "Software"} for n in range(MANY)}


async def test_jobs_over_the_number_at_once_wait_and_do_not_go_to_the_next_provider(redis: ArqRedis) -> None:
    gives = {EntityType.ACCOUNT: frozenset({"industry"})}
    first = StandIn(id="first", price=1, remote=True, knows=KNOWN, gives=gives, delay_seconds=0.1)
    second = StandIn(id="second", price=1, remote=True, knows=KNOWN, gives=gives)
    shared = services(redis, first, second)
    ctx = context(shared)
    for n in range(MANY):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
    await work(shared)
    assert {job.status for job in await Job.all()} == {JobStatus.COMPLETED}
    assert (first.most_running, sorted(first.asked), second.asked) == (CALLS_OF_AN_ORGANIZATION, sorted(KNOWN), [])
    assert await CreditEntry.filter(kind=CreditKind.RESERVATION).count() == MANY
    assert await CreditEntry.filter(kind=CreditKind.CHARGE).count() == MANY


async def test_calls_that_hang_for_one_organization_keep_no_other_waiting(redis: ArqRedis) -> None:
    over = asyncio.Event()

    async def hang(question: Question) -> None:
        if question.organization_id == "acme":
            await over.wait()

    paid = StandIn(id="paid", price=1, remote=True, knows=KNOWN, on_ask=hang)
    shared = services(redis, paid)
    for n in range(MANY):
        await send(context(shared), "account", f"A{n}", domain=f"acme{n}.com")
    working = asyncio.create_task(work(shared))
    await until(lambda: paid.running == CALLS_OF_AN_ORGANIZATION)
    other = await send(context(shared, org="globex"), "account", "B", domain="acme1.com")
    second = asyncio.create_task(work(shared))

    async def is_completed() -> bool:
        return (await job_of(other)).status is JobStatus.COMPLETED

    await until(is_completed)  # while the calls of the first still hang
    over.set()
    await asyncio.gather(working, second)


async def test_the_next_calls_are_prepared_while_others_are_under_way_and_the_rest_holds_nothing(
    redis: ArqRedis,
) -> None:
    over = asyncio.Event()

    async def hang(_: Question) -> None:
        await over.wait()

    paid = StandIn(id="paid", price=1, remote=True, knows=KNOWN, on_ask=hang)
    shared = services(redis, paid)
    for n in range(MANY):
        await send(context(shared), "account", f"A{n}", domain=f"acme{n}.com")
    working = asyncio.create_task(work(shared))

    async def prepared() -> bool:
        held = await CreditEntry.filter(kind=CreditKind.RESERVATION).count()
        return (held, await Answer.filter(state="asking").count()) == (TURNS * CALLS_OF_AN_ORGANIZATION,) * 2

    await until(prepared)
    await until(lambda: paid.running == CALLS_OF_AN_ORGANIZATION)
    assert (len(paid.asked), await prepared()) == (CALLS_OF_AN_ORGANIZATION, True)
    over.set()
    await working
    assert (await Job.filter(status=JobStatus.COMPLETED).count(), len(paid.asked)) == (MANY, MANY)


async def test_a_call_that_waits_for_a_permit_is_not_made_once_its_provider_was_found_failing(
    redis: ArqRedis,
) -> None:
    waiting = asyncio.Event()

    async def fail(_: Question) -> None:
        await waiting.wait()
        raise ProviderError("bad_key", "the key was refused", retryable=False)

    paid = StandIn(id="paid", price=1, remote=True, knows=KNOWN, on_ask=fail)
    shared = services(redis, paid)
    for n in range(MANY):
        await send(context(shared), "account", f"A{n}", domain=f"acme{n}.com")
    working = asyncio.create_task(work(shared))
    await until(lambda: paid.running == CALLS_OF_AN_ORGANIZATION)
    waiting.set()
    await working
    assert len(paid.asked) < TURNS * CALLS_OF_AN_ORGANIZATION
    assert (await check_ledger("acme")).reserved == 0


async def test_a_job_that_is_out_of_turn_comes_again_by_itself_and_holds_nothing(redis: ArqRedis) -> None:
    clock = Clock()
    paid = StandIn(id="paid", price=1, remote=True, knows=KNOWN, fails=[CallDeferred("others are first", 11.0)])
    free = StandIn(id="free", knows=KNOWN)
    shared = services(redis, paid, free, now=clock)
    sent = await send(context(shared), "account", "A1", domain="acme1.com")
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.attempts, job.error_code) == (JobStatus.PENDING, 0, None)
    assert [step.skipped_reason for step in job.steps][:1] == ["out_of_turn"]
    assert free.asked == []
    check = await check_ledger("acme")
    assert (check.faults, check.reserved) == ([], 0)
    clock.ahead_seconds += 60
    await work(shared)
    assert ((await job_of(sent)).status, paid.asked) == (JobStatus.COMPLETED, ["acme1.com"] * 2)


def test_the_longer_a_job_waits_the_more_seldom_it_checks() -> None:
    now = Clock()()
    for waited, most in ((0, SHORTEST_RECHECK), (60, timedelta(seconds=15)), (86_400, LONGEST_RECHECK)):
        checks = [next_recheck(now - timedelta(seconds=waited), now) - now for _ in range(50)]
        assert most / 4 <= min(checks) and max(checks) <= most
        assert len(set(checks)) > 1
