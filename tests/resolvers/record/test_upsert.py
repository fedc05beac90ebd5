"""What a CRM sends is stored once, changes what it changes, and starts a job where there is something new."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from models.job import Job
from models.record import Record
from resolvers.record.api import upsert_records
from resolvers.record.ingest import RecordOutcome
from tests.support.factories import StandIn, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

ACME = {"industry": "Software", "city": "Berlin", "foundedYear": 1999}


async def test_an_unchanged_record_starts_nothing(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME}))
    ctx = context(shared)
    await send(ctx, "account", "A1", name="Acme", domain="acme.com")
    await work(shared)

    again = await send(ctx, "account", "A1", name=" Acme, Inc. ", domain="https://www.ACME.com/")

    assert (again.outcome, again.job) == (RecordOutcome.UNCHANGED, None)
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


async def test_another_wording_of_a_value_is_no_change(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await send(ctx, "account", "A1", name="Intel")
    again = await send(ctx, "account", "A1", name="Intel Corp")
    record = await Record.get()
    assert (again.outcome, record.fields["name"], record.version) == (RecordOutcome.UNCHANGED, "Intel", 1)
