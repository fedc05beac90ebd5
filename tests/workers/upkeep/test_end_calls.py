"""Calls whose end nobody saw: they are maybe charged, shown one by one, and asked again only where that is allowed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus
from models.credit.entry import CreditEntry
from models.credit.intent import CallIntent
from models.db.statements import execute, query
from models.job import Job
from models.record import FieldValue
from providers.api import Pending, ProviderInfo, Question
from resolvers.context import Context, Services
from resolvers.credit.api import get_credits
from resolvers.credit.verify import verify_ledger
from tests.support.credits import reservation, reserved
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from tests.support.waiting import until
from workers.job.runner import JobRunner
from workers.upkeep.end_calls import end_calls, end_strays
from workers.upkeep.rescue import rescue

pytestmark = pytest.mark.usefixtures("db")

PRICE = 3
ACME = {"industry": "Software", "city": "Berlin"}


@dataclass
class Paid(StandIn):
    """A paid provider of which a test says whether it is asked over the network, and charges a repetition."""

    repeats_free: bool = False

    @property
    def info(self) -> ProviderInfo:
        return replace(super().info, repeats_free=self.repeats_free)


def paid(*, remote: bool = True, repeats_free: bool = False) -> Paid:
    return Paid("paid", price=PRICE, remote=remote, repeats_free=repeats_free, knows={"acme.com": ACME})


async def figures(ctx: Context) -> tuple[int, int, int]:
    """Credits charged, reserved, and maybe charged."""
    usage = await get_credits(ctx)
    return usage.used, usage.reserved, sum(part.credits for part in usage.maybe_charged)


@asynccontextmanager
async def left_behind(shared: Services, provider: Paid) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A worker that is in the middle of its call; what is given lets it go on to its end."""
    answer = asyncio.Event()

    async def wait(_: Question) -> None:
        await answer.wait()

    provider.on_ask = wait
    runner = JobRunner(shared)
    working = asyncio.create_task(runner.work())
    await until(lambda: provider.asked)

    async def go_on() -> None:
        answer.set()
        await working

    yield go_on
    await go_on()
    await runner.stop(0)


@pytest.mark.parametrize(
    ("provider", "policy", "state", "maybe"),
    [
        (paid(), "hold", "maybe_charged", PRICE),
        (paid(), "retry", None, PRICE),
        (paid(repeats_free=True), "hold", None, PRICE),
        (paid(remote=False), "hold", None, 0),
    ],
)
async def test_what_becomes_of_the_question_is_the_organizations_policy(
    provider: Paid, policy: str, state: str | None, maybe: int, redis: ArqRedis
) -> None:
    shared, later = services(redis, provider), services(redis, provider, now=Clock(60))
    ctx = context(shared)
    await configure(ctx, maybeCharged=policy)
    await send(ctx, "account", "A1", domain="acme.com")
    async with left_behind(shared, provider):
        await rescue({"services": later})
        assert await figures(ctx) == (0, 0, maybe)
        assert await CallIntent.all() == []
        assert [row["state"] for row in await query("SELECT state FROM answer")] == ([state] if state else [])


async def test_nothing_is_ended_while_the_call_may_be_answered_or_its_job_is_at_work(redis: ArqRedis) -> None:
    provider = paid()
    shared = services(redis, provider)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    async with left_behind(shared, provider):
        await rescue({"services": services(redis, provider, now=Clock(40))})  # the lease is over, the call is not
        assert [job.status for job in await Job.all()] == [JobStatus.PENDING]
        assert await figures(ctx) == (0, PRICE, 0)
        await execute("UPDATE job SET status = 'in_progress', next_attempt_at = NULL, lease_until = ?", [2**60])
        await end_calls(services(redis, provider, now=Clock(60)))
        assert await figures(ctx) == (0, PRICE, 0)


async def test_an_answer_that_comes_after_all_is_kept_and_not_charged(redis: ArqRedis) -> None:
    provider = paid()
    shared, later = services(redis, provider), services(redis, provider, now=Clock(60))
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A1", domain="acme.com"))
    async with left_behind(shared, provider) as go_on:
        await rescue({"services": later})
        await go_on()
    await work(later)
    assert await figures(ctx) == (0, 0, PRICE)
    assert await FieldValue.filter(job_id=job.id, source="paid").count() == len(ACME)
    assert len(provider.asked) == 1


async def test_a_late_worker_takes_nothing_from_its_successor(redis: ArqRedis) -> None:
    provider = paid()
    shared, later = services(redis, provider), services(redis, provider, now=Clock(60))
    ctx = context(shared)
    await configure(ctx, maybeCharged="retry")
    job = await job_of(await send(ctx, "account", "A1", domain="acme.com"))
    async with left_behind(shared, provider) as first_goes_on:
        await rescue({"services": later})
        async with left_behind(later, provider) as second_goes_on:
            await until(lambda: len(provider.asked) == 2)
            await first_goes_on()
            assert await figures(ctx) == (0, PRICE, PRICE)
            [asking] = await query("SELECT state, fence FROM answer")
            assert (asking["state"], asking["fence"]) == ("asking", 2)
            await second_goes_on()
    assert await figures(ctx) == (PRICE, 0, PRICE)
    assert await FieldValue.filter(job_id=job.id, source="paid").count() == len(ACME)


async def test_a_promised_answer_is_waited_for(redis: ArqRedis) -> None:
    provider = paid()
    provider.later = [Pending("token", retry_after_seconds=600)]
    shared = services(redis, provider)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    later = services(redis, provider, now=Clock(120))
    assert await end_calls(later) == 0
    assert await figures(ctx) == (0, PRICE, 0)
    assert (await verify_ledger(context(later))).faults == []


async def test_the_proof_names_reservations_whose_call_is_over(redis: ArqRedis) -> None:
    shared, later = services(redis, paid()), services(redis, paid(), now=Clock(90))
    [id_] = await reserved(shared, reservation(PRICE))
    assert (await verify_ledger(context(shared))).faults == []
    assert (await verify_ledger(context(later))).faults == [
        f"reservation {id_} has no call under way, and is not settled"
    ]
    await end_calls(later)
    assert (await verify_ledger(context(later))).faults == []


async def test_reservations_of_older_versions_are_named_and_settled(redis: ArqRedis) -> None:
    shared = services(redis, paid())
    [id_] = await reserved(shared, reservation(PRICE))
    await execute("DELETE FROM call_intent")
    ctx = context(shared)
    assert (await verify_ledger(ctx)).faults == [f"reservation {id_} has no call under way, and is not settled"]
    assert await end_strays({"services": shared}) == 1
    assert (await verify_ledger(ctx)).faults == []
    assert await figures(ctx) == (0, 0, PRICE)
    assert await end_strays({"services": shared}) == 0


async def test_credits_show_which_calls_may_have_been_charged(redis: ArqRedis) -> None:
    shared = services(redis, paid())
    await reserved(shared, reservation(PRICE, "other"))
    [id_] = await reserved(shared, reservation(PRICE + 1))
    await end_calls(services(redis, paid(), now=Clock(1)))
    calls = (await get_credits(context(shared))).maybe_charged_calls
    assert {(call.provider, call.credits, call.entity_type) for call in calls} == {
        ("other", PRICE, EntityType.LEAD),
        ("paid", PRICE + 1, EntityType.LEAD),
    }
    line = await CreditEntry.get(settles=id_)
    [shown] = [call for call in calls if call.provider == "paid"]
    assert (shown.id, shown.job_id, shown.at, shown.why) == (line.id, line.job_id, line.created_at, line.note)
