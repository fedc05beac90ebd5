"""What was put back, and what was left as it is; and the statements that keep it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field
from models.db.statements import insert_rows, load, marks, query
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


_LINE = {
    "id": "text",
    "organization_id": "text",
    "undo_id": "text",
    "record_id": "text",
    "field": "text",
    "outcome": "text",
    "reason": "text",
    "removed_id": "text",
    "restored_id": "text",
}


async def insert_lines(tx: Transaction, lines: Sequence[Mapping[str, Any]]) -> None:
    """Note what became of these fields."""
    await insert_rows(tx, "undo_line", _LINE, lines)


async def versions_of(
    record_ids: Sequence[str], names: Sequence[str], *, using: Transaction | None = None
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Every value that these fields of these records have had, oldest first, by (record id, field)."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    if record_ids and names:
        sql = (
            f"SELECT * FROM field_value WHERE record_id IN ({marks(record_ids)}) AND field IN ({marks(names)})"
            " ORDER BY written_at, id"
        )
        for row in await query(sql, [*record_ids, *names], using=using):
            row["value"] = load(row["value"])
            found.setdefault((row["record_id"], row["field"]), []).append(row)
    return found
