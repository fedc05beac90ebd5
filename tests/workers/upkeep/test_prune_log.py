"""The log is kept as long as is set, and who comes from before its beginning is told."""

from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from models.retention import KeepDays
from resolvers.errors import CursorExpired
from resolvers.events.log import ALL_EVENTS, list_events
from tests.support.factories import Clock, StandIn, context, send, services
from tests.support.log import settled
from workers.upkeep.prune_log import prune_log

pytestmark = pytest.mark.usefixtures("db")


async def test_events_are_kept_as_long_as_is_set_and_a_cursor_from_before_is_refused(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(), now=clock)
    shared.keep_days = KeepDays(events=7)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await settled()
    first = (await list_events(ctx, ALL_EVENTS, after=None, first=1)).end
    await send(ctx, "account", "A3", domain="acme.net")
    assert await prune_log({"services": shared}) == 0
    clock.ahead_seconds += timedelta(days=8).total_seconds()
    await send(ctx, "account", "A2", domain="acme.org")
    assert await prune_log({"services": shared}) > 1
    await settled()
    kept = await list_events(ctx, ALL_EVENTS, after=None, first=100)
    assert {event.at > shared.now() - timedelta(days=1) for event in kept.events} == {True}
    with pytest.raises(CursorExpired) as refused:
        await list_events(ctx, ALL_EVENTS, after=str(first), first=1)
    assert refused.value.details == {"startOver": "0"}
