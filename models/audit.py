"""The audit log: one chain of lines for each organization. `resolvers.audit` says what their hashes cover."""

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant
from models.db.rows import fetch, fetch_one, insert, projection, select
from models.db.statements import execute, query
from models.db.transaction import Transaction


class AuditHead(Model):
    """The number and hash of an organization's last line: without them, lines removed at the end would not show.

    `seal` and `seal_key_id` as of a line; they stay as they are where a line without a seal is added.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)
    number = fields.BigIntField(default=0)
    hash = fields.CharField(max_length=64, default="")
    seal = fields.CharField(max_length=64, null=True)
    seal_key_id = fields.CharField(max_length=32, null=True)

    class Meta:
        table = "audit_head"


class AuditEntry(Model):
    """One line. The table refuses changes and deletions; its key is the organization and the number.

    `seal` is made with the key `seal_key_id` (see resolvers.audit_seal); None: the line is not sealed.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)  # Tortoise knows keys of one column only
    number = fields.BigIntField()
    at: datetime = Instant()
    actor = fields.CharField(max_length=255, null=True)
    origin = fields.CharField(max_length=255, null=True)
    action = fields.CharField(max_length=64)
    subject = fields.CharField(max_length=255)
    details = fields.TextField()  # the text that was hashed: JSONB would write it anew
    previous = fields.CharField(max_length=64)
    hash = fields.CharField(max_length=64)
    seal = fields.CharField(max_length=64, null=True)
    seal_key_id = fields.CharField(max_length=32, null=True)

    class Meta:
        table = "audit_entry"


class AuditProof(Model):
    """How far the proof of an organization's log has got: the last line that is proved, with its hash.

    `walked` is what the walk had found by then, as `resolvers.audit_seal.SealWalk.state` says it.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)
    number = fields.BigIntField()
    hash = fields.CharField(max_length=64)
    walked = fields.JSONField[dict[str, Any]]()
    proved_at: datetime = Instant()
    seal = fields.CharField(max_length=64, null=True)
    seal_key_id = fields.CharField(max_length=32, null=True)

    class Meta:
        table = "audit_proof"


@projection(AuditProof)
class AuditCheckpoint:
    """See AuditProof."""

    organization_id: str
    number: int
    hash: str
    walked: dict[str, Any]
    proved_at: datetime
    seal: str | None = None
    seal_key_id: str | None = None


@projection(AuditHead)
class AuditHeadRow:
    """See AuditHead. Number 0 and an empty hash before the first line."""

    organization_id: str
    number: int
    hash: str
    seal: str | None
    seal_key_id: str | None


@projection(AuditEntry)
class AuditRow:
    """See AuditEntry. `at` in microseconds and `details` as text, as they are hashed."""

    organization_id: str
    number: int
    at: int
    actor: str | None
    origin: str | None
    action: str
    subject: str
    details: str
    previous: str
    hash: str
    seal: str | None = None
    seal_key_id: str | None = None


async def lock_head(tx: Transaction, organization_id: str) -> AuditHeadRow:
    """The head, made if need be, locked until the transaction ends. The organization must exist."""
    head = await _lock(tx, organization_id)
    if head is None:
        first = "INSERT INTO audit_head (organization_id) VALUES (?) ON CONFLICT DO NOTHING"
        await execute(first, [organization_id], using=tx)
        head = await _lock(tx, organization_id)
    assert head is not None  # inserted above, or by another who then committed
    return head


async def _lock(tx: Transaction, organization_id: str) -> AuditHeadRow | None:
    sql = f"UPDATE audit_head SET number = number WHERE organization_id = ? RETURNING {select(AuditHeadRow)}"
    return await fetch_one(AuditHeadRow, sql, [organization_id], using=tx)


async def append(tx: Transaction, line: AuditRow, *, head_seal: str | None, head_key_id: str | None) -> None:
    """Add the line that follows the locked head, and make it the head. Without a seal the head keeps the one it has."""
    await insert(tx, [line])
    await execute(
        "UPDATE audit_head SET number = ?, hash = ?, seal = COALESCE(?, seal), seal_key_id = COALESCE(?, seal_key_id)"
        " WHERE organization_id = ?",
        [line.number, line.hash, head_seal, head_key_id, line.organization_id],
        using=tx,
    )


async def head_of(organization_id: str) -> AuditHeadRow | None:
    """The head; None before the first line."""
    sql = f"SELECT {select(AuditHeadRow)} FROM audit_head WHERE organization_id = ?"
    return await fetch_one(AuditHeadRow, sql, [organization_id])


async def first_sealed(organization_id: str) -> int | None:
    """The number of the first line that has a seal; None: none has."""
    sql = "SELECT MIN(number) AS number FROM audit_entry WHERE organization_id = ? AND seal IS NOT NULL"
    [found] = await query(sql, [organization_id])
    return None if found["number"] is None else int(found["number"])


async def lines_after(organization_id: str, number: int, limit: int) -> list[AuditRow]:
    """The next lines after this number, in order."""
    return await fetch(
        AuditRow,
        f"SELECT {select(AuditRow)} FROM audit_entry WHERE organization_id = ? AND number > ? ORDER BY number LIMIT ?",
        [organization_id, number, limit],
    )


async def line_at(organization_id: str, number: int) -> AuditRow | None:
    """The line with this number."""
    found = await lines_after(organization_id, number - 1, 1)
    return found[0] if found and found[0].number == number else None


async def audit_checkpoint(organization_id: str) -> AuditCheckpoint | None:
    """How far the proof of the log has got; None: it has not begun."""
    sql = f"SELECT {select(AuditCheckpoint)} FROM audit_proof WHERE organization_id = ?"
    return await fetch_one(AuditCheckpoint, sql, [organization_id])


async def save_audit_checkpoint(tx: Transaction, checkpoint: AuditCheckpoint) -> None:
    """Let the proof go on from here, unless another process has got further meanwhile."""
    names = ("number", "hash", "walked", "proved_at", "seal", "seal_key_id")
    renewed = ", ".join(f"{name} = excluded.{name}" for name in names)
    then = f"ON CONFLICT (organization_id) DO UPDATE SET {renewed} WHERE audit_proof.number <= excluded.number"
    await insert(tx, [checkpoint], then=then)


async def audits_unproved(limit: int) -> list[str]:
    """Organizations whose log has lines that are not proved yet."""
    found = await query(
        "SELECT audit_head.organization_id FROM audit_head LEFT JOIN audit_proof ON audit_proof.organization_id ="
        " audit_head.organization_id WHERE audit_head.number > COALESCE(audit_proof.number, 0)"
        " ORDER BY COALESCE(audit_proof.proved_at, 0), audit_head.organization_id LIMIT ?",
        [limit],
    )
    return [row["organization_id"] for row in found]
