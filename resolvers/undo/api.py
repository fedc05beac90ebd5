"""Restore what enrichment replaced: of one job, of a provider, a field, a time, a selection; and take that back."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from enrichment.undo import Restoration, SkippedField
from models import operation as operations
from models import undo as rows
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.undo import NewUndo, Undo, UndoLine
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault, JobNotUndoable, NotFound, UndoRunning
from resolvers.job.api import get_job
from resolvers.operation import OperationKind, OperationLost, OperationRun, begin_operation, run_operation
from resolvers.organizations import organization_of
from resolvers.paging import Page, PageArgs, check_id
from resolvers.turns import one_at_a_time
from resolvers.undo.erased import without_erased
from resolvers.undo.restore import UndoChange
from resolvers.undo.run import REVERT, UNDO
from resolvers.undo.scope import UndoScope, changes_in, check_scope, chosen_records, next_records

MOST_LINES_SHOWN = 1000  # of a preview
_KINDS = (UNDO.name, REVERT.name)
_ABANDONED_AFTER = timedelta(minutes=15)  # an undo of an older version that runs for longer has lost its process


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


@one_at_a_time
async def preview_undo_job(ctx: Context, job_id: str) -> UndoPreview:
    """What `undo_job` would do now. Changes nothing."""
    return await _preview(ctx, await _scope_of_job(ctx, job_id))


@one_at_a_time
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
    undo = await _new_undo(ctx, kind, scope.as_json() | {"withdraws": True})
    run = await unit_of_work(_begin)(ctx, undo, UNDO, {"undo": scope.as_json(), "records": chosen})
    return await _run_to_end(ctx, UNDO, run)


async def _preview(ctx: Context, scope: UndoScope) -> UndoPreview:
    caller = ctx.require(Role.MANAGER)
    chosen = await chosen_records(caller.organization_id, scope)
    restored = skipped = 0
    shown: list[UndoChange] = []
    last = ""
    while record_ids := await next_records(caller.organization_id, scope, chosen, last):
        last = record_ids[-1]
        changes = await changes_in(caller.organization_id, scope, record_ids)
        changes = await without_erased(None, ctx.services, caller.organization_id, changes)
        restored += sum(1 for change in changes if isinstance(change.decision, Restoration))
        skipped += sum(1 for change in changes if isinstance(change.decision, SkippedField))
        shown += changes[: MOST_LINES_SHOWN - len(shown)]
    return UndoPreview(scope, restored, skipped, shown)


async def revert_undo(ctx: Context, undo_id: str) -> Undo:
    """Take an undo back: what it removed returns, except where something newer has been written since.

    One that is still at work ends, and what it has done so far is taken back. Raises NotFound, and UndoRunning while an
    older version of the service may be at work on it, which cannot be stopped.
    """
    ctx.require(Role.MANAGER)
    undone = await get_undo(ctx, undo_id)
    scope = {**undone.scope, "withdraws": not undone.scope["withdraws"]}
    rejects = scope["withdraws"] and not scope.get("allowAgain", False)
    revert = await _new_undo(ctx, "undo", scope, undoes=undone.id)
    return await _run_to_end(ctx, REVERT, await _begin_revert(ctx, revert, undone, rejects=rejects))


@unit_of_work
async def _begin_revert(tx: Transaction, ctx: Context, revert: NewUndo, undone: Undo, *, rejects: bool) -> OperationRun:
    if undone.status == "running":
        await _stop(tx, ctx, undone)
    return await _begin(tx, ctx, revert, REVERT, {"undoes": undone.id, "rejects": rejects})


async def _stop(tx: Transaction, ctx: Context, undone: Undo) -> None:
    """End an undo that is at work. It may also have ended by itself meanwhile."""
    organization_id, now = undone.organization_id, ctx.services.now()
    if await operations.stop(tx, organization_id, undone.id, now, kinds=_KINDS):
        counts = await rows.finish_undo(tx, undone.id, now, stopped=True)
        await note_change(tx, ctx, "undo.stopped", undone.id, {"restored": counts.restored, "skipped": counts.skipped})
    elif undone.created_at + _ABANDONED_AFTER > now and not await operations.exists(
        tx, organization_id, undone.id, kinds=_KINDS
    ):
        raise UndoRunning("the undo is still at work", state=undone.status)


async def _new_undo(ctx: Context, kind: str, scope: Mapping[str, Any], *, undoes: str | None = None) -> NewUndo:
    caller, now = ctx.require(Role.MANAGER), ctx.services.now()
    await organization_of(caller.organization_id, ctx.services.registry, now)
    return NewUndo(
        id=new_id(),
        organization_id=caller.organization_id,
        kind=kind,
        scope=scope,
        undoes=undoes,
        requested_by=caller.user,
        created_at=now,
    )


async def _begin(
    tx: Transaction, ctx: Context, undo: NewUndo, kind: OperationKind, scope: Mapping[str, Any]
) -> OperationRun:
    """Note the undo, and the operation that does it."""
    await rows.insert_undo(tx, undo)
    run = await begin_operation(tx, ctx, kind, undo.id, scope)
    details = {"kind": undo.kind, **undo.scope, **({"undoes": undo.undoes} if undo.undoes else {})}
    await note_change(tx, ctx, "undo.started", undo.id, details)
    return run


async def _run_to_end(ctx: Context, kind: OperationKind, run: OperationRun) -> Undo:
    """The undo once it is done, or has been stopped or taken over by another process."""
    with suppress(OperationLost):
        await run_operation(kind, run)
    return await get_undo(ctx, run.held.id)


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
    return await rows.undo_page(caller.organization_id, page.keyset("undos"))


async def reverts_of(ctx: Context, undo_id: str) -> list[str]:
    """The ids of the undos that took this one back, oldest first."""
    caller = ctx.require(Role.VIEWER)
    return await rows.reverts_of(caller.organization_id, undo_id)


async def undos_of(ctx: Context, undo_ids: Sequence[str]) -> list[Undo]:
    """Those of these undos that are there, oldest first."""
    caller = ctx.require(Role.VIEWER)
    return sorted(await rows.undos_by_id(caller.organization_id, undo_ids), key=lambda undo: undo.id)


async def undo_lines(ctx: Context, undo_id: str, outcome: str | None, page: PageArgs) -> Page[UndoLine]:
    """What became of each field, newest first, with its record; of one outcome (`restored`, `skipped`) if asked."""
    caller = ctx.require(Role.VIEWER)
    if outcome not in {None, "restored", "skipped"}:
        raise BadRequest("outcome must be restored or skipped", faults=[Fault("outcome", "restored or skipped")])
    return await rows.line_page(caller.organization_id, undo_id, outcome, page.keyset("undoFields"))
