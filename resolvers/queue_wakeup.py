"""Tell the workers that there is something to do. The database holds what; this only saves them a wait."""

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

ENRICH = "enrich"  # the arq function that claims and runs due jobs
MOST_WAKES = 8

_log = structlog.get_logger(__name__)


async def wake_workers(redis: ArqRedis, jobs: int = 1) -> None:
    """Wake workers for this many new jobs. A lost wake-up costs a second: `rescue` finds the jobs."""
    try:
        for _ in range(min(max(jobs // 250, 1), MOST_WAKES)):
            await redis.enqueue_job(ENRICH)
    except (RedisError, OSError) as error:
        _log.warning("wake-up lost", error=type(error).__name__)
