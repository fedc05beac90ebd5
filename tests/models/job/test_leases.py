"""Claims are fair, leases are fenced, and a pause is kept by the claim itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from models.db.statements import execute, query
from models.db.transaction import Transaction, unit_of_work
from models.job import Job, leases, transitions
from models.job.due import organizations_with_due_jobs
from models.job.ended_attempt import AttemptEnd
from models.job.leases import LEASE, Lease, LeaseProgress, renew
from models.job.transitions import MOST_LOST, claim, release_leases, requeue_lost
from resolvers.job.api import retry_job
from resolvers.pipeline import pause_pipeline
from resolvers.record.api import upsert_records
from tests.support.factories import Clock, StandIn, context, send, services, work
from tests.support.plans import statements_read
from workers.job.load import load_claimed
from workers.job.process import JobResult
from workers.job.results import WriteStatus, write_results

pytestmark = pytest.mark.usefixtures("db")


async def test_one_organizations_backlog_does_not_delay_anothers_single_job(redis: ArqRedis) -> None:
    standin = StandIn()
    shared = services(redis, standin)
    backlog = [
        {"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"acme{n}.com"}} for n in range(900)
    ]
    await upsert_records(context(shared, org="big"), backlog)
    await send(context(shared, org="small"), "account", "A", domain="small.com")
    await work(shared)
    assert len(standin.asked) == 901
    assert standin.asked.index("small.com") < 400


@pytest.mark.postgresql
async def test_a_claim_takes_no_more_than_its_limit_whatever_the_planner_chooses(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    jobs = [{"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"acme{n}.com"}} for n in range(30)]
    await upsert_records(context(shared), jobs)
    for way in ("hashjoin", "hashagg", "mergejoin", "material", "sort"):
        await execute(f"SET enable_{way} = off")  # what is left is to look for each row's match anew
    try:
        assert len(await claim("acme", shared.now(), 6)) == 6
    finally:
        await execute("RESET ALL")


@pytest.mark.postgresql
async def test_a_job_whose_worker_was_lost_is_found_by_its_id_and_not_among_all_active_jobs(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    await send(context(shared), "account", "A1", domain="acme.com")
    await execute("SET enable_seqscan = off")  # which reads a table that has a row soonest
    try:
        with statements_read() as statements:
            assert len(await claim("acme", shared.now(), 6)) == 1
        [(sql, values)] = statements.items()
        plan = await query(f"EXPLAIN {sql}", values)
    finally:
        await execute("RESET ALL")
    lines = [line["QUERY PLAN"].strip() for line in plan]
    of_lost = lines.index("CTE lost")
    found = next(n for n, line in enumerate(lines) if n > of_lost and line.startswith("->") and " on job job_" in line)
    assert "job_one_active" not in lines[found]
    assert lines[found + 1].startswith("Index Cond: ((id)")


def completed(lease: Lease, now: datetime) -> AttemptEnd:
    return AttemptEnd(
        id=lease.id,
        fence=lease.fence,
        status=JobStatus.COMPLETED,
        attempts=1,
        progress=100,
        fields_updated=[],
        outcomes=[],
        filled_before=[],
        filled_after=[],
        matched=True,
        credits_used=0,
        short_of_credits=False,
        error_code=None,
        error_message=None,
        error_retryable=None,
        next_attempt_at=None,
        finished_at=now,
    )


@pytest.mark.postgresql
async def test_jobs_that_are_named_are_not_looked_for_among_all_active_ones(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = services(redis, StandIn())
    sent = [{"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"acme{n}.com"}} for n in range(400)]
    await upsert_records(context(shared), sent[:300])
    await execute("UPDATE job SET status = 'completed', next_attempt_at = NULL, finished_at = created_at")
    await execute("ANALYZE job")  # none is active, and the statistics say so
    await upsert_records(context(shared), sent[300:])
    taken = [job.lease for job in await claim("acme", shared.now(), 20)]
    plans: list[str] = []

    async def explained(sql: str, values: Sequence[Any] = (), *, using: Transaction | None = None) -> Any:
        plans.extend(row["QUERY PLAN"] for row in await query(f"EXPLAIN {sql}", values, using=using))
        return await query(sql, values, using=using)

    monkeypatch.setattr(leases, "query", explained)
    monkeypatch.setattr(transitions, "query", explained)
    progress = [LeaseProgress(lease.id, 1, 5, None, []) for lease in taken]
    assert len(await renew(progress, shared.now(), shared.now())) == 20
    assert len(await unit_of_work(leases.lock_held)(taken)) == 20
    ends = [completed(lease, shared.now()) for lease in taken]
    assert len(await unit_of_work(transitions.finish)(ends, shared.now())) == 20
    assert "Update on job" in " ".join(plans)
    assert not [step for step in plans if "job_one_active" in step]


async def test_a_worker_that_lost_its_lease_can_write_nothing(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(), now=clock)
    sent = await send(context(shared), "account", "A1", domain="acme.com")
    assert sent.job is not None
    [first] = await load_claimed(shared, await claim("acme", clock(), 10), clock())
    assert await claim("acme", clock(), 10) == []

    clock.ahead_seconds += LEASE.total_seconds() + 1
    [lost] = await unit_of_work(requeue_lost)(clock())
    assert (lost.id, lost.status) == (sent.job.id, JobStatus.PENDING)
    [second] = await load_claimed(shared, await claim("acme", clock(), 10), clock())

    assert second.lease == Lease(first.id, first.lease.fence + 1)
    late = await write_results([JobResult(first, JobStatus.COMPLETED)], clock(), shared)
    assert late.statuses == [WriteStatus.LOST]
    assert await renew([LeaseProgress(first.id, first.lease.fence, 0, None, [])], clock(), clock() + LEASE) == set()
    assert await release_leases([first.lease], clock()) == 0
    assert (await Job.get()).status is JobStatus.IN_PROGRESS
    assert (await write_results([JobResult(second, JobStatus.COMPLETED)], clock(), shared)).statuses == [
        WriteStatus.DONE
    ]


async def _lose_worker(clock: Clock) -> Job:
    """Claim the one job, and let its lease run out."""
    assert len(await claim("acme", clock(), 10)) == 1
    clock.ahead_seconds += LEASE.total_seconds() + 1
    await unit_of_work(requeue_lost)(clock())
    return await Job.get()


async def test_the_death_of_workers_uses_up_no_attempt_and_a_job_that_kills_each_is_set_aside(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(), now=clock)
    await send(context(shared), "account", "A1", domain="acme.com")
    for times in range(1, MOST_LOST):
        job = await _lose_worker(clock)
        assert (job.status, job.attempts, job.times_lost) == (JobStatus.PENDING, 0, times)
    job = await _lose_worker(clock)
    assert (job.status, job.attempts, job.error_code) == (JobStatus.FAILED, 0, "worker_lost")
    assert job.error_message == "set aside: 6 workers in a row stopped while they had this job"
    await retry_job(context(shared), job.id)
    assert (await _lose_worker(clock)).status is JobStatus.PENDING


async def test_an_attempt_that_ends_by_itself_begins_the_count_of_lost_workers_anew(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(), now=clock)
    await send(context(shared), "account", "A1", domain="acme.com")
    await _lose_worker(clock)
    [taken] = await load_claimed(shared, await claim("acme", clock(), 10), clock())
    waits = JobResult(taken, JobStatus.PENDING, next_attempt_at=clock())
    assert (await write_results([waits], clock(), shared)).statuses == [WriteStatus.DONE]
    assert (await Job.get()).times_lost is None


async def test_of_the_jobs_of_a_lost_worker_one_is_claimed_beside_others(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(), now=clock)
    for n in range(3):
        await send(context(shared), "account", f"A{n}", domain=f"acme{n}.com")
    lost = {taken.id for taken in await claim("acme", clock(), 10)}
    clock.ahead_seconds += LEASE.total_seconds() + 1
    await unit_of_work(requeue_lost)(clock())
    await send(context(shared), "account", "B", domain="other.com")

    assert [taken.was_lost for taken in await claim("acme", clock(), 10, with_lost=False)] == [False]
    for _ in range(3):
        [taken] = await claim("acme", clock(), 10)
        assert taken.was_lost
        lost.remove(taken.id)
    assert (lost, await claim("acme", clock(), 10)) == (set(), [])


async def test_handing_a_job_back_uses_up_no_attempt(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    await send(context(shared), "account", "A1", domain="acme.com")
    [taken] = await claim("acme", shared.now(), 10)
    assert await release_leases([taken.lease], shared.now()) == 1
    job = await Job.get()
    assert (job.status, job.attempts) == (JobStatus.PENDING, 0)


async def test_a_paused_organization_is_not_claimed_from(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    assert await organizations_with_due_jobs(shared.now(), 10) == ["acme"]
    await pause_pipeline(ctx)
    assert await organizations_with_due_jobs(shared.now(), 10) == []
    assert await claim("acme", shared.now(), 10) == []


async def test_jobs_run_by_priority_and_when_they_are_due(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    ctx = context(shared)
    for n in range(3):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
    last = await Job.all().order_by("-id").first()
    assert last is not None
    await Job.filter(id=last.id).update(priority=0)
    [row] = await claim("acme", shared.now(), 1)
    assert row.id == last.id
    await Job.filter(status=JobStatus.PENDING).update(next_attempt_at=shared.now() + timedelta(hours=1))
    assert await claim("acme", shared.now(), 10) == []


async def test_the_moment_of_a_change_moves_with_how_far_a_job_is_and_with_nothing_else(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(), now=clock)
    sent = await send(context(shared), "account", "A1", domain="acme.com")
    assert sent.job is not None
    [claimed] = await claim("acme", clock(), 1)
    began = (await Job.get(id=claimed.id)).updated_at
    moved = clock() + timedelta(seconds=1)
    for at, progress, step, seen in (
        (moved, 0, None, began),
        (moved, 40, "standin", moved),
        (moved + timedelta(seconds=1), 40, "standin", moved),
    ):
        lease = LeaseProgress(claimed.id, claimed.lease.fence, progress, step, [])
        assert await renew([lease], at, at + LEASE) == {claimed.id}
        job = await Job.get(id=claimed.id)
        assert (job.progress, job.running_step, job.updated_at) == (progress, step, seen)


async def test_a_lease_is_prolonged_once_a_quarter_of_it_is_over(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(), now=clock)
    await send(context(shared), "account", "A1", domain="acme.com")
    began = clock()
    [claimed] = await claim("acme", began, 1)
    for share, until in ((0.2, began + LEASE), (0.3, began + 1.3 * LEASE), (0.5, began + 1.3 * LEASE)):
        at = began + share * LEASE
        lease = LeaseProgress(claimed.id, claimed.lease.fence, round(100 * share), "standin", [])
        assert await renew([lease], at, at + LEASE) == {claimed.id}
        job = await Job.get(id=claimed.id)
        assert (job.lease_until, job.progress) == (until, round(100 * share))
