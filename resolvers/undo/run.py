"""The steps of an undo, and of taking one back: some records each, until nothing is left."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from enrichment.undo import Restoration, redo_field
from models import undo as rows
from models.conflict.rejection import forget_rejections
from models.db.transaction import Transaction, unit_of_work
from models.record.row import lock_records
from models.record.value import versions_of
from models.undo import RestoredLine
from resolvers.audit import record_audit
from resolvers.events.publisher import announce
from resolvers.operation import OperationKind, OperationRun
from resolvers.undo.apply import apply_undo
from resolvers.undo.erased import without_erased
from resolvers.undo.restore import UndoChange
from resolvers.undo.scope import RECORDS_AT_ONCE, UndoScope, changes_in, next_records, to_version

_CLOCKS_DIFFER = timedelta(seconds=5)  # at most, between processes


async def _undo_some(run: OperationRun) -> str | None:
    """Undo what the scope names in the next records. `scope` has the undo's own, and the ids of chosen `records`."""
    scope = _scope_of(run)
    chosen: Sequence[str] | None = run.held.scope["records"]
    record_ids = await next_records(run.held.organization_id, scope, chosen, run.held.position)
    if not record_ids:
        await _finish(run)
        return None
    await _announce(run, await _undo_records(run, scope, record_ids))
    return record_ids[-1]


def _scope_of(run: OperationRun) -> UndoScope:
    """The values that had been written when the undo began, by the clock of any process."""
    return UndoScope.from_json(run.held.scope["undo"]).written_before(run.held.created_at + _CLOCKS_DIFFER)


@unit_of_work
async def _undo_records(tx: Transaction, run: OperationRun, scope: UndoScope, record_ids: Sequence[str]) -> list[str]:
    """Returns the ids of the conflicts that ended with it."""
    await run.advance(tx, record_ids[-1])
    await lock_records(tx, record_ids)
    organization_id, now = run.held.organization_id, run.services.now()
    changes = await changes_in(organization_id, scope, record_ids, using=tx)
    changes = await without_erased(tx, run.services, organization_id, changes)
    return await apply_undo(tx, organization_id, run.held.id, changes, now, rejects=not scope.allow_again)


async def _revert_some(run: OperationRun) -> str | None:
    """Take back the next lines. `scope`: `undoes`, and whether what goes `rejects` its sources' values."""
    lines = await rows.restored_lines(run.held.scope["undoes"], run.held.position, RECORDS_AT_ONCE)
    if not lines:
        await _finish(run)
        return None
    await _announce(run, await _revert_lines(run, lines))
    return lines[-1].id


@unit_of_work
async def _revert_lines(tx: Transaction, run: OperationRun, lines: Sequence[RestoredLine]) -> list[str]:
    """Returns the ids of the conflicts that ended with it."""
    await run.advance(tx, lines[-1].id)
    record_ids = sorted({line.record_id for line in lines})
    await lock_records(tx, record_ids)
    organization_id, now = run.held.organization_id, run.services.now()
    changes = await without_erased(tx, run.services, organization_id, await _reversals(tx, lines, record_ids))
    conflicts = await apply_undo(tx, organization_id, run.held.id, changes, now, rejects=run.held.scope["rejects"])
    redone = [(change.record_id, change.field) for change in changes if isinstance(change.decision, Restoration)]
    await forget_rejections(tx, run.held.scope["undoes"], redone)
    return conflicts


async def _reversals(tx: Transaction, lines: Sequence[RestoredLine], record_ids: Sequence[str]) -> list[UndoChange]:
    histories = await versions_of(record_ids, sorted({line.field for line in lines}), using=tx)
    changes: list[UndoChange] = []
    for line in lines:
        versions = histories.get((line.record_id, line.field))
        if versions is not None:
            decision = redo_field([to_version(version) for version in versions], line.removed_id, line.restored_id)
            by_id = {version.id: version for version in versions}
            changes.append(UndoChange(line.record_id, line.field, decision, by_id))
    return changes


@unit_of_work
async def _finish(tx: Transaction, run: OperationRun) -> None:
    await run.finish(tx)
    await _note_end(tx, run, "undo.done", run.services.now())


async def _gave_up(tx: Transaction, run: OperationRun) -> None:
    await _note_end(tx, run, "undo.stopped", run.services.now())


async def _note_end(tx: Transaction, run: OperationRun, action: str, now: datetime) -> None:
    counts = await rows.finish_undo(tx, run.held.id, now, stopped=action == "undo.stopped")
    await record_audit(
        tx,
        run.held.organization_id,
        action=action,
        subject=run.held.id,
        actor=run.held.requested_by,
        origin=run.held.origin,
        now=now,
        seals=run.services.audit_seals,
        details={"restored": counts.restored, "skipped": counts.skipped},
    )


async def _announce(run: OperationRun, conflicts: Sequence[str]) -> None:
    await announce(run.services.redis, run.held.organization_id, conflicts=conflicts, log=True)


UNDO = OperationKind("undo", _undo_some, _gave_up)
REVERT = OperationKind("undo_revert", _revert_some, _gave_up)
