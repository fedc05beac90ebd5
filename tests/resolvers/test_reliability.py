"""An organization learns from its own decisions how reliable its sources are, and what it recommends goes by that."""

from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.conflict.table import Conflict
from models.decision_log import DecisionSnapshot
from models.source_reliability import SourceReliability
from resolvers.conflict.trust import trust_of
from resolvers.context import Context, Services
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.record.api import upsert_records
from resolvers.reliability import ENOUGH_RECORDS, reliability_of, renew_reliability
from tests.support.factories import Clock, StandIn, configure, context, services, work
from workers.upkeep.refresh import refresh

pytestmark = pytest.mark.usefixtures("db")

COMPANIES = {f"company{number}.com": number for number in range(30)}
TOWNS = ("Oakland", "Berkeley", "Fresno", "Modesto", "Stockton", "Pasadena")


def town_of(number: int) -> str:
    return TOWNS[number % len(TOWNS)]


class Asked(StandIn):
    """A source of towns and phones that is wrong about the towns of some companies."""

    def __init__(self, name: str, wrong: int) -> None:
        knows = {
            domain: {"city": town_of(number + (number % 10 < wrong)), "country": "United States"}
            for domain, number in COMPANIES.items()
        }
        super().__init__(id=name, knows=knows)


def sources() -> tuple[StandIn, StandIn]:
    return Asked("good", 0), Asked("bad", 8)


async def enriched(shared: Services, count: int, org: str = "acme") -> Context:
    """So many companies whose towns the CRM has right, asked of every source."""
    ctx = context(shared, org=org)
    await configure(ctx, strategy="consensus", consensusSize=3, cooldownHours=0)
    for domain, number in list(COMPANIES.items())[:count]:
        await send_seen(ctx, domain, town_of(number))
    await work(shared)
    return ctx


async def send_seen(ctx: Context, domain: str, city: str) -> None:
    """A company, as the CRM saw it yesterday."""
    fields = {"domain": domain, "city": city, "country": "United States"}
    seen = (ctx.services.now() - timedelta(days=1)).isoformat()
    record = {"entityType": "account", "externalId": domain, "fields": fields, "observedAt": seen}
    await upsert_records(ctx, [record])


async def test_who_is_contradicted_by_all_others_is_found(redis: ArqRedis) -> None:
    shared = services(redis, *sources())
    await enriched(shared, 30)
    assert await renew_reliability("acme", shared.now())
    found = await trust_of(["acme", "other"])
    learned = found["acme"].reliability
    assert learned.keys() == {"crm", "good", "bad"}
    assert learned["bad"].accuracy_of("account.city") < 0.9 < learned["good"].accuracy_of("account.city")
    assert found["other"].reliability == {}
    [row] = await SourceReliability.all()
    assert (row.records, row.organization_id) == (30, "acme")


async def test_what_is_recommended_goes_by_it(redis: ArqRedis) -> None:
    """The bad source is contradicted by the good one and the CRM; then the CRM has another town than both."""
    shared = services(redis, *sources())
    ctx = await enriched(shared, 29)
    await renew_reliability("acme", shared.now())
    await configure(ctx, providers=[{"id": "good", "enabled": False}, {"id": "bad", "enabled": True}])
    await send_seen(ctx, "company29.com", "Reno")
    await work(shared)
    conflict = await Conflict.filter(record__external_id="company29.com").get()
    assert "likely right in" in conflict.recommended_because


async def test_a_record_counts_once_by_its_last_decision(redis: ArqRedis) -> None:
    shared = services(redis, *sources(), now=Clock())
    ctx = await enriched(shared, 5)
    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    await work(shared)
    assert await DecisionSnapshot.all().count() == 10
    await renew_reliability("acme", shared.now())
    assert (await SourceReliability.get()).records == 5


async def test_it_is_estimated_where_something_was_decided_and_then_more_often_while_little_is_known(
    redis: ArqRedis,
) -> None:
    clock = Clock()
    shared = services(redis, *sources(), now=clock)
    assert not await renew_reliability("acme", shared.now())
    ctx = await enriched(shared, 3)
    upkeep: dict[str, Any] = {"services": shared}
    await refresh(upkeep)
    first = (await SourceReliability.get()).estimated_at
    clock.ahead_seconds += 3600
    await refresh(upkeep)
    assert (await SourceReliability.get()).estimated_at == first  # nothing was decided since

    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    await work(shared)
    clock.ahead_seconds += 60
    await SourceReliability.all().update(records=ENOUGH_RECORDS)
    assert not await renew_reliability("acme", shared.now())
    assert await renew_reliability("acme", shared.now() + timedelta(days=1))
    await SourceReliability.all().update(records=3, estimated_at=first)
    assert await renew_reliability("acme", shared.now())


async def test_an_answer_of_a_format_that_is_not_known_is_left_out(redis: ArqRedis) -> None:
    shared = services(redis, *sources())
    await enriched(shared, 4)
    await DecisionSnapshot.all().update(body='{"format": 99}', packed=None)
    assert await renew_reliability("acme", shared.now())
    assert await reliability_of(["acme"]) == {"acme": {}}


async def test_what_another_version_estimated_is_read_as_far_as_it_says_the_same(redis: ArqRedis) -> None:
    shared = services(redis, *sources())
    await enriched(shared, 4)
    await renew_reliability("acme", shared.now())
    row = await SourceReliability.get()
    less = {name: figure for name, figure in row.sources["bad"].items() if name != "usual"}
    row.sources = {"good": row.sources["good"] | {"later": 1}, "bad": less}
    await row.save()
    assert (await reliability_of(["acme"]))["acme"].keys() == {"good"}
