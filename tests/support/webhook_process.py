"""What sends webhooks, in a process of its own: `python -m tests.support.webhook_process DATABASE REDIS`."""

import asyncio
import sys
from datetime import timedelta

from models.db import connection
from service.redis_pool import redis_at
from tests.support.factories import StandIn, services
from tests.support.webhook_receiver import with_webhooks
from workers.webhook.sender import WebhookSender

LEASE = timedelta(seconds=2)


async def run(database_url: str, redis_url: str) -> None:
    await connection.connect(database_url)
    try:
        await WebhookSender(with_webhooks(services(redis_at(redis_url, tries=3), StandIn())), lease=LEASE).run()
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
