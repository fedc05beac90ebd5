"""Undos: what was restored and what was left alone, the values that an undo is about, and the statements on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field, to_micros
from models.db.paging import Keyset, Page, fetch_page
from models.db.rows import fetch, insert, projection, select
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction
from models.record import Record
from models.value_source import from_provider


class Undo(Model):
    """One undo. `kind` is `job`, `enrichment` or `undo` (one that takes `undoes` back).

    `scope` names the values it is about: `{jobId, provider, field, from, to, entityType, allowAgain}`, as far as
    given, and whether they were removed (`withdraws`) or restored. While an undo is `running`, an operation with the
    same id says what is left of it (models/operation.py); what it has done so far is in its lines. `stopped`: it ended
    before it had gone through everything.
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
    stopped = fields.BooleanField(null=True)

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


@projection(Undo)
class NewUndo:
    """An undo that begins. See Undo."""

    id: str
    organization_id: str
    kind: str
    scope: Mapping[str, Any]
    undoes: str | None
    requested_by: str | None
    created_at: datetime
    status: str = "running"


@projection(Undo)
class UndoCounts:
    """How many fields an undo restored, and how many it left alone."""

    restored: int
    skipped: int


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


@projection(UndoLine)
class RestoredLine:
    """A field that an undo restored: the ids of the values that went and came back (None: the field was empty)."""

    id: str
    record_id: str
    field: str
    removed_id: str | None
    restored_id: str | None


@dataclass(frozen=True, slots=True)
class EnrichedValues:
    """Which of an organization's values that enrichment wrote: all that is given must hold. `end` is exclusive.

    What an undo restored is none of them.
    """

    organization_id: str
    job_id: str | None = None
    provider: str | None = None
    field: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def condition(self) -> tuple[str, list[Any]]:
        """The same as a condition on field_value, and its parameters."""
        given = {
            "job_id = ?": self.job_id,
            "source = ?": self.provider,
            "field = ?": self.field,
            "written_at >= ?": None if self.start is None else to_micros(self.start),
            "written_at < ?": None if self.end is None else to_micros(self.end),
        }
        limits = {condition: value for condition, value in given.items() if value is not None}
        parts = ["organization_id = ?", "restores IS NULL", from_provider(), *limits]
        return " AND ".join(parts), [self.organization_id, *limits.values()]


async def fields_holding(
    wanted: EnrichedValues, record_ids: Sequence[str], *, using: Transaction | None = None
) -> list[str]:
    """The fields of these records that hold, or have held, such a value."""
    condition, values = wanted.condition()
    sql = f"SELECT DISTINCT field FROM field_value WHERE {condition} AND record_id IN ({marks(record_ids)})"
    return [row["field"] for row in await query(sql, [*values, *record_ids], using=using)]


async def records_holding(wanted: EnrichedValues, after: str, limit: int) -> list[str]:
    """The ids of records that hold, or have held, such a value: `limit` at most, in order, after this id."""
    condition, values = wanted.condition()
    sql = f"SELECT DISTINCT record_id FROM field_value WHERE {condition} AND record_id > ? ORDER BY record_id LIMIT ?"
    return [row["record_id"] for row in await query(sql, [*values, after, limit])]


async def insert_undo(tx: Transaction, undo: NewUndo) -> None:
    """Note that an undo begins."""
    await insert(tx, [undo])


async def insert_lines(tx: Transaction, undo_id: str, lines: Sequence[NewUndoLine]) -> None:
    """Note what became of these fields, and count them."""
    await insert(tx, lines)
    restored = sum(line.outcome == "restored" for line in lines)
    await execute(
        "UPDATE undo SET restored = restored + ?, skipped = skipped + ? WHERE id = ?",
        [restored, len(lines) - restored, undo_id],
        using=tx,
    )


async def finish_undo(tx: Transaction, undo_id: str, now: datetime, *, stopped: bool = False) -> UndoCounts:
    """Note that an undo is done, or `stopped` before its end. Returns what it did."""
    sql = f"UPDATE undo SET status = 'done', finished_at = ?, stopped = ? WHERE id = ? RETURNING {select(UndoCounts)}"
    [counts] = await fetch(UndoCounts, sql, [to_micros(now), True if stopped else None, undo_id], using=tx)
    return counts


async def restored_lines(undo_id: str, after: str, limit: int) -> list[RestoredLine]:
    """The fields that an undo restored: `limit` at most, in order, after the line with this id."""
    sql = (
        f"SELECT {select(RestoredLine)} FROM undo_line WHERE undo_id = ? AND outcome = 'restored' AND id > ?"
        " ORDER BY id LIMIT ?"
    )
    return await fetch(RestoredLine, sql, [undo_id, after, limit])


async def find_undo(organization_id: str, undo_id: str) -> Undo | None:
    return await Undo.get_or_none(id=undo_id, organization_id=organization_id)


async def undos_by_id(organization_id: str, undo_ids: Sequence[str]) -> list[Undo]:
    """Those of the undos that are the organization's."""
    return await Undo.filter(organization_id=organization_id, id__in=list(undo_ids))


async def undo_page(organization_id: str, keyset: Keyset) -> Page[Undo]:
    """A page of the organization's undos, newest first."""
    return await fetch_page(Undo, organization_id, {}, keyset)


async def reverts_of(organization_id: str, undo_id: str) -> list[str]:
    """The ids of the undos that took this one back, oldest first."""
    reverts = await Undo.filter(organization_id=organization_id, undoes=undo_id).order_by("id")
    return [undo.id for undo in reverts]


async def line_page(organization_id: str, undo_id: str, outcome: str | None, keyset: Keyset) -> Page[UndoLine]:
    """A page of an undo's lines with their records, newest first; of one outcome (`restored`, `skipped`), if given."""
    return await fetch_page(
        UndoLine, organization_id, {"undo_id": undo_id, "outcome": outcome}, keyset, with_=("record",)
    )
