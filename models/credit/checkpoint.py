"""How far the proof of each ledger has got: the last line that is proved, and what holds up to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, to_micros
from models.db.rows import fetch_one, insert, projection, select
from models.db.statements import driver_rows, query
from models.db.transaction import Transaction


class LedgerProof(Model):
    """See LedgerCheckpoint."""

    organization_id = fields.CharField(max_length=128, primary_key=True)
    through_id = fields.CharField(max_length=36)
    entries = fields.BigIntField()
    balance = fields.BigIntField()
    reserved = fields.BigIntField()
    charged_by_day = fields.JSONField[dict[str, int]]()
    audit_number = fields.BigIntField()
    digest = fields.CharField(max_length=64)
    faults = fields.JSONField[list[str]]()
    proved_at: datetime = Instant()
    whole_at: datetime | None = Instant(null=True)
    seal = fields.CharField(max_length=64, null=True)
    seal_key_id = fields.CharField(max_length=32, null=True)

    class Meta:
        table = "ledger_proof"


@projection(LedgerProof)
class LedgerCheckpoint:
    """The lines up to `through_id`: how many, what they add up to, and what of them does not add up (`faults`).

    `charged_by_day`: credits charged on each of the last days that have any, by whole days since 1970 (UTC). `digest`:
    each line's, chained to that of the line before. `audit_number`: up to which line the audit log was compared.
    `whole_at`: when all lines were last walked from the first on, at somebody's request.
    """

    organization_id: str
    through_id: str
    entries: int
    balance: int
    reserved: int
    charged_by_day: dict[str, int]
    audit_number: int
    digest: str
    faults: list[str]
    proved_at: datetime
    whole_at: datetime | None
    seal: str | None = None
    seal_key_id: str | None = None


_LINE = (  # all that a line says; a column that is added later is no part of what was proved
    "id, kind, amount, reserved_change, job_id, record_id, provider, entity_type, trigger_kind, settles, note, actor,"
    " idempotency_key, created_at"
)
KIND, AMOUNT, RESERVED, CREATED_AT = 1, 2, 3, 13  # places in a line


async def find_checkpoint(organization_id: str) -> LedgerCheckpoint | None:
    """How far the proof has got; None: it has not begun."""
    sql = f"SELECT {select(LedgerCheckpoint)} FROM ledger_proof WHERE organization_id = ?"
    return await fetch_one(LedgerCheckpoint, sql, [organization_id])


async def save_checkpoint(tx: Transaction, checkpoint: LedgerCheckpoint, *, before: LedgerCheckpoint | None) -> bool:
    """Put the checkpoint in the place of the one `before`. False where another process has moved that meanwhile."""
    names = [name for name in LedgerCheckpoint.__annotations__ if name != "organization_id"]
    renewed = ", ".join(f"{name} = excluded.{name}" for name in names)
    then = f"ON CONFLICT (organization_id) DO UPDATE SET {renewed} WHERE ledger_proof.proved_at = {{}} RETURNING digest"
    proved_at = -1 if before is None else to_micros(before.proved_at)  # of no row
    return bool(await insert(tx, [checkpoint], then=then.format(proved_at)))


async def lines_between(organization_id: str, after: str, until: str, limit: int) -> Sequence[Sequence[Any]]:
    """What the next lines after one line and up to another say, in order."""
    sql = f"SELECT {_LINE} FROM credit_entry WHERE organization_id = ? AND id > ? AND id <= ? ORDER BY id LIMIT ?"
    return [tuple(line) for line in await driver_rows(sql, [organization_id, after, until, limit])]


async def organizations_unproved(until: str, limit: int) -> list[str]:
    """Organizations with lines up to this id that are not proved yet, those first that wait longest."""
    found = await query(
        "SELECT organization.id FROM organization LEFT JOIN ledger_proof ON ledger_proof.organization_id ="
        " organization.id WHERE EXISTS (SELECT 1 FROM credit_entry WHERE credit_entry.organization_id ="
        " organization.id AND credit_entry.id > COALESCE(ledger_proof.through_id, '') AND credit_entry.id <= ?)"
        " ORDER BY COALESCE(ledger_proof.proved_at, 0), organization.id LIMIT ?",
        [until, limit],
    )
    return [row["id"] for row in found]
