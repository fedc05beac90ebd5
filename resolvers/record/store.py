"""Store the records that a CRM sent: new ones are added, known ones changed, or only noted as received."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from enrichment.catalogue import completeness
from enrichment.enums import EntityType, JobTrigger
from enrichment.ingest import HeldRecord, RecordChange, apply_message, as_sent, first_change
from enrichment.record_state import with_unreadable
from enrichment.repetition import fields_to_look_at
from models.db.columns import new_id
from models.db.copying import RowRefused
from models.db.transaction import Transaction
from models.record.first_values import add_first_values
from models.record.row import (
    ReceivedFields,
    RecordRow,
    RecordUpdate,
    add_records,
    lock_by_external_id,
    update_received,
    update_records,
)
from models.record.value import CurrentValue, current_values_of
from resolvers.record.change import record_update, search_text
from resolvers.record.message import RecordMessage
from resolvers.record.observation import UNDATED


class RecordOutcome(StrEnum):
    """What became of one record that was sent."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(slots=True)
class StoredMessage:
    """One message, and what it did to its record. `repeats`: nothing, for it says what the CRM said before."""

    message: RecordMessage
    record: RecordRow
    change: RecordChange
    outcome: RecordOutcome
    refused: Mapping[str, tuple[Any, str]]  # what cannot be read, and why, by field
    provenance: Mapping[str, CurrentValue] = field(default_factory=dict)  # before it, of fields that are looked at
    late: Sequence[str] = ()  # fields that were left alone: what they hold was observed after what the message says
    repeats: bool = False

    @property
    def is_new(self) -> bool:
        return self.outcome is RecordOutcome.CREATED

    @property
    def wants_job(self) -> JobTrigger | None:
        if self.is_new:
            return JobTrigger.RECORD_CREATED
        return JobTrigger.RECORD_UPDATED if self.change.matters else None


class RecordsMoved(Exception):
    """A record that was there a moment ago is not, or the other way round: the messages are to be looked at again."""


@dataclass(frozen=True, slots=True)
class _First:
    """The values of a new record, as `add_first_values` takes them."""

    record_id: str
    values: Mapping[str, Any]
    raw: Mapping[str, Any]
    unreadable: Mapping[str, Mapping[str, Any]]
    observed_at: Callable[[str], datetime | None]


async def add_new(
    tx: Transaction, organization_id: str, messages: Sequence[RecordMessage], now: datetime
) -> list[StoredMessage]:
    """Add the records of these messages with their values. Raises RecordsMoved where one is there."""
    works = [_new_work(organization_id, message, now) for message in messages]
    try:
        await add_records(tx, [work.record for work in works])
    except RowRefused as error:
        raise RecordsMoved from error
    firsts = (
        _First(work.record.id, work.change.written, work.change.raw, work.change.unreadable, work.message.observed.of)
        for work in works
    )
    await add_first_values(tx, organization_id, firsts, now)
    return works


def _new_work(organization_id: str, message: RecordMessage, now: datetime) -> StoredMessage:
    change = first_change(message.entity_type, message.cleaned)
    shown = with_unreadable(change.fields, change.unreadable)
    record = RecordRow(
        id=new_id(),
        organization_id=organization_id,
        entity_type=message.entity_type,
        external_id=message.external_id,
        fields=change.fields,
        received=change.received,
        raw_values=change.raw,
        unreadable=change.unreadable,
        search_text=search_text(message.external_id, change.fields, change.unreadable),
        completeness=completeness(message.entity_type, shown),
        version=1,
        last_enriched_at=None,
        refreshed_at=None,
        created_at=now,
        updated_at=now,
    )
    return StoredMessage(message, record, change, RecordOutcome.CREATED, refused=message.cleaned.refused)


async def change_known(
    tx: Transaction, organization_id: str, messages: Sequence[RecordMessage], now: datetime
) -> list[StoredMessage]:
    """Change the records of these messages, locked in one order. Raises RecordsMoved where one is not there."""
    if not messages:
        return []
    records = await _lock_known(tx, organization_id, messages)
    if len(records) < len(messages):
        raise RecordsMoved
    provenance = await current_values_of(tx, {records[m.key].id: _looked_at(m, records[m.key]) for m in messages})
    works: list[StoredMessage] = []
    for message in messages:
        record = records[message.key]
        sources = {name: value.source for name, value in provenance[record.id].items()}
        held = held_record(record, sources)
        late = _late_fields(message, held, provenance[record.id])
        read = message.read_in(record.fields.get("country"))
        change = apply_message(message.entity_type, read.without(late), held)
        outcome = RecordOutcome.UNCHANGED if change.is_empty else RecordOutcome.CHANGED
        repeats = change.is_empty and change.raw == record.raw_values and not late
        works.append(
            StoredMessage(message, record, change, outcome, read.refused, provenance[record.id], late, repeats)
        )
    await _write_changes(tx, [work for work in works if not work.change.is_empty], now)
    await _note_received(tx, [work for work in works if work.change.is_empty])
    return works


def _looked_at(message: RecordMessage, record: RecordRow) -> Collection[str]:
    """The fields whose provenance matters to a message: where it says when it saw them, all that it has."""
    if message.observed is not UNDATED:
        return message.cleaned.raw.keys()
    return fields_to_look_at(message.entity_type, message.cleaned.raw, held_record(record, {}))


def held_record(record: RecordRow, sources: Mapping[str, str]) -> HeldRecord:
    """A record as a message finds it; `sources` tells who holds the fields that are looked at."""
    return HeldRecord(record.fields, record.received, record.raw_values, record.unreadable or {}, sources)


def _late_fields(message: RecordMessage, held: HeldRecord, provenance: Mapping[str, CurrentValue]) -> list[str]:
    """The fields for which the CRM sends what it saw before the CRM or a reviewer set what they hold."""
    return [
        name
        for name, raw in message.cleaned.raw.items()
        if (observed_at := message.observed.of(name)) is not None
        and name in provenance
        and (current := provenance[name].to_current()).is_a_persons
        and current.observed_at_known
        and observed_at < current.observed_at
        and as_sent(raw) != as_sent((held.raw or {}).get(name))
    ]


async def _note_received(tx: Transaction, works: Sequence[StoredMessage]) -> None:
    """Note what the CRM sent where that is no change."""
    received: list[ReceivedFields] = []
    for work in works:
        record, change = work.record, work.change
        if (change.received, change.raw, change.unreadable) != (record.received, record.raw_values, record.unreadable):
            update = _update(record, change)
            received.append(
                ReceivedFields(
                    id=record.id,
                    received=change.received,
                    raw_values=change.raw,
                    unreadable=change.unreadable,
                    search_text=update.search_text,
                    completeness=update.completeness,
                )
            )
            work.record = replace(
                record,
                received=change.received,
                raw_values=change.raw,
                unreadable=change.unreadable,
                search_text=update.search_text,
                completeness=update.completeness,
            )
    await update_received(tx, received)


def _update(record: RecordRow, change: RecordChange) -> RecordUpdate:
    return record_update(
        record.id,
        record.version,
        record.entity_type,
        record.external_id,
        change.fields,
        change.unreadable,
        received=change.received,
        raw=change.raw,
    )


async def _write_changes(tx: Transaction, works: Sequence[StoredMessage], now: datetime) -> None:
    updates: list[RecordUpdate] = []
    for work in works:
        record, change = work.record, work.change
        update = _update(record, change)
        updates.append(update)
        work.record = replace(
            record,
            fields=change.fields,
            received=change.received,
            raw_values=change.raw,
            unreadable=change.unreadable,
            search_text=update.search_text,
            completeness=update.completeness,
            version=record.version + 1,
            updated_at=now,
        )
    await update_records(tx, updates, now)


async def _lock_known(
    tx: Transaction, organization_id: str, messages: Sequence[RecordMessage]
) -> dict[tuple[EntityType, str], RecordRow]:
    found: dict[tuple[EntityType, str], RecordRow] = {}
    for entity_type in EntityType:
        ids = [message.external_id for message in messages if message.entity_type is entity_type]
        for record in await lock_by_external_id(tx, organization_id, entity_type, ids):
            found[record.entity_type, record.external_id] = record
    return found
