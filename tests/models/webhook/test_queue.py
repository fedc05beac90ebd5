"""One worker at a time serves an endpoint, and who has lost its lease writes nothing more."""

from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from models.db.transaction import unit_of_work
from models.event.cursor import OLDEST
from models.webhook.queue import (
    HeldEndpoint,
    WaitingEndpoint,
    advance_endpoint,
    claim_endpoint,
    release_endpoint,
    renew_endpoint,
    waiting_endpoints,
)
from resolvers.context import Context
from resolvers.webhook.api import get_endpoint, pause, replay
from resolvers.webhook.deliveries import test_endpoint as try_endpoint
from tests.support.factories import Clock, StandIn, context, services
from tests.support.webhook_receiver import endpoint_at, with_webhooks

pytestmark = pytest.mark.usefixtures("db")

LEASE = timedelta(seconds=30)


@pytest.fixture
def ctx(redis: ArqRedis) -> Context:
    return context(with_webhooks(services(redis, StandIn(), now=Clock())))


async def waiting(ctx: Context) -> WaitingEndpoint:
    made = await endpoint_at(ctx, "https://hooks.example.com/")
    await try_endpoint(ctx, made.endpoint.id)
    [found] = await waiting_endpoints(ctx.services.now(), 10)
    return found


async def claimed(ctx: Context, endpoint: WaitingEndpoint) -> HeldEndpoint:
    held = await claim_endpoint(endpoint, ctx.services.now(), ctx.services.now() + LEASE)
    assert held is not None
    return held


async def test_only_one_of_two_who_found_an_endpoint_gets_it(ctx: Context) -> None:
    endpoint = await waiting(ctx)
    now = ctx.services.now()
    await claimed(ctx, endpoint)
    assert await claim_endpoint(endpoint, now, now + LEASE) is None
    assert await waiting_endpoints(now, 10) == []


async def test_who_was_replaced_writes_nothing_more(ctx: Context) -> None:
    endpoint = await waiting(ctx)
    lost = await claimed(ctx, endpoint)
    later = ctx.services.now() + 2 * LEASE
    assert await waiting_endpoints(later, 10) == [endpoint]
    held = await claim_endpoint(endpoint, later, later + LEASE)
    assert held is not None and held.fence > lost.fence
    assert await renew_endpoint(lost, later + LEASE) is None
    assert not await unit_of_work(advance_endpoint)(lost, OLDEST)
    await release_endpoint(lost, next_due_at=None, quiet_until=None)
    assert await waiting_endpoints(later, 10) == []
    assert await unit_of_work(advance_endpoint)(held, OLDEST)


async def test_a_cursor_that_was_moved_meanwhile_stays_there(ctx: Context) -> None:
    endpoint = await waiting(ctx)
    held = await claimed(ctx, endpoint)
    await replay(ctx, held.id, "0")
    assert not await unit_of_work(advance_endpoint)(held, held.cursor)
    assert (await get_endpoint(ctx, held.id)).cursor == OLDEST


async def test_what_was_asked_for_since_the_endpoint_was_read_is_not_forgotten_with_the_lease(ctx: Context) -> None:
    endpoint = await waiting(ctx)
    held = await claimed(ctx, endpoint)
    await try_endpoint(ctx, held.id)
    await release_endpoint(held, next_due_at=None, quiet_until=ctx.services.now() + timedelta(hours=1))
    assert await waiting_endpoints(ctx.services.now(), 10) == [endpoint]


async def test_an_endpoint_that_was_paused_is_served_no_more(ctx: Context) -> None:
    endpoint = await waiting(ctx)
    held = await claimed(ctx, endpoint)
    await pause(ctx, held.id)
    assert await renew_endpoint(held, ctx.services.now() + LEASE) is None
    await release_endpoint(held, next_due_at=None, quiet_until=None)
    assert await waiting_endpoints(ctx.services.now(), 10) == []


async def test_an_endpoint_is_left_alone_until_the_moment_that_was_noted(ctx: Context) -> None:
    endpoint = await waiting(ctx)
    held = await claimed(ctx, endpoint)
    now = ctx.services.now()
    await release_endpoint(held, next_due_at=now, quiet_until=now + timedelta(minutes=5))
    assert await waiting_endpoints(now + timedelta(minutes=4), 10) == []
    assert await waiting_endpoints(now + timedelta(minutes=6), 10) == [endpoint]
