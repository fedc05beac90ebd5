"""Tell the workers that there is something to do. The database holds what; this only saves them a wait."""

import asyncio

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

ENRICH = "enrich"  # the arq function that claims and runs due jobs
MOST_WAKES = 8
WAKE_KEY = "auto-enrichment:wake"  # a list of tokens: each makes one worker look at arq's queue at once
HINT_SECONDS = 0.5  # that Redis has to take a hint: what is committed is not answered late because Redis is silent
_MOST_TOKENS = 64
_TOKEN_SECONDS = 10  # after which nobody needs a token: arq has looked by itself

_log = structlog.get_logger(__name__)


async def wake_workers(redis: ArqRedis, jobs: int = 1) -> None:
    """Wake workers for this many new jobs. A lost wake-up costs a second: `rescue` finds the jobs."""
    wakes = min(max(jobs // 250, 1), MOST_WAKES)
    try:
        async with asyncio.timeout(HINT_SECONDS), redis.pipeline(transaction=False) as together:
            for _ in range(wakes):
                await redis.enqueue_job(ENRICH)
            together.rpush(WAKE_KEY, *[b"1"] * wakes)
            together.ltrim(WAKE_KEY, -_MOST_TOKENS, -1)
            together.expire(WAKE_KEY, _TOKEN_SECONDS)
            await together.execute()
    except (RedisError, OSError) as error:
        _log.warning("wake-up lost", error=type(error).__name__)
