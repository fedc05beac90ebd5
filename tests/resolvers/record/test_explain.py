"""Explain: what a field holds, from where, what else was proposed, what policy did and what it cost."""

import pytest
from arq.connections import ArqRedis

from enrichment.catalogue import fields_of
from enrichment.enums import ConflictStatus, EntityType, FieldOutcomeReason, JobTrigger, ResolutionAction
from models.conflict.table import Conflict
from resolvers.conflict.api import resolve_conflict
from resolvers.conflict.choice import Resolution
from resolvers.errors import NotFound, ValidationFailed
from resolvers.record.explain import Explanation, explain, explain_record
from resolvers.undo.api import undo_job
from tests.support.factories import StandIn, context, job_of, send, services, work
from tests.support.graphql_client import Operations
from tests.support.rest_client import Rest
from tests.support.statements import counted_statements

pytestmark = pytest.mark.usefixtures("db")


def _sources() -> tuple[StandIn, StandIn]:
    cheap = StandIn("cheap", knows={"acme.com": {"city": ("Oakland", 0.5)}})
    dear = StandIn("dear", knows={"acme.com": {"city": ("Fremont", 0.9)}}, price=3, keeps_days=30)
    return cheap, dear


async def test_a_written_value_is_explained_with_its_source_its_alternatives_and_its_cost(redis: ArqRedis) -> None:
    shared = services(redis, *_sources())
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)

    explained = await explain(ctx, EntityType.ACCOUNT, "A-1", "city")

    current = explained.facts.current
    assert current is not None
    assert (current.value, current.source, current.job_id, current.trigger) == (
        "Fremont",
        "dear",
        job.id,
        JobTrigger.RECORD_CREATED,
    )
    assert [(stated.provider, stated.value, stated.is_current) for stated in explained.facts.stated] == [
        ("cheap", "Oakland", False),
        ("dear", "Fremont", True),
    ]
    assert (explained.facts.credits, explained.facts.credits_of_record) == (3, 3)
    assert explained.facts.last_outcome is not None
    assert explained.facts.last_outcome.reason is FieldOutcomeReason.WRITTEN
    for sentence in (
        "city is “Fremont”.",
        "Dear gave it in a job that was started because the record arrived, with a confidence of 0.90",
        "Also proposed: “Oakland” by Cheap (0.50).",
        "The policy of the field is to ask a person where a source differs from the CRM or a reviewer; the least"
        " confidence to write is 0.60.",
        "wrote it (Dear): the field was empty.",
        "Dear was paid 3 credits in that job; the record has cost 3 credits so far.",
    ):
        assert sentence in explained.text


async def test_a_review_is_explained(redis: ArqRedis) -> None:
    shared = services(redis, StandIn("dear", knows={"acme.com": {"city": ("Fremont", 0.9)}}))
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    await work(shared)
    waiting = await explain(ctx, EntityType.ACCOUNT, "A-1", "city")
    assert "city is “Berkeley”. The CRM sent it on" in waiting.text
    assert "A conflict about the address that it is a part of has waited for a person since" in waiting.text
    [conflict] = await Conflict.filter(status=ConflictStatus.OPEN)
    await resolve_conflict(ctx, conflict.id, Resolution(ResolutionAction.KEEP_CURRENT))

    explained = await explain(ctx, EntityType.ACCOUNT, "A-1", "city")

    assert "ann chose it in review on" in explained.text
    assert "“Fremont” by Dear (0.90, turned down by a person)" in explained.text
    assert "ann kept the value in review on" in explained.text
    assert "Enriching this record has cost no credits so far." in explained.text


async def test_whose_value_a_reviewer_accepted_stays_known(redis: ArqRedis) -> None:
    shared = services(
        redis, StandIn("dear", knows={"acme.com": {"city": ("Fremont", 0.9), "foundedYear": (1976, 0.8)}})
    )
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley", foundedYear=1949)
    await work(shared)
    for conflict in await Conflict.filter(status=ConflictStatus.OPEN):
        await resolve_conflict(ctx, conflict.id, Resolution(ResolutionAction.ACCEPT_CANDIDATE))
        seen = conflict.candidates[0]["observedAt"][:10]

    for name, stated in (("city", "0.90"), ("foundedYear", "0.80")):
        text = (await explain(ctx, EntityType.ACCOUNT, "A-1", name)).text
        assert f"ann accepted the value of Dear ({stated}, seen {seen}) in review on" in text
    provenance = await Operations(shared)(
        """{ record(entityType: ACCOUNT, externalId: "A-1") { provenance {
            field source acceptedFrom { provider confidence } } } }"""
    )
    accepted = {value["field"]: value for value in provenance["record"]["provenance"]}
    assert accepted["city"]["source"] == "reviewer"
    assert accepted["city"]["acceptedFrom"] == {"provider": "dear", "confidence": 0.9}
    assert accepted["domain"]["acceptedFrom"] is None


async def test_an_undo_and_an_empty_field_are_explained(redis: ArqRedis) -> None:
    shared = services(redis, *_sources())
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    assert "No job has looked at it yet." in (await explain(ctx, EntityType.ACCOUNT, "A-1", "phone")).text
    await work(shared)
    phone: Explanation = await explain(ctx, EntityType.ACCOUNT, "A-1", "phone")
    assert phone.sentences[0] == "phone is empty."
    assert "found no value for it: nobody who was asked knew one." in phone.text
    await undo_job(ctx, job.id)
    explained = await explain(ctx, EntityType.ACCOUNT, "A-1", "city")
    assert explained.sentences[0] == "city is empty."
    assert explained.sentences[1].startswith("An undo emptied it on ")
    assert {stated.is_rejected for stated in explained.facts.stated if stated.provider == "dear"} == {True}


async def test_a_whole_record_is_explained_at_once(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = services(redis, *_sources())
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    await work(shared)
    names = list(fields_of(EntityType.ACCOUNT))

    with counted_statements(monkeypatch) as statements:
        every = await explain_record(ctx, EntityType.ACCOUNT, "A-1")
    assert [each.facts.field for each in every] == names
    for each in every:
        alone = await explain(ctx, EntityType.ACCOUNT, "A-1", each.facts.field)
        assert (alone.facts, alone.sentences) == (each.facts, each.sentences)
        assert [one.id for one in alone.conflicts] == [one.id for one in each.conflicts]
    with counted_statements(monkeypatch) as of_one:
        await explain(ctx, EntityType.ACCOUNT, "A-1", "domain")
    assert len(statements.texts) <= len(of_one.texts) + 2

    text = """query($fields: [String!]) { explainRecord(entityType: ACCOUNT, externalId: "A-1", fields: $fields) {
        field text } }"""
    shown = (await Operations(shared)(text))["explainRecord"]
    assert shown == [{"field": each.facts.field, "text": each.text} for each in every]
    some = (await Operations(shared)(text, fields=["city", "name"]))["explainRecord"]
    assert [each["field"] for each in some] == ["city", "name"]
    answer = (await Rest(shared).get("/records/account/A-1/explanations")).json()
    assert [{"field": each["field"], "text": each["text"]} for each in answer] == shown


async def test_refusals_name_the_fault(redis: ArqRedis) -> None:
    shared = services(redis)
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com")
    with pytest.raises(ValidationFailed, match="accounts have no field shoeSize"):
        await explain(ctx, EntityType.ACCOUNT, "A-1", "shoeSize")
    with pytest.raises(NotFound):
        await explain(context(shared, org="other"), EntityType.ACCOUNT, "A-1", "city")
