"""Ingest the records that a CRM sends: many of them with a handful of statements, and an outcome for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from enrichment.catalogue import is_equivalent, value_key
from enrichment.config import Config
from enrichment.enums import SOURCE_CRM
from models.conflict.rejection import NewRejection, insert_rejections
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.job import Job
from models.job.queries import active_jobs_of, jobs_of_last_change
from models.job.transitions import NewJob, create
from models.record import Record
from models.record.table import is_dated
from models.record.value import DatedValue, NewValue, date_values, replace_values
from models.trust import Judgement, count_judgements
from resolvers.conflict.follow import follow_values
from resolvers.conflict.trust import judged_by_the_crm
from resolvers.erasure.reimport_guard import ReimportGuard
from resolvers.job.new_job import job_of, new_job
from resolvers.record.message import RecordMessage
from resolvers.record.store import RecordOutcome, StoredMessage, store_messages

REPETITION = timedelta(days=1)  # how long a record that is sent unchanged may be the repetition of a lost request


@dataclass(slots=True)
class IngestedRecord:
    """What became of one message."""

    record: Record
    outcome: RecordOutcome
    job: Job | None = None
    folded: bool = False
    late_fields: Sequence[str] = ()


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
    works = await store_messages(tx, organization_id, admitted, now) if admitted else []
    await _write_values(tx, works, now)
    await date_values(tx, [dated for work in works for dated in _dated(work)])
    changed = [(work.record.id, name) for work in works if not work.is_new for name in work.change.changed]
    superseded = await follow_values(tx, changed, now)
    await _remember_cleared(tx, works, now)
    jobs, folded = await _start_jobs(tx, organization_id, works, config, now, requested_by)
    await count_judgements(tx, [judgement for work in works for judgement in _judged(work)])
    ingested = {work.message.index: _ingested(work, jobs, folded) for work in works}
    certificates = {ordered[index].index: certificate for index, certificate in erased.items()}
    return IngestResult(ingested, [conflict.id for conflict in superseded], certificates)


async def _write_values(tx: Transaction, works: Sequence[StoredMessage], now: datetime) -> None:
    values = [
        NewValue(
            id=new_id(),
            organization_id=work.record.organization_id,
            record_id=work.record.id,
            field=name,
            value=value,
            source=SOURCE_CRM,
            confidence=1.0,
            observed_at=work.message.observed.of(name) or now,
            observed_at_known=work.message.observed.of(name) is not None,
            written_at=now,
            raw_value=work.change.raw.get(name),
            unreadable=work.change.unreadable[name]["reason"] if name in work.change.unreadable else None,
        )
        for work in works
        for name, value in _values_of(work).items()
    ]
    await replace_values(tx, values, now)


def _dated(work: StoredMessage) -> list[DatedValue]:
    """What the CRM repeats as its own, and says that it saw it, or saw it later than was known."""
    return [
        DatedValue(work.record.id, name, observed_at)
        for name in work.message.cleaned.raw
        if (observed_at := work.message.observed.of(name)) is not None
        and name in work.provenance
        and name not in work.change.written
        and name not in work.late
        and work.provenance[name].source == SOURCE_CRM
        and (observed_at > work.provenance[name].observed_at or not is_dated(work.provenance[name]))
    ]


def _values_of(work: StoredMessage) -> dict[str, Any]:
    """What becomes the current value of its field; also a text that is only noted, where nothing holds the field."""
    held = {name for name, value in work.provenance.items() if value.to_current().value is not None}
    return dict.fromkeys(work.change.noted - held) | work.change.written


async def _remember_cleared(tx: Transaction, works: Sequence[StoredMessage], now: datetime) -> None:
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
        if value is None and name in work.change.replaced and name not in work.change.unreadable
        if name in work.provenance and work.provenance[name].source != SOURCE_CRM
    ]
    await insert_rejections(tx, cleared)


def _judged(work: StoredMessage) -> list[Judgement]:
    """What the message says about the sources whose values it replaces with others."""
    change, kind = work.change, work.message.entity_type
    replaced = {
        name: work.provenance[name]
        for name, old in change.replaced.items()
        if name in work.provenance and name not in change.unreadable
        if not is_equivalent(kind, name, old, change.written[name])
    }
    return judged_by_the_crm(work.record.organization_id, work.message.entity_type, replaced)


async def _start_jobs(
    tx: Transaction,
    organization_id: str,
    works: Sequence[StoredMessage],
    config: Config,
    now: datetime,
    requested_by: str,
) -> tuple[dict[str, NewJob], dict[str, Job]]:
    """Jobs started, and earlier ones that others were folded into or that a repetition is about, by record."""
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
    folded = await active_jobs_of(tx, organization_id, others) if others else []
    # Who sends the same again may have lost the answer that named the job.
    repeated = [work.record.id for work in works if work.repeats]
    if repeated:
        folded += await jobs_of_last_change(tx, organization_id, repeated, now - REPETITION)
    return started, {job.record_id: job for job in folded}


def _ingested(work: StoredMessage, jobs: Mapping[str, NewJob], folded: Mapping[str, Job]) -> IngestedRecord:
    record = work.record.to_model()
    started = jobs.get(work.record.id)
    if started is not None:
        return IngestedRecord(record, work.outcome, job_of(started, record), late_fields=work.late)
    into = folded.get(work.record.id)
    return IngestedRecord(record, work.outcome, into, folded=into is not None, late_fields=work.late)
