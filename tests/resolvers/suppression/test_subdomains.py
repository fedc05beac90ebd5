"""A sub-domain that is suppressed stops itself and what is below it, and none of its neighbours."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus
from resolvers.cost.estimate import estimate_enrichment
from resolvers.cost.preview import preview_enrichment
from resolvers.job.enrich import RecordSelection
from resolvers.suppression.api import Values, suppress, unsuppress
from tests.support.factories import StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

BELOW = [
    ("account", {"name": "Acme", "website": "https://eu.acme.com/de"}),
    ("account", {"name": "Acme", "domain": "eu.acme.com"}),
    ("account", {"name": "Acme", "domain": "shop.eu.acme.com"}),
    ("lead", {"lastName": "Doe", "email": "joe@eu.acme.com"}),
    ("lead", {"lastName": "Doe", "email": "joe@mail.EU.acme.com"}),
    ("contact", {"lastName": "Doe", "companyDomain": "www.eu.acme.com"}),
    ("contact", {"lastName": "Doe", "website": "eu.acme.com, firm.com"}),
    ("contact", {"lastName": "Doe", "email": "joe@acme.com", "Other mail": "joe@eu.acme.com"}),
]
NEIGHBOURS = [
    ("account", {"name": "Acme", "domain": "acme.com"}),
    ("account", {"name": "Acme", "website": "https://us.acme.com"}),
    ("account", {"name": "Acme", "website": "https://acme.com/eu"}),
    ("lead", {"lastName": "Doe", "email": "joe@acme.com"}),
    ("lead", {"lastName": "Doe", "email": "joe@us.acme.com"}),
    ("lead", {"lastName": "Doe", "email": "joe@neu.acme.com"}),
    ("lead", {"lastName": "Doe", "email": "eu.acme.com@firm.com"}),
]


async def is_asked_about(redis: ArqRedis, values: Values, entity_type: str, fields: dict[str, Any]) -> bool:
    source = StandIn()
    ctx = context(services(redis, source))
    await suppress(ctx, values)
    sent = await send(ctx, entity_type, "1", **fields)
    await work(ctx.services)
    job = await job_of(sent)
    assert (job.status is JobStatus.SKIPPED) is (source.asked == [])
    return source.asked != []


@pytest.mark.parametrize(("entity_type", "fields"), BELOW)
@pytest.mark.parametrize("spelling", ["eu.acme.com", "https://www.EU.acme.com/de", "acme.com"])
async def test_what_is_below_is_stopped(
    redis: ArqRedis, entity_type: str, fields: dict[str, Any], spelling: str
) -> None:
    assert not await is_asked_about(redis, Values(domains=[spelling]), entity_type, fields)


@pytest.mark.parametrize(("entity_type", "fields"), NEIGHBOURS)
async def test_neighbours_are_asked_about(redis: ArqRedis, entity_type: str, fields: dict[str, Any]) -> None:
    assert await is_asked_about(redis, Values(domains=["eu.acme.com"]), entity_type, fields)


async def test_a_site_on_somebody_elses_name_is_itself(redis: ArqRedis) -> None:
    values = Values(domains=["acme.wordpress.com"])
    assert not await is_asked_about(redis, values, "account", {"name": "Acme", "website": "https://acme.wordpress.com"})
    assert await is_asked_about(redis, values, "lead", {"lastName": "Doe", "website": "https://other.wordpress.com"})
    assert await is_asked_about(redis, values, "contact", {"lastName": "Doe", "companyDomain": "wordpress.com"})


async def test_lists_previews_and_estimates_go_by_it(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await configure(ctx, triggers={"onCreate": False})
    await send(ctx, "account", "A-1", name="Acme", domain="eu.acme.com")
    await send(ctx, "account", "A-2", name="Acme", domain="us.acme.com")
    outcome = await suppress(ctx, Values(domains=["eu.acme.com"]))
    assert (outcome.added, outcome.records) == (1, 1)
    every = RecordSelection(EntityType.ACCOUNT)
    assert (await estimate_enrichment(ctx, every)).ineligible == {"suppressed": 1}
    assert [skipped.external_id for skipped in (await preview_enrichment(ctx, every)).skipped] == ["A-1"]
    assert await unsuppress(ctx, Values(domains=["acme.com"])) == 0
    assert await unsuppress(ctx, Values(domains=["EU.acme.com"])) == 1
    assert (await estimate_enrichment(ctx, every)).ineligible == {}


async def test_what_a_source_finds_below_it_is_dropped(redis: ArqRedis) -> None:
    found = {"email": "joe@eu.acme.com", "website": "https://us.acme.com", "title": "CEO"}
    ctx = context(services(redis, StandIn(knows={"doe": found})))
    await suppress(ctx, Values(domains=["eu.acme.com"]))
    sent = await send(ctx, "lead", "L-1", lastName="Doe", company="Acme")
    await work(ctx.services)
    fields = (await job_of(sent)).record.fields
    assert fields.keys() >= {"title", "website"}
    assert "email" not in fields
