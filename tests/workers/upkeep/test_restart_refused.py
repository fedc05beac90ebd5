"""Jobs that ended because a provider refused to answer run again once it is asked again, each once."""

from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from enrichment.enums import BreakerState, JobStatus, JobTrigger
from models.job import Job
from models.job.refused import REMEMBERED
from providers.api import ProviderError
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.job import restart_refused as restarting
from resolvers.job.restart_refused import GRACE, restart_refused
from resolvers.provider.api import list_providers, reset_provider
from resolvers.provider.keys import set_provider_key
from resolvers.secret_box import SecretBox
from tests.support.daily_counts import assert_counted_as_rows
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

TOLD = {"industry": "Software"}
LATER = GRACE.total_seconds() + 1


def refusing(code: str, times: int, count: int = 3, *, wait: float | None = None) -> StandIn:
    errors = [ProviderError(code, "no", retryable=False, retry_after_seconds=wait) for _ in range(times)]
    knows = {f"acme{n}.com": TOLD for n in range(count)}
    return StandIn(id="paid", price=1, remote=True, needs_key=True, keeps_days=30, fails=errors, knows=knows)


async def statuses() -> list[JobStatus]:
    return [job.status for job in await Job.all().order_by("id")]


@pytest.mark.parametrize("code", ["bad_key", "no_access", "out_of_credits", "no_key"])
async def test_after_a_reset_what_was_refused_runs_again_once(redis: ArqRedis, code: str) -> None:
    clock = Clock()
    paid = refusing(code, 3 if code in {"no_access", "no_key"} else 1)
    ctx = context(services(redis, paid, now=clock))
    for n in range(3):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
        await work(ctx.services)
    assert await statuses() == [JobStatus.FAILED] * 3
    assert await restart_refused(ctx.services) == 0
    await reset_provider(ctx, "paid")
    assert await restart_refused(ctx.services) == 0  # a moment is left to whoever would retry some by hand
    clock.ahead_seconds += LATER
    assert [await restart_refused(ctx.services) for _ in range(2)] == [3, 0]
    await work(ctx.services)
    assert await statuses() == [JobStatus.COMPLETED] * 3
    assert {job.trigger for job in await Job.all()} == {JobTrigger.CREDITS_RESTORED}
    assert (await get_credits(ctx)).used == 3
    assert await restart_refused(ctx.services) == 0
    assert (await check_ledger("acme")).faults == []
    await assert_counted_as_rows()


async def test_after_another_key_in_batches_and_of_this_organization_alone(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarting, "AT_ONCE", 2)
    clock = Clock()
    paid = refusing("bad_key", 2, 5)
    ctx = context(services(redis, paid, now=clock))
    ctx.services.secret_box = SecretBox(b"m" * 32)
    other = context(ctx.services, org="other")
    for caller, count in ((ctx, 5), (other, 1)):
        for n in range(count):
            await send(caller, "account", f"A{n}", domain=f"acme{n}.com")
            await work(ctx.services)
    await set_provider_key(ctx, "paid", "sk-live-0123456789abcdef")
    clock.ahead_seconds += LATER
    assert await restart_refused(ctx.services) == 5
    await work(ctx.services)
    by_organization = {org: {job.status for job in await Job.filter(organization_id=org)} for org in ("acme", "other")}
    assert by_organization == {"acme": {JobStatus.COMPLETED}, "other": {JobStatus.FAILED}}


async def test_when_its_credits_may_be_back_one_job_tries_a_provider_and_the_others_follow(redis: ArqRedis) -> None:
    clock = Clock()
    paid = refusing("out_of_credits", 2, wait=3600)
    ctx = context(services(redis, paid, now=clock))
    for n in range(3):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
        await work(ctx.services)
    for _ in range(2):
        clock.ahead_seconds += 3700
        asked = len(paid.asked)
        assert await restart_refused(ctx.services) == 1
        await work(ctx.services)
        assert len(paid.asked) == asked + 1  # the first is refused again, the second answered
    assert [view.state for view in await list_providers(ctx)] == [BreakerState.CLOSED]
    clock.ahead_seconds += LATER
    assert await restart_refused(ctx.services) == 2
    await work(ctx.services)
    assert await statuses() == [JobStatus.COMPLETED] * 3


async def test_what_ran_since_or_is_long_past_or_failed_otherwise_is_left_alone(redis: ArqRedis) -> None:
    clock = Clock()
    paid = refusing("bad_key", 1, 4)
    ctx = context(services(redis, paid, now=clock))
    long_past = await send(ctx, "account", "A0", domain="acme0.com")
    await work(ctx.services)
    clock.ahead_seconds += (REMEMBERED + timedelta(days=1)).total_seconds()
    ran_since = await send(ctx, "account", "A1", domain="acme1.com")
    await work(ctx.services)
    await configure(ctx, providers=[])
    await send(ctx, "account", "A1", domain="acme3.com")
    await work(ctx.services)
    await configure(ctx, providers=[{"id": "paid"}])
    await reset_provider(ctx, "paid")
    paid.fails = [ProviderError("rejected", "no", retryable=False)]
    await send(ctx, "account", "A2", domain="acme2.com")
    await work(ctx.services)
    clock.ahead_seconds += LATER
    assert await restart_refused(ctx.services) == 0
    assert {(await job_of(one)).status for one in (long_past, ran_since)} == {JobStatus.FAILED}
