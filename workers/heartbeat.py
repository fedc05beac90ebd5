"""Signs of life: each worker renews a key of its own in Redis, and lets it run out when it dies."""

import asyncio

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

EVERY_SECONDS = 3.0
KEPT_SECONDS = 12
_PREFIX = "auto-enrichment:worker:"

_log = structlog.get_logger(__name__)


async def beat(redis: Redis, worker_id: str) -> None:
    """Say once that this worker lives."""
    await redis.set(_PREFIX + worker_id, b"1", ex=KEPT_SECONDS)


async def beat_forever(redis: Redis, worker_id: str) -> None:
    """Say it again and again, over outages of Redis, until cancelled."""
    while True:
        try:
            await beat(redis, worker_id)
        except (RedisError, OSError) as error:
            _log.warning("heartbeat lost", error=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


async def alive(redis: Redis) -> int:
    """How many workers have lately shown a sign of life."""
    return len([key async for key in redis.scan_iter(match=_PREFIX + "*", count=1000)])
