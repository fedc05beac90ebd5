"""Ingest the records that a CRM sends: many of them with a handful of statements, and an outcome for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from enrichment.catalogue import completeness, value_key
from enrichment.config import Config
from enrichment.enums import SOURCE_CRM, EntityType, JobTrigger
from enrichment.ingest import RecordChange, apply_message
from models.conflict.queue import supersede
from models.conflict.rejection import NewRejection, insert_rejections
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.job import Job
from models.job.queries import active_jobs_of
from models.job.transitions import NewJob, create
from models.record import Record
from models.record.row import (
    ReceivedFields,
    RecordRow,
    RecordUpdate,
    insert_records,
    lock_by_external_id,
    update_received,
    update_records,
)
from models.record.value import CurrentValue, NewValue, current_values, replace_values
from models.trust import Judgement, count_judgements
from resolvers.conflict.trust import judged_by_the_crm
from resolvers.erasure.reimport_guard import ReimportGuard
from resolvers.job.new_job import job_of, new_job
from resolvers.record.change import record_update, search_text
from resolvers.record.message import RecordMessage


class RecordOutcome(StrEnum):
    """What became of one record that was sent."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(slots=True)
class IngestedRecord:
    """What became of one message."""

    record: Record
    outcome: RecordOutcome
    job: Job | None = None
    folded: bool = False


@dataclass(slots=True)
class _Work:
    """One message on its way through the statements."""

    message: RecordMessage
    record: RecordRow
    change: RecordChange
    outcome: RecordOutcome
    provenance: Mapping[str, CurrentValue] = field(default_factory=dict)  # before the message, by field

    @property
    def is_new(self) -> bool:
        return self.outcome is RecordOutcome.CREATED

    @property
    def wants_job(self) -> JobTrigger | None:
        if self.is_new:
            return JobTrigger.RECORD_CREATED
        return JobTrigger.RECORD_UPDATED if self.change.matters else None


@dataclass(slots=True)
class IngestResult:
    """What a batch did, by message, and which conflicts its changes made pointless."""

    ingested: dict[int, IngestedRecord]
    superseded: list[str]
    erased: dict[int, str] = field(default_factory=dict)  # refused: the certificate of an erasure, by index


@unit_of_work
async def ingest(
    tx: Transaction,
    organization_id: str,
    messages: Sequence[RecordMessage],
    config: Config,
    guard: ReimportGuard,
    now: datetime,
    requested_by: str,
) -> IngestResult:
    """Store these records, each named once, and start the jobs that the triggers ask for.

    Those that an erasure keeps out are left out.
    """
    # One order for everyone, so that two requests with the same records cannot lock each other out.
    ordered = sorted(messages, key=lambda message: message.key)
    sent = [(message.entity_type, message.external_id, message.cleaned) for message in ordered]
    erased = await guard.erased(tx, organization_id, sent)
    admitted = [message for index, message in enumerate(ordered) if index not in erased]
    works = await _store(tx, organization_id, admitted, now) if admitted else []
    await _write_values(tx, works, now)
    changed = [(work.record.id, name) for work in works if not work.is_new for name in work.change.written]
    superseded = await supersede(tx, changed, now)
    await _remember_cleared(tx, works, now)
    jobs, folded = await _start_jobs(tx, organization_id, works, config, now, requested_by)
    await count_judgements(tx, [judgement for work in works for judgement in _judged(work)])
    ingested = {work.message.index: _ingested(work, jobs, folded) for work in works}
    certificates = {ordered[index].index: certificate for index, certificate in erased.items()}
    return IngestResult(ingested, [conflict.id for conflict in superseded], certificates)


def _new_record(organization_id: str, message: RecordMessage, now: datetime) -> RecordRow:
    fields = {**message.cleaned.unknown, **message.cleaned.values}
    return RecordRow(
        id=new_id(),
        organization_id=organization_id,
        entity_type=message.entity_type,
        external_id=message.external_id,
        fields=fields,
        received=dict(message.cleaned.values),
        search_text=search_text(message.external_id, fields),
        completeness=completeness(message.entity_type, message.cleaned.values),
        version=1,
        last_enriched_at=None,
        refreshed_at=None,
        created_at=now,
        updated_at=now,
    )


async def _store(
    tx: Transaction, organization_id: str, messages: Sequence[RecordMessage], now: datetime
) -> list[_Work]:
    """Insert the new records and change the known ones."""
    new = {message.key: _new_record(organization_id, message, now) for message in messages}
    added = await insert_records(tx, list(new.values()))
    works: list[_Work] = []
    known: list[RecordMessage] = []
    for message in messages:
        record = new[message.key]
        if record.id in added:
            written = dict(message.cleaned.values)
            change = RecordChange(record.fields, record.received, written=written, matters=True)
            works.append(_Work(message, record, change, RecordOutcome.CREATED))
        else:
            known.append(message)
    if known:
        works += await _change(tx, organization_id, known, now)
    return works


async def _change(
    tx: Transaction, organization_id: str, messages: Sequence[RecordMessage], now: datetime
) -> list[_Work]:
    records = await _lock_known(tx, organization_id, messages)
    provenance = await current_values((record.id for record in records.values()), using=tx)
    works: list[_Work] = []
    for message in messages:
        record = records[message.key]
        change = apply_message(message.entity_type, message.cleaned, record.fields, record.received)
        outcome = RecordOutcome.UNCHANGED if change.is_empty else RecordOutcome.CHANGED
        works.append(_Work(message, record, change, outcome, provenance[record.id]))
    await _write_changes(tx, [work for work in works if not work.change.is_empty], now)
    repeated = [work for work in works if work.change.is_empty and work.change.received != work.record.received]
    await update_received(tx, [ReceivedFields(work.record.id, work.change.received) for work in repeated])
    return works


async def _write_changes(tx: Transaction, works: Sequence[_Work], now: datetime) -> None:
    updates: list[RecordUpdate] = []
    for work in works:
        record, change = work.record, work.change
        update = record_update(
            record.id, record.version, record.entity_type, record.external_id, change.fields, received=change.received
        )
        updates.append(update)
        work.record = replace(
            record,
            fields=change.fields,
            received=change.received,
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


async def _write_values(tx: Transaction, works: Sequence[_Work], now: datetime) -> None:
    values = [
        NewValue(
            id=new_id(),
            organization_id=work.record.organization_id,
            record_id=work.record.id,
            field=name,
            value=value,
            source=SOURCE_CRM,
            confidence=1.0,
            observed_at=now,
            written_at=now,
        )
        for work in works
        for name, value in work.change.written.items()
    ]
    await replace_values(tx, values, now)


async def _remember_cleared(tx: Transaction, works: Sequence[_Work], now: datetime) -> None:
    """A value of enrichment's that the CRM cleared is not restored by the source that gave it."""
    cleared = [
        NewRejection(
            id=new_id(),
            organization_id=work.record.organization_id,
            record_id=work.record.id,
            field=name,
            value_key=value_key(work.message.entity_type, name, work.change.replaced[name]),
            source=work.provenance[name].source,
            rejected_at=now,
        )
        for work in works
        for name, value in work.change.written.items()
        if value is None and name in work.provenance and work.provenance[name].source != SOURCE_CRM
    ]
    await insert_rejections(tx, cleared)


def _judged(work: _Work) -> list[Judgement]:
    """What the message says about the sources whose values it replaces."""
    replaced = {name: work.provenance[name] for name in work.change.written if name in work.provenance}
    return judged_by_the_crm(work.record.organization_id, work.message.entity_type, replaced)


async def _start_jobs(
    tx: Transaction, organization_id: str, works: Sequence[_Work], config: Config, now: datetime, requested_by: str
) -> tuple[dict[str, NewJob], dict[str, Job]]:
    """Jobs started, and active ones that others were folded into, by record."""
    jobs: dict[str, NewJob] = {}
    for work in works:
        record, trigger = work.record, work.wants_job
        if trigger is not None and config.starts_on(trigger, record.entity_type):
            jobs[record.id] = new_job(
                organization_id, record.id, record.entity_type, trigger, config, now, requested_by=requested_by
            )
    created = await create(tx, list(jobs.values()))
    started = {record_id: job for record_id, job in jobs.items() if job.id in created}
    others = [record_id for record_id in jobs if record_id not in started]
    if not others:
        return started, {}
    return started, {job.record_id: job for job in await active_jobs_of(tx, organization_id, others)}


def _ingested(work: _Work, jobs: Mapping[str, NewJob], folded: Mapping[str, Job]) -> IngestedRecord:
    record = work.record.to_model()
    started = jobs.get(work.record.id)
    if started is not None:
        return IngestedRecord(record, work.outcome, job_of(started, record))
    into = folded.get(work.record.id)
    return IngestedRecord(record, work.outcome, into, folded=into is not None)
