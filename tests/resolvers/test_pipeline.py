"""A pause stops what has not started, and a resume starts it."""

import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from resolvers.pipeline import get_pipeline, pause_pipeline, resume_pipeline
from tests.support.factories import StandIn, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

ACME = {"industry": "Software", "city": "Berlin", "foundedYear": 1999}


async def test_nothing_starts_while_the_pipeline_is_paused_and_all_of_it_after_resume(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME}))
    ctx = context(shared)
    await pause_pipeline(ctx, reason="audit")
    again = await pause_pipeline(ctx)
    assert (again.paused, again.reason, again.paused_by) == (True, "audit", "ann")
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    assert (await job_of(sent)).status is JobStatus.PENDING
    assert (await get_pipeline(ctx)).pending == 1

    await resume_pipeline(ctx)
    await work(shared)

    assert (await job_of(sent)).status is JobStatus.COMPLETED
    assert (await get_pipeline(ctx)).paused is False
