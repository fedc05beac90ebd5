"""Restore what enrichment replaced: of one job, of a provider, a field, a time, a selection; and take that back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from enrichment.undo import Restoration, SkippedField, redo_field
from models import undo as rows
from models.conflict.rejection import forget_rejections
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.record.row import lock_records
from models.record.value import versions_of
from models.undo import NewUndo, RestoredLine, Undo, UndoLine
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault, JobNotUndoable, NotFound, UndoRunning
from resolvers.events.publisher import announce
from resolvers.job.api import get_job
from resolvers.organizations import organization_of
from resolvers.paging import Page, PageArgs, check_id
from resolvers.undo.apply import UndoChange, apply_undo
from resolvers.undo.scope import (
    RECORDS_AT_ONCE,
    UndoScope,
    changes_in,
    check_scope,
    chosen_records,
    records_in,
    to_version,
)

MOST_LINES_SHOWN = 1000  # of a preview
_ABANDONED_AFTER = timedelta(minutes=15)  # an undo that runs for longer than this has lost its process


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What an undo would do: counts, and the first 1,000 changes."""

    scope: UndoScope
    restored: int
    skipped: int
    changes: list[UndoChange]


async def undo_job(ctx: Context, job_id: str, *, allow_again: bool = False) -> Undo:
    """Restore every value that the job replaced, except where something newer has been written since.

    Raises NotFound, and JobNotUndoable while the job has not ended.
    """
    return await _run(ctx, await _scope_of_job(ctx, job_id, allow_again=allow_again), "job")


async def undo_enrichment(ctx: Context, scope: UndoScope) -> Undo:
    """Restore what the values in `scope` replaced, except where something newer has been written since.

    Raises ValidationFailed for a scope that names nothing, or cannot be.
    """
    ctx.require(Role.MANAGER)
    check_scope(scope)
    return await _run(ctx, scope, "enrichment")


async def preview_undo_job(ctx: Context, job_id: str) -> UndoPreview:
    """What `undo_job` would do now. Changes nothing."""
    return await _preview(ctx, await _scope_of_job(ctx, job_id))


async def preview_undo_enrichment(ctx: Context, scope: UndoScope) -> UndoPreview:
    """What `undo_enrichment` would do now. Changes nothing."""
    ctx.require(Role.MANAGER)
    check_scope(scope)
    return await _preview(ctx, scope)


async def _scope_of_job(ctx: Context, job_id: str, *, allow_again: bool = False) -> UndoScope:
    ctx.require(Role.MANAGER)
    job = await get_job(ctx, job_id)
    if not job.status.is_final:
        state = job.status.value
        raise JobNotUndoable(f"the job is {state}: it can be undone once it has ended", state=state)
    return UndoScope(job_id=job.id, allow_again=allow_again)


async def _run(ctx: Context, scope: UndoScope, kind: str) -> Undo:
    caller = ctx.require(Role.MANAGER)
    chosen = await chosen_records(caller.organization_id, scope)
    undo = await _begin(ctx, kind, scope.as_json() | {"withdraws": True})
    async for record_ids in records_in(caller.organization_id, scope, chosen):
        conflicts = await _undo_records(caller.organization_id, undo.id, scope, record_ids, ctx.services.now())
        await _announce(ctx, conflicts)
    return await _finish(ctx, undo.id)


@unit_of_work
async def _undo_records(
    tx: Transaction, organization_id: str, undo_id: str, scope: UndoScope, record_ids: Sequence[str], now: datetime
) -> list[str]:
    """Undo what the scope names in these records. Returns the ids of the conflicts that ended with it."""
    await lock_records(tx, record_ids)
    changes = await changes_in(organization_id, scope, record_ids, using=tx)
    return await apply_undo(tx, organization_id, undo_id, changes, now, rejects=not scope.allow_again)


async def _preview(ctx: Context, scope: UndoScope) -> UndoPreview:
    caller = ctx.require(Role.MANAGER)
    chosen = await chosen_records(caller.organization_id, scope)
    restored = skipped = 0
    shown: list[UndoChange] = []
    async for record_ids in records_in(caller.organization_id, scope, chosen):
        changes = await changes_in(caller.organization_id, scope, record_ids)
        restored += sum(1 for change in changes if isinstance(change.decision, Restoration))
        skipped += sum(1 for change in changes if isinstance(change.decision, SkippedField))
        shown += changes[: MOST_LINES_SHOWN - len(shown)]
    return UndoPreview(scope, restored, skipped, shown)


async def revert_undo(ctx: Context, undo_id: str) -> Undo:
    """Take an undo back: what it removed returns, except where something newer has been written since.

    Raises NotFound, and UndoRunning while it is at work.
    """
    caller = ctx.require(Role.MANAGER)
    undone = await get_undo(ctx, undo_id)
    if undone.status == "running" and undone.created_at + _ABANDONED_AFTER > ctx.services.now():
        raise UndoRunning("the undo is still at work", state=undone.status)
    scope = {**undone.scope, "withdraws": not undone.scope["withdraws"]}
    rejects = scope["withdraws"] and not scope.get("allowAgain", False)
    revert = await _begin(ctx, "undo", scope, undoes=undone.id)
    last = ""
    while lines := await rows.restored_lines(undone.id, last, RECORDS_AT_ONCE):
        now = ctx.services.now()
        conflicts = await _redo_lines(caller.organization_id, revert.id, undone.id, lines, now, rejects=rejects)
        await _announce(ctx, conflicts)
        last = lines[-1].id
        if len(lines) < RECORDS_AT_ONCE:
            break
    return await _finish(ctx, revert.id)


@unit_of_work
async def _redo_lines(
    tx: Transaction,
    organization_id: str,
    revert_id: str,
    undone_id: str,
    lines: Sequence[RestoredLine],
    now: datetime,
    *,
    rejects: bool,
) -> list[str]:
    """Take back what an undo did to these fields. Returns the ids of the conflicts that ended with it."""
    record_ids = sorted({line.record_id for line in lines})
    await lock_records(tx, record_ids)
    histories = await versions_of(record_ids, sorted({line.field for line in lines}), using=tx)
    changes: list[UndoChange] = []
    for line in lines:
        versions = histories.get((line.record_id, line.field))
        if versions is not None:
            decision = redo_field([to_version(version) for version in versions], line.removed_id, line.restored_id)
            changes.append(
                UndoChange(line.record_id, line.field, decision, {version.id: version for version in versions})
            )
    conflicts = await apply_undo(tx, organization_id, revert_id, changes, now, rejects=rejects)
    redone = [(change.record_id, change.field) for change in changes if isinstance(change.decision, Restoration)]
    await forget_rejections(tx, undone_id, redone)
    return conflicts


async def _begin(ctx: Context, kind: str, scope: Mapping[str, Any], *, undoes: str | None = None) -> NewUndo:
    caller, now = ctx.require(Role.MANAGER), ctx.services.now()
    await organization_of(caller.organization_id, ctx.services.registry, now)
    undo = NewUndo(
        id=new_id(),
        organization_id=caller.organization_id,
        kind=kind,
        scope=scope,
        undoes=undoes,
        requested_by=caller.user,
        created_at=now,
    )
    await _insert(ctx, undo)
    return undo


@unit_of_work
async def _insert(tx: Transaction, ctx: Context, undo: NewUndo) -> None:
    await rows.insert_undo(tx, undo)
    details = {"kind": undo.kind, **undo.scope, **({"undoes": undo.undoes} if undo.undoes else {})}
    await note_change(tx, ctx, "undo.started", undo.id, details)


async def _finish(ctx: Context, undo_id: str) -> Undo:
    await _note_done(ctx, undo_id)
    return await get_undo(ctx, undo_id)


@unit_of_work
async def _note_done(tx: Transaction, ctx: Context, undo_id: str) -> None:
    counts = await rows.finish_undo(tx, undo_id, ctx.services.now())
    await note_change(tx, ctx, "undo.done", undo_id, {"restored": counts.restored, "skipped": counts.skipped})


async def _announce(ctx: Context, conflicts: Sequence[str]) -> None:
    if conflicts:
        await announce(ctx.services.redis, ctx.require(Role.MANAGER).organization_id, conflicts=conflicts)


async def get_undo(ctx: Context, undo_id: str) -> Undo:
    """One undo. Raises NotFound."""
    caller = ctx.require(Role.VIEWER)
    found = await rows.find_undo(caller.organization_id, check_id(undo_id))
    if found is None:
        raise NotFound("no such undo")
    return found


async def list_undos(ctx: Context, page: PageArgs) -> Page[Undo]:
    """The organization's undos, newest first."""
    caller = ctx.require(Role.VIEWER)
    return await rows.undo_page(caller.organization_id, page.keyset())


async def reverts_of(ctx: Context, undo_id: str) -> list[str]:
    """The ids of the undos that took this one back, oldest first."""
    caller = ctx.require(Role.VIEWER)
    return await rows.reverts_of(caller.organization_id, undo_id)


async def undo_lines(ctx: Context, undo_id: str, outcome: str | None, page: PageArgs) -> Page[UndoLine]:
    """What became of each field, newest first, with its record; of one outcome (`restored`, `skipped`) if asked."""
    caller = ctx.require(Role.VIEWER)
    if outcome not in {None, "restored", "skipped"}:
        raise BadRequest("outcome must be restored or skipped", faults=[Fault("outcome", "restored or skipped")])
    return await rows.line_page(caller.organization_id, undo_id, outcome, page.keyset())
