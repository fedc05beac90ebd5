"""Whether the organization's jobs are dispatched; pause and resume."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.db.columns import from_micros, to_micros
from models.db.statements import execute, query
from models.db.transaction import Transaction, unit_of_work
from resolvers.audit import note_change
from resolvers.context import Context, Role
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
    counts = {
        found["status"]: found
        for found in await query(
            "SELECT status, COUNT(*) AS jobs, MIN(created_at) AS oldest FROM job WHERE organization_id = ?"
            " AND status IN ('pending', 'in_progress') GROUP BY status",
            [caller.organization_id],
        )
    }
    pending = counts.get("pending")
    running = counts.get("in_progress")
    return PipelineView(
        paused=row.paused_at is not None,
        paused_at=row.paused_at,
        paused_by=row.paused_by,
        reason=row.pause_reason,
        pending=pending["jobs"] if pending else 0,
        in_progress=running["jobs"] if running else 0,
        oldest_pending_at=from_micros(pending["oldest"]) if pending else None,
    )


async def pause_pipeline(ctx: Context, *, reason: str | None = None) -> PipelineView:
    """Start nothing new until `resume_pipeline`; what runs ends. Pausing what is paused changes nothing."""
    caller = ctx.require(Role.MANAGER)
    if reason is not None:
        check_text(reason, "reason", longest=MAX_REASON)
    now = ctx.services.now()
    await organization_of(caller.organization_id, ctx.services.registry, now)
    changed = await _change(
        ctx,
        "pipeline.paused",
        "UPDATE organization SET paused_at = ?, paused_by = ?, pause_reason = ? WHERE id = ? AND paused_at IS NULL",
        [to_micros(now), caller.user, reason, caller.organization_id],
    )
    if changed:
        await announce(ctx.services.redis, caller.organization_id, pipeline=True)
    return await get_pipeline(ctx)


async def resume_pipeline(ctx: Context) -> PipelineView:
    """Dispatch again; all that waited runs. Resuming what runs changes nothing."""
    caller = ctx.require(Role.MANAGER)
    await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now())
    changed = await _change(
        ctx,
        "pipeline.resumed",
        "UPDATE organization SET paused_at = NULL, paused_by = NULL, pause_reason = NULL"
        " WHERE id = ? AND paused_at IS NOT NULL",
        [caller.organization_id],
    )
    if changed:
        await announce(ctx.services.redis, caller.organization_id, pipeline=True)
        await wake_workers(ctx.services.redis)
    return await get_pipeline(ctx)


async def _change(ctx: Context, action: str, statement: str, values: Sequence[Any]) -> bool:
    """Run the statement, and note it in the audit log if it changed anything."""

    async def body(tx: Transaction) -> bool:
        if not await execute(statement, values, using=tx):
            return False
        await note_change(tx, ctx, action, "pipeline")
        return True

    return await unit_of_work(body)()


async def watch_pipeline(ctx: Context) -> AsyncIterator[PipelineView]:
    """The pipeline as it is now, then after each pause and resume, and when the number of jobs changes."""
    caller = ctx.require(Role.VIEWER)
    async with ctx.services.events.watch(caller.organization_id) as notices:
        told = await get_pipeline(ctx)
        yield told
        async for notice in notices:
            # Jobs that come and go change the counts; a burst of them is one notice.
            now = await get_pipeline(ctx)
            if now != told or notice.pipeline:
                told = now
                yield told
