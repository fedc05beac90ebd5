"""A worker shares its capacity among organizations, and ends a job that rate limits have kept waiting for a day."""

import asyncio
from datetime import timedelta
from itertools import islice

import pytest
from arq.connections import ArqRedis

from enrichment.decide.job_outcome import LONGEST_PATIENCE
from enrichment.enums import JobStatus
from models.db.transaction import unit_of_work
from models.job import Job
from models.job.leases import LEASE
from models.job.transitions import claim, requeue_lost
from providers.api import ProviderError, Question
from resolvers.context import Services
from resolvers.record.api import upsert_records
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from tests.support.waiting import PATIENCE_SECONDS, until
from workers.job import runner as runner_module
from workers.job.runner import AT_ONCE, SHARE, TOP_UP, JobRunner

pytestmark = pytest.mark.usefixtures("db")


async def in_progress(organization_id: str) -> int:
    return await Job.filter(organization_id=organization_id, status=JobStatus.IN_PROGRESS).count()


async def backlog(shared: Services, organization_id: str, count: int) -> None:
    records = [
        {"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"{organization_id}{n}.com"}}
        for n in range(count)
    ]
    await upsert_records(context(shared, org=organization_id), records)


async def test_one_organization_holds_at_most_its_share_of_a_worker(redis: ArqRedis) -> None:
    asked, answer = asyncio.Semaphore(0), asyncio.Event()

    async def hold(_: Question) -> None:
        asked.release()
        await answer.wait()

    shared = services(redis, StandIn(on_ask=hold))
    await backlog(shared, "big", 30)
    runner = JobRunner(shared, capacity=10)
    runs = [asyncio.create_task(runner.work()) for _ in range(3)]  # as many wake-ups at once
    try:
        # One claims the share; the others find that nothing more may be claimed.
        ended = [await run for run in islice(asyncio.as_completed(runs, timeout=PATIENCE_SECONDS), 2)]
        assert ended == [0, 0]
        assert await in_progress("big") == 10 * SHARE == 6

        await backlog(shared, "small", 1)
        runs.append(asyncio.create_task(runner.work()))
        for _ in range(7):
            await asyncio.wait_for(asked.acquire(), PATIENCE_SECONDS)
        assert (await in_progress("big"), await in_progress("small")) == (6, 1)
    finally:
        answer.set()
        await asyncio.gather(*runs)
        await runner.stop(1)
    assert await Job.filter(status=JobStatus.COMPLETED).count() == 31


async def test_more_organizations_than_are_taken_at_once_have_their_turns(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "ORGANIZATIONS_AT_ONCE", 2)
    monkeypatch.setattr(runner_module, "AT_ONCE", 6)
    source = StandIn()
    shared = services(redis, source)
    for organization_id in ("a", "b", "c"):
        await backlog(shared, organization_id, 20)
    await backlog(shared, "z", 1)
    runner = JobRunner(shared)
    assert await runner.work() == 61
    # Four claims: one of two organizations, one of the two after them, and perhaps both once more.
    assert source.asked.index("z0.com") < 4 * 6
    await runner.stop(0)


async def test_the_last_organizations_in_turn_get_no_more_than_the_others(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "ORGANIZATIONS_AT_ONCE", 2)
    monkeypatch.setattr(runner_module, "AT_ONCE", 6)
    asked, answer = asyncio.Semaphore(0), asyncio.Event()

    async def hold(_: Question) -> None:
        asked.release()
        await answer.wait()

    shared = services(redis, StandIn(on_ask=hold))
    for organization_id in ("a", "b", "c"):
        await backlog(shared, organization_id, 8)
    runner = JobRunner(shared)
    runs: list[asyncio.Task[int]] = []
    try:
        # Claims of a and b, of c and a, of b and c.
        for expected in ([3, 3, 0], [6, 3, 3], [6, 6, 6]):
            runs.append(asyncio.create_task(runner.work()))
            for _ in range(6):
                await asyncio.wait_for(asked.acquire(), PATIENCE_SECONDS)
            assert [await in_progress(organization_id) for organization_id in ("a", "b", "c")] == expected
    finally:
        answer.set()
        await asyncio.gather(*runs)
        await runner.stop(1)


async def test_an_organization_at_its_share_does_not_hide_those_after_it(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "ORGANIZATIONS_AT_ONCE", 1)
    asked, answer = asyncio.Semaphore(0), asyncio.Event()

    async def hold(question: Question) -> None:
        if not question.fields["domain"].startswith("middle"):
            asked.release()
            await answer.wait()

    shared = services(redis, StandIn(on_ask=hold))
    runner = JobRunner(shared, capacity=10)
    runs: list[asyncio.Task[int]] = []
    try:
        for organization_id, count, claimed in (("big", 20, 6), ("small", 1, 1)):
            await backlog(shared, organization_id, count)
            runs.append(asyncio.create_task(runner.work()))
            for _ in range(claimed):
                await asyncio.wait_for(asked.acquire(), PATIENCE_SECONDS)
            assert await in_progress(organization_id) == claimed
        await backlog(shared, "middle", 1)
        # The turn is at the big one again, which is at its share, and then at the one in the middle.
        assert await asyncio.wait_for(runner.work(), PATIENCE_SECONDS) == 1
        assert await in_progress("big") == 6
    finally:
        answer.set()
        await asyncio.gather(*runs)
        await runner.stop(1)


async def test_a_job_whose_answer_takes_long_keeps_nobody_waiting(redis: ArqRedis) -> None:
    answer = asyncio.Event()

    async def hold_first(question: Question) -> None:
        if question.fields["domain"] == "big0.com":
            await answer.wait()

    standin = StandIn(on_ask=hold_first)
    shared = services(redis, standin)
    await backlog(shared, "big", AT_ONCE + TOP_UP)
    runner = JobRunner(shared)
    run = asyncio.create_task(runner.work())
    try:
        await until(lambda: len(standin.asked) == AT_ONCE + TOP_UP)
    finally:
        answer.set()
        assert await run == AT_ONCE + TOP_UP
        await runner.stop(1)


async def test_what_a_worker_was_lost_by_takes_no_other_job_with_it_twice(redis: ArqRedis) -> None:
    """The jobs of a lost worker run one after the other, beside those of nobody."""
    clock = Clock()
    together: list[tuple[int, int]] = []

    async def note(question: Question) -> None:
        fields = question.fields
        running.append(fields["domain"])
        await asyncio.sleep(0.02)
        together.append((sum(domain.startswith("lost") for domain in running), len(running)))
        running.remove(fields["domain"])

    running: list[str] = []
    shared = services(redis, StandIn(on_ask=note), now=clock)
    await backlog(shared, "lost", 4)
    assert len(await claim("lost", clock(), 10)) == 4
    clock.ahead_seconds += LEASE.total_seconds() + 1
    await unit_of_work(requeue_lost)(clock())
    await backlog(shared, "new", 4)
    await work(shared)
    assert await Job.filter(status=JobStatus.COMPLETED).count() == 8
    assert max(lost for lost, _ in together) == 1
    assert max(all_of_them for _, all_of_them in together) > 1


async def test_a_job_stops_waiting_for_rate_limits_after_a_day(redis: ArqRedis) -> None:
    clock = Clock()
    limited = ProviderError("rate_limited", "too many requests", retryable=True, retry_after_seconds=3600)
    shared = services(redis, StandIn(fails=[limited] * 100), now=clock)
    ctx = context(shared)
    await configure(ctx, maxAttempts=2)
    sent = await send(ctx, "account", "A1", domain="acme.com")
    waited = timedelta()
    await work(shared)
    while (job := await job_of(sent)).status is JobStatus.PENDING:
        assert waited <= LONGEST_PATIENCE + timedelta(hours=2)
        waited += timedelta(hours=1, seconds=1)
        clock.ahead_seconds += 3601
        await work(shared)
    assert (job.status, job.error_code) == (JobStatus.FAILED, "rate_limited")
    assert waited > LONGEST_PATIENCE
