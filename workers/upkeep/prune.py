"""Rows whose time is over, by the settings: decision snapshots, ended jobs and steps, answers that are over."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models.decision_log import delete_snapshots
from models.idempotency import forget_expired
from models.organization import organization_ids
from models.retention import OfEndedJobs, delete_answers, delete_jobs, delete_steps, ended_jobs
from resolvers.context import Services

_AT_ONCE = 500  # jobs looked at, or answers deleted, in one statement
_PARTS = 40  # of one organization at a time: the next run goes on there
_BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), "")
_DELETE = {OfEndedJobs.JOBS: delete_jobs, OfEndedJobs.STEPS: delete_steps}
_Positions = dict[tuple[str, OfEndedJobs], tuple[datetime, str]]  # up to which job each organization was looked at


async def prune(ctx: dict[str, Any]) -> int:
    """Delete the decision snapshots that are too old to be replayed, and what else is kept no longer.

    Returns how many rows. Without a setting no job, step or answer goes.
    """
    services: Services = ctx["services"]
    now = services.now()
    deleted = await delete_snapshots(now - timedelta(days=services.keep_days.decisions))
    for organization_id in await organization_ids():
        deleted += await forget_expired(organization_id, now)
    positions: _Positions = ctx.setdefault("prune_positions", {})
    keep = services.keep_days
    if keep.answers is None and keep.steps is None and keep.jobs is None:
        return deleted
    for organization_id in await organization_ids():
        if keep.answers is not None:  # before the jobs, which stay while an answer of theirs is kept
            deleted += await _prune_answers(organization_id, now - timedelta(days=keep.answers))
        for of, days in ((OfEndedJobs.STEPS, keep.steps), (OfEndedJobs.JOBS, keep.jobs)):
            if days is not None:
                deleted += await _prune_ended(organization_id, of, now - timedelta(days=days), positions)
    return deleted


async def _prune_answers(organization_id: str, before: datetime) -> int:
    """Delete the next answers of an organization that are over."""
    deleted = 0
    for _ in range(_PARTS):
        deleted += (count := await delete_answers(organization_id, before, limit=_AT_ONCE))
        if count < _AT_ONCE:
            break
    return deleted


async def _prune_ended(organization_id: str, of: OfEndedJobs, before: datetime, positions: _Positions) -> int:
    """Go through the next old jobs of an organization; at their end the next run begins anew."""
    deleted = 0
    for _ in range(_PARTS):
        after = positions.get((organization_id, of), _BEGINNING)
        jobs = await ended_jobs(organization_id, before, of, after=after, limit=_AT_ONCE)
        deleted += await _DELETE[of]([job.id for job in jobs if job.may_go], before)
        if len(jobs) < _AT_ONCE:
            positions.pop((organization_id, of), None)
            break
        positions[organization_id, of] = (jobs[-1].finished_at, jobs[-1].id)
    return deleted
