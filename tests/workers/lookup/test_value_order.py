"""What sources brought an organization decides whom its next jobs pay, and a replay goes by what a job went by."""

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from resolvers.simulation.api import simulate_config
from resolvers.yields import yields_of
from tests.support.factories import ALL_FIELDS, Clock, StandIn, configure, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

GIVES = {EntityType.LEAD: ALL_FIELDS[EntityType.LEAD]}


async def test_who_never_brings_what_is_lacking_is_not_paid_any_more(redis: ArqRedis) -> None:
    clock = Clock()
    people = {f"p{number}@acme.com": {"title": "CTO"} for number in range(40)}
    first = StandIn(id="first", price=1, knows={name: {"city": "Oakland"} for name in people}, gives=GIVES)
    idle = StandIn(id="idle", price=1, knows={name: {"email": name} for name in people}, gives=GIVES)
    last = StandIn(id="last", price=1, knows=people, gives=GIVES)
    ctx = context(services(redis, first, idle, last, now=clock))
    await configure(ctx, order="value", valueFloor=0.5, minChance=None, payFor={"lead": ["title", "city"]})
    for name in list(people)[:30]:
        await send(ctx, "lead", name, email=name)
    await work(ctx.services)
    learned = (await yields_of("acme"))[EntityType.LEAD]
    assert learned.fill_rate("last", "title", later=True) > 0.9 > 0.2 > learned.fill_rate("idle", "title", later=True)
    assert learned.match_rate("idle") > 0.8
    clock.ahead_seconds += 1200
    before = len(idle.asked)
    for name in list(people)[30:]:
        await send(ctx, "lead", name, email=name)
    await work(ctx.services)
    assert len(idle.asked) == before
    assert len(last.asked) == 40
    again = await simulate_config(ctx, {})
    assert again.differences == []
    assert {part.provider: part.actual - part.simulated for part in again.credits} == {"first": 0, "idle": 0, "last": 0}
