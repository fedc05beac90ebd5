"""Due jobs are found by the first of each organization and priority, in turns and in order."""

import pytest
from arq.connections import ArqRedis

from models.db.statements import execute
from models.job.due import organizations_with_due_jobs
from models.job.transitions import claim
from resolvers.context import Services
from resolvers.pipeline import pause_pipeline
from tests.support.factories import StandIn, context, send, services

pytestmark = pytest.mark.usefixtures("db")


async def send_one(
    shared: Services, organization_id: str, number: int, *, priority: int = 10, waits: bool = False
) -> None:
    ctx = context(shared, org=organization_id)
    job = (await send(ctx, "account", f"A{number}", domain=f"{organization_id}{number}.com")).job
    assert job is not None
    await execute(
        "UPDATE job SET priority = ?, next_attempt_at = next_attempt_at + ? WHERE id = ?",
        [priority, 3_600_000_000 if waits else 0, job.id],
    )


async def test_organizations_with_due_jobs_come_in_order_from_any_on(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    for organization_id in ("a", "b", "c", "d", "e"):
        await send_one(shared, organization_id, 1)
        await send_one(shared, organization_id, 2, priority=30)
    await pause_pipeline(context(shared, org="b"))
    now = shared.now()
    assert await organizations_with_due_jobs(now, 10) == ["a", "c", "d", "e"]
    assert await organizations_with_due_jobs(now, 2) == ["a", "c"]
    assert await organizations_with_due_jobs(now, 2, after="c") == ["d", "e"]
    assert await organizations_with_due_jobs(now, 2, after="e") == []


async def test_a_due_job_is_found_behind_those_of_more_priority_that_wait(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    for number in range(3):
        await send_one(shared, "waiting", number, priority=0, waits=True)
        await send_one(shared, "working", number, priority=0, waits=True)
    await send_one(shared, "working", 3, priority=20)
    now = shared.now()
    assert await organizations_with_due_jobs(now, 10) == ["working"]
    assert len(await claim("working", now, 10)) == 1
    assert await claim("waiting", now, 10) == []


async def test_the_lowest_priority_is_claimed_first_and_no_more_than_wanted(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    for number, priority in enumerate((30, 0, 10, 30, 0, 10)):
        await send_one(shared, "acme", number, priority=priority)
    taken = [sorted(claim.priority for claim in await claim("acme", shared.now(), 3)) for _ in range(3)]
    assert taken == [[0, 0, 10], [10, 30, 30], []]
