"""Somebody says to ask a provider again: what its replies asked to wait is forgotten, not only the breaker's state."""

import pytest
from arq.connections import ArqRedis

from providers.api import NO_MATCH, ProviderError
from providers.crunchbase.adapter import Crunchbase
from providers.http.client import HttpClient
from providers.http.provider import HttpProvider
from providers.http.rate_limit import LocalRateLimiter
from resolvers.provider.api import reset_provider
from tests.support.factories import context, services
from tests.support.fake_http import account
from tests.support.provider_server import OneKey
from tests.support.standin_server import ScriptedReply, StandInServer, json_reply

pytestmark = pytest.mark.usefixtures("db")


async def test_a_reset_forgets_the_pause_that_a_reply_asked_for(
    redis: ArqRedis, server: StandInServer, transport: HttpClient
) -> None:
    refused = ScriptedReply(429, headers={"retry-after": "3000"})
    server.script("/data/searches/organizations", refused, json_reply({"count": 0, "entities": []}))
    limiter = LocalRateLimiter(max_wait_seconds=1)
    asking = HttpProvider(Crunchbase(), transport, OneKey(), {"": server.url}, rate_limiter=limiter)
    for _ in range(2):
        with pytest.raises(ProviderError) as refusal:
            await asking.ask(account(domain="example.com"))
        assert refusal.value.code == "rate_limited"
    assert len(server.calls) == 1
    await reset_provider(context(services(redis, asking)), "crunchbase")
    assert await asking.ask(account(domain="example.com")) == NO_MATCH
