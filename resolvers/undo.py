"""Put back what enrichment replaced: of one job, of a provider, a field, a time, a selection; and take that back."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from enrichment.catalogue import fields_of
from enrichment.undo import LeftAlone, PutBack, Version, redo_field, undo_field
from enrichment.vocabulary import SOURCE_CRM, SOURCE_REVIEWER, EntityType
from models.database import dump, execute, marks, query, transaction
from models.fields import new_id, to_micros
from models.undo import Undo, UndoLine, versions_of
from models.values import lock_records
from resolvers.audit import record_audit
from resolvers.context import Caller, Context, Role
from resolvers.enrich import RecordSelection, select_records
from resolvers.errors import BadRequest, Fault, JobNotUndoable, NotFound, UndoRunning, ValidationFailed
from resolvers.events import announce
from resolvers.jobs import get_job
from resolvers.organizations import organization_of
from resolvers.paging import Page, PageArgs, check_id, paginate
from resolvers.put_back import Change, put_back
from resolvers.texts import MAX_NAME, check_text

RECORDS_AT_ONCE = 200
MOST_LINES_SHOWN = 1000  # of an undo that was only tried out
_GIVEN_UP = timedelta(minutes=15)  # an undo that runs for longer than this has lost its process


@dataclass(frozen=True, slots=True)
class UndoScope:
    """Which of the values that enrichment wrote: all that is given must hold. `end` is exclusive.

    `allow_again` lets the same sources write the same values again; otherwise they are remembered as rejected.
    """

    job_id: str | None = None
    provider: str | None = None
    field: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    selection: RecordSelection | None = None
    allow_again: bool = False

    def names(self, version: Version) -> bool:
        """Whether this value is one of them, its record and field aside."""
        return (
            self.job_id in (None, version.job_id)
            and self.provider in (None, version.source)
            and (self.start is None or version.written_at >= to_micros(self.start))
            and (self.end is None or version.written_at < to_micros(self.end))
        )

    def as_json(self) -> dict[str, Any]:
        given = {
            "jobId": self.job_id,
            "provider": self.provider,
            "field": self.field,
            "from": None if self.start is None else self.start.isoformat(),
            "to": None if self.end is None else self.end.isoformat(),
            "entityType": None if self.selection is None else self.selection.entity_type.value,
            "allowAgain": self.allow_again or None,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Tried:
    """What an undo would do: counts, and the first 1,000 changes."""

    scope: UndoScope
    restored: int
    skipped: int
    changes: list[Change]


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
    _check_scope(scope)
    return await _run(ctx, scope, "enrichment")


async def try_undo_job(ctx: Context, job_id: str) -> Tried:
    """What `undo_job` would do now. Changes nothing."""
    return await _try(ctx, await _scope_of_job(ctx, job_id))


async def try_undo_enrichment(ctx: Context, scope: UndoScope) -> Tried:
    """What `undo_enrichment` would do now. Changes nothing."""
    ctx.require(Role.MANAGER)
    _check_scope(scope)
    return await _try(ctx, scope)


async def _scope_of_job(ctx: Context, job_id: str, *, allow_again: bool = False) -> UndoScope:
    ctx.require(Role.MANAGER)
    job = await get_job(ctx, job_id)
    if not job.status.is_final:
        state = job.status.value
        raise JobNotUndoable(f"the job is {state}: it can be undone once it has ended", state=state)
    return UndoScope(job_id=job.id, allow_again=allow_again)


def _check_scope(scope: UndoScope) -> None:
    faults: list[Fault] = []
    if all(given is None for given in (scope.provider, scope.field, scope.start, scope.end, scope.selection)):
        faults.append(Fault("", "name a provider, a field, a time or a selection"))
    if scope.provider is not None:
        check_text(scope.provider, "provider", longest=MAX_NAME)
        if scope.provider in {SOURCE_CRM, SOURCE_REVIEWER}:
            faults.append(Fault("provider", "only what providers wrote can be undone"))
    kinds = [scope.selection.entity_type] if scope.selection else list(EntityType)
    if scope.field is not None and not any(scope.field in fields_of(kind) for kind in kinds):
        faults.append(Fault("field", f"no such field: {scope.field[:64]}"))
    if scope.start is not None and scope.end is not None and scope.start >= scope.end:
        faults.append(Fault("from", "must be before to"))
    if faults:
        raise ValidationFailed("the undo is not valid; nothing was changed", faults=faults)


async def _run(ctx: Context, scope: UndoScope, kind: str) -> Undo:
    caller = ctx.require(Role.MANAGER)
    chosen = await _chosen(caller.organization_id, scope)
    undo_id = await _begin(ctx, caller, kind, scope.as_json() | {"withdraws": True})
    async for record_ids in _records_in(caller.organization_id, scope, chosen):
        await _undo_some(ctx, undo_id, scope, record_ids)
    return await _finish(ctx, caller, undo_id)


async def _undo_some(ctx: Context, undo_id: str, scope: UndoScope, record_ids: Sequence[str]) -> None:
    caller = ctx.require(Role.MANAGER)
    now = ctx.services.now()

    async def body(tx: BaseDBAsyncClient) -> list[str]:
        await lock_records(tx, record_ids)
        changes = await _changes(caller.organization_id, scope, record_ids, using=tx)
        return await put_back(tx, caller.organization_id, undo_id, changes, now, remembers=not scope.allow_again)

    await _tell(ctx, await transaction(body))


async def _try(ctx: Context, scope: UndoScope) -> Tried:
    caller = ctx.require(Role.MANAGER)
    chosen = await _chosen(caller.organization_id, scope)
    restored = skipped = 0
    shown: list[Change] = []
    async for record_ids in _records_in(caller.organization_id, scope, chosen):
        changes = await _changes(caller.organization_id, scope, record_ids)
        restored += sum(1 for change in changes if isinstance(change.what, PutBack))
        skipped += sum(1 for change in changes if isinstance(change.what, LeftAlone))
        shown += changes[: MOST_LINES_SHOWN - len(shown)]
    return Tried(scope, restored, skipped, shown)


async def _changes(
    organization_id: str, scope: UndoScope, record_ids: Sequence[str], *, using: BaseDBAsyncClient | None = None
) -> list[Change]:
    condition, values = _written(organization_id, scope)
    sql = f"SELECT DISTINCT field FROM field_value WHERE {condition} AND record_id IN ({marks(record_ids)})"
    names = [row["field"] for row in await query(sql, [*values, *record_ids], using=using)]
    changes: list[Change] = []
    for (record_id, name), rows in (await versions_of(record_ids, names, using=using)).items():
        what = undo_field([_version(row) for row in rows], scope.names)
        if what is not None:
            changes.append(Change(record_id, name, what, {row["id"]: row for row in rows}))
    return changes


def _version(row: Mapping[str, Any]) -> Version:
    return Version(
        id=row["id"],
        value=row["value"],
        source=row["source"],
        job_id=row["job_id"],
        written_at=row["written_at"],
        is_current=row["replaced_at"] is None,
        replaces=row["replaces"],
        restores=row["restores"],
        undone_by=row["undo_id"],
    )


def _written(organization_id: str, scope: UndoScope) -> tuple[str, list[Any]]:
    """The values that enrichment itself wrote and the scope names, as a condition on field_value."""
    parts = ["organization_id = ?", "restores IS NULL", f"source NOT IN ('{SOURCE_CRM}', '{SOURCE_REVIEWER}')"]
    values: list[Any] = [organization_id]
    given: dict[str, Any] = {
        "job_id = ?": scope.job_id,
        "source = ?": scope.provider,
        "field = ?": scope.field,
        "written_at >= ?": None if scope.start is None else to_micros(scope.start),
        "written_at < ?": None if scope.end is None else to_micros(scope.end),
    }
    for part, value in given.items():
        if value is not None:
            parts.append(part)
            values.append(value)
    return " AND ".join(parts), values


async def _chosen(organization_id: str, scope: UndoScope) -> list[str] | None:
    if scope.selection is None:
        return None
    return [record.id for record in (await select_records(organization_id, scope.selection))[0]]


async def _records_in(
    organization_id: str, scope: UndoScope, chosen: Sequence[str] | None
) -> AsyncIterator[Sequence[str]]:
    """The chosen records, or all that have such values, some at a time."""
    condition, values = _written(organization_id, scope)
    if chosen is not None:
        for start in range(0, len(chosen), RECORDS_AT_ONCE):
            yield chosen[start : start + RECORDS_AT_ONCE]
        return
    last = ""
    while True:
        sql = (
            f"SELECT DISTINCT record_id FROM field_value WHERE {condition} AND record_id > ?"
            f" ORDER BY record_id LIMIT {RECORDS_AT_ONCE}"
        )
        found = [row["record_id"] for row in await query(sql, [*values, last])]
        if found:
            yield found
        if len(found) < RECORDS_AT_ONCE:
            return
        last = found[-1]


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

    async def body(tx: BaseDBAsyncClient) -> list[str]:
        await lock_records(tx, record_ids)
        names = sorted({line["field"] for line in lines})
        histories = await versions_of(record_ids, names, using=tx)
        changes: list[Change] = []
        for line in lines:
            rows = histories.get((line["record_id"], line["field"]))
            if rows is not None:
                versions = [_version(row) for row in rows]
                what = redo_field(versions, line["removed_id"], line["restored_id"])
                changes.append(Change(line["record_id"], line["field"], what, {row["id"]: row for row in rows}))
        conflicts = await put_back(tx, caller.organization_id, again, changes, now, remembers=remembers)
        await _forget_rejections(tx, first, [change for change in changes if isinstance(change.what, PutBack)])
        return conflicts

    await _tell(ctx, await transaction(body))


async def _forget_rejections(tx: BaseDBAsyncClient, undo_id: str, changes: Sequence[Change]) -> None:
    for name in {change.field for change in changes}:
        ids = [change.record_id for change in changes if change.field == name]
        sql = f"DELETE FROM rejection WHERE undo_id = ? AND field = ? AND record_id IN ({marks(ids)})"
        await execute(sql, [undo_id, name, *ids], using=tx)


async def _begin(
    ctx: Context, caller: Caller, kind: str, scope: Mapping[str, Any], *, undoes: str | None = None
) -> str:
    undo_id, now = new_id(), ctx.services.now()
    await organization_of(caller.organization_id, ctx.services.registry, now)

    async def body(tx: BaseDBAsyncClient) -> None:
        await execute(
            "INSERT INTO undo (id, organization_id, kind, status, scope, undoes, requested_by, created_at)"
            " VALUES (?, ?, ?, 'running', ?, ?, ?, ?)",
            [undo_id, caller.organization_id, kind, dump(scope), undoes, caller.user, to_micros(now)],
            using=tx,
        )
        details = {"kind": kind, **scope, **({"undoes": undoes} if undoes else {})}
        await _note(tx, ctx, "undo.started", undo_id, details)

    await transaction(body)
    return undo_id


async def _finish(ctx: Context, caller: Caller, undo_id: str) -> Undo:
    async def body(tx: BaseDBAsyncClient) -> None:
        done = await query(
            "UPDATE undo SET status = 'done', finished_at = ? WHERE id = ? RETURNING restored, skipped",
            [to_micros(ctx.services.now()), undo_id],
            using=tx,
        )
        await _note(tx, ctx, "undo.done", undo_id, done[0])

    await transaction(body)
    return await Undo.get(id=undo_id, organization_id=caller.organization_id)


async def _note(tx: BaseDBAsyncClient, ctx: Context, action: str, undo_id: str, details: Mapping[str, Any]) -> None:
    caller = ctx.require(Role.MANAGER)
    await record_audit(
        tx,
        caller.organization_id,
        action=action,
        subject=undo_id,
        actor=caller.user,
        origin=ctx.origin,
        now=ctx.services.now(),
        details=details,
    )


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
