"""What a CRM sends is stored once, changes what it changes, and starts a job where there is something new."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from models.job import Job
from models.record import FieldValue, Record
from resolvers.record.api import upsert_records
from resolvers.record.store import RecordOutcome
from resolvers.undo.api import undo_job
from tests.support.factories import Clock, StandIn, configure, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

ACME = {"industry": "Software", "city": "Berlin", "foundedYear": 1999}


async def test_an_unchanged_record_starts_nothing(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME}))
    ctx = context(shared)
    await send(ctx, "account", "A1", name="Acme", domain="acme.com")
    await work(shared)

    again = await send(ctx, "account", "A1", name=" Acme ", domain="acme.com")

    assert again.outcome is RecordOutcome.UNCHANGED
    assert await Job.all().count() == 1


async def test_a_repetition_names_the_job_that_the_first_sending_started_for_a_day(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = context(services(redis, StandIn(knows={"acme.com": ACME}), now=clock))
    first = await send(ctx, "account", "A1", name="Acme", domain="acme.com")
    await work(ctx.services)
    again = await send(ctx, "account", "A1", name="Acme", domain="acme.com")
    assert first.job is not None and again.job is not None
    assert (again.outcome, again.job.id, again.folded) == (RecordOutcome.UNCHANGED, first.job.id, True)
    clock.ahead_seconds += 25 * 3600
    later = await send(ctx, "account", "A1", name="Acme", domain="acme.com")
    assert (later.outcome, later.job) == (RecordOutcome.UNCHANGED, None)
    assert await Job.all().count() == 1


async def test_a_trigger_for_a_record_with_an_active_job_is_folded_into_it(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    ctx = context(shared)
    first = await send(ctx, "account", "A1", name="Acme")
    second = await send(ctx, "account", "A1", name="Acme", domain="acme.com")

    assert second.outcome is RecordOutcome.CHANGED
    assert first.job is not None and second.job is not None
    assert (second.job.id, second.folded) == (first.job.id, True)


async def test_one_bad_record_does_not_refuse_the_others(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    bad: list[Any] = [
        {"entityType": "company", "externalId": "1", "fields": {}},
        {"entityType": "lead", "externalId": "", "fields": {}},
        {"entityType": "lead", "externalId": "3", "fields": "x"},
        "not a record",
        {"entityType": "lead", "externalId": "5", "fields": {}, "extra": 1},
        {"entityType": "lead", "externalId": "6", "fields": {"company": "a\0b", "note": "\0"}},
    ]
    good = {"entityType": "LEAD", "externalId": "7", "fields": {"lastName": "Ng"}}

    results = await upsert_records(ctx, [*bad, good])

    assert [result.outcome for result in results] == [RecordOutcome.REFUSED] * 6 + [RecordOutcome.CREATED]
    assert [result.error.faults[0].path for result in results[:6] if result.error] == [
        "records[0].entityType",
        "records[1].externalId",
        "records[2].fields",
        "records[3]",
        "records[4].extra",
        "records[5].fields",
    ]


async def test_a_record_named_twice_in_one_request_is_one_record_and_one_job(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    one = {"entityType": "account", "externalId": "A1", "fields": {"name": "Acme"}}
    two = {"entityType": "account", "externalId": "A1", "fields": {"domain": "acme.com"}}

    first, second = await upsert_records(ctx, [one, two])

    assert (first.outcome, second.outcome, second.folded) == (RecordOutcome.CREATED, RecordOutcome.CHANGED, True)
    assert (await Record.get()).fields == {"name": "Acme", "domain": "acme.com"}
    assert await Job.all().count() == 1


async def test_refused_values_are_named_and_never_stored(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))

    sent = await send(ctx, "account", "A1", name="Acme", website="asdf", phone="n/a", leadSource="fair")

    assert [refused.field for refused in sent.refused_fields] == ["website"]
    assert (await Record.get()).fields == {"name": "Acme", "leadSource": "fair"}


NEAR_EQUAL = [
    ("annualRevenue", 1_200_000, 1_300_000, 1_300_000),
    ("numberOfEmployees", "51-200", 120, 120),
    ("foundedYear", 1998, 1999, 1999),
    ("name", "acme inc", "Acme, Inc.", "Acme, Inc."),
    ("city", "Mueller", "Müller", "Müller"),
    ("phone", "+49 30 901820", "+49 30 901820 ext. 12", "+4930901820;ext=12"),
]


@pytest.mark.parametrize(("field", "first", "then", "canonical"), NEAR_EQUAL)
@pytest.mark.parametrize("holder", ["crm", "standin"])
async def test_a_new_raw_value_is_the_owners_edit_however_near_it_is(
    redis: ArqRedis, field: str, first: Any, then: Any, canonical: Any, holder: str
) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {field: first}}))
    ctx = context(shared)
    own = {field: first} if holder == "crm" else {}
    await send(ctx, "account", "A1", **{"domain": "acme.com", "name": "Acme", **own})
    await work(shared)
    before = await Record.get()

    again = await send(ctx, "account", "A1", **{field: then})

    record = await Record.get()
    value = await FieldValue.get(field=field, replaced_at=None)
    assert (again.outcome, record.fields[field], record.version) == (
        RecordOutcome.CHANGED,
        canonical,
        before.version + 1,
    )
    assert (value.source, value.value, value.raw_value) == ("crm", canonical, then)
    assert again.job is not None, "the canonical value is another"


async def test_another_way_to_write_the_same_value_is_noted_and_versioned_without_a_job(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await send(ctx, "account", "A1", name="Acme", phone="+49 30 901820", country="Germany")
    await work(ctx.services)

    again = await send(ctx, "account", "A1", phone="(030) 90 18 20")

    record = await Record.get()
    assert (again.outcome, again.job, record.version) == (RecordOutcome.CHANGED, None, 2)
    assert record.raw_values is not None
    assert (record.fields["phone"], record.raw_values["phone"]) == ("+4930901820", "(030) 90 18 20")
    values = await FieldValue.filter(field="phone").order_by("id")
    assert [value.raw_value for value in values] == ["+49 30 901820", "(030) 90 18 20"]


async def test_a_number_and_its_text_are_one_raw_value(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await send(ctx, "account", "A1", numberOfEmployees=22)
    assert (await send(ctx, "account", "A1", numberOfEmployees=" 22 ")).outcome is RecordOutcome.UNCHANGED


async def test_a_value_that_comes_back_as_it_is_shown_is_an_echo(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME | {"techStack": ["AWS", "Go"]}}))
    ctx = context(shared)
    sent = await send(ctx, "account", "A1", name="Acme", domain="acme.com")
    await work(shared)
    before = await Record.get()

    again = await send(ctx, "account", "A1", city="Berlin", foundedYear="1999", techStack=["AWS", "Go"])

    record = await Record.get()
    assert (again.outcome, again.job, record.version) == (RecordOutcome.UNCHANGED, None, before.version)
    assert record.received["city"] == "Berlin"
    assert (await FieldValue.get(field="city", replaced_at=None)).source == "standin"
    assert sent.job is not None
    await undo_job(ctx, sent.job.id)
    assert "city" not in (await Record.get()).fields, "an echo does not stand in the way of an undo"


async def test_after_an_undo_a_value_that_the_crm_sends_is_taken(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME}))
    ctx = context(shared)
    sent = await send(ctx, "account", "A1", name="Acme", domain="acme.com")
    await work(shared)
    await send(ctx, "account", "A1", city="Berlin")  # an echo
    assert sent.job is not None
    await undo_job(ctx, sent.job.id)

    again = await send(ctx, "account", "A1", city="Berlin")

    assert again.outcome is RecordOutcome.CHANGED
    assert (await Record.get()).fields["city"] == "Berlin"
    assert (await FieldValue.get(field="city", replaced_at=None)).source == "crm"


async def test_after_an_undo_what_the_crm_had_before_is_a_repetition(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME}))
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"default": "overwrite"}})
    sent = await send(ctx, "account", "A1", name="Acme", domain="acme.com", city="Bonn")
    await work(shared)
    await send(ctx, "account", "A1", city="Berlin")  # an echo
    assert sent.job is not None
    await undo_job(ctx, sent.job.id)

    assert (await send(ctx, "account", "A1", city="Bonn")).outcome is RecordOutcome.UNCHANGED
    assert (await Record.get()).fields["city"] == "Bonn"
    assert (await send(ctx, "account", "A1", city="Berlin")).outcome is RecordOutcome.CHANGED


async def test_a_repetition_of_what_enrichment_replaced_is_no_edit(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME}))
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"default": "overwrite"}})
    await send(ctx, "account", "A1", name="Acme", domain="acme.com", city="Bonn")
    await work(shared)

    again = await send(ctx, "account", "A1", city="Bonn")

    assert (again.outcome, (await Record.get()).fields["city"]) == (RecordOutcome.UNCHANGED, "Berlin")


async def test_a_message_without_a_country_is_read_in_the_records(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await send(ctx, "account", "A1", name="Acme", country="Germany")
    await send(ctx, "account", "A1", phone="030 901820")
    assert (await Record.get()).fields["phone"] == "+4930901820"


async def test_what_is_repeated_is_read_again_where_the_crm_names_another_country(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    sent = await send(ctx, "account", "A1", name="Acme", phone="030 901820")
    assert [refused.field for refused in sent.refused_fields] == ["phone"]

    await send(ctx, "account", "A1", name="Acme", phone="030 901820", country="Germany")

    record = await Record.get()
    assert (record.fields["phone"], record.unreadable) == ("+4930901820", {})
