"""A worker of its own, with a slow paid provider: `python -m tests.support.worker_process DATABASE REDIS [ADDRESS]`.

With the address of a stand-in, the provider is Hunter over HTTP, with the key `worker`.
"""

import asyncio
import sys
from datetime import timedelta

from models.db import connection
from providers.api import Provider
from providers.http.client import HttpClient
from providers.http.provider import HttpProvider
from providers.hunter.adapter import Hunter
from service.redis_pool import redis_at
from tests.support.factories import StandIn, services
from tests.support.provider_server import OneKey
from workers.settings import build_worker

LEASE = timedelta(seconds=2)


KEY = "worker"


def hunter_at(address: str, client: HttpClient) -> Provider:
    """Hunter, whose server is a stand-in at this address."""
    adapter = Hunter()
    return HttpProvider(adapter, client, OneKey(KEY), dict.fromkeys(adapter.bases, address))


async def run(database_url: str, redis_url: str, address: str = "") -> None:
    await connection.connect(database_url)
    redis = redis_at(redis_url, tries=10)
    knows = {f"company{n}.com": {"industry": "Software", "city": "Berlin"} for n in range(200)}
    slow: Provider = StandIn(id="paid", price=1, knows=knows, delay_seconds=0.15)
    client = HttpClient(development=True)
    shared = services(redis, hunter_at(address, client) if address else slow)
    worker = build_worker(shared, max_jobs=4, capacity=12, lease=LEASE)
    try:
        await worker.async_run()
    finally:
        await client.close()
        await connection.close()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
