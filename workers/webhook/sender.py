"""Serves the endpoints of all organizations: each by one worker at a time, and none waits for another's.

Each worker looks every second for endpoints that have something to be sent, where any is active at all, takes their
leases and works on each in a task of its own. A worker that dies leaves leases that run out; what it sent without
noting it is sent again, with the same id.
"""

import asyncio
import random
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from models.webhook.delivery import due_deliveries, waiting_deliveries
from models.webhook.queue import (
    HeldEndpoint,
    anything_active,
    claim_endpoint,
    release_endpoint,
    renew_endpoint,
    waiting_endpoints,
)
from resolvers.context import Services
from resolvers.events.publisher import announce
from workers.webhook.intake import check_beginning, take_in
from workers.webhook.round import send_round

if TYPE_CHECKING:
    from workers.webhook.connections import Connections

LEASE = timedelta(seconds=30)  # longer than a round
EVERY_SECONDS = 1.0
IDLE_SECONDS = 5.0  # where no endpoint is active
ENDPOINTS_AT_ONCE = 50  # of one worker
TURN_SECONDS = 20.0  # after which an endpoint makes room for others that wait
MOST_WAITING = 1000  # deliveries of an endpoint: what comes after them stays in the log
_DUE_AT_ONCE = 64
_CHANCE = random.Random()  # noqa: S311 -- spreads load, guards nothing

_log = structlog.get_logger(__name__)


class WebhookSender:
    """The part of a worker that sends webhooks."""

    def __init__(self, services: Services, *, lease: timedelta = LEASE) -> None:
        self._services = services
        self._lease = lease
        self._connections: Connections | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look for endpoints again and again, over faults of the stores, until cancelled."""
        try:
            while True:
                pause = IDLE_SECONDS
                try:
                    if await anything_active():
                        pause = EVERY_SECONDS
                        await self.look()
                except Exception as error:
                    _log.warning("webhooks wait", error=type(error).__name__)
                await asyncio.sleep(pause * _CHANCE.uniform(0.8, 1.2))
        finally:
            await self.close()

    async def look(self) -> int:
        """Begin to serve the endpoints that wait, as many as there is room for. Returns how many."""
        room, now = ENDPOINTS_AT_ONCE - len(self._serving), self._services.now()
        begun = 0
        for waiting in await waiting_endpoints(now, room) if room > 0 else ():
            held = await claim_endpoint(waiting, now, now + self._lease)
            if held is not None:
                task = asyncio.create_task(self._serve(held), name="webhook endpoint")
                self._serving.add(task)
                task.add_done_callback(self._serving.discard)
                begun += 1
        return begun

    async def settle(self) -> None:
        """Wait until what is being served has had its turn."""
        while self._serving:
            await asyncio.wait(self._serving)

    async def close(self) -> None:
        """Break off what is under way, give its leases back, and close the connections."""
        tasks = list(self._serving)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._connections is not None:
            await self._connections.close()

    async def _serve(self, held: HeldEndpoint) -> None:
        try:
            await self._turn(held)
        except asyncio.CancelledError:
            await release_endpoint(held, next_due_at=self._services.now(), quiet_until=None)
            raise
        except Exception as error:
            _log.warning(
                "a webhook endpoint waits",
                organization=held.organization_id,
                endpoint_id=held.id,
                error=type(error).__name__,
            )

    async def _turn(self, held: HeldEndpoint) -> None:
        """Send what is due and what the log brings, until nothing is left, nothing arrives, or the turn is over."""
        services, ends_at, quiet_until = self._services, time.monotonic() + TURN_SECONDS, None
        fresh: HeldEndpoint | None = held
        await check_beginning(held, services.now())
        while fresh := await renew_endpoint(held, services.now() + self._lease):
            held = fresh
            due = await due_deliveries(held.organization_id, held.id, services.now(), _DUE_AT_ONCE)
            if len(due) < _DUE_AT_ONCE and await self._take_in(held):
                due = await due_deliveries(held.organization_id, held.id, services.now(), _DUE_AT_ONCE)
            elif not due:
                break
            if due:
                result = await send_round(services, self._opened(), held, due)
                quiet_until = result.quiet_until
                if result.paused:
                    await announce(services.redis, held.organization_id, log=True)
            if quiet_until is not None or time.monotonic() > ends_at:
                break
        waiting = await waiting_deliveries(held.organization_id, held.id, MOST_WAITING)
        if waiting.waiting >= MOST_WAITING and waiting.next_due_at is not None:  # the log waits with them
            quiet_until = max(quiet_until or waiting.next_due_at, waiting.next_due_at)
        await release_endpoint(held, next_due_at=waiting.next_due_at, quiet_until=quiet_until)

    async def _take_in(self, held: HeldEndpoint) -> bool:
        """Make deliveries of what the log has next, while few enough wait."""
        waiting = await waiting_deliveries(held.organization_id, held.id, MOST_WAITING)
        return waiting.waiting < MOST_WAITING and await take_in(held, self._services.now())

    def _opened(self) -> "Connections":
        if self._connections is None:
            # A worker that sends none, or has not yet, starts sooner without aiohttp.
            from workers.webhook.connections import Connections  # noqa: PLC0415

            self._connections = Connections(self._services.webhooks)
        return self._connections
