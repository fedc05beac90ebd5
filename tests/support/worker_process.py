"""A worker of its own, with a slow paid provider: `python -m tests.support.worker_process DATABASE REDIS`."""

import asyncio
import sys
from datetime import timedelta

from models.db import connection
from service.redis_pool import redis_at
from tests.support.factories import StandIn, services
from workers.settings import build_worker

LEASE = timedelta(seconds=2)


async def run(database_url: str, redis_url: str) -> None:
    await connection.connect(database_url)
    redis = redis_at(redis_url, tries=10)
    knows = {f"company{n}.com": {"industry": "Software", "city": "Berlin"} for n in range(200)}
    shared = services(redis, StandIn(id="paid", price=1, knows=knows, delay_seconds=0.15))
    worker = build_worker(shared, max_jobs=4, capacity=12, lease=LEASE)
    try:
        await worker.async_run()
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2]))
