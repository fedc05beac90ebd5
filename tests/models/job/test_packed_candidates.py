"""The candidates of a step are packed where no attempt goes on with them, and read alike however they are stored."""

import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from models.db.statements import execute, query
from models.job.steps import every_candidate, steps_of
from providers.api import ProviderError
from tests.support.factories import StandIn, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")


async def _stored(job_id: str) -> dict[str, tuple[bool, bool]]:
    """Of each provider's step whether its candidates are stored as JSON, and whether packed."""
    found = await query("SELECT provider, candidates, packed_candidates FROM step WHERE job_id = ?", [job_id])
    return {row["provider"]: (row["candidates"] != "[]", row["packed_candidates"] is not None) for row in found}


async def test_candidates_of_a_completed_job_are_packed_and_read_as_they_were(redis: ArqRedis) -> None:
    knowing = StandIn("knowing", {"acme": {"industry": ("Software", 0.9), "city": ("Zürich", 0.7)}})
    ctx = context(services(redis, knowing, StandIn("blank")))
    sent = await send(ctx, "account", "A1", name="Acme")
    await work(ctx.services)
    job = await job_of(sent)
    assert job.status is JobStatus.COMPLETED
    assert await _stored(job.id) == {"knowing": (False, True), "blank": (False, False)}

    packed = await every_candidate(job.record_id)
    assert {stated["field"]: (stated["value"], stated["confidence"]) for stated in packed} == {
        "industry": ("Software", 0.9),
        "city": ("Zürich", 0.7),
    }
    [step, blank] = (await steps_of([job.id]))[job.id]
    assert (step.candidates, blank.candidates) == (packed, [])


async def test_what_an_attempt_may_go_on_with_is_stored_as_every_version_reads_it(redis: ArqRedis) -> None:
    knowing = StandIn("knowing", {"acme": {"industry": ("Software", 0.9)}})
    failing = StandIn("failing", fails=[ProviderError("gone", "no such route", retryable=False)])
    ctx = context(services(redis, knowing, failing))
    sent = await send(ctx, "account", "A1", name="Acme")
    await work(ctx.services)
    job = await job_of(sent)
    assert job.status is JobStatus.PARTIAL
    assert (await _stored(job.id))["knowing"] == (True, False)
    [stated] = await every_candidate(job.record_id)
    assert stated["value"] == "Software"


async def test_candidates_that_an_earlier_version_stored_are_read(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn("knowing", {"acme": {"industry": ("Software", 0.9)}})))
    sent = await send(ctx, "account", "A1", name="Acme")
    await work(ctx.services)
    job = await job_of(sent)
    stored = '[{"field": "industry", "value": "Hardware"}]'
    await execute("UPDATE step SET candidates = ?, packed_candidates = NULL WHERE job_id = ?", [stored, job.id])
    assert await every_candidate(job.record_id) == [{"field": "industry", "value": "Hardware"}]
