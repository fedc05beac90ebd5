"""Rows of field values, and the statements that read, replace and confirm them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from enrichment.enums import SOURCE_CRM
from enrichment.provenance import Current
from models.db.columns import to_micros
from models.db.copying import add_rows
from models.db.rows import bulk, fetch, projection, select
from models.db.statements import dump_rows, execute, marks, one_of, query, rows, texts
from models.db.transaction import Transaction
from models.record.table import FieldValue, is_dated


@projection(FieldValue)
class CurrentValue:
    """The value that a field holds now, with its provenance.

    The value None is a field that was cleared, or one that holds what the CRM sent (`raw_value`) and that cannot be
    read, for the reason `unreadable`.
    """

    id: str
    record_id: str
    field: str
    value: Any
    raw_value: Any | None
    unreadable: str | None
    source: str
    actor: str | None
    confidence: float
    job_id: str | None
    observed_at: datetime
    observed_at_known: bool | None
    verified_at: datetime | None
    written_at: datetime

    def to_current(self, record_created_at: datetime | None = None) -> Current:
        """The value as decisions know it.

        What the CRM sent after its record was created is an edit; whoever does not ask for that names no moment.
        """
        known = is_dated(self)
        came_later = record_created_at is not None and self.observed_at > record_created_at
        return Current(
            self.value if self.unreadable is None else self.raw_value,
            self.source,
            self.confidence,
            self.observed_at,
            self.written_at,
            observed_at_known=known,
            edited_at=self.observed_at if came_later and not known else None,
            unreadable=self.unreadable,
        )


@projection(FieldValue)
class ValueVersion:
    """A value that a field has had, or has now (`replaced_at` is None)."""

    id: str
    record_id: str
    field: str
    value: Any
    raw_value: Any | None
    unreadable: str | None
    source: str
    actor: str | None
    confidence: float
    job_id: str | None
    observed_at: datetime
    observed_at_known: bool | None
    first_observed_at: datetime | None
    verified_at: datetime | None
    verified_count: int
    written_at: datetime
    replaced_at: datetime | None
    replaces: str | None
    restores: str | None
    undo_id: str | None
    conflict_id: str | None
    accepted_from: dict[str, Any] | None


@projection(FieldValue)
class NewValue:
    """A value to write: it becomes the current one of its field."""

    id: str
    organization_id: str
    record_id: str
    field: str
    value: Any
    source: str
    confidence: float
    observed_at: datetime
    written_at: datetime
    observed_at_known: bool | None = True
    actor: str | None = None
    job_id: str | None = None
    first_observed_at: datetime | None = None
    verified_at: datetime | None = None
    verified_count: int = 0
    replaces: str | None = None
    restores: str | None = None
    undo_id: str | None = None
    raw_value: Any | None = None
    unreadable: str | None = None
    conflict_id: str | None = None
    accepted_from: dict[str, Any] | None = None


@projection(FieldValue)
class ConfirmedValue:
    """A current value that a source saw again at `observed_at`; `confidence` is the value's from then on."""

    record_id: str
    field: str
    observed_at: datetime
    confidence: float


@projection(FieldValue)
class PastValue(NewValue):
    """A value that another of the same request has replaced."""

    replaced_at: datetime | None = None


def _ended(value: NewValue, now: datetime) -> PastValue:
    return PastValue(**{column.name: getattr(value, column.name) for column in fields(value)}, replaced_at=now)


async def replace_values(tx: Transaction, values: Sequence[NewValue], now: datetime) -> None:
    """Make these the current values of their fields, one after another where several are of the same field.

    What they replace becomes history, and is named in `replaces`.
    """
    replaced = await end_values(tx, list(dict.fromkeys((value.record_id, value.field) for value in values)), now)
    latest: dict[tuple[str, str], NewValue] = {}
    past: list[PastValue] = []
    for value in values:
        place = value.record_id, value.field
        earlier = latest.get(place)
        if earlier is not None:
            past.append(_ended(earlier, now))
        before = replaced.get(place) if earlier is None else earlier.id
        latest[place] = replace(value, replaces=before) if before else value
    if past:
        await add_rows(tx, past)
    await add_rows(tx, list(latest.values()))


async def end_values(tx: Transaction, fields: Sequence[tuple[str, str]], now: datetime) -> dict[tuple[str, str], str]:
    """Make the current values of these (record id, field) pairs history. Returns the id of each."""
    if not fields:
        return {}
    ended = await query(
        "UPDATE field_value SET replaced_at = ?"
        f" FROM {rows({'record_id': 'text', 'field': 'text'})}"
        " WHERE field_value.record_id = v.record_id AND field_value.field = v.field"
        " AND field_value.replaced_at IS NULL"
        " RETURNING field_value.id, field_value.record_id, field_value.field",
        [to_micros(now), dump_rows([{"record_id": record_id, "field": name} for record_id, name in fields])],
        using=tx,
    )
    return {(row["record_id"], row["field"]): row["id"] for row in ended}


_IS_DATED = (  # see `is_dated`
    f"COALESCE(field_value.observed_at_known, field_value.source <> '{SOURCE_CRM}'"
    " OR field_value.verified_at IS NOT NULL)"
)


async def verify_values(tx: Transaction, confirmed: Sequence[ConfirmedValue], now: datetime) -> None:
    """Note that sources saw the current values again.

    `observed_at` moves on, and says when a value of unknown age was seen; when a value was seen first is kept.
    """
    if not confirmed:
        return
    source, parameter = bulk(confirmed)
    await execute(
        "UPDATE field_value SET observed_at = v.observed_at, observed_at_known = TRUE,"
        f" first_observed_at = CASE WHEN {_IS_DATED}"
        " THEN COALESCE(field_value.first_observed_at, field_value.observed_at) END,"
        " verified_at = ?, verified_count = field_value.verified_count + 1, confidence = v.confidence"
        f" FROM {source} WHERE field_value.record_id = v.record_id AND field_value.field = v.field"
        f" AND field_value.replaced_at IS NULL AND (field_value.observed_at < v.observed_at OR NOT {_IS_DATED})",
        [to_micros(now), parameter],
        using=tx,
    )


@projection(FieldValue)
class DatedValue:
    """When the CRM says that it saw the value which a field of a record has from it."""

    record_id: str
    field: str
    observed_at: datetime


async def date_values(tx: Transaction, dated: Sequence[DatedValue]) -> None:
    """Note when the CRM saw values that are its own, where that was not known or is later than what was."""
    if not dated:
        return
    source, parameter = bulk(dated)
    await execute(
        "UPDATE field_value SET observed_at = v.observed_at, observed_at_known = TRUE"
        f" FROM {source} WHERE field_value.record_id = v.record_id AND field_value.field = v.field"
        f" AND field_value.replaced_at IS NULL AND field_value.source = '{SOURCE_CRM}'"
        f" AND (field_value.observed_at < v.observed_at OR NOT {_IS_DATED})",
        [parameter],
        using=tx,
    )


async def current_values(
    record_ids: Iterable[str], *, names: Collection[str] | None = None, using: Transaction | None = None
) -> dict[str, dict[str, CurrentValue]]:
    """The current value of every field that was ever filled, or of these alone, by record and field."""
    ids = list(record_ids)
    found: dict[str, dict[str, CurrentValue]] = {record_id: {} for record_id in ids}
    if ids:
        of_names = "" if names is None else f" AND field IN ({marks(names)})"
        sql = (
            f"SELECT {select(CurrentValue)} FROM field_value WHERE replaced_at IS NULL"
            f" AND {one_of('record_id')}{of_names}"
        )
        for value in await fetch(CurrentValue, sql, [texts(ids), *(names or ())], using=using):
            found[value.record_id][value.field] = value
    return found


async def current_values_of(
    tx: Transaction, fields: Mapping[str, Collection[str]]
) -> dict[str, dict[str, CurrentValue]]:
    """As `current_values`, of these fields of each record."""
    found: dict[str, dict[str, CurrentValue]] = {record_id: {} for record_id in fields}
    pairs = [{"record_id": record_id, "field": name} for record_id, names in fields.items() for name in names]
    if pairs:
        sql = (
            f"SELECT {select(CurrentValue, 'field_value')} FROM {rows({'record_id': 'text', 'field': 'text'})}"
            " JOIN field_value ON field_value.record_id = v.record_id AND field_value.field = v.field"
            " AND field_value.replaced_at IS NULL"
        )
        for value in await fetch(CurrentValue, sql, [dump_rows(pairs)], using=tx):
            found[value.record_id][value.field] = value
    return found


async def versions_of(
    record_ids: Sequence[str], names: Sequence[str], *, using: Transaction | None = None
) -> dict[tuple[str, str], list[ValueVersion]]:
    """Every value that these fields of these records have had, oldest first, by (record id, field)."""
    found: dict[tuple[str, str], list[ValueVersion]] = {}
    if record_ids and names:
        sql = (
            f"SELECT {select(ValueVersion)} FROM field_value WHERE record_id IN ({marks(record_ids)})"
            f" AND field IN ({marks(names)}) ORDER BY written_at, id"
        )
        for version in await fetch(ValueVersion, sql, [*record_ids, *names], using=using):
            found.setdefault((version.record_id, version.field), []).append(version)
    return found


async def history_of(record_id: str) -> list[ValueVersion]:
    """Every value that the fields of a record have had, oldest first."""
    sql = f"SELECT {select(ValueVersion)} FROM field_value WHERE record_id = ? ORDER BY id"
    return await fetch(ValueVersion, sql, [record_id])
