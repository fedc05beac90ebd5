"""The thresholds of credits over GraphQL: told at once, and when one more is crossed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role, Services
from resolvers.credit.alerts import raise_alerts
from resolvers.events.publisher import announce
from resolvers.pipeline import pause_pipeline
from tests.support.factories import StandIn, configure, context, send, services, work
from tests.support.graphql_client import Operations
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("db")

KNOWN = {"acme.com": {"city": "Berlin"}, "bit.com": {"city": "Paris"}}
WATCH = "subscription { creditsChanged { threshold used most } }"
HALF = {"threshold": 0.5, "used": 3, "most": 6}
ALL = {"threshold": 1.0, "used": 6, "most": 6}


@pytest.fixture
async def shared(redis: ArqRedis) -> AsyncIterator[Services]:
    shared = services(redis, StandIn(knows=KNOWN, price=3))
    await configure(context(shared), credits={"monthlyLimit": 6, "alertThresholds": [0.5, 1.0]})
    await shared.events.start()
    yield shared
    assert shared.events.watching == 0
    await shared.events.stop()


async def spend(shared: Services, domain: str) -> None:
    """Three credits, and the look at the thresholds that follows."""
    await send(context(shared), "account", domain, domain=domain)
    await work(shared)
    await raise_alerts(shared, "acme")


async def told(results: AsyncIterator[Any], *, seconds: float = PATIENCE_SECONDS) -> list[dict[str, Any]]:
    async with asyncio.timeout(seconds):
        result = await anext(results)
    assert not result.errors, result.errors
    alerts: list[dict[str, Any]] = result.data["creditsChanged"]
    return alerts


async def test_alerts_are_told_at_once_and_when_one_more_is_raised(shared: Services) -> None:
    async with Operations(shared, role=Role.VIEWER).watch(WATCH) as results:
        assert await told(results) == []
        await spend(shared, "acme.com")
        assert await told(results) == [HALF]
        await spend(shared, "bit.com")
        assert await told(results) == [ALL, HALF]


async def test_what_raises_no_alert_tells_none(shared: Services) -> None:
    await spend(shared, "acme.com")
    async with Operations(shared).watch(WATCH) as results:
        assert await told(results) == [HALF]
        waiting = asyncio.ensure_future(anext(results))
        await pause_pipeline(context(shared))
        await announce(shared.redis, "acme", credits=True)
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_the_account_shows_the_alerts_of_its_organization(shared: Services) -> None:
    await spend(shared, "acme.com")
    query = "{ credits { alerts { threshold used most } } }"
    assert (await Operations(shared, role=Role.VIEWER)(query))["credits"]["alerts"] == [HALF]
    assert (await Operations(shared, org="other")(query))["credits"]["alerts"] == []


async def test_watching_alerts_needs_somebody(shared: Services) -> None:
    async with Operations(shared, role=None).watch(WATCH) as results:
        (result,) = [result async for result in results]
    assert [error.extensions["code"] for error in result.errors] == ["UNAUTHENTICATED"]
