"""Store the records that a CRM sent: new ones are added, known ones changed, or only noted as received."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from enrichment.catalogue import completeness
from enrichment.enums import SOURCE_CRM, EntityType, JobTrigger
from enrichment.ingest import HeldRecord, RecordChange, apply_message, as_sent, first_change
from enrichment.record_state import with_unreadable
from enrichment.repetition import fields_to_look_at
from models.db.columns import new_id
from models.db.copying import RowRefused
from models.db.transaction import Transaction
from models.record.first_values import add_first_values
from models.record.row import RecordRow, add_records, lock_by_external_id
from models.record.table import is_dated
from models.record.value import CurrentValue, DatedValue, current_values_of
from resolvers.record.change import search_text
from resolvers.record.message import RecordMessage
from resolvers.record.observation import UNDATED
from resolvers.record.write import write_records

NOT_STORED = ""  # the id of a value that this request wrote, and has not stored yet


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
    def values(self) -> dict[str, Any]:
        """What becomes the value of its field; also a text that is only noted, where nothing holds the field."""
        held = {name for name, value in self.provenance.items() if value.to_current().value is not None}
        return dict.fromkeys(self.change.noted - held) | self.change.written

    @property
    def dated(self) -> dict[str, datetime]:
        """What the CRM repeats as its own, and says that it saw it, or saw it later than was known: when, by field."""
        return {
            name: observed_at
            for name in self.message.cleaned.raw
            if (observed_at := self.message.observed.of(name)) is not None
            and name in self.provenance
            and name not in self.change.written
            and name not in self.late
            and self.provenance[name].source == SOURCE_CRM
            and (observed_at > self.provenance[name].observed_at or not is_dated(self.provenance[name]))
        }

    @property
    def is_new(self) -> bool:
        return self.outcome is RecordOutcome.CREATED

    @property
    def wants_job(self) -> JobTrigger | None:
        if self.is_new:
            return JobTrigger.RECORD_CREATED
        return JobTrigger.RECORD_UPDATED if self.change.matters else None


def first_of_each(works: Iterable[StoredMessage]) -> dict[str, StoredMessage]:
    """The first of these messages about each record."""
    first: dict[str, StoredMessage] = {}
    for work in works:
        first.setdefault(work.record.id, work)
    return first


def dated_values(works: Sequence[StoredMessage]) -> list[DatedValue]:
    """When the CRM saw values that are stored, as it says last."""
    dated = {
        (work.record.id, name): moment
        for work in works
        for name, moment in work.dated.items()
        if work.provenance[name].id != NOT_STORED
    }
    return [DatedValue(record_id, name, moment) for (record_id, name), moment in dated.items()]


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
    """Change the records of these messages, locked in one order. Raises RecordsMoved where one is not there.

    Messages of one record are taken one after another: each finds what those before it left.
    """
    if not messages:
        return []
    times = Counter(message.key for message in messages)
    found = await _lock_known(tx, organization_id, messages)
    if len(found) < len(times):
        raise RecordsMoved
    looked_at: dict[str, set[str]] = {}
    for message in messages:
        record = found[message.key]
        names = message.cleaned.raw.keys() if times[message.key] > 1 else _looked_at(message, record)
        looked_at.setdefault(record.id, set()).update(names)
    provenance = await current_values_of(tx, looked_at)
    held = dict(found)
    works: list[StoredMessage] = []
    for message in messages:
        record = held[message.key]
        work = _known_work(message, record, provenance[record.id], now)
        works.append(work)
        held[message.key] = work.record
        if times[message.key] > 1:
            provenance[record.id] = provenance[record.id] | _left_by(work, now)
    await write_records(tx, [(found[key], held[key]) for key in times], now)
    return works


def _known_work(
    message: RecordMessage, record: RecordRow, provenance: Mapping[str, CurrentValue], now: datetime
) -> StoredMessage:
    """What a message does to a record that is held; with the record as it is afterwards."""
    held = held_record(record, {name: value.source for name, value in provenance.items()})
    late = _late_fields(message, held, provenance)
    read = message.read_in(record.fields.get("country"))
    change = apply_message(message.entity_type, read.without(late), held)
    outcome = RecordOutcome.UNCHANGED if change.is_empty else RecordOutcome.CHANGED
    repeats = change.is_empty and change.raw == record.raw_values and not late
    after = _after(record, change, now)
    return StoredMessage(message, after, change, outcome, read.refused, provenance, late, repeats)


def _left_by(work: StoredMessage, now: datetime) -> dict[str, CurrentValue]:
    """The values that a message leaves to the next one about its record. What is not stored yet has no id."""
    observed, change = work.message.observed, work.change
    dated = {
        name: replace(work.provenance[name], observed_at=moment, observed_at_known=True)
        for name, moment in work.dated.items()
    }
    return dated | {
        name: CurrentValue(
            id=NOT_STORED,
            record_id=work.record.id,
            field=name,
            value=value,
            raw_value=change.raw.get(name),
            unreadable=change.unreadable[name]["reason"] if name in change.unreadable else None,
            source=SOURCE_CRM,
            actor=None,
            confidence=1.0,
            job_id=None,
            observed_at=observed.of(name) or now,
            observed_at_known=observed.of(name) is not None,
            verified_at=None,
            written_at=now,
        )
        for name, value in work.values.items()
    }


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


def _after(record: RecordRow, change: RecordChange, now: datetime) -> RecordRow:
    """The record after a change; where that is empty, what the CRM sent is noted alone."""
    if change.is_empty and (change.received, change.raw, change.unreadable) == (
        record.received,
        record.raw_values,
        record.unreadable,
    ):
        return record
    fields = record.fields if change.is_empty else change.fields
    shown = with_unreadable(fields, change.unreadable)
    return replace(
        record,
        fields=fields,
        received=change.received,
        raw_values=change.raw,
        unreadable=change.unreadable,
        search_text=search_text(record.external_id, fields, change.unreadable),
        completeness=completeness(record.entity_type, shown),
        version=record.version if change.is_empty else record.version + 1,
        updated_at=record.updated_at if change.is_empty else now,
    )


async def _lock_known(
    tx: Transaction, organization_id: str, messages: Sequence[RecordMessage]
) -> dict[tuple[EntityType, str], RecordRow]:
    found: dict[tuple[EntityType, str], RecordRow] = {}
    for entity_type in EntityType:
        ids = list(dict.fromkeys(m.external_id for m in messages if m.entity_type is entity_type))
        for record in await lock_by_external_id(tx, organization_id, entity_type, ids):
            found[record.entity_type, record.external_id] = record
    return found
