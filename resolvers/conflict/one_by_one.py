"""Operations on many conflicts, one conflict after the other: each is changed alone, and another process goes on.

`scope` of the operation has the `ids` of the conflicts; its position counts the conflicts that are done.
"""

from collections.abc import Awaitable, Callable

from models.conflict.queries import conflicts_by_id
from models.conflict.table import Conflict
from models.db.transaction import Transaction, unit_of_work
from resolvers.audit import record_audit
from resolvers.errors import NotFound, OperationError
from resolvers.events.publisher import announce
from resolvers.operation import OperationKind, OperationRun

Change = Callable[[OperationRun, Conflict, str], Awaitable[None]]
Report = Callable[[OperationError | None], None]


def one_by_one(name: str, change: Change, *, stopped: str, report: Report | None = None) -> OperationKind:
    """The kind of operation that changes conflicts.

    `change` changes one in one transaction, in which it advances the operation to the given position, or raises
    OperationError. `report` is told of each in turn, by who waits for the outcome, whether it was changed (None) or why
    not; without it each change is announced by itself. `stopped` is the action in the audit log where the operation
    ends before its end.
    """

    async def step(run: OperationRun) -> str | None:
        done, ids = int(run.held.position or 0), run.held.scope["ids"]
        if done == len(ids):
            await _finish(run)
            return None
        position = str(done + 1)
        refused: OperationError | None = None
        try:
            conflict = await _find(run, ids[done])
            await change(run, conflict, position)
            if report is None:
                await announce(
                    run.services.redis, run.held.organization_id, conflicts=[conflict.id], jobs=[conflict.job_id]
                )
        except OperationError as error:
            refused = error
            await _pass_by(run, position)
        if report is not None:
            report(refused)
        return position

    async def gave_up(tx: Transaction, run: OperationRun) -> None:
        await record_audit(
            tx,
            run.held.organization_id,
            action=stopped,
            subject=run.held.id,
            actor=run.held.requested_by,
            origin=run.held.origin,
            now=run.services.now(),
            seals=run.services.audit_seals,
        )

    return OperationKind(name, step, gave_up)


async def _find(run: OperationRun, conflict_id: str) -> Conflict:
    conflict = (await conflicts_by_id(run.held.organization_id, [conflict_id])).get(conflict_id)
    if conflict is None:
        raise NotFound("no such conflict")
    return conflict


@unit_of_work
async def _pass_by(tx: Transaction, run: OperationRun, position: str) -> None:
    """Leave out a conflict with which nothing can be done."""
    await run.advance(tx, position)


@unit_of_work
async def _finish(tx: Transaction, run: OperationRun) -> None:
    await run.finish(tx)
