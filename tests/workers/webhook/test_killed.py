"""A worker that is killed in mid delivery loses nothing: another sends what it was sending, with the same id."""

import asyncio
import subprocess
import sys

from aiohttp import web
from arq.connections import ArqRedis

from models.event.kinds import EventKind
from models.webhook.kinds import WebhookDeliveryStatus
from resolvers.paging import PageArgs
from resolvers.webhook.deliveries import list_deliveries
from tests.support.factories import StandIn, context, send, services
from tests.support.log import settled
from tests.support.waiting import until
from tests.support.webhook_receiver import Received, endpoint_at, receiver, with_webhooks


async def test_what_a_killed_worker_was_sending_comes_again(db: str, redis: ArqRedis, redis_url: str) -> None:
    ctx = context(with_webhooks(services(redis, StandIn())))
    never = asyncio.Event()

    async def hang(_: Received) -> web.Response:
        await never.wait()
        return web.Response()

    def worker() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "tests.support.webhook_process", db, redis_url])

    async with receiver() as at:
        at.answer = hang
        made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
        await send(ctx, "account", "A1", domain="acme.com")
        await settled()
        processes = [worker(), worker()]
        try:
            await until(lambda: at.received)
            for process in processes:  # whichever of them has it
                process.kill()
                process.wait()
            at.answer = lambda _: 200
            processes = [worker()]

            async def is_delivered() -> bool:
                [delivery] = (await list_deliveries(ctx, made.endpoint.id, None, PageArgs())).items
                return delivery.status is WebhookDeliveryStatus.DELIVERED

            await until(is_delivered)
        finally:
            for process in processes:
                process.kill()
                process.wait()
            never.set()
    assert len(at.received) == 2 and len({one.id for one in at.received}) == 1
