"""Operations of many steps, which another process goes on with when their own has died.

An operation begins in one transaction: its row says what is to be done, and its lease whose it is. Then come its
steps, each one unit of work, which does its part and notes in the same transaction how far the operation is. So a
step is done once, whole, or not at all. A row whose lease has run out is taken up by upkeep
(`workers/upkeep/resume.py`), which knows the steps of each kind.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog

from models import operation as rows
from models.db.transaction import Transaction
from models.operation import LEASE, HeldOperation, NewOperation
from resolvers.context import Context, Role, Services

_log = structlog.get_logger(__name__)


class OperationLost(Exception):
    """Another process has taken the operation up, or it was stopped: nothing of this step has been done."""


@dataclass(frozen=True, slots=True)
class OperationRun:
    """An operation in the hands of this process."""

    services: Services
    held: HeldOperation

    async def advance(self, tx: Transaction, position: str) -> None:
        """Note in a step's transaction, by its first statement, how far the operation is after it.

        Raises OperationLost.
        """
        if not await rows.advance(tx, self.held, position, self.services.now() + LEASE):
            raise OperationLost

    async def finish(self, tx: Transaction) -> None:
        """Note in the last step's transaction, by its first statement, that nothing is left. Raises OperationLost."""
        if not await rows.finish(tx, self.held, self.services.now()):
            raise OperationLost


@dataclass(frozen=True, slots=True)
class OperationKind:
    """What the operations of one kind do.

    `step` does one unit of work from `run.held.position` on, and returns the position after it; None once it has
    called `finish`. `gave_up` notes, in the transaction that stops the operation, that it ended before its end.
    """

    name: str
    step: Callable[[OperationRun], Awaitable[str | None]]
    gave_up: Callable[[Transaction, OperationRun], Awaitable[None]]


async def begin_operation(
    tx: Transaction, ctx: Context, kind: OperationKind, operation_id: str, scope: Mapping[str, Any]
) -> OperationRun:
    """Begin an operation for the caller, who may go on with `run_operation` once the transaction is committed."""
    caller, now = ctx.require(Role.USER), ctx.services.now()
    new = NewOperation(
        id=operation_id,
        organization_id=caller.organization_id,
        kind=kind.name,
        scope=scope,
        requested_by=caller.user,
        origin=ctx.origin,
        created_at=now,
        lease_until=now + LEASE,
    )
    await rows.insert_operation(tx, new)
    held = HeldOperation(
        id=new.id,
        organization_id=new.organization_id,
        kind=new.kind,
        scope=dict(scope),
        position=new.position,
        fence=new.fence,
        attempts=new.attempts,
        requested_by=new.requested_by,
        origin=new.origin,
        created_at=now,
    )
    return OperationRun(ctx.services, held)


@asynccontextmanager
async def lease_kept(run: OperationRun) -> AsyncIterator[None]:
    """Renews the lease while something lasts longer than a step may, and is no transaction."""
    over = asyncio.Event()
    task = asyncio.create_task(_renew_until(run, over), name="lease of an operation")
    try:
        yield
    finally:
        over.set()
        await asyncio.wait({task})


async def _renew_until(run: OperationRun, over: asyncio.Event) -> None:
    while not over.is_set():
        try:
            await rows.postpone(run.held, run.services.now() + LEASE)
        except Exception as error:
            _log.warning("lease not renewed", operation_id=run.held.id, error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), LEASE.total_seconds() / 3)


async def run_operation(kind: OperationKind, run: OperationRun, *, seconds: float | None = None) -> bool:
    """Do the steps that are left, or as many as begin within `seconds`. Returns whether none is left.

    Raises OperationLost, and what a step raises.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    while deadline is None or time.monotonic() < deadline:
        position = await kind.step(run)
        if position is None:
            return True
        run = replace(run, held=replace(run.held, position=position, attempts=0))
    return False
