"""Tell the workers that there is something to do. The database holds what; this only saves them a wait."""

import asyncio
from uuid import uuid4

import structlog
from arq.connections import ArqRedis
from arq.constants import default_queue_name, expires_extra_ms, job_key_prefix
from arq.jobs import serialize_job
from arq.utils import timestamp_ms
from redis.exceptions import RedisError

ENRICH = "enrich"  # the arq function that claims and runs due jobs
MOST_WAKES = 8
WAKE_KEY = "auto-enrichment:wake"  # a list of tokens: each makes one worker look at arq's queue at once
HINT_SECONDS = 0.5  # that Redis has to take a hint: what is committed is not answered late because Redis is silent
_MOST_TOKENS = 64
_TOKEN_SECONDS = 10  # after which nobody needs a token: arq has looked by itself

_log = structlog.get_logger(__name__)


async def wake_workers(redis: ArqRedis, jobs: int = 1) -> None:
    """Wake workers for this many new jobs. A lost wake-up costs a second: `rescue` finds the jobs.

    The messages are what arq's `enqueue_job` writes, which looks first whether there is one of the same id and takes
    four round trips for each; here all go with their tokens in one.
    """
    wakes = min(max(jobs // 250, 1), MOST_WAKES)
    now = timestamp_ms()
    message = serialize_job(ENRICH, (), {}, None, now, serializer=redis.job_serializer)
    ids = [uuid4().hex for _ in range(wakes)]
    try:
        async with asyncio.timeout(HINT_SECONDS), redis.pipeline(transaction=True) as together:
            for id in ids:
                together.psetex(job_key_prefix + id, expires_extra_ms, message)
            together.zadd(default_queue_name, dict.fromkeys(ids, now))
            together.rpush(WAKE_KEY, *[b"1"] * wakes)
            together.ltrim(WAKE_KEY, -_MOST_TOKENS, -1)
            together.expire(WAKE_KEY, _TOKEN_SECONDS)
            await together.execute()
    except (RedisError, OSError) as error:
        _log.warning("wake-up lost", error=type(error).__name__)
