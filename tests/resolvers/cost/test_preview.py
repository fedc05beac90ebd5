"""A preview shows what would be written, kept or put to review, from stored answers alone."""

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, FieldOutcomeReason
from models.db.statements import query
from models.job import Job
from resolvers.context import Role
from resolvers.cost.preview import Preview, preview_enrichment
from resolvers.errors import Forbidden
from resolvers.job.enrich import RecordSelection, enrich_records
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")

ALL = RecordSelection(EntityType.ACCOUNT)
KNOWN = {"acme.com": {"city": "Oakland", "phone": "+16502530000", "description": "Makes anvils"}}


def _shown_fields(preview: Preview, external_id: str = "A-1") -> dict[str, tuple[FieldOutcomeReason, object]]:
    [shown] = [record for record in preview.records if record.record.external_id == external_id]
    return {field.field: (field.reason, field.value) for field in shown.fields if field.provider is not None}


async def test_stored_answers_to_another_record_serve_this_one(redis: ArqRedis) -> None:
    paid = StandIn("paid", knows=KNOWN, price=2, keeps_days=30)
    shared = services(redis, paid)
    ctx = context(shared)
    await send(ctx, "account", "A-0", domain="acme.com")
    await work(shared)
    await configure(ctx, triggers={"onCreate": False}, fieldPolicies={"account": {"fields": {"description": "never"}}})
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    rows = {name: await query(f"SELECT COUNT(*) AS n FROM {name}") for name in ("job", "credit_entry", "field_value")}

    preview = await preview_enrichment(ctx, RecordSelection(EntityType.ACCOUNT, external_ids=("A-1", "A-9")))

    assert _shown_fields(preview) == {
        "city": (FieldOutcomeReason.CONFLICT, "Oakland"),
        "phone": (FieldOutcomeReason.WRITTEN, "+16502530000"),
    }
    assert [(result.external_id, result.reason) for result in preview.skipped] == [("A-9", "not_found")]
    assert (dict(preview.calls), paid.asked) == ({}, ["acme.com"])
    assert rows == {name: await query(f"SELECT COUNT(*) AS n FROM {name}") for name in rows}


async def test_calls_that_would_be_needed_are_named_with_the_most_they_cost(redis: ArqRedis) -> None:
    paid = StandIn("paid", knows=KNOWN, price=2, keeps_days=30)
    ctx = context(services(redis, paid))
    for number in range(3):
        await send(ctx, "account", f"A-{number}", domain="acme.com" if number else "beta.com")
    preview = await preview_enrichment(ctx, ALL)
    assert [[(call.provider, call.most) for call in record.calls] for record in preview.records] == [[("paid", 2)]] * 3
    assert (dict(preview.calls), dict(preview.credits_most)) == ({"paid": 2}, {"paid": 4})
    assert (preview.counts[FieldOutcomeReason.WRITTEN], paid.asked) == (0, [])


async def test_the_last_jobs_replies_count_as_long_as_the_question_is_the_same(redis: ArqRedis) -> None:
    clock = Clock()
    free = StandIn("free", knows=KNOWN)
    shared = services(redis, free, now=clock)
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"fields": {"city": "never"}}})
    await send(ctx, "account", "A-1", domain="acme.com")
    await work(shared)
    clock.ahead_seconds += 86400 * 2
    await configure(ctx, fieldPolicies={"account": {"fields": {"city": "review"}}})
    assert _shown_fields(await preview_enrichment(ctx, ALL))["city"] == (FieldOutcomeReason.WRITTEN, "Oakland")

    await configure(ctx, triggers={"onUpdate": False})
    await send(ctx, "account", "A-1", domain="beta.com")
    other = await preview_enrichment(ctx, ALL)
    assert (dict(other.calls), len(free.asked), other.counts[FieldOutcomeReason.WRITTEN]) == ({"free": 1}, 1, 0)


async def test_a_job_then_does_what_the_preview_showed(redis: ArqRedis) -> None:
    paid = StandIn("paid", knows=KNOWN, price=2, keeps_days=30)
    shared = services(redis, paid)
    ctx = context(shared)
    await send(ctx, "account", "A-0", domain="acme.com")
    await work(shared)
    await configure(ctx, triggers={"onCreate": False})
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley", phone="+1 650 253 0000")
    preview = await preview_enrichment(ctx, RecordSelection(EntityType.ACCOUNT, external_ids=("A-1",)))
    outcome = await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT, external_ids=("A-1",)))
    await work(shared)
    job = await Job.get(id=outcome.queued[0].id)
    assert {outcome["field"]: outcome["reason"] for outcome in job.outcomes} == {
        field.field: field.reason.value for field in preview.records[0].fields
    }


async def test_records_that_would_be_skipped_are_named(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)
    assert [(result.external_id, result.reason) for result in (await preview_enrichment(ctx, ALL)).skipped] == [
        ("A-1", "cooldown")
    ]
    assert len((await preview_enrichment(ctx, ALL, force=True)).records) == 1
    assert (await preview_enrichment(context(shared, org="other"), ALL)).records == []
    with pytest.raises(Forbidden):
        await preview_enrichment(context(shared, role=Role.VIEWER), ALL)


async def test_the_interface_shows_it(redis: ArqRedis) -> None:
    shared = services(redis, StandIn("paid", knows=KNOWN, price=2, keeps_days=30))
    ctx = context(shared)
    await send(ctx, "account", "A-0", domain="acme.com")
    await work(shared)
    await configure(ctx, triggers={"onCreate": False})
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    shown = await Operations(shared)(
        """{ previewEnrichment(selection: {entityType: ACCOUNT, externalIds: ["A-0", "A-1"]}) {
          recordCount written review kept questions { provider questions creditsMost } skipped { externalId reason }
          records(first: 5) { record { externalId } written { field value confidence }
            review { field value current currentSource } calls { provider creditsMost } } } }"""
    )
    preview = shown["previewEnrichment"]
    assert (preview["recordCount"], preview["written"], preview["review"]) == (1, 2, 1)
    assert preview["skipped"] == [{"externalId": "A-0", "reason": "cooldown"}]
    [record] = preview["records"]
    assert record["review"] == [{"field": "city", "value": "Oakland", "current": "Berkeley", "currentSource": "crm"}]


async def test_an_answer_that_has_run_out_would_be_asked_and_paid_again(redis: ArqRedis) -> None:
    clock = Clock()
    paid = StandIn("paid", knows=KNOWN, price=2, keeps_days=3)
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com")
    await work(shared)
    clock.ahead_seconds += 2 * 86400
    kept = await preview_enrichment(ctx, ALL)
    assert (dict(kept.credits_most), sorted(_shown_fields(kept))) == ({}, ["city", "description", "phone"])
    clock.ahead_seconds += 2 * 86400
    preview = await preview_enrichment(ctx, ALL)
    assert dict(preview.credits_most) == {"paid": 2}
    assert {reason for reason, _ in _shown_fields(preview).values()} == {FieldOutcomeReason.SKIPPED}
