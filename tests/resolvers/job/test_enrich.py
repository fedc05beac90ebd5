"""A request to enrich starts jobs, becomes part of active ones, and says which records it passes by."""

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus
from resolvers.job.api import get_job
from resolvers.job.enrich import RecordSelection, enrich_records
from tests.support.factories import StandIn, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

ACME = {"industry": "Software", "city": "Berlin", "foundedYear": 1999}


async def test_a_record_enriched_lately_cools_down_unless_forced(redis: ArqRedis) -> None:
    standin = StandIn(knows={"acme.com": ACME, "acme.de": ACME})
    shared = services(redis, standin)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)

    changed = await send(ctx, "account", "A1", domain="acme.de")
    await work(shared)
    skipped = await job_of(changed)
    assert (skipped.status, skipped.error_code) == (JobStatus.SKIPPED, "cooldown")

    selection = RecordSelection(EntityType.ACCOUNT, external_ids=("A1", "A2"))
    refused = await enrich_records(ctx, selection)
    assert [(one.external_id, one.reason) for one in refused.skipped] == [("A2", "not_found"), ("A1", "cooldown")]
    forced = await enrich_records(ctx, selection, force=True)
    await work(shared)
    assert (await get_job(ctx, forced.queued[0].id)).status is JobStatus.COMPLETED
    assert standin.asked == ["acme.com", "acme.de"]


async def test_a_request_during_the_cooldown_becomes_part_of_an_active_job(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME}))
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    forced = await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    again = await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT))
    assert ([job.id for job in again.folded], again.skipped) == ([forced.queued[0].id], [])
