"""What an earlier version stored still holds: its forms tell repetitions, rejections, erasures and cached answers."""

from typing import Any

import orjson
import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, FieldOutcomeReason
from models.answer.row import Answer
from models.conflict.table import Rejection
from models.db.statements import execute
from models.job import Job
from models.record import FieldValue, Record
from providers.api import Question, key_digest
from resolvers.context import Context
from resolvers.cost.estimate import estimate_enrichment
from resolvers.cost.preview import preview_enrichment
from resolvers.erasure.api import erase_record
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.record.store import RecordOutcome
from tests.support.factories import StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

PROFILE = "https://www.linkedin.com/in/ACwAAAabcdE0ghIJkLmNoPq"


async def _as_stored_before(fields: dict[str, Any], received: dict[str, Any]) -> None:
    """Make the one record what an earlier version would have left."""
    await execute(
        "UPDATE record SET fields = ?, received = ?, raw_values = NULL, unreadable = NULL",
        [orjson.dumps(fields).decode(), orjson.dumps(received).decode()],
    )
    await execute("UPDATE field_value SET raw_value = NULL, unreadable = NULL")
    await FieldValue.filter(value__isnull=True).delete()


async def _sent_before(ctx: Context, raw: dict[str, Any], before: dict[str, Any]) -> None:
    await send(ctx, "contact", "1", **raw)
    await work(ctx.services)
    await _as_stored_before(before, before)


async def test_a_repetition_is_known_by_its_earlier_form(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    raw = {"lastName": "Doe", "country": "United States", "state": "US-CA", "linkedinUrl": PROFILE}
    before = {"lastName": "Doe", "country": "United States", "state": "Us-Ca", "linkedinUrl": PROFILE.lower()}
    await _sent_before(ctx, raw, before)

    assert (await send(ctx, "contact", "1", **raw)).outcome is RecordOutcome.UNCHANGED
    record = await Record.get()
    assert (record.fields, record.version, record.raw_values) == (before, 1, raw)
    assert (await send(ctx, "contact", "1", **{**raw, "state": "US-NV"})).outcome is RecordOutcome.CHANGED


async def test_a_site_on_anothers_domain_is_known_by_the_domain_that_was_taken_for_it(redis: ArqRedis) -> None:
    source = StandIn(price=1, keeps_days=30)
    ctx = context(services(redis, source))
    raw = {"lastName": "Doe", "companyDomain": "acme.wordpress.com"}
    before = {"lastName": "Doe", "companyDomain": "wordpress.com"}
    await _sent_before(ctx, raw, before)
    await Answer.all().update(input_key=key_digest("wordpress.com"))

    assert (await send(ctx, "contact", "1", **raw)).outcome is RecordOutcome.UNCHANGED
    assert len(source.asked) == 1
    # No answer about the host is kept for another site on it.
    await send(ctx, "contact", "2", **raw)
    await work(ctx.services)
    assert source.asked == ["acme.wordpress.com"] * 2


@pytest.mark.parametrize(("raw", "unreadable"), [("'+49 30 901820", False), ("+49 30 901820 / +49 30 901821", True)])
async def test_what_was_refused_is_noted_in_silence_and_not_written_over(
    redis: ArqRedis, raw: str, unreadable: bool
) -> None:
    ctx = context(services(redis, StandIn(knows={"acme": {"phone": "+49 228 000000"}})))
    await configure(ctx, cooldownHours=0)
    await send(ctx, "account", "1", name="Acme", country="Germany")
    await _as_stored_before({"name": "Acme", "country": "Germany"}, {"name": "Acme", "country": "Germany"})
    sent = await send(ctx, "account", "1", name="Acme", country="Germany", phone=raw)
    assert (sent.outcome, sent.job, sent.record and sent.record.version) == (RecordOutcome.UNCHANGED, None, 1)

    outcome = await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    await work(ctx.services)

    [job] = [*outcome.queued, *outcome.folded]
    reasons = {one["field"]: one["reason"] for one in (await Job.get(id=job.id)).outcomes}
    record = await Record.get()
    assert reasons["phone"] == FieldOutcomeReason.CONFLICT
    assert ("phone" in record.fields, "phone" in (record.unreadable or {})) == (False, unreadable)


async def test_what_was_refused_is_taken_with_the_next_change(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await send(ctx, "account", "1", name="Acme")
    await _as_stored_before({"name": "Acme"}, {"name": "Acme"})
    await send(ctx, "account", "1", name="Acme", phone="'+49 30 901820")
    await send(ctx, "account", "1", name="Acme", phone="'+49 30 901820", city="Berlin")
    assert (await Record.get()).fields == {"name": "Acme", "phone": "+4930901820", "city": "Berlin"}


async def test_a_value_that_was_turned_down_then_is_not_asked_about_again(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn(knows={"acme": {"state": "US-CA"}})))
    sent = await send(ctx, "account", "1", name="Acme", country="United States", state="Nevada")
    record = await Record.get()
    await Rejection.create(
        organization_id="acme", record_id=record.id, field="state", value_key="us ca", source="standin",
        rejected_at=record.created_at,
    )  # fmt: skip
    await work(ctx.services)
    reasons = {one["field"]: one["reason"] for one in (await job_of(sent)).outcomes}
    assert reasons["state"] == FieldOutcomeReason.PROTECTED


async def test_a_person_who_was_erased_then_does_not_come_back(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await _sent_before(ctx, {"lastName": "Doe", "linkedinUrl": PROFILE}, {"linkedinUrl": PROFILE.lower()})
    await erase_record(ctx, EntityType.CONTACT, "1")
    again = await send(ctx, "contact", "2", linkedinUrl=PROFILE)
    assert again.outcome is RecordOutcome.REFUSED


class ByProfile(StandIn):
    """A source that is asked by the profile."""

    def input_key(self, question: Question) -> str | None:
        found = question.fields.get("linkedinUrl")
        return None if found is None else str(found)


async def test_a_question_that_was_asked_then_is_not_asked_again(redis: ArqRedis) -> None:
    source = ByProfile(knows={PROFILE: {"city": "Oakland"}}, price=1, remote=True, keeps_days=30)
    ctx = context(services(redis, source))
    await send(ctx, "contact", "1", linkedinUrl=PROFILE)
    await work(ctx.services)
    assert len(source.asked) == 1
    await Answer.all().update(input_key=key_digest(PROFILE.lower()))

    await pause_pipeline(ctx)
    await send(ctx, "contact", "2", linkedinUrl=PROFILE)
    estimate = await estimate_enrichment(ctx, RecordSelection(EntityType.CONTACT, ("2",)))
    assert (estimate.maximum, estimate.by_provider[0].reused) == (0, 1)
    chosen = RecordSelection(EntityType.CONTACT, ("2",))
    shown = await preview_enrichment(ctx, chosen)
    assert [field.value for field in shown.records[0].fields if field.field == "city"] == ["Oakland"]
    assert (dict(shown.calls), dict((await preview_enrichment(ctx, chosen, force=True)).calls)) == ({}, {"standin": 1})
    await resume_pipeline(ctx)
    await work(ctx.services)

    assert len(source.asked) == 1
    assert [record.fields["city"] for record in await Record.all()] == ["Oakland", "Oakland"]
