"""When the CRM says that it saw what it sends: how it is read, kept and weighed."""

from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from models.record import FieldValue
from resolvers.context import Context
from resolvers.record.api import UpsertOutcome, upsert_records
from tests.support.factories import Clock, StandIn, configure, context, services, work
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")


async def send(ctx: Context, fields: dict[str, Any], **observed: Any) -> UpsertOutcome:
    record = {"entityType": "account", "externalId": "A", "fields": fields} | observed
    return (await upsert_records(ctx, [record]))[0]


async def city(ctx: Context) -> FieldValue:
    return await FieldValue.get(organization_id="acme", field="city", replaced_at__isnull=True)


def day(number: int) -> str:
    return f"2026-01-{number:02}T00:00:00Z"


async def test_a_value_that_the_crm_does_not_date_is_of_unknown_age(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await send(ctx, {"city": "Oakland"})
    value = await city(ctx)
    assert (value.is_dated, value.observed_at) == (False, value.written_at)


async def test_a_records_observation_dates_each_field_that_has_none_of_its_own(redis: ArqRedis) -> None:
    shared = services(redis)
    ctx = context(shared)
    await send(ctx, {"city": "Oakland", "country": "US"}, observedAt=day(5), observedAtByField={"city": day(9)})
    document = """{ record(entityType: ACCOUNT, externalId: "A") {
        provenance { field observedAt observedAtKnown } } }"""
    shown = (await Operations(shared)(document))["record"]["provenance"]
    assert {value["field"]: (value["observedAt"][:10], value["observedAtKnown"]) for value in shown} == {
        "city": ("2026-01-09", True),
        "country": ("2026-01-05", True),
    }


async def test_a_moment_to_come_counts_as_now(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await send(ctx, {"city": "Oakland"}, observedAt="2999-01-01T00:00:00Z")
    value = await city(ctx)
    assert (value.is_dated, value.observed_at) == (True, value.written_at)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"observedAt": "yesterday"}, "observedAt"),
        ({"observedAt": 1767225600}, "observedAt"),
        ({"observedAt": "1969-12-31"}, "observedAt"),
        ({"observedAtByField": [1]}, "observedAtByField"),
        ({"observedAtByField": {"city": "yesterday"}}, "observedAtByField.city"),
        ({"observedAtByField": {"town": "2026-01-01"}}, "observedAtByField.town"),
    ],
)
async def test_a_moment_that_cannot_be_is_a_fault_named_by_its_path(
    redis: ArqRedis, given: dict[str, Any], path: str
) -> None:
    outcome = await send(context(services(redis)), {"city": "Oakland"}, **given)
    assert outcome.error is not None
    assert [fault.path for fault in outcome.error.faults] == [f"records[0].{path}"]


async def test_what_the_crm_saw_before_what_it_sent_already_is_late_and_left_alone(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await send(ctx, {"city": "Oakland", "country": "US"}, observedAt=day(9))
    late = await send(ctx, {"city": "Fremont", "country": "US"}, observedAt=day(5))
    assert (late.outcome, late.late_fields, late.job) == ("unchanged", ["city"], None)
    assert (await city(ctx)).value == "Oakland"
    later = await send(ctx, {"city": "Fremont"}, observedAt=day(10))
    assert (later.outcome, list(later.late_fields)) == ("changed", [])
    assert (await city(ctx)).value == "Fremont"
    undated = await send(ctx, {"city": "Berkeley"})
    assert (undated.outcome, (await city(ctx)).is_dated) == ("changed", False)


async def test_a_repetition_says_when_a_value_was_seen_and_is_no_change(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await send(ctx, {"city": "Oakland"})
    for sent, seen in ((day(5), 5), (day(9), 9), (day(7), 9)):
        outcome = await send(ctx, {"city": "Oakland"}, observedAt=sent)
        value = await city(ctx)
        assert (outcome.outcome, value.is_dated, value.observed_at.day) == ("unchanged", True, seen)


async def overwriting(redis: ArqRedis, observed_days_ago: float) -> tuple[Context, Clock]:
    clock = Clock()
    source = StandIn(
        knows={"acme.com": {"city": ("Fremont", 0.9)}}, observed_at=clock() - timedelta(days=observed_days_ago)
    )
    ctx = context(services(redis, source, now=clock))
    await configure(ctx, cooldownHours=0, fieldPolicies={"account": {"default": "overwrite"}})
    return ctx, clock


async def test_order_is_by_when_a_source_observed_a_value(redis: ArqRedis) -> None:
    """Under `overwrite` too, and whatever arrived first."""
    ctx, clock = await overwriting(redis, 10)
    for days_ago, left in ((5, "Oakland"), (20, "Fremont")):
        seen = (clock() - timedelta(days=days_ago)).isoformat()
        outcome = await upsert_records(
            ctx,
            [
                {
                    "entityType": "account",
                    "externalId": f"A{days_ago}",
                    "fields": {"domain": "acme.com", "city": "Oakland"},
                    "observedAt": seen,
                }
            ],
        )
        await work(ctx.services)
        record = outcome[0].record
        assert record is not None
        held = await FieldValue.get(record_id=record.id, field="city", replaced_at__isnull=True)
        assert held.value == left


async def test_that_a_value_of_unknown_age_arrived_today_is_no_argument(redis: ArqRedis) -> None:
    ctx, _ = await overwriting(redis, 10)
    await send(ctx, {"domain": "acme.com", "city": "Oakland"})
    await work(ctx.services)
    assert (await city(ctx)).value == "Fremont"


async def test_overwrite_replaces_no_edit_that_was_made_since_the_answer(redis: ArqRedis) -> None:
    ctx, clock = await overwriting(redis, 10)
    await send(ctx, {"domain": "acme.com", "city": "Oakland"})
    await work(ctx.services)
    clock.ahead_seconds += 60
    await send(ctx, {"domain": "acme.com", "city": "Berkeley"})
    await work(ctx.services)
    assert ((await city(ctx)).value, (await city(ctx)).source) == ("Berkeley", "crm")


async def test_a_source_that_confirms_a_value_of_unknown_age_dates_it(redis: ArqRedis) -> None:
    clock = Clock()
    seen = clock() - timedelta(days=10)
    source = StandIn(knows={"acme.com": {"city": ("Oakland", 0.9)}}, observed_at=seen)
    ctx = context(services(redis, source, now=clock))
    await send(ctx, {"domain": "acme.com", "city": "Oakland"})
    await work(ctx.services)
    value = await city(ctx)
    assert (value.source, value.is_dated, value.observed_at, value.first_observed_at) == ("crm", True, seen, None)
