"""Explain: what a field holds, from where, what else was said, what policy did and what it cost."""

import pytest
from arq.connections import ArqRedis

from enrichment.enums import ConflictStatus, EntityType, FieldOutcomeReason, JobTrigger, ResolutionAction
from models.conflict import Conflict
from resolvers.conflict.api import resolve_conflict
from resolvers.conflict.resolve import Resolution
from resolvers.errors import NotFound, ValidationFailed
from resolvers.record.explain import Explanation, explain
from resolvers.undo.api import undo_job
from tests.support.factories import StandIn, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")


def _sources() -> tuple[StandIn, StandIn]:
    cheap = StandIn("cheap", knows={"acme.com": {"city": ("Oakland", 0.5)}})
    dear = StandIn("dear", knows={"acme.com": {"city": ("Fremont", 0.9)}}, price=3, keeps_days=30)
    return cheap, dear


async def test_a_written_value_is_told_with_its_source_its_rivals_and_its_cost(redis: ArqRedis) -> None:
    shared = services(redis, *_sources())
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)

    told = await explain(ctx, EntityType.ACCOUNT, "A-1", "city")

    held = told.facts.held
    assert held is not None
    assert (held.value, held.source, held.job_id, held.trigger) == (
        "Fremont",
        "dear",
        job.id,
        JobTrigger.RECORD_CREATED,
    )
    assert [(one.provider, one.value, one.held) for one in told.facts.told] == [
        ("cheap", "Oakland", False),
        ("dear", "Fremont", True),
    ]
    assert (told.facts.credits, told.facts.credits_of_record) == (3, 3)
    assert told.facts.verdict is not None
    assert told.facts.verdict.reason is FieldOutcomeReason.WRITTEN
    for words in (
        "city is “Fremont”.",
        "dear gave it in a job started by record_created, with a confidence of 0.90",
        "Also proposed: “Oakland” by cheap (0.50).",
        "The policy of the field is review; the least confidence to write is 0.60.",
        "ended written for it (about what dear said): the field was empty.",
        "dear was paid 3 credits in that job; the record has cost 3 credits so far.",
    ):
        assert words in told.text


async def test_a_review_is_told(redis: ArqRedis) -> None:
    shared = services(redis, StandIn("dear", knows={"acme.com": {"city": ("Fremont", 0.9)}}))
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    await work(shared)
    waiting = await explain(ctx, EntityType.ACCOUNT, "A-1", "city")
    assert "city is “Berkeley”. The CRM sent it on" in waiting.text
    assert "A conflict about it has waited for a person since" in waiting.text
    [conflict] = await Conflict.filter(status=ConflictStatus.OPEN)
    await resolve_conflict(ctx, conflict.id, Resolution(ResolutionAction.KEEP_CURRENT))

    told = await explain(ctx, EntityType.ACCOUNT, "A-1", "city")

    assert "ann chose it in review on" in told.text
    assert "“Fremont” by dear (0.90, turned down by a person)" in told.text
    assert "ann kept the value in review on" in told.text
    assert "Enriching this record has cost no credits so far." in told.text


async def test_an_undo_and_an_empty_field_are_told(redis: ArqRedis) -> None:
    shared = services(redis, *_sources())
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    assert "No job has looked at it yet." in (await explain(ctx, EntityType.ACCOUNT, "A-1", "phone")).text
    await work(shared)
    phone: Explanation = await explain(ctx, EntityType.ACCOUNT, "A-1", "phone")
    assert phone.sentences[0] == "phone is empty."
    assert "ended no_data for it: nobody asked knew a value." in phone.text
    await undo_job(ctx, job.id)
    told = await explain(ctx, EntityType.ACCOUNT, "A-1", "city")
    assert told.sentences[0] == "city is empty."
    assert told.sentences[1].startswith("An undo emptied it on ")
    assert {one.turned_down for one in told.facts.told if one.provider == "dear"} == {True}


async def test_refusals_name_the_fault(redis: ArqRedis) -> None:
    shared = services(redis)
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com")
    with pytest.raises(ValidationFailed, match="accounts have no field shoeSize"):
        await explain(ctx, EntityType.ACCOUNT, "A-1", "shoeSize")
    with pytest.raises(NotFound):
        await explain(context(shared, org="other"), EntityType.ACCOUNT, "A-1", "city")
