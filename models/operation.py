"""Operations of many steps: what is left of each is in a row, so that another process goes on with it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field, to_micros
from models.db.locks import skip_locked
from models.db.rows import fetch_one, insert, projection, select
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction

LEASE = timedelta(seconds=15)  # each step renews it


class Operation(Model):
    """One operation of one organization: `running`, `done`, or `stopped` before its end.

    `kind` says which steps it has, `scope` what they are about (ids; it is emptied at the end), `position` how far it
    is: both mean what the kind's steps take them for. `fence` rises when another process takes it up; `attempts` counts
    that since the last step.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    kind = fields.CharField(max_length=32)
    status = fields.CharField(max_length=16)
    scope = fields.JSONField[dict[str, Any]]()
    position = fields.CharField(max_length=64, default="")
    fence = fields.IntField(default=1)
    attempts = fields.IntField(default=0)
    lease_until: datetime | None = Instant(null=True)
    requested_by = fields.CharField(max_length=255, null=True)
    origin = fields.CharField(max_length=255, null=True)
    created_at: datetime = Instant()
    finished_at: datetime | None = Instant(null=True)

    class Meta:
        table = "operation"


@projection(Operation)
class NewOperation:
    """An operation that begins, with the lease of the process that begins it."""

    id: str
    organization_id: str
    kind: str
    scope: Mapping[str, Any]
    requested_by: str | None
    origin: str | None
    created_at: datetime
    lease_until: datetime
    status: str = "running"
    position: str = ""
    fence: int = 1
    attempts: int = 0


@projection(Operation)
class HeldOperation:
    """An operation as the process that holds its lease knows it."""

    id: str
    organization_id: str
    kind: str
    scope: dict[str, Any]
    position: str
    fence: int
    attempts: int
    requested_by: str | None
    origin: str | None
    created_at: datetime


async def insert_operation(tx: Transaction, operation: NewOperation) -> None:
    """Note that an operation begins."""
    await insert(tx, [operation])


async def advance(tx: Transaction, operation: HeldOperation, position: str, until: datetime) -> bool:
    """Note how far it is after this transaction's step, and renew its lease. False: it is held no more.

    The first statement of the step's transaction: the row stays locked until its end, so that nobody takes the
    operation up in the middle of a step.
    """
    changed = await execute(
        "UPDATE operation SET position = ?, lease_until = ?, attempts = 0"
        " WHERE id = ? AND organization_id = ? AND fence = ? AND status = 'running'",
        [position, to_micros(until), operation.id, operation.organization_id, operation.fence],
        using=tx,
    )
    return changed == 1


async def finish(tx: Transaction, operation: HeldOperation, now: datetime) -> bool:
    """Note that it is done. False: it is held no more."""
    changed = await execute(
        "UPDATE operation SET status = 'done', scope = '{}', position = '', lease_until = NULL, finished_at = ?"
        " WHERE id = ? AND organization_id = ? AND fence = ? AND status = 'running'",
        [to_micros(now), operation.id, operation.organization_id, operation.fence],
        using=tx,
    )
    return changed == 1


async def stop(
    tx: Transaction, organization_id: str, operation_id: str, now: datetime, *, kinds: Sequence[str]
) -> bool:
    """End an operation of one of these kinds before its end, whoever holds it: no further step of it is done.

    False: it was not running.
    """
    changed = await execute(
        "UPDATE operation SET status = 'stopped', scope = '{}', position = '', lease_until = NULL,"
        " finished_at = ?, fence = fence + 1"
        f" WHERE id = ? AND organization_id = ? AND status = 'running' AND kind IN ({marks(kinds)})",
        [to_micros(now), operation_id, organization_id, *kinds],
        using=tx,
    )
    return changed == 1


async def take_up(now: datetime) -> HeldOperation | None:
    """Take up the operation whose lease ran out the longest ago; None where every one is held."""
    return await fetch_one(
        HeldOperation,
        "UPDATE operation SET fence = fence + 1, attempts = attempts + 1, lease_until = ? WHERE id ="
        " (SELECT id FROM operation WHERE status = 'running' AND lease_until <= ? ORDER BY lease_until, id LIMIT 1"
        f" {skip_locked('operation')}) RETURNING {select(HeldOperation)}",
        [to_micros(now + LEASE), to_micros(now)],
    )


async def postpone(operation: HeldOperation, until: datetime) -> None:
    """Leave it to whoever takes it up from then on."""
    await execute(
        "UPDATE operation SET lease_until = ?"
        " WHERE id = ? AND organization_id = ? AND fence = ? AND status = 'running'",
        [to_micros(until), operation.id, operation.organization_id, operation.fence],
    )


async def exists(tx: Transaction, organization_id: str, operation_id: str, *, kinds: Sequence[str]) -> bool:
    """Whether there is, or was, an operation of one of these kinds with this id."""
    sql = f"SELECT 1 AS found FROM operation WHERE id = ? AND organization_id = ? AND kind IN ({marks(kinds)})"
    return bool(await query(sql, [operation_id, organization_id, *kinds], using=tx))
