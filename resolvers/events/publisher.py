"""Notices over Redis: they carry ids only, and the database holds the truth."""

from collections.abc import Sequence

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

CHANNEL = "auto-enrichment:events"

_log = structlog.get_logger(__name__)


async def announce(
    redis: Redis,
    organization_id: str,
    *,
    jobs: Sequence[str] = (),
    conflicts: Sequence[str] = (),
    pipeline: bool = False,
    credits: bool = False,
) -> None:
    """Publish to every process what changed. A lost notice loses nothing, so a failure is only logged."""
    notice = {
        "organization": organization_id,
        "jobs": jobs,
        "conflicts": conflicts,
        "pipeline": pipeline,
        "credits": credits,
    }
    try:
        await redis.publish(CHANNEL, orjson.dumps(notice))
    except (RedisError, OSError) as error:
        _log.warning("notice lost", error=type(error).__name__)
