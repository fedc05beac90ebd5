"""Values know when they were seen, and the organization's own history tells how fast its fields change."""

from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from enrichment.learn.half_life import HalfLife
from models.conflict.table import Conflict
from models.record import FieldValue
from providers.api import ProviderError
from resolvers.conflict.api import reopen_conflict, resolve_conflict
from resolvers.conflict.choice import ACCEPT, Resolution
from resolvers.context import Context, Services
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.refresh.freshness import gather_evidence, half_lives_of, renew_half_lives
from resolvers.stats import get_stats
from resolvers.undo.api import undo_job
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from tests.support.graphql_client import Operations
from workers.upkeep.refresh import refresh

pytestmark = pytest.mark.usefixtures("db")

DAY = timedelta(days=1).total_seconds()
ACCOUNTS = RecordSelection(EntityType.ACCOUNT)


async def look_again(shared: Services, ctx: Context, clock: Clock, days: float) -> str:
    """Ask all sources again after some days. The id of the first job."""
    clock.ahead_seconds += days * DAY
    outcome = await enrich_records(ctx, ACCOUNTS, force=True)
    await work(shared)
    return str(outcome.queued[0].id)


async def fitted(shared: Services, field: str, org: str = "acme") -> HalfLife:
    await renew_half_lives(org, shared.now())
    return (await half_lives_of(org))[EntityType.ACCOUNT, field]


async def value_of(field: str) -> FieldValue:
    return await FieldValue.get(field=field, replaced_at__isnull=True)


async def test_a_value_that_is_seen_again_is_fresh_and_keeps_when_it_was_seen_first(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows={"acme.com": {"city": "Oakland"}}), now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A", domain="acme.com")
    await work(shared)
    first = await value_of("city")
    ask = Operations(shared)
    document = """{ record(entityType: ACCOUNT, externalId: "A") { freshness
        provenance { field freshness observedAt firstObservedAt verifiedAt verifiedCount } } }"""

    clock.ahead_seconds += 9131.25 * DAY  # the half-life of a city
    record = (await ask(document))["record"]
    aged = {value["field"]: value for value in record["provenance"]}
    assert aged["city"]["freshness"] == pytest.approx(0.5, abs=0.001)
    assert (aged["city"]["verifiedAt"], aged["city"]["verifiedCount"]) == (None, 0)
    assert record["freshness"] == aged["city"]["freshness"]  # the domain is the CRM's

    job_id = await look_again(shared, ctx, clock, 1)
    record = (await ask(document))["record"]
    seen = {value["field"]: value for value in record["provenance"]}["city"]
    assert (record["freshness"], seen["freshness"], seen["verifiedCount"]) == (1.0, 1.0, 1)
    assert seen["firstObservedAt"] == aged["city"]["observedAt"] == aged["city"]["firstObservedAt"]
    assert seen["observedAt"] > seen["firstObservedAt"] and seen["verifiedAt"] >= seen["observedAt"]
    assert (await value_of("city")).id == first.id

    job = (await ask("query ($id: ID!) { job(id: $id) { fieldsVerified fieldsUpdated } }", id=job_id))["job"]
    assert job == {"fieldsVerified": ["city"], "fieldsUpdated": []}
    stats = await get_stats(ctx, start=clock() - timedelta(hours=1))
    assert (stats.fields_verified, [day.fields_verified for day in stats.by_day]) == (1, [1])


async def test_the_history_tells_no_freshness_of_what_was_replaced(redis: ArqRedis) -> None:
    clock, known = Clock(), {"city": "Oakland"}
    shared = services(redis, StandIn(knows={"acme.com": known}), now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A", domain="acme.com")
    await work(shared)
    known["city"] = "Berlin"
    await look_again(shared, ctx, clock, 40)
    document = """{ explain(entityType: ACCOUNT, externalId: "A", field: "city") {
            history(first: 5) { nodes { value freshness } } }
        record(entityType: ACCOUNT, externalId: "A") { history(field: "city") { nodes { value freshness } } } }"""
    data = await Operations(shared)(document)
    wanted = [{"value": "Berlin", "freshness": 1.0}, {"value": "Oakland", "freshness": None}]
    assert data["explain"]["history"]["nodes"] == data["record"]["history"]["nodes"] == wanted


async def test_a_record_without_values_of_enrichment_has_no_freshness(redis: ArqRedis) -> None:
    shared = services(redis)
    await send(context(shared), "account", "A", domain="acme.com", city="Oakland")
    document = '{ record(entityType: ACCOUNT, externalId: "A") { freshness provenance { field freshness } } }'
    record = (await Operations(shared)(document))["record"]
    assert record["freshness"] is None
    # Nobody said how old they are: what is to be expected of a field with a half-life of 20, and of 10 years.
    shown = {value["field"]: value["freshness"] for value in record["provenance"]}
    assert shown == {"domain": 0.9352, "city": 0.9475}


async def test_a_change_that_a_source_finds_counts_between_its_two_looks(redis: ArqRedis) -> None:
    clock, known = Clock(), {"phone": "+16502530000"}
    shared = services(redis, StandIn(knows={"acme.com": known}), now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A", domain="acme.com")
    await work(shared)
    await look_again(shared, ctx, clock, 100)
    await look_again(shared, ctx, clock, 100)
    known["phone"] = "+16502530001"
    await look_again(shared, ctx, clock, 50)
    await look_again(shared, ctx, clock, 150)

    half_life = await fitted(shared, "phone")

    assert half_life.changes == 1
    assert half_life.observed_days == pytest.approx(200 + 25 + 150, abs=1)
    assert half_life.days < half_life.prior_days


async def test_an_edit_of_the_crm_is_a_change_and_other_words_are_none(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows={"acme.com": {"phone": "+16502530000"}}), now=clock)
    ctx = context(shared)
    await configure(ctx, triggers={"onUpdate": False})
    await send(ctx, "account", "A", domain="acme.com", name="Acme", city="Berlin")
    await work(shared)
    clock.ahead_seconds += 100 * DAY
    await send(ctx, "account", "A", name="ACME, Inc.", phone="+1 650 253 0000", city="Paris")  # one of three is new
    clock.ahead_seconds += 100 * DAY
    await send(ctx, "account", "A", phone="+1 650 253 0001")
    clock.ahead_seconds += 50 * DAY

    await renew_half_lives("acme", clock())
    half_lives = await half_lives_of("acme")
    found = {name: fitted for (kind, name), fitted in half_lives.items() if kind is EntityType.ACCOUNT}

    assert {name: fitted.changes for name, fitted in found.items() if fitted.changes} == {"city": 1, "phone": 1}
    for name, days in {"city": 250, "phone": 250, "name": 250, "domain": 250, "country": 0}.items():
        assert found[name].observed_days == pytest.approx(days, abs=0.1), name


async def test_what_was_undone_or_cleared_is_no_change(redis: ArqRedis) -> None:
    clock, known = Clock(), {"phone": "+16502530000", "city": "Oakland"}
    shared = services(redis, StandIn(knows={"acme.com": known}), now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A", domain="acme.com", country="US")
    await work(shared)
    known["phone"] = "+16502530001"
    job_id = await look_again(shared, ctx, clock, 100)
    assert (await fitted(shared, "phone")).changes == 1
    await undo_job(ctx, job_id)
    await send(ctx, "account", "A", country="")
    clock.ahead_seconds += 10 * DAY

    assert (await fitted(shared, "phone")).changes == 0
    assert (await fitted(shared, "country")).changes == 0


async def test_a_decision_and_its_taking_back_are_no_change(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows={"acme.com": {"phone": "+16502530000"}}), now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A", domain="acme.com", phone="+16502530001")
    await work(shared)
    clock.ahead_seconds += 10 * DAY
    conflict = await Conflict.get(status="open")
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    clock.ahead_seconds += 10 * DAY
    await reopen_conflict(ctx, conflict.id)
    clock.ahead_seconds += 10 * DAY

    assert (await value_of("phone")).source == "crm"
    assert (await fitted(shared, "phone")).changes == 0


async def test_another_sources_opinion_is_no_change(redis: ArqRedis) -> None:
    clock = Clock()
    old = StandIn(id="old", knows={"acme.com": {"city": ("Oakland", 0.7)}})
    new = StandIn(id="new", knows={"acme.com": {"city": ("Berlin", 0.95)}})
    shared = services(redis, old, new, now=clock)
    ctx = context(shared)
    await configure(ctx, providers=[{"id": "old"}])
    await send(ctx, "account", "A", domain="acme.com")
    await work(shared)
    await configure(ctx, providers=[{"id": "new"}])
    await look_again(shared, ctx, clock, 100)
    assert (await value_of("city")).value == "Berlin"
    assert (await fitted(shared, "city")).changes == 0


async def test_half_lives_are_fitted_once_a_day_each_organization_for_itself(redis: ArqRedis) -> None:
    clock, known = Clock(), {"city": "Oakland"}
    shared = services(redis, StandIn(knows={"acme.com": known}), now=clock)
    for org in ("acme", "other"):
        await send(context(shared, org=org), "account", "A", domain="acme.com")
    await work(shared)
    await renew_half_lives("acme", clock())
    known["city"] = "Berlin"
    await look_again(shared, context(shared), clock, 0.5)
    await refresh({"services": shared})
    assert (await half_lives_of("acme"))[EntityType.ACCOUNT, "city"].changes == 0
    clock.ahead_seconds += 0.6 * DAY
    await refresh({"services": shared})
    assert (await half_lives_of("acme"))[EntityType.ACCOUNT, "city"].changes == 1
    assert (await fitted(shared, "city", org="other")).changes == 0

    shown = await Operations(shared)("{ freshness { entityType field halfLifeDays priorDays changes fittedAt } }")
    rows: dict[tuple[str, str], dict[str, Any]] = {(row["entityType"], row["field"]): row for row in shown["freshness"]}
    assert rows["ACCOUNT", "city"]["changes"] == 1
    assert rows["ACCOUNT", "city"]["halfLifeDays"] < rows["ACCOUNT", "city"]["priorDays"] == 9131.25
    assert rows["LEAD", "title"]["halfLifeDays"] == rows["LEAD", "title"]["priorDays"] == 730.5
    assert all(row["fittedAt"] for row in rows.values())


async def test_of_very_many_records_a_part_tells_the_half_lives(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows={f"acme{n}.com": {"city": "Oakland"} for n in range(12)}), now=clock)
    ctx = context(shared)
    for n in range(12):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
    await work(shared)
    await look_again(shared, ctx, clock, 100)
    city = (EntityType.ACCOUNT, "city")
    for page, most_pages, records in ((1000, 40, 12), (2, 6, 6), (2, 3, 4), (5, 1, 5)):
        evidence = await gather_evidence("acme", clock(), page=page, most_pages=most_pages)
        assert evidence[city].confirmed == pytest.approx(100 * records, abs=1), (page, most_pages)


async def test_an_earlier_attempts_verification_still_counts(redis: ArqRedis) -> None:
    clock = Clock()
    steady = StandIn(id="steady", knows={"acme.com": {"city": "Oakland"}})
    shaky = StandIn(id="shaky", knows={"acme.com": {"phone": "+16502530000"}})
    shared = services(redis, steady, shaky, now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A", domain="acme.com", city="Oakland")
    await work(shared)
    clock.ahead_seconds += 100 * DAY
    shaky.fails.append(ProviderError("unavailable", "down", retryable=True))
    sent = await send(ctx, "account", "A", name="Acme")
    await work(shared)
    clock.ahead_seconds += 60
    await work(shared)
    assert "city" in (await job_of(sent)).fields_verified
