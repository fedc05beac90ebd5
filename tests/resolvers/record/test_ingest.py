"""Ingest: what the CRM cleared stays cleared, until somebody says something new."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, FieldOutcomeReason
from models.job import Job
from resolvers.context import Context, Services
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.record.api import get_record
from tests.support.factories import StandIn, configure, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")


async def _city(ctx: Context) -> Any:
    return (await get_record(ctx, EntityType.ACCOUNT, "A-1")).fields.get("city")


async def _clear_and_enrich(shared: Services, ctx: Context) -> dict[str, str]:
    """Let the CRM clear the city, and enrich at once. How each field ended."""
    await send(ctx, "account", "A-1", domain="acme.com", city="")
    assert await _city(ctx) is None
    outcome = await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    [job] = [*outcome.queued, *outcome.folded]
    await work(shared)
    job = await Job.get(id=job.id)
    return {outcome["field"]: outcome["reason"] for outcome in job.outcomes}


async def _overwrite(shared: Services, ctx: Context) -> None:
    """Let enrichment replace the city that the CRM sent."""
    await configure(ctx, fieldPolicies={"account": {"default": "overwrite"}})
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    await work(shared)


async def test_a_value_that_the_crm_cleared_is_not_restored_by_the_source_that_gave_it(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"city": "Oakland"}}))
    ctx = context(shared)
    await _overwrite(shared, ctx)
    assert await _city(ctx) == "Oakland"

    reasons = await _clear_and_enrich(shared, ctx)

    assert reasons["city"] == FieldOutcomeReason.PROTECTED
    assert await _city(ctx) is None


async def test_a_cleared_field_is_filled_with_another_value_of_the_same_source(redis: ArqRedis) -> None:
    source = StandIn(knows={"acme.com": {"city": "Oakland"}})
    shared = services(redis, source)
    ctx = context(shared)
    await _overwrite(shared, ctx)
    source.knows = {"acme.com": {"city": "Fremont"}}

    await _clear_and_enrich(shared, ctx)

    assert await _city(ctx) == "Fremont"


async def test_a_cleared_value_that_the_crm_itself_gave_may_come_from_a_source(redis: ArqRedis) -> None:
    source = StandIn(knows={})
    shared = services(redis, source)
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com", city="Oakland")
    await work(shared)
    source.knows = {"acme.com": {"city": "Oakland"}}

    await _clear_and_enrich(shared, ctx)

    assert await _city(ctx) == "Oakland"
