"""Rows whose time is over, by the settings: decision snapshots, and ended jobs to which nothing refers any more."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models.decision_log import delete_snapshots
from models.organization import organization_ids
from models.retention import delete_jobs, ended_jobs
from resolvers.context import Services

_JOBS_AT_ONCE = 500
_PARTS = 40  # of one organization at a time: the next run goes on there
_BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), "")


async def prune(ctx: dict[str, Any]) -> int:
    """Delete the decision snapshots that are too old to be replayed, and the jobs that are kept no longer.

    Returns how many. Without a setting no job goes.
    """
    services: Services = ctx["services"]
    now = services.now()
    deleted = await delete_snapshots(now - timedelta(days=services.replay_days))
    if services.job_days is not None:
        positions: dict[str, tuple[datetime, str]] = ctx.setdefault("prune_positions", {})
        before = now - timedelta(days=services.job_days)
        for organization_id in await organization_ids():
            deleted += await _prune_jobs(organization_id, before, positions)
    return deleted


async def _prune_jobs(organization_id: str, before: datetime, positions: dict[str, tuple[datetime, str]]) -> int:
    """Go through the next old jobs of an organization; at their end the next run begins anew."""
    deleted = 0
    for _ in range(_PARTS):
        after = positions.get(organization_id, _BEGINNING)
        jobs = await ended_jobs(organization_id, before, after=after, limit=_JOBS_AT_ONCE)
        deleted += await delete_jobs([job.id for job in jobs if job.may_go], before)
        if len(jobs) < _JOBS_AT_ONCE:
            positions.pop(organization_id, None)
            break
        positions[organization_id] = (jobs[-1].finished_at, jobs[-1].id)
    return deleted
