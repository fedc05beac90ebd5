"""A provider that asks for no calls for a while: until when shows with the provider."""

from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from providers.api import ProviderError
from resolvers.provider.api import list_providers, reset_provider
from tests.support.factories import Clock, StandIn, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")


async def test_until_when_a_provider_is_left_alone_is_shown(redis: ArqRedis) -> None:
    clock = Clock()
    busy = StandIn(
        remote=True, fails=[ProviderError("rate_limited", "no", retryable=True, retry_after_seconds=600)] * 2
    )
    ctx = context(services(redis, busy, now=clock))
    await send(ctx, "account", "A", domain="acme.com")
    await work(ctx.services)
    [view] = await list_providers(ctx)
    assert view.paused_until is not None and view.healthy
    assert timedelta(seconds=590) < view.paused_until - clock() <= timedelta(seconds=600)
    assert view.not_asked_because == "it asked for no calls for a while"
    clock.ahead_seconds += 601
    assert [view.paused_until for view in await list_providers(ctx)] == [None]
    await work(ctx.services)  # it asks for another one
    assert [view.paused_until is None for view in await list_providers(ctx)] == [False]
    await reset_provider(ctx, "standin")
    [view] = await list_providers(ctx)
    assert (view.paused_until, view.not_asked_because) == (None, None)
