"""Leases are renewed together, and what is shown of one job never costs another its lease."""

import json

import pytest
from arq.connections import ArqRedis

from models.job import Job
from models.job.leases import LEASE, LeaseProgress
from models.job.transitions import claim
from providers.api import ProviderError
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.workers.job.test_runner import backlog
from workers.job.in_flight import JobInFlight, StartedJobs
from workers.job.load import load_claimed
from workers.job.process import Course, begin
from workers.job.runner import JobRunner

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("odd", [json.loads('"\\ud800"'), "\x00"])
async def test_steps_that_no_store_holds_cost_no_job_its_lease(redis: ArqRedis, odd: str) -> None:
    clock = Clock()
    shared = services(redis, StandIn(), now=clock)
    await backlog(shared, "acme", 2)
    claims = await claim("acme", clock(), 2, LEASE, with_lost=True)
    clock.ahead_seconds += 10
    leases = [
        LeaseProgress(each.lease.id, each.lease.fence, 5, "standin", [{"detail": odd}] if number == 0 else [])
        for number, each in enumerate(claims)
    ]
    at = clock()
    held = await JobRunner(shared)._prolong(leases, at)
    assert held == {each.lease.id for each in claims}
    assert all(job.lease_until is not None and job.lease_until >= at + LEASE * 0.99 for job in await Job.all())


async def test_steps_of_an_earlier_attempt_stay_while_another_is_under_way(redis: ArqRedis) -> None:
    clock = Clock()
    failing = StandIn(id="second", fails=[ProviderError("unavailable", "later", retryable=True)])
    shared = services(redis, StandIn(id="first"), failing, now=clock)
    await configure(context(shared), providers=[{"id": "first"}, {"id": "second"}])
    await send(context(shared), "account", "A1", name="Acme", domain="acme.com")
    await work(shared)
    clock.ahead_seconds += 3600
    [found] = await claim("acme", clock(), 1, LEASE, with_lost=True)
    [job] = await load_claimed(shared, [found], clock())
    assert job.earlier_steps
    course = begin(job, shared.registry, clock())
    assert isinstance(course, Course)
    again = JobInFlight(job, StartedJobs(), course=course)
    assert again.lease_progress().steps_so_far is None
    job.earlier_steps.clear()
    assert [step["provider"] for step in again.lease_progress().steps_so_far or []] == ["first"]
