"""What was put back, and what was left as it is; and the statements that keep it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field
from models.db.rows import insert, projection
from models.db.transaction import Transaction
from models.record import Record


class Undo(Model):
    """One undo. `kind` is `job`, `enrichment` or `undo` (one that takes `undoes` back).

    `scope` names the values it is about: `{jobId, provider, field, from, to, entityType, allowAgain}`, as far as
    given, and whether they went (`withdraws`) or came back. `running` is one whose process is at work, or died:
    what it has done so far is in its lines.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    kind = fields.CharField(max_length=16)
    status = fields.CharField(max_length=16)
    scope = fields.JSONField[dict[str, Any]]()
    undoes = fields.CharField(max_length=36, null=True)
    restored = fields.IntField(default=0)
    skipped = fields.IntField(default=0)
    requested_by = fields.CharField(max_length=255, null=True)
    created_at: datetime = Instant()
    finished_at: datetime | None = Instant(null=True)

    class Meta:
        table = "undo"


class UndoLine(Model):
    """One field of one record within an undo. `reason` says why a `skipped` one was left alone."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    undo: fields.ForeignKeyRelation[Undo] = fields.ForeignKeyField("models.Undo", related_name="lines")
    undo_id: str
    record: fields.ForeignKeyRelation[Record] = fields.ForeignKeyField("models.Record", related_name="undo_lines")
    record_id: str
    field = fields.CharField(max_length=64)
    outcome = fields.CharField(max_length=16)
    reason = fields.CharField(max_length=32, null=True)
    removed_id = fields.CharField(max_length=36, null=True)
    restored_id = fields.CharField(max_length=36, null=True)

    class Meta:
        table = "undo_line"


@projection(UndoLine)
class NewUndoLine:
    """A line to note. A skipped field has a `reason`, a restored one what went and what came back, if anything."""

    id: str
    organization_id: str
    undo_id: str
    record_id: str
    field: str
    outcome: str
    reason: str | None = None
    removed_id: str | None = None
    restored_id: str | None = None


async def insert_lines(tx: Transaction, lines: Sequence[NewUndoLine]) -> None:
    """Note what became of these fields."""
    await insert(tx, lines)
