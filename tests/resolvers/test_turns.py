"""One at a time for an organization, and few who wait; another organization waits for nobody."""

import asyncio

import pytest
from arq.connections import ArqRedis

from resolvers.context import Context
from resolvers.errors import RateLimited
from resolvers.turns import MOST_WAITING, one_at_a_time
from tests.support.factories import StandIn, context, services


async def test_one_is_under_way_few_wait_and_the_next_is_told(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    under_way: list[str] = []
    most: list[int] = []
    gate = asyncio.Event()

    @one_at_a_time
    async def heavy(ctx: Context) -> None:
        assert ctx.caller is not None
        under_way.append(ctx.caller.organization_id)
        most.append(len(under_way))
        await gate.wait()
        under_way.remove(ctx.caller.organization_id)

    tasks = [asyncio.ensure_future(heavy(context(shared))) for _ in range(1 + MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await heavy(context(shared))
    other = asyncio.ensure_future(heavy(context(shared, org="other")))
    await asyncio.sleep(0)
    assert under_way == ["acme", "other"]
    gate.set()
    await asyncio.gather(*tasks, other)
    assert max(most) == 2
    await heavy(context(shared))
