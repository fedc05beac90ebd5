"""The states of records, for whoever decides on them: workers and previews."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from enrichment.enums import SOURCE_CRM
from enrichment.provenance import Current
from enrichment.record_state import RecordState
from models.conflict.rejection import rejections_of
from models.record.value import CurrentValue, current_values


class StoredRecord(Protocol):
    """What a row of a record must have: whichever row the caller has read."""

    @property
    def id(self) -> str: ...

    @property
    def fields(self) -> Mapping[str, Any]: ...

    @property
    def received(self) -> Mapping[str, Any]: ...

    @property
    def raw_values(self) -> Mapping[str, Any] | None: ...

    @property
    def unreadable(self) -> Mapping[str, Mapping[str, Any]] | None: ...

    @property
    def created_at(self) -> datetime: ...

    @property
    def last_enriched_at(self) -> datetime | None: ...


async def record_states(records: Sequence[StoredRecord]) -> dict[str, RecordState]:
    """The states of these records, by id."""
    ids = [record.id for record in records]
    values = await current_values(ids)
    rejected = await rejections_of(ids)
    return {
        record.id: RecordState(
            fields=record.fields,
            current=held_values(record, values[record.id]),
            rejected=frozenset(rejected[record.id]),
            last_enriched_at=record.last_enriched_at,
        )
        for record in records
    }


def held_values(record: StoredRecord, values: Mapping[str, CurrentValue]) -> dict[str, Current]:
    """What each field of a record holds, for decisions: its current value, if any, and else what the CRM sent.

    What an earlier version could not read, and was only noted since, is the CRM's value too.
    """
    held = {name: value.to_current(record.created_at) for name, value in values.items()}
    unreadable = record.unreadable or {}
    for name in record.raw_values or {}:
        if name in record.fields or (name in held and held[name].value is not None):
            continue
        if name in unreadable:
            text = unreadable[name]
            held[name] = _sent(text["raw"], record, unreadable=text["reason"])
        elif name in record.received:
            held[name] = _sent(record.received[name], record)
    return held


def _sent(value: Any, record: StoredRecord, *, unreadable: str | None = None) -> Current:
    at = record.created_at
    return Current(value, SOURCE_CRM, 1.0, at, at, observed_at_known=False, unreadable=unreadable)
