"""Somebody who was erased is not brought back: not by a source, a person, a rule, an undo, or an answer that was kept.

One file, because each test looks in every table for the same person, whom another way would bring back.
"""

from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus, ResolutionAction
from enrichment.undo import SkippedField, UndoSkipReason
from enrichment.words import WITHHELD
from models.audit_list import AuditFilter
from models.conflict.queries import ConflictFilter
from models.db.statements import query
from models.job import Job
from models.record import Record
from providers.api import Pending, Provider, ProviderError, Question
from resolvers.audit import list_audit, verify_audit
from resolvers.conflict.api import list_conflicts, resolve_conflict
from resolvers.conflict.choice import Resolution
from resolvers.context import Context, Services
from resolvers.cost.preview import preview_enrichment
from resolvers.erasure.api import erase_record, lift_erasure
from resolvers.errors import Erased
from resolvers.job.api import retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.paging import PageArgs
from resolvers.record.api import get_record
from resolvers.record.explain import explain
from resolvers.secret_box import SecretBox
from resolvers.undo.api import preview_undo_enrichment, revert_undo, undo_enrichment, undo_lines
from resolvers.undo.scope import UndoScope
from tests.support.canaries import stored_texts
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

LEAD, ACCOUNT = EntityType.LEAD, EntityType.ACCOUNT
ZEPHYRINE = {
    "firstName": "Zephyrine",
    "lastName": "Okonkwäldt",
    "email": "zephyrine@kranich.com",
    "mobilePhone": "+49 170 5557712",
    "linkedinUrl": "linkedin.com/in/zephyrine-o",
    "company": "Kranich GmbH",
    "title": "Chief Ornithologist",
}
SOUGHT = ("zephyrine", "okonkw", "5557712", "ornitholog")
AT_KRANICH = {"email": "info@kranich.com", "companyDomain": "kranich.com"}
SENT = "ask zephyrine@kranich.com"  # by the CRM, of another record
KEY = "kranich.com"  # by which the stand-in knows records with this domain


async def erased(*providers: Provider, redis: ArqRedis, clock: Clock | None = None) -> tuple[Context, str]:
    """An organization that has erased Zephyrine, and the certificate's id. The providers are new to it."""
    ctx = context(services(redis, *providers, now=clock))
    await configure(ctx, cooldownHours=0, triggers={"onCreate": False, "onUpdate": False})
    await send(ctx, "lead", "L-1", **ZEPHYRINE)
    certificate = (await erase_record(ctx, LEAD, "L-1")).certificate
    await configure(ctx, triggers={"onCreate": True, "onUpdate": True})
    assert await traces() == set()
    return ctx, certificate.id


async def traces() -> set[str]:
    """What of Zephyrine stands in any table."""
    texts = [text.casefold() for text in await stored_texts()]
    return {word for word in SOUGHT if any(word in text for text in texts)}


def outcome_of(job: Job, field: str) -> tuple[str, str]:
    [outcome] = [outcome for outcome in job.outcomes if outcome["field"] == field]
    return outcome["reason"], outcome["detail"]


@pytest.mark.parametrize(
    "answer",
    [
        {"email": "Zephyrine+x@KRANICH.com"},
        {
            "email": "zephyrine@kranich.com",
            "title": "Chief Ornithologist",
            "avatarUrl": "https://pics.com/zephyrine.png",
        },
        {"linkedinUrl": "https://de.linkedin.com/in/Zephyrine-O/"},
        {"mobilePhone": "0049 170 5557712"},
        {"mobilePhone": "+49 170 5557712", "lastName": "Okonkwaeldt"},
        {"firstName": "Zephyrine", "lastName": "Okonkwäldt"},
        {"firstName": "Okonkwaldt", "lastName": "ZEPHYRINE"},
        {"firstName": "Zephyrine Okonkwaldt"},
        {"lastName": "Okonkwäldt, Zephyrine"},
        {"lastName": "Zephyrine M. Okonkwäldt"},
        {"title": "Assistant of Zephyrine Okonkwäldt"},
        {"title": "zephyrine@kranich.com"},
        {"title": "Sales (write to zephyrine [at] kranich.com)"},
        {"department": "linkedin.com/in/zephyrine-o"},
        {"city": "Okonkwäldt, Zephyrine"},
        {"company": "Zephyrine Okonkwäldt"},
    ],
)
async def test_an_answer_about_somebody_else_does_not_bring_her_back(redis: ArqRedis, answer: dict[str, Any]) -> None:
    source = StandIn(id="paid", price=2, remote=True, keeps_days=30, knows={KEY: {**answer, "industry": "Software"}})
    other = StandIn(id="second")
    ctx, certificate_id = await erased(source, other, redis=redis)

    sent = await send(ctx, "lead", "L-2", **AT_KRANICH)
    await work(ctx.services)

    assert await traces() == set()
    job = await job_of(sent)
    assert job.status is JobStatus.COMPLETED
    assert job.record.fields == {**AT_KRANICH, "industry": "Software"}
    assert not any(word in key for word in SOUGHT for key in other.asked)
    for field in answer.keys() - {"email"}:
        assert outcome_of(job, field) in {
            (FieldOutcomeReason.SKIPPED, WITHHELD),
            (FieldOutcomeReason.NO_DATA, "nobody who was asked knew one"),  # what cannot be read was no finding
        }
    lines = (await list_audit(ctx, AuditFilter(action="erasure.kept_out"), PageArgs())).items
    assert [(line.subject, line.details) for line in lines] == [
        (certificate_id, {"job": job.id, "record": job.record_id, "values": lines[0].details["values"]})
    ]
    assert 1 <= lines[0].details["values"] <= len(answer)
    assert (await verify_audit(ctx)).intact
    await enrich_records(ctx, RecordSelection(LEAD), force=True)
    await work(ctx.services)
    assert await traces() == set()


@pytest.mark.parametrize(
    "answer",
    [
        {"firstName": "Zephyrine", "lastName": "Okonkwäldt", "company": "Storch AG"},  # a namesake elsewhere
        {"firstName": "Jo", "lastName": "Okonkwäldt"},
        {"firstName": "Zephyrine", "lastName": "Ng"},
        {"lastName": "Ng", "mobilePhone": "+49 170 5557712"},  # a line that a colleague shares
        {"title": "Assistant of Jo Okonkwäldt"},
    ],
)
async def test_somebody_else_is_written(redis: ArqRedis, answer: dict[str, Any]) -> None:
    source = StandIn(knows={"storch.com": answer})
    ctx, _ = await erased(source, redis=redis)
    await send(ctx, "lead", "L-2", email="info@storch.com", companyDomain="storch.com")
    await work(ctx.services)
    assert (await get_record(ctx, LEAD, "L-2")).fields.keys() >= answer.keys()
    assert (await list_audit(ctx, AuditFilter(action="erasure.kept_out"), PageArgs())).items == []


async def test_an_account_does_not_tell_of_her(redis: ArqRedis) -> None:
    prose = "We build nests. " * 60
    found = {
        "description": f"{prose} Our Zephyrine Okonkwäldt knows birds.",
        "tags": ["birds", "zephyrine@kranich.com"],
        "industry": "Software",
        "phone": "+49 170 5557712",
    }
    ctx, _ = await erased(StandIn(knows={KEY: found}, keeps_days=30), redis=redis)
    sent = await send(ctx, "account", "A-1", name="Kranich", domain="kranich.com")
    await work(ctx.services)
    job = await job_of(sent)
    # The company's own line stays, as an import of the company may name it.
    assert job.record.fields.keys() == {"name", "domain", "industry", "phone"}
    assert await traces() == {"5557712"}
    assert outcome_of(job, "description") == (FieldOutcomeReason.SKIPPED, WITHHELD)
    words = " ".join((await explain(ctx, ACCOUNT, "A-1", "description")).sentences)
    assert f"left it as it was: {WITHHELD}" in words


async def test_an_address_in_a_long_description_is_found(redis: ArqRedis) -> None:
    found = {"description": f"{'Nests and more. ' * 100} Write to <zephyrine@kranich.com>! {'Nests. ' * 50}"}
    ctx, _ = await erased(StandIn(knows={"storch.com": found}), redis=redis)
    await send(ctx, "account", "A-1", name="Storch", domain="storch.com")
    await work(ctx.services)
    assert await traces() == set()
    assert (await get_record(ctx, ACCOUNT, "A-1")).fields == {"name": "Storch", "domain": "storch.com"}


LINES = "Nests and more. Call +49 30 901820 or 0170 5557712!"


@pytest.mark.parametrize(
    ("own", "kept"), [({}, False), ({"phone": "+49 170 5557712"}, True)], ids=["hers", "the company's"]
)
async def test_her_line_in_the_description_of_a_company(redis: ArqRedis, own: dict[str, Any], kept: bool) -> None:
    ctx, _ = await erased(StandIn(knows={"storch.com": {"description": LINES}}), redis=redis)
    held = {"name": "Storch", "domain": "storch.com", "country": "Germany", **own}
    await send(ctx, "account", "A-1", **held)
    await work(ctx.services)
    assert ("description" in (await get_record(ctx, ACCOUNT, "A-1")).fields) is kept


async def test_two_sources_do_not_bring_her_back_together(redis: ArqRedis) -> None:
    """Neither names her; what both would have written does. A first name alone is anybody's.

    What the second one tells is about her then, also the city.
    """
    first = StandIn(id="first", knows={KEY: {"firstName": "Zephyrine"}})
    second = StandIn(id="second", knows={KEY: {"lastName": "Okonkwäldt", "city": "Berlin"}})
    ctx, _ = await erased(first, second, redis=redis)
    sent = await send(ctx, "lead", "L-2", **AT_KRANICH)
    await work(ctx.services)
    assert await traces() == {"zephyrine"}
    assert (await job_of(sent)).record.fields == {**AT_KRANICH, "firstName": "Zephyrine"}


async def test_no_question_is_raised_with_her(redis: ArqRedis) -> None:
    source = StandIn(knows={KEY: {"email": "zephyrine@kranich.com", "title": "CEO", "industry": "Software"}})
    ctx, _ = await erased(source, redis=redis)
    await send(ctx, "lead", "L-2", **AT_KRANICH, title="Sales")
    await work(ctx.services)
    assert (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items == []
    assert await traces() == set()


async def test_an_answer_that_was_kept_before_does_not_serve_with_her(redis: ArqRedis) -> None:
    """Another record's answer named her before she was erased. It is neither asked again nor kept so."""
    knows = {KEY: {"email": "zephyrine@kranich.com", "industry": "Software"}}
    source = StandIn(id="paid", price=2, remote=True, keeps_days=30, knows=knows)
    ctx = context(services(redis, source))
    await configure(ctx, cooldownHours=0, fieldPolicies={"lead": {"fields": {"email": "never"}}})
    await send(ctx, "lead", "L-2", **AT_KRANICH)
    await work(ctx.services)
    assert "zephyrine" in str(await query("SELECT * FROM answer"))
    await configure(ctx, triggers={"onCreate": False})
    await send(ctx, "lead", "L-1", **ZEPHYRINE)
    await erase_record(ctx, LEAD, "L-1")
    await configure(ctx, fieldPolicies={"lead": {"fields": {}}}, triggers={"onCreate": True})

    preview = await preview_enrichment(ctx, RecordSelection(LEAD), force=False)
    assert "zephyrine" not in str(preview.records)
    await send(ctx, "lead", "L-3", lastName="Ng", companyDomain="kranich.com")
    await work(ctx.services)

    assert source.asked == [KEY]
    assert (await get_record(ctx, LEAD, "L-3")).fields["industry"] == "Software"
    assert "zephyrine" not in str([await query(f"SELECT * FROM {table}") for table in ("answer", "record", "conflict")])


async def test_an_answer_that_comes_later_does_not_bring_her_back(redis: ArqRedis) -> None:
    clock = Clock()
    knows = {KEY: {"email": "zephyrine@kranich.com", "industry": "Software"}}
    source = StandIn(id="paid", remote=True, keeps_days=30, knows=knows, later=[Pending("token", 30)])
    ctx, _ = await erased(source, redis=redis, clock=clock)
    await send(ctx, "lead", "L-2", **AT_KRANICH)
    await work(ctx.services)
    clock.ahead_seconds += 60
    await work(ctx.services)
    assert source.polled == ["token"]
    assert (await get_record(ctx, LEAD, "L-2")).fields["industry"] == "Software"
    assert await traces() == set()


async def test_erased_between_an_answer_and_its_writing(redis: ArqRedis) -> None:
    """The second source is asked when the first one's answer is in hand, and she is erased then."""
    first = StandIn(id="first", knows={KEY: {"title": "zephyrine@kranich.com", "industry": "Software"}})
    second = StandIn(id="second", knows={KEY: {"city": "Berlin"}})
    ctx = context(services(redis, first, second))
    await configure(ctx, triggers={"onCreate": False})
    await send(ctx, "lead", "L-1", **ZEPHYRINE)
    await configure(ctx, triggers={"onCreate": True})

    async def erase(_: Question) -> None:
        if await Record.filter(external_id="L-1").exists():
            await erase_record(ctx, LEAD, "L-1")

    second.on_ask = erase
    sent = await send(ctx, "lead", "L-2", **AT_KRANICH)
    await work(ctx.services)
    job = await job_of(sent)
    assert job.record.fields == {**AT_KRANICH, "industry": "Software", "city": "Berlin"}
    assert outcome_of(job, "title") == (FieldOutcomeReason.SKIPPED, WITHHELD)
    assert "zephyrine" not in str([await query(f"SELECT * FROM {table}") for table in ("record", "step", "job")])


async def test_a_retry_does_not_use_what_an_earlier_attempt_was_told(redis: ArqRedis) -> None:
    first = StandIn(id="first", knows={KEY: {"title": "zephyrine@kranich.com", "industry": "Software"}})
    second = StandIn(id="second", fails=[ProviderError("rejected", "not today", retryable=False)])
    ctx = context(services(redis, first, second))
    await configure(ctx, fieldPolicies={"lead": {"fields": {"title": {"policy": "fill_empty", "minConfidence": 0.99}}}})
    sent = await send(ctx, "lead", "L-2", **AT_KRANICH)
    await work(ctx.services)
    assert sent.job is not None and (await Job.get(id=sent.job.id)).status is JobStatus.PARTIAL
    await configure(ctx, triggers={"onCreate": False}, fieldPolicies={"lead": {"fields": {"title": "fill_empty"}}})
    await send(ctx, "lead", "L-1", **ZEPHYRINE)
    await erase_record(ctx, LEAD, "L-1")
    await retry_job(ctx, sent.job.id)
    await work(ctx.services)
    job = await job_of(sent)
    assert job.record.fields == {**AT_KRANICH, "industry": "Software"}
    assert outcome_of(job, "title") == (FieldOutcomeReason.SKIPPED, WITHHELD)
    assert "zephyrine" not in str(await query("SELECT * FROM step"))


async def conflict_about_her(redis: ArqRedis) -> tuple[Context, str]:
    """An open conflict, older than her erasure, whose candidate is her address."""
    source = StandIn(knows={KEY: {"title": "zephyrine@kranich.com"}})
    ctx = context(services(redis, source))
    await send(ctx, "lead", "L-2", **AT_KRANICH, title="Sales")
    await work(ctx.services)
    [conflict] = (await list_conflicts(ctx, ConflictFilter(field="title"), PageArgs())).items
    await configure(ctx, triggers={"onCreate": False})
    await send(ctx, "lead", "L-1", **ZEPHYRINE)
    await erase_record(ctx, LEAD, "L-1")
    return ctx, conflict.id


@pytest.mark.parametrize(
    "resolution",
    [
        Resolution(ResolutionAction.ACCEPT_CANDIDATE),
        Resolution(ResolutionAction.CUSTOM_VALUE, value="Ask Zephyrine Okonkwäldt"),
        Resolution(ResolutionAction.CUSTOM_VALUE, value="Okonkwaldt Zephyrine"),
        Resolution(ResolutionAction.CUSTOM_VALUE, value="write to ZEPHYRINE@kranich.com"),
    ],
)
async def test_a_decision_does_not_bring_her_back(redis: ArqRedis, resolution: Resolution) -> None:
    ctx, conflict_id = await conflict_about_her(redis)
    with pytest.raises(Erased) as refused:
        await resolve_conflict(ctx, conflict_id, resolution)
    assert (await get_record(ctx, LEAD, "L-2")).fields["title"] == "Sales"
    assert "zephyrine" not in str(refused.value).lower()
    assert str(refused.value).startswith("the title would bring a person back who was erased")
    [open_one] = (await list_conflicts(ctx, ConflictFilter(field="title"), PageArgs())).items
    assert open_one.status == "open"
    await lift_erasure(ctx, refused.value.details["certificateId"])
    await resolve_conflict(ctx, conflict_id, resolution)


async def test_other_decisions_are_free(redis: ArqRedis) -> None:
    ctx, conflict_id = await conflict_about_her(redis)
    await resolve_conflict(ctx, conflict_id, Resolution(ResolutionAction.CUSTOM_VALUE, value="Head of Sales"))
    assert (await get_record(ctx, LEAD, "L-2")).fields["title"] == "Head of Sales"


async def test_an_undo_and_its_reversal_do_not_bring_her_back(redis: ArqRedis) -> None:
    """Her address stood in another record when enrichment replaced it, and when an undo removed it."""
    source = StandIn(knows={KEY: {"title": "Head of Sales"}})
    ctx = context(services(redis, source))
    await configure(ctx, fieldPolicies={"lead": {"fields": {"title": "overwrite"}}})
    await send(ctx, "lead", "L-2", **AT_KRANICH, title=SENT)
    await work(ctx.services)
    assert (await get_record(ctx, LEAD, "L-2")).fields["title"] == "Head of Sales"
    await configure(ctx, triggers={"onCreate": False})
    await send(ctx, "lead", "L-1", **ZEPHYRINE)
    await erase_record(ctx, LEAD, "L-1")

    preview = await preview_undo_enrichment(ctx, UndoScope(provider="standin"))
    undo = await undo_enrichment(ctx, UndoScope(provider="standin"))

    assert (undo.restored, undo.skipped) == (preview.restored, preview.skipped) == (0, 1)
    [predicted] = preview.changes
    assert isinstance(predicted.decision, SkippedField)
    assert predicted.decision.because is UndoSkipReason.ERASED
    [line] = (await undo_lines(ctx, undo.id, "skipped", PageArgs())).items
    assert (line.field, line.reason) == ("title", "erased")
    assert (await get_record(ctx, LEAD, "L-2")).fields["title"] == "Head of Sales"
    await revert_undo(ctx, undo.id)
    record = await get_record(ctx, LEAD, "L-2")
    assert (record.fields["title"], record.raw_values) == ("Head of Sales", {**AT_KRANICH, "title": SENT})


@pytest.mark.parametrize(
    "fields",
    [
        {"firstName": "Okonkwäldt", "lastName": "Zephyrine", "mobilePhone": "+49 170 5557712"},
        {"lastName": "Okonkwäldt, Zephyrine", "mobilePhone": "+49 170 5557712"},
        {"lastName": "Zephyrine Okonkwaldt", "mobilePhone": "+49 170 5557712"},
        {"firstName": "zephyrine okonkwaldt", "mobilePhone": "+49 170 5557712"},
        {"displayName": "OKONKWÄLDT Zephyrine", "mobilePhone": "+49 170 5557712"},
        {"Full name": "Zephyrine Anna Okonkwäldt", "mobilePhone": "+49 170 5557712"},
        {"lastName": "Frau Okonkwaldt", "mobilePhone": "+49 170 5557712"},
        {"lastName": "Ng", "email": "zephyrine@kranich.com"},
    ],
)
async def test_an_import_with_her_name_in_another_order_is_refused(redis: ArqRedis, fields: dict[str, str]) -> None:
    ctx, certificate_id = await erased(redis=redis)
    refused = await send(ctx, "contact", "C-1", **fields)
    assert refused.error is not None
    assert (refused.error.code, refused.error.details["certificateId"]) == ("ERASED", certificate_id)
    assert await traces() == set()


async def test_a_namesake_that_the_crm_sends_is_stored_and_not_made_her(redis: ArqRedis) -> None:
    """Her name alone keeps nobody out; a source that adds her employer or address is not believed."""
    knows = {"zephyrine": {"company": "Kranich", "email": "zephyrine@kranich.com", "city": "Berlin"}}
    source = StandIn(knows={"okonkwäldt": knows["zephyrine"]})
    ctx, _ = await erased(source, redis=redis)
    assert (await send(ctx, "lead", "L-2", firstName="Zephyrine", lastName="Okonkwäldt")).error is None
    await work(ctx.services)
    assert (await get_record(ctx, LEAD, "L-2")).fields == {"firstName": "Zephyrine", "lastName": "Okonkwäldt"}


async def test_other_organizations_and_lifted_erasures_are_free(redis: ArqRedis) -> None:
    source = StandIn(knows={KEY: {"firstName": "Zephyrine", "lastName": "Okonkwäldt"}})
    ctx, certificate_id = await erased(source, redis=redis)
    neighbour = context(ctx.services, org="next door")
    await send(neighbour, "lead", "L-2", **AT_KRANICH)
    await lift_erasure(ctx, certificate_id)
    await send(ctx, "lead", "L-2", **AT_KRANICH)
    await work(ctx.services)
    for each in (ctx, neighbour):
        assert (await get_record(each, LEAD, "L-2")).fields["lastName"] == "Okonkwäldt"


async def test_where_the_key_is_lost_nothing_is_written(redis: ArqRedis) -> None:
    source = StandIn(knows={KEY: {"title": "CEO"}})

    def having(secret: bytes) -> Services:
        shared = services(redis, source)
        shared.secret_box = SecretBox(secret)
        return shared

    first = context(having(b"1" * 32))
    await configure(first, triggers={"onCreate": False})
    await send(first, "lead", "L-1", **ZEPHYRINE)
    await send(first, "lead", "L-2", **AT_KRANICH)
    await erase_record(first, LEAD, "L-1")
    other = context(having(b"2" * 32))
    await enrich_records(other, RecordSelection(LEAD))
    await work(other.services)
    assert (await get_record(other, LEAD, "L-2")).fields == AT_KRANICH
    await enrich_records(first, RecordSelection(LEAD), force=True)
    await work(first.services)
    assert (await get_record(first, LEAD, "L-2")).fields == {**AT_KRANICH, "title": "CEO"}
