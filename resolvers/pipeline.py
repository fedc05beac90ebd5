"""Whether the organization's jobs are dispatched; pause and resume."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from enrichment.enums import JobStatus
from models.db.transaction import Transaction, unit_of_work
from models.event.cursor import EventCursor
from models.event.kinds import EventKind
from models.event.write import NewEvent, add_events
from models.organization import pause, resume
from models.stats import active_jobs
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.events.follow import REREAD_SECONDS, follow, start_of
from resolvers.events.log import EventFilter
from resolvers.events.publisher import announce
from resolvers.organizations import organization_of
from resolvers.queue_wakeup import wake_workers
from resolvers.validation import check_text

MAX_REASON = 1000


@dataclass(frozen=True, slots=True)
class PipelineView:
    """The state of dispatch, and how many jobs wait and run."""

    paused: bool
    paused_at: datetime | None
    paused_by: str | None
    reason: str | None
    pending: int
    in_progress: int
    oldest_pending_at: datetime | None


async def get_pipeline(ctx: Context) -> PipelineView:
    """The pipeline as it is now."""
    caller = ctx.require(Role.VIEWER)
    row = await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now())
    jobs = await active_jobs(caller.organization_id)
    pending, running = jobs.get(JobStatus.PENDING), jobs.get(JobStatus.IN_PROGRESS)
    return PipelineView(
        paused=row.paused_at is not None,
        paused_at=row.paused_at,
        paused_by=row.paused_by,
        reason=row.pause_reason,
        pending=pending.jobs if pending else 0,
        in_progress=running.jobs if running else 0,
        oldest_pending_at=pending.oldest if pending else None,
    )


async def pause_pipeline(ctx: Context, *, reason: str | None = None) -> PipelineView:
    """Start nothing new until `resume_pipeline`; what runs ends. Pausing what is paused changes nothing."""
    caller = ctx.require(Role.MANAGER)
    if reason is not None:
        check_text(reason, "reason", longest=MAX_REASON)
    now = ctx.services.now()
    await organization_of(caller.organization_id, ctx.services.registry, now)
    changed = await _pause(ctx, reason, now)
    if changed:
        await announce(ctx.services.redis, caller.organization_id, pipeline=True)
    return await get_pipeline(ctx)


async def resume_pipeline(ctx: Context) -> PipelineView:
    """Dispatch again; all that waited runs. Resuming what runs changes nothing."""
    caller = ctx.require(Role.MANAGER)
    await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now())
    changed = await _resume(ctx)
    if changed:
        await announce(ctx.services.redis, caller.organization_id, pipeline=True)
        await wake_workers(ctx.services.redis)
    return await get_pipeline(ctx)


@unit_of_work
async def _pause(tx: Transaction, ctx: Context, reason: str | None, now: datetime) -> bool:
    caller = ctx.require(Role.MANAGER)
    changed = await pause(tx, caller.organization_id, now=now, user=caller.user, reason=reason)
    if changed:
        await add_events(tx, [NewEvent(caller.organization_id, now, EventKind.PIPELINE_PAUSED)])
        await note_change(tx, ctx, "pipeline.paused", "pipeline")
    return changed


@unit_of_work
async def _resume(tx: Transaction, ctx: Context) -> bool:
    organization_id = ctx.require(Role.MANAGER).organization_id
    changed = await resume(tx, organization_id)
    if changed:
        await add_events(tx, [NewEvent(organization_id, ctx.services.now(), EventKind.PIPELINE_RESUMED)])
        await note_change(tx, ctx, "pipeline.resumed", "pipeline")
    return changed


_SWITCHED = EventFilter((EventKind.PIPELINE_PAUSED, EventKind.PIPELINE_RESUMED))


async def watch_pipeline(
    ctx: Context, *, after: str | None = None
) -> AsyncIterator[tuple[PipelineView, EventCursor | None]]:
    """The pipeline as it is now, then after each pause and resume, and when the number of jobs changes.

    A pause or resume comes with its cursor in the log, and with `after` those come first that came after it. Raises
    BadRequest and CursorExpired.
    """
    organization_id = ctx.require(Role.VIEWER).organization_id
    async with ctx.services.events.watch(organization_id, reread_every=REREAD_SECONDS) as notices:
        start = await start_of(organization_id, after)
        shown: PipelineView | None = None
        async with aclosing(follow(organization_id, start, notices)) as followed:
            async for read in followed:
                # Jobs that come and go change the counts; a burst of them is one notice.
                now = await get_pipeline(ctx)
                switched = [event for event in read.events if _SWITCHED.lets_through(event)]
                for event in switched:
                    yield now, event.cursor
                if not switched and now != shown:
                    yield now, None
                shown = now
