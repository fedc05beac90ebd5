"""Put back what enrichment replaced: of one job, of a provider, a field, a time, a selection; and take that back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from enrichment.undo import Restoration, SkippedField, redo_field
from models.db.columns import new_id, to_micros
from models.db.statements import dump, execute, marks, query
from models.db.transaction import Transaction, unit_of_work
from models.record.row import lock_records
from models.record.value import versions_of
from models.undo import Undo, UndoLine
from resolvers.audit import note_change
from resolvers.context import Caller, Context, Role
from resolvers.errors import BadRequest, Fault, JobNotUndoable, NotFound, UndoRunning
from resolvers.events.publisher import announce
from resolvers.job.api import get_job
from resolvers.organizations import organization_of
from resolvers.paging import Page, PageArgs, check_id, paginate
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

MOST_LINES_SHOWN = 1000  # of an undo that was only tried out
_GIVEN_UP = timedelta(minutes=15)  # an undo that runs for longer than this has lost its process


@dataclass(frozen=True, slots=True)
class Tried:
    """What an undo would do: counts, and the first 1,000 changes."""

    scope: UndoScope
    restored: int
    skipped: int
    changes: list[UndoChange]


async def undo_job(ctx: Context, job_id: str, *, allow_again: bool = False) -> Undo:
    """Put back every value that the job replaced, except where something newer has been written since.

    Raises NotFound, and JobNotUndoable while the job has not ended.
    """
    return await _run(ctx, await _scope_of_job(ctx, job_id, allow_again=allow_again), "job")


async def undo_enrichment(ctx: Context, scope: UndoScope) -> Undo:
    """Put back what the values in `scope` replaced, except where something newer has been written since.

    Raises ValidationFailed for a scope that names nothing, or cannot be.
    """
    ctx.require(Role.MANAGER)
    check_scope(scope)
    return await _run(ctx, scope, "enrichment")


async def try_undo_job(ctx: Context, job_id: str) -> Tried:
    """What `undo_job` would do now. Changes nothing."""
    return await _try(ctx, await _scope_of_job(ctx, job_id))


async def try_undo_enrichment(ctx: Context, scope: UndoScope) -> Tried:
    """What `undo_enrichment` would do now. Changes nothing."""
    ctx.require(Role.MANAGER)
    check_scope(scope)
    return await _try(ctx, scope)


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
    undo_id = await _begin(ctx, caller, kind, scope.as_json() | {"withdraws": True})
    async for record_ids in records_in(caller.organization_id, scope, chosen):
        await _undo_some(ctx, undo_id, scope, record_ids)
    return await _finish(ctx, caller, undo_id)


async def _undo_some(ctx: Context, undo_id: str, scope: UndoScope, record_ids: Sequence[str]) -> None:
    caller = ctx.require(Role.MANAGER)
    now = ctx.services.now()

    async def body(tx: Transaction) -> list[str]:
        await lock_records(tx, record_ids)
        changes = await changes_in(caller.organization_id, scope, record_ids, using=tx)
        return await apply_undo(tx, caller.organization_id, undo_id, changes, now, remembers=not scope.allow_again)

    await _tell(ctx, await unit_of_work(body)())


async def _try(ctx: Context, scope: UndoScope) -> Tried:
    caller = ctx.require(Role.MANAGER)
    chosen = await chosen_records(caller.organization_id, scope)
    restored = skipped = 0
    shown: list[UndoChange] = []
    async for record_ids in records_in(caller.organization_id, scope, chosen):
        changes = await changes_in(caller.organization_id, scope, record_ids)
        restored += sum(1 for change in changes if isinstance(change.what, Restoration))
        skipped += sum(1 for change in changes if isinstance(change.what, SkippedField))
        shown += changes[: MOST_LINES_SHOWN - len(shown)]
    return Tried(scope, restored, skipped, shown)


async def revert_undo(ctx: Context, undo_id: str) -> Undo:
    """Take an undo back: what it removed returns, except where something newer has been written since.

    Raises NotFound, and UndoRunning while it is at work.
    """
    caller = ctx.require(Role.MANAGER)
    first = await get_undo(ctx, undo_id)
    if first.status == "running" and first.created_at + _GIVEN_UP > ctx.services.now():
        raise UndoRunning("the undo is still at work", state=first.status)
    scope = {**first.scope, "withdraws": not first.scope["withdraws"]}
    remembers = scope["withdraws"] and not scope.get("allowAgain", False)
    again = await _begin(ctx, caller, "undo", scope, undoes=first.id)
    last = ""
    while True:
        lines = await query(
            "SELECT id, record_id, field, removed_id, restored_id FROM undo_line WHERE undo_id = ?"
            f" AND outcome = 'restored' AND id > ? ORDER BY id LIMIT {RECORDS_AT_ONCE}",
            [first.id, last],
        )
        if lines:
            await _redo_some(ctx, again, first.id, lines, remembers=remembers)
            last = lines[-1]["id"]
        if len(lines) < RECORDS_AT_ONCE:
            return await _finish(ctx, caller, again)


async def _redo_some(
    ctx: Context, again: str, first: str, lines: Sequence[Mapping[str, Any]], *, remembers: bool
) -> None:
    caller = ctx.require(Role.MANAGER)
    now = ctx.services.now()
    record_ids = sorted({line["record_id"] for line in lines})

    async def body(tx: Transaction) -> list[str]:
        await lock_records(tx, record_ids)
        names = sorted({line["field"] for line in lines})
        histories = await versions_of(record_ids, names, using=tx)
        changes: list[UndoChange] = []
        for line in lines:
            versions = histories.get((line["record_id"], line["field"]))
            if versions is not None:
                what = redo_field([to_version(row) for row in versions], line["removed_id"], line["restored_id"])
                by_id = {version.id: version for version in versions}
                changes.append(UndoChange(line["record_id"], line["field"], what, by_id))
        conflicts = await apply_undo(tx, caller.organization_id, again, changes, now, remembers=remembers)
        await _forget_rejections(tx, first, [change for change in changes if isinstance(change.what, Restoration)])
        return conflicts

    await _tell(ctx, await unit_of_work(body)())


async def _forget_rejections(tx: Transaction, undo_id: str, changes: Sequence[UndoChange]) -> None:
    for name in {change.field for change in changes}:
        ids = [change.record_id for change in changes if change.field == name]
        sql = f"DELETE FROM rejection WHERE undo_id = ? AND field = ? AND record_id IN ({marks(ids)})"
        await execute(sql, [undo_id, name, *ids], using=tx)


async def _begin(
    ctx: Context, caller: Caller, kind: str, scope: Mapping[str, Any], *, undoes: str | None = None
) -> str:
    undo_id, now = new_id(), ctx.services.now()
    await organization_of(caller.organization_id, ctx.services.registry, now)

    async def body(tx: Transaction) -> None:
        await execute(
            "INSERT INTO undo (id, organization_id, kind, status, scope, undoes, requested_by, created_at)"
            " VALUES (?, ?, ?, 'running', ?, ?, ?, ?)",
            [undo_id, caller.organization_id, kind, dump(scope), undoes, caller.user, to_micros(now)],
            using=tx,
        )
        details = {"kind": kind, **scope, **({"undoes": undoes} if undoes else {})}
        await note_change(tx, ctx, "undo.started", undo_id, details)

    await unit_of_work(body)()
    return undo_id


async def _finish(ctx: Context, caller: Caller, undo_id: str) -> Undo:
    async def body(tx: Transaction) -> None:
        done = await query(
            "UPDATE undo SET status = 'done', finished_at = ? WHERE id = ? RETURNING restored, skipped",
            [to_micros(ctx.services.now()), undo_id],
            using=tx,
        )
        await note_change(tx, ctx, "undo.done", undo_id, done[0])

    await unit_of_work(body)()
    return await Undo.get(id=undo_id, organization_id=caller.organization_id)


async def _tell(ctx: Context, conflicts: Sequence[str]) -> None:
    if conflicts:
        await announce(ctx.services.redis, ctx.require(Role.MANAGER).organization_id, conflicts=conflicts)


async def get_undo(ctx: Context, undo_id: str) -> Undo:
    """One undo. Raises NotFound."""
    caller = ctx.require(Role.VIEWER)
    found = await Undo.get_or_none(id=check_id(undo_id), organization_id=caller.organization_id)
    if found is None:
        raise NotFound("no such undo")
    return found


async def list_undos(ctx: Context, page: PageArgs) -> Page[Undo]:
    """The organization's undos, newest first."""
    caller = ctx.require(Role.VIEWER)
    return await paginate(Undo.filter(organization_id=caller.organization_id), page)


async def reverts_of(ctx: Context, undo_id: str) -> list[str]:
    """The ids of the undos that took this one back, oldest first."""
    caller = ctx.require(Role.VIEWER)
    rows = Undo.filter(organization_id=caller.organization_id, undoes=undo_id).order_by("id")
    return [undo.id for undo in await rows]


async def undo_lines(ctx: Context, undo_id: str, outcome: str | None, page: PageArgs) -> Page[UndoLine]:
    """What became of each field, newest first, with its record; of one outcome (`restored`, `skipped`) if asked."""
    caller = ctx.require(Role.VIEWER)
    if outcome not in {None, "restored", "skipped"}:
        raise BadRequest("outcome must be restored or skipped", faults=[Fault("outcome", "restored or skipped")])
    rows = UndoLine.filter(organization_id=caller.organization_id, undo_id=undo_id).prefetch_related("record")
    return await paginate(rows if outcome is None else rows.filter(outcome=outcome), page)
