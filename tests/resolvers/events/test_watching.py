"""Whoever watches sees the state at once, each change, and nothing is missed over a gap."""

import asyncio

import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from models.db.columns import to_micros
from models.db.statements import execute
from models.job.queries import JobFilter
from resolvers.job.api import cancel_job
from resolvers.job.watch import watch_job, watch_jobs
from tests.support.factories import StandIn, context, send, services, work
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("db")


async def test_watching_a_job_ends_with_its_final_state_at_once(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = services(redis, StandIn())
    ctx = context(shared)
    sent = await send(ctx, "account", "A1", domain="acme.com")
    assert sent.job is not None
    await shared.events.start()
    monkeypatch.setattr("resolvers.job.watch.REREAD_SECONDS", 2 * PATIENCE_SECONDS)  # only a notice may wake it
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            seen = []
            async for job in watch_job(ctx, sent.job.id):
                seen.append(job.status)
                if len(seen) == 1:
                    await cancel_job(ctx, job.id)
            assert seen == [JobStatus.PENDING, JobStatus.CANCELLED]
            assert [job.status async for job in watch_job(ctx, sent.job.id)] == [JobStatus.CANCELLED]
    finally:
        await shared.events.stop()


async def test_jobs_that_changed_while_notices_were_lost_are_shown_after_the_gap(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    ctx = context(shared)
    old = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    await shared.events.start()
    try:
        events = watch_jobs(ctx, JobFilter())
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(2.5)  # the first job's end lies outside of the overlap
        new = await send(ctx, "account", "A2", domain="acme.de")
        assert (await asyncio.wait_for(waiting, 3)).job.id == (new.job.id if new.job else None)
        waiting = asyncio.ensure_future(anext(events))
        assert new.job is not None
        moved = "UPDATE job SET progress = 50, updated_at = ? WHERE id = ?"
        await execute(moved, [to_micros(shared.now()), new.job.id])
        await redis.client_kill_filter(_type="pubsub")
        job = (await asyncio.wait_for(waiting, 5)).job
        assert job.id == new.job.id != (old.job.id if old.job else None)
        await events.aclose()  # type: ignore[attr-defined]  # it is a generator, typed as what it yields
    finally:
        await shared.events.stop()
