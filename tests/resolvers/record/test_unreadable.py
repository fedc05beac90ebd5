"""What the CRM sent and we cannot read fills its field as the CRM's value, until the CRM or a person says otherwise."""

from typing import Any

import pytest
from arq.connections import ArqRedis
from tortoise.expressions import Q

from enrichment.enums import ConflictStatus, EntityType, FieldOutcomeReason, JobStatus, ResolutionAction
from models.conflict.table import Conflict
from models.record import FieldValue, Record
from resolvers.conflict.api import resolve_conflict
from resolvers.conflict.choice import Resolution
from resolvers.conflict.stored import questions_of
from resolvers.context import Context
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.record.explain import explain
from resolvers.record.store import RecordOutcome
from resolvers.undo.api import undo_job
from tests.support.factories import StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

SOURCE = {
    "phone": "+49 228 000000",
    "mobilePhone": "+49 170 1234567",
    "email": "other@fixture.example",
    "numberOfEmployees": 55,
    "annualRevenue": 1_000_000,
    "country": "Germany",
    "linkedinUrl": "https://www.linkedin.com/company/fixture-gmbh",
    "website": "https://fixture-other.example",
    "foundedYear": 1999,
}
PERSON = {"linkedinUrl": "https://www.linkedin.com/in/someone-else"}
KINDS = [
    ("account", "phone", "+49 30 901820 / +49 30 901821"),
    ("account", "phone", "M: +49 170 7654321 / T: +49 30 901820"),
    ("account", "annualRevenue", "\u20ac5M"),
    ("account", "numberOfEmployees", "Small (1-50)"),
    ("account", "country", "Switzerland / Austria"),
    ("account", "linkedinUrl", "https://www.linkedin.com/sales/company/207470"),
    ("account", "website", "fixture.example, fixture.test"),
    ("account", "foundedYear", "06"),
    ("contact", "email", "jo@fixture.example; jo.private@mail.example"),
    ("contact", "mobilePhone", "4.91512E+11"),
    ("contact", "linkedinUrl", "https://www.linkedin.com/sales/lead/ACwAAAabcdE,NAME_SEARCH,x1y2"),
    ("account", "techStack", [{"name": "Go"}, ["AWS"]]),
]
# Of two values that are one, and of a value with a remark, the meaning is plain; what the source says differs from it.
PLAIN = [
    ("account", "phone", "'+49 30 901820", "+4930901820"),
    ("account", "phone", "+49 30 901820 / 0049 30 901820", "+4930901820"),
    ("contact", "email", "jo@fixture.example (old)", "jo@fixture.example"),
    ("contact", "email", "Jo@fixture.example; jo@FIXTURE.example", "jo@fixture.example"),
]


def _ctx(redis: ArqRedis, **knows: Any) -> Context:
    """With one source, which knows this, or all of SOURCE, of everybody."""
    company, person = knows or SOURCE | {"techStack": ["AWS"]}, knows or SOURCE | PERSON
    source = StandIn(knows={"acme": company, "doe": person, "jo@fixture.example": person})
    return context(services(redis, source))


def _base(entity_type: str) -> dict[str, Any]:
    return {"name": "Acme"} if entity_type == "account" else {"firstName": "Jo", "lastName": "Doe"}


@pytest.mark.parametrize(("entity_type", "field", "raw"), KINDS)
async def test_a_source_that_knows_a_value_raises_a_conflict(
    redis: ArqRedis, entity_type: str, field: str, raw: Any
) -> None:
    ctx = _ctx(redis)
    sent = await send(ctx, entity_type, "1", **_base(entity_type), **{field: raw})
    await work(ctx.services)

    record = await Record.get()
    conflict = await Conflict.get(Q(field=field) | Q(part_names__contains=f" {field} "), status=ConflictStatus.OPEN)
    assert field not in record.fields
    assert record.unreadable is not None
    assert record.unreadable[field]["raw"] == raw
    assert record.unreadable[field]["reason"] == sent.refused_fields[0].reason
    [question] = [question for question in questions_of(conflict) if question.field == field]
    assert question.current is not None
    assert (question.value, question.current["source"], question.is_asked) == (raw, "crm", True)
    assert record.unreadable[field]["reason"] in conflict.recommended_because


@pytest.mark.parametrize(("entity_type", "field", "raw", "canonical"), PLAIN)
async def test_a_cell_whose_meaning_is_plain_is_read(
    redis: ArqRedis, entity_type: str, field: str, raw: str, canonical: str
) -> None:
    ctx = _ctx(redis)
    await send(ctx, entity_type, "1", **_base(entity_type), **{field: raw})
    await work(ctx.services)
    record = await Record.get()
    assert (record.fields[field], record.unreadable) == (canonical, {})
    assert record.raw_values is not None
    assert record.raw_values[field] == raw
    assert await Conflict.exists(status=ConflictStatus.OPEN, field=field)


@pytest.mark.parametrize("policy", ["fill_empty", "tracked"])
async def test_a_policy_that_keeps_values_keeps_it(redis: ArqRedis, policy: str) -> None:
    ctx = _ctx(redis)
    await configure(ctx, fieldPolicies={"account": {"fields": {"annualRevenue": policy}}})
    sent = await send(ctx, "account", "1", name="Acme", annualRevenue="\u20ac5M")
    await work(ctx.services)
    job = await job_of(sent)
    [outcome] = [outcome for outcome in job.outcomes if outcome["field"] == "annualRevenue"]
    assert outcome["reason"] == FieldOutcomeReason.PROTECTED
    assert (await Record.get()).unreadable == {
        "annualRevenue": {"raw": "\u20ac5M", "reason": "an amount in another currency than US dollars"}
    }


async def test_overwriting_replaces_it_and_an_undo_brings_it_back(redis: ArqRedis) -> None:
    ctx = _ctx(redis)
    await configure(ctx, fieldPolicies={"account": {"fields": {"annualRevenue": "overwrite"}}})
    sent = await send(ctx, "account", "1", name="Acme", annualRevenue="\u20ac5M")
    await work(ctx.services)
    record = await Record.get()
    assert (record.fields["annualRevenue"], record.unreadable) == (1_000_000, {})
    again = await send(ctx, "account", "1", name="Acme", annualRevenue="\u20ac5M")
    assert again.outcome is RecordOutcome.UNCHANGED, "the CRM only repeats itself"

    assert sent.job is not None
    await undo_job(ctx, sent.job.id)

    record = await Record.get()
    assert "annualRevenue" not in record.fields
    assert record.unreadable is not None
    assert record.unreadable["annualRevenue"]["raw"] == "\u20ac5M"
    value = await FieldValue.get(field="annualRevenue", replaced_at=None)
    assert (value.source, value.value, value.raw_value) == ("crm", None, "\u20ac5M")


@pytest.mark.parametrize(
    ("resolution", "held", "source"),
    [
        (Resolution(ResolutionAction.ACCEPT_CANDIDATE), 1_000_000, "reviewer"),
        (Resolution(ResolutionAction.CUSTOM_VALUE, value="6M"), 6_000_000, "reviewer"),
        (Resolution(ResolutionAction.KEEP_CURRENT), None, "reviewer"),
    ],
)
async def test_a_person_accepts_replaces_or_keeps_it(
    redis: ArqRedis, resolution: Resolution, held: int | None, source: str
) -> None:
    ctx = _ctx(redis)
    await send(ctx, "account", "1", name="Acme", annualRevenue="\u20ac5M")
    await work(ctx.services)
    conflict = await Conflict.get(status=ConflictStatus.OPEN, field="annualRevenue")

    await resolve_conflict(ctx, conflict.id, resolution)

    record = await Record.get()
    value = await FieldValue.get(field="annualRevenue", replaced_at=None)
    assert record.fields.get("annualRevenue") == value.value == held
    assert value.source == source
    assert ("annualRevenue" in (record.unreadable or {})) is (held is None)
    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    await work(ctx.services)
    assert not await Conflict.exists(status=ConflictStatus.OPEN, field="annualRevenue"), "it is not asked twice"


@pytest.mark.parametrize(("then", "held"), [("5,500,000", 5_500_000), ("", None), ("n/a", None)])
async def test_it_goes_when_the_crm_sends_something_readable_or_empties_it(
    redis: ArqRedis, then: str, held: int | None
) -> None:
    ctx = _ctx(redis, city="Oakland")
    await send(ctx, "account", "1", name="Acme", annualRevenue="\u20ac5M")
    await work(ctx.services)
    sent = await send(ctx, "account", "1", annualRevenue=then)
    record = await Record.get()
    assert (sent.outcome, record.unreadable, record.fields.get("annualRevenue")) == (RecordOutcome.CHANGED, {}, held)
    assert sent.job is not None


async def test_it_takes_the_place_of_what_enrichment_wrote(redis: ArqRedis) -> None:
    ctx = _ctx(redis)
    await configure(ctx, cooldownHours=0)
    await send(ctx, "account", "1", name="Acme")
    await work(ctx.services)
    assert (await Record.get()).fields["annualRevenue"] == 1_000_000

    sent = await send(ctx, "account", "1", annualRevenue="\u20ac5M")

    record = await Record.get()
    assert (sent.outcome, "annualRevenue" in record.fields) == (RecordOutcome.CHANGED, False)
    assert (await FieldValue.get(field="annualRevenue", replaced_at=None)).raw_value == "\u20ac5M"
    await work(ctx.services)
    assert await Conflict.exists(status=ConflictStatus.OPEN, field="annualRevenue")


async def test_it_counts_for_completeness_and_is_found_and_explained(redis: ArqRedis) -> None:
    ctx = _ctx(redis)
    await send(ctx, "contact", "1", lastName="Doe", email="jo@fixture.example; sam@fixture.example")
    await send(ctx, "contact", "2", lastName="Doe", email="jo@fixture.example")
    first, second = await Record.all().order_by("external_id")
    assert first.completeness == second.completeness
    assert "sam@fixture.example" in first.search_text
    explained = await explain(ctx, EntityType.CONTACT, "1", "email")
    assert explained.sentences[0] == (
        "email holds \u201cjo@fixture.example; sam@fixture.example\u201d, which cannot be read:"
        " different e-mail addresses in one value."
    )


async def test_an_industry_that_says_nothing_is_filled_and_a_question(redis: ArqRedis) -> None:
    ctx = _ctx(redis, industry="Banking")
    for external_id, industry in (("1", "Other"), ("2", "???")):
        await send(ctx, "account", external_id, name="Acme", industry=industry)
    await work(ctx.services)
    records = await Record.all().order_by("external_id")
    assert [record.fields["industry"] for record in records] == ["Other", "???"]
    assert await Conflict.filter(status=ConflictStatus.OPEN, field="industry").count() == 2


async def test_a_source_that_says_nothing_has_no_value(redis: ArqRedis) -> None:
    ctx = _ctx(redis, industry="Other", city="Oakland")
    sent = await send(ctx, "account", "1", name="Acme")
    await work(ctx.services)
    assert (await job_of(sent)).status is JobStatus.COMPLETED
    assert (await Record.get()).fields == {"name": "Acme", "city": "Oakland"}
