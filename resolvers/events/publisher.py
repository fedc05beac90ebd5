"""Notices over Redis: they carry ids only, and the database holds the truth."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from resolvers.queue_wakeup import HINT_SECONDS

CHANNEL = "auto-enrichment:events"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed for an organization: the ids of jobs and conflicts, its pipeline, its credits, or else its log."""

    jobs: Sequence[str] = ()
    conflicts: Sequence[str] = ()
    pipeline: bool = False
    credits: bool = False
    log: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "jobs": self.jobs,
            "conflicts": self.conflicts,
            "pipeline": self.pipeline,
            "credits": self.credits,
            "log": self.log,
        }


async def announce(
    redis: Redis,
    organization_id: str,
    *,
    jobs: Sequence[str] = (),
    conflicts: Sequence[str] = (),
    pipeline: bool = False,
    credits: bool = False,
    log: bool = False,
) -> None:
    """Publish to every process what changed. A lost notice loses nothing, so a failure is only logged."""
    changes = Changes(jobs, conflicts, pipeline=pipeline, credits=credits, log=log)
    await announce_all(redis, {organization_id: changes})


async def announce_all(redis: Redis, changed: Mapping[str, Changes]) -> None:
    """As `announce`, for many organizations in one go."""
    if not changed:
        return
    try:
        async with asyncio.timeout(HINT_SECONDS), redis.pipeline(transaction=False) as commands:
            for organization_id, changes in changed.items():
                commands.publish(CHANNEL, orjson.dumps({"organization": organization_id, **changes.as_json()}))
            await commands.execute()
    except (RedisError, OSError) as error:
        _log.warning("notice lost", error=type(error).__name__)
