"""What a CRM sends again unchanged is told without reading it, and answered as if it had been read."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from arq.connections import ArqRedis

from models.conflict.table import Conflict
from models.job import Job
from models.record import FieldValue, Record
from resolvers.conflict.api import resolve_conflict
from resolvers.conflict.choice import ACCEPT, Resolution
from resolvers.record.api import upsert_records
from resolvers.record.input import record_input
from resolvers.record.repetition import held_records, repetitions
from resolvers.record.store import RecordOutcome
from service.sample.records import sample_records
from tests.support.factories import StandIn, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")


def of(number: int) -> dict[str, Any]:
    return {"entityType": "account", "externalId": f"A{number}", "fields": {"name": f"Acme {number}", "phone": "12"}}


async def test_repetitions_are_told_and_answered_as_by_looking_at_each_value(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    sent = list(sample_records())[:200]
    first = await upsert_records(ctx, sent)
    inputs = [(index, record_input(record, index)) for index, record in enumerate(sent)]
    told = repetitions(await held_records("acme", inputs), inputs)
    assert len(told) > 0.9 * len(sent)
    values = await FieldValue.all().count()

    again = await upsert_records(ctx, sent)

    assert {outcome.outcome for outcome in again} == {RecordOutcome.UNCHANGED}
    for before, after in zip(first, again, strict=True):
        assert after.record == before.record
        assert after.refused_fields == before.refused_fields
        assert before.job is not None and after.job is not None and after.job.id == before.job.id
    assert await FieldValue.all().count() == values


async def test_a_value_of_enrichment_is_no_obstacle(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"industry": "Software", "phone": "+49 30 901820"}}))
    ctx = context(shared)
    await send(ctx, "account", "A1", name="Acme", domain="acme.com")
    await work(shared)
    inputs = [(0, record_input({**of(1), "fields": {"name": "Acme", "domain": "acme.com"}}, 0))]
    told = repetitions(await held_records("acme", inputs), inputs)
    assert told[0][0].fields["industry"] == "Software"


async def test_what_is_dated_is_looked_at(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await upsert_records(ctx, [of(1)])
    dated = {**of(1), "observedAt": "2026-01-01T00:00:00Z"}
    inputs = [(0, record_input(dated, 0))]
    assert repetitions(await held_records("acme", inputs), inputs) == {}
    assert (await upsert_records(ctx, [dated]))[0].outcome is RecordOutcome.UNCHANGED
    value = await FieldValue.get(field="name")
    assert value.observed_at_known


async def test_requests_at_the_same_time_store_a_record_once(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    sent = [of(number) for number in range(20)]

    answers = await asyncio.gather(*(upsert_records(ctx, sent) for _ in range(4)))

    outcomes = [Counter(answer[number].outcome for answer in answers) for number in range(20)]
    assert outcomes == [Counter({RecordOutcome.UNCHANGED: 3, RecordOutcome.CREATED: 1})] * 20
    assert await Record.all().count() == await Job.all().count() == 20


async def test_what_is_read_by_the_records_country_is_not_refused(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await send(ctx, "account", "A1", name="Acme", country="Germany")
    answered = await send(ctx, "account", "A1", phone="030 901820")
    again = await send(ctx, "account", "A1", phone="030 901820")
    assert answered.record is not None and answered.record.fields["phone"] == "+4930901820"
    assert answered.refused_fields == again.refused_fields == []
    assert again.record == answered.record


async def test_what_the_records_country_makes_readable_is_read_though_it_is_repeated(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    before = await send(ctx, "account", "A1", name="Acme", phone="030 901820")
    assert [refused.field for refused in before.refused_fields] == ["phone"]
    await send(ctx, "account", "A1", country="Germany")
    again = await send(ctx, "account", "A1", phone="030 901820")
    assert again.record is not None and again.record.fields["phone"] == "+4930901820"
    assert (again.outcome, again.refused_fields) == (RecordOutcome.CHANGED, [])
    assert (await Record.get(external_id="A1")).unreadable == {}
    repeated = await send(ctx, "account", "A1", phone="030 901820")
    assert (repeated.outcome, repeated.refused_fields) == (RecordOutcome.UNCHANGED, [])


async def test_what_stays_unreadable_is_named_each_time(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await send(ctx, "account", "A1", name="Acme", country="Germany", phone="030 99999999999999999")
    for _ in range(2):
        again = await send(ctx, "account", "A1", phone="030 99999999999999999")
        assert (again.outcome, [one.field for one in again.refused_fields]) == (RecordOutcome.UNCHANGED, ["phone"])


async def test_what_a_reviewer_put_in_the_place_of_the_unreadable_stays(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"phone": "+49 30 777777"}}))
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com", phone="030 901820")
    await work(shared)
    conflict = await Conflict.get(field="phone")
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    await send(ctx, "account", "A1", country="Germany")
    await send(ctx, "account", "A1", phone="030 901820")
    assert (await Record.get()).fields["phone"] == "+4930777777"
