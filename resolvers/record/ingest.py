"""Ingest the records that a CRM sends: many of them with a handful of statements, and an outcome for each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from enrichment.catalogue import is_equivalent, value_key
from enrichment.config import Config
from enrichment.enums import SOURCE_CRM, EntityType, JobTrigger
from models.conflict.queue import ConflictId
from models.conflict.rejection import NewRejection, insert_rejections
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.db.wanted import Wanted
from models.event.of_record import record_created, records_changed
from models.event.write import add_events
from models.job.shown import ShownJob, jobs_of_last_change, shown_active_jobs
from models.job.transitions import NewJob, create, create_first
from models.record.row import RecordRow
from models.record.value import NewValue, date_values, replace_values
from models.trust import Judgement, count_judgements
from resolvers.conflict.follow import follow_values
from resolvers.conflict.trust import judged_by_the_crm
from resolvers.erasure.reimport_guard import ReimportGuard
from resolvers.errors import Unavailable
from resolvers.job.new_job import PendingJob, new_job
from resolvers.record.input import RecordInput
from resolvers.record.message import RecordMessage, clean_all
from resolvers.record.repetition import RecordKey, held_records, repetitions
from resolvers.record.store import (
    NOT_STORED,
    RecordOutcome,
    RecordsMoved,
    StoredMessage,
    add_new,
    change_known,
    dated_values,
    first_of_each,
)

_TRIES = 5
REPETITION = timedelta(days=1)  # how long a record that is sent unchanged may be the repetition of a lost request


@dataclass(slots=True)
class IngestedRecord:
    """What became of one message. `refused`: what of it cannot be read, and why, by field."""

    record: RecordRow
    outcome: RecordOutcome
    refused: Mapping[str, tuple[Any, str]]
    job: ShownJob | PendingJob | None = None
    folded: bool = False
    late_fields: Sequence[str] = ()
    repeats: bool = False  # it says what the CRM said before


@dataclass(slots=True)
class IngestResult:
    """What a batch did, by message, and which conflicts its changes made pointless."""

    ingested: dict[int, IngestedRecord]
    superseded: list[str] = field(default_factory=list)
    erased: dict[int, str] = field(default_factory=dict)  # refused: the certificate of an erasure, by index
    left: set[int] = field(default_factory=set)  # not taken in yet: more of a record that was made by this batch

    def add(self, later: "IngestResult") -> None:
        """Add what was taken in after it."""
        self.ingested |= later.ingested
        self.superseded += later.superseded
        self.erased |= later.erased


@dataclass(frozen=True, slots=True)
class Ingestion:
    """Who sends records, and by which rules they are taken. `shown`: what is to be shown of their jobs."""

    organization_id: str
    config: Config
    guard: ReimportGuard
    now: datetime
    requested_by: str
    shown: Wanted


async def take_in(ingestion: Ingestion, records: Sequence[tuple[int, RecordInput]]) -> IngestResult:
    """Store these records by their indexes, and start the jobs that the triggers ask for.

    What was sent of a record that is known is taken one after another, at once; of a new one the first makes it, and
    the others are taken in after that.
    What only repeats what the CRM sent before is told by what is held, and costs no transaction.
    """
    for _ in range(_TRIES):
        held = await held_records(ingestion.organization_id, records)
        times = Counter((record.entity_type, record.external_id) for _, record in records)
        once = [item for item in records if times[item[1].entity_type, item[1].external_id] == 1]
        repeated = {} if await ingestion.guard.must_look(ingestion.organization_id) else repetitions(held, once)
        messages = await clean_all([item for item in records if item[0] not in repeated], ingestion.now)
        try:
            result = await _ingest(ingestion, messages, held) if messages else IngestResult({})
        except RecordsMoved:
            continue
        for index, (record, refused) in repeated.items():
            result.ingested[index] = IngestedRecord(record, RecordOutcome.UNCHANGED, refused, repeats=True)
        await _name_jobs(ingestion, result)
        if result.left:
            result.add(await take_in(ingestion, [item for item in records if item[0] in result.left]))
        return result
    raise Unavailable("other requests keep changing the same records", retry_after=1)


async def _name_jobs(ingestion: Ingestion, result: IngestResult) -> None:
    """Who sends the same again may have lost the answer that named the job."""
    repeated: dict[str, list[IngestedRecord]] = {}
    for ingested in result.ingested.values():
        if ingested.repeats:
            repeated.setdefault(ingested.record.id, []).append(ingested)
    if repeated:
        since = ingestion.now - REPETITION
        for job in await jobs_of_last_change(ingestion.organization_id, repeated, since, ingestion.shown):
            for ingested in repeated[job.record_id]:
                ingested.job, ingested.folded = job, True


@unit_of_work
async def _ingest(
    tx: Transaction, ingestion: Ingestion, messages: Sequence[RecordMessage], held: Mapping[RecordKey, RecordRow]
) -> IngestResult:
    """Those that an erasure keeps out are left out."""
    organization_id, now = ingestion.organization_id, ingestion.now
    # One order for everyone, so that two requests with the same records cannot lock each other out.
    ordered = sorted(messages, key=lambda message: message.key)
    sent = [(message.entity_type, message.external_id, message.cleaned) for message in ordered]
    erased = await ingestion.guard.erased(tx, organization_id, sent)
    admitted = [message for index, message in enumerate(ordered) if index not in erased]
    unknown = [message for message in admitted if message.key not in held]
    making = {message.key: message for message in reversed(unknown)}  # the first of each record
    added = await add_new(tx, organization_id, [making[key] for key in sorted(making)], now)
    known = await change_known(tx, organization_id, [message for message in admitted if message.key in held], now)
    superseded = await _follow_changes(tx, known, now)
    jobs, folded = await _start_jobs(tx, ingestion, added, known)
    await _log(tx, added, known, superseded, jobs, now)
    works = (*added, *known)
    starting = first_of_each(work for work in works if work.record.id in jobs and work.wants_job is not None)
    ingested = {work.message.index: _ingested(work, jobs, folded, starting) for work in works}
    certificates = {ordered[index].index: certificate for index, certificate in erased.items()}
    left = {message.index for message in unknown if making[message.key] is not message}
    return IngestResult(ingested, [conflict.id for conflict in superseded], certificates, left)


async def _log(
    tx: Transaction,
    added: Sequence[StoredMessage],
    known: Sequence[StoredMessage],
    conflicts: Sequence[ConflictId],
    jobs: Mapping[str, NewJob],
    now: datetime,
) -> None:
    """Add to the log what became of these records: a row for each that is new or was changed."""
    started = {record_id: job.id for record_id, job in jobs.items()}
    changed = [work for work in known if not work.change.is_empty]
    last = first_of_each(reversed(changed))
    starting = first_of_each(work for work in known if work.wants_job is not None)
    events = [record_created(work.record, now, started.get(work.record.id)) for work in added]
    ended: dict[str, list[ConflictId]] = {}
    for conflict in conflicts:
        ended.setdefault(conflict.record_id, []).append(conflict)
    for work in changed:
        record_id = work.record.id
        events += records_changed(
            [(work.record, work.change.written)],
            now,
            conflicts=ended.get(record_id, ()) if last[record_id] is work else (),
            jobs=started if starting.get(record_id) is work else None,
        )
    await add_events(tx, events)


async def _follow_changes(tx: Transaction, works: Sequence[StoredMessage], now: datetime) -> list[ConflictId]:
    """Write the values of known records that changed, and what follows. Returns conflicts that are pointless now."""
    if not works:
        return []
    # Before they are replaced by what comes later in the same request.
    await date_values(tx, dated_values(works))
    await _write_values(tx, works, now)
    changed = dict.fromkeys((work.record.id, name) for work in works for name in work.change.changed)
    superseded = await follow_values(tx, list(changed), now)
    await _remember_cleared(tx, works, now)
    await count_judgements(tx, [judgement for work in works for judgement in _judged(work)])
    return superseded


async def _write_values(tx: Transaction, works: Sequence[StoredMessage], now: datetime) -> None:
    values: list[NewValue] = []
    place: dict[tuple[str, str], int] = {}  # of the last value of each field
    for work in works:
        record, change, observed = work.record, work.change, work.message.observed
        for name, moment in work.dated.items():
            if work.provenance[name].id == NOT_STORED:
                at = place[record.id, name]
                values[at] = replace(values[at], observed_at=moment, observed_at_known=True)
        for name, value in work.values.items():
            place[record.id, name] = len(values)
            values.append(
                NewValue(
                    id=new_id(),
                    organization_id=record.organization_id,
                    record_id=record.id,
                    field=name,
                    value=value,
                    source=SOURCE_CRM,
                    confidence=1.0,
                    observed_at=observed.of(name) or now,
                    observed_at_known=observed.of(name) is not None,
                    written_at=now,
                    raw_value=change.raw.get(name),
                    unreadable=change.unreadable[name]["reason"] if name in change.unreadable else None,
                )
            )
    await replace_values(tx, values, now)


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
    tx: Transaction, ingestion: Ingestion, added: Sequence[StoredMessage], known: Sequence[StoredMessage]
) -> tuple[dict[str, NewJob], dict[str, ShownJob]]:
    """Jobs started, and earlier ones that others were folded into, by record."""
    first, later = _jobs_for(ingestion, added), _jobs_for(ingestion, known)
    await create_first(tx, list(first.values()))
    if not later:
        return first, {}
    created = await create(tx, list(later.values()), logged=False)
    started = {record_id: job for record_id, job in later.items() if job.id in created}
    others = [record_id for record_id in later if record_id not in started]
    folded = await shown_active_jobs(tx, ingestion.organization_id, others, ingestion.shown) if others else []
    return first | started, {job.record_id: job for job in folded}


def _jobs_for(ingestion: Ingestion, works: Sequence[StoredMessage]) -> dict[str, NewJob]:
    """The jobs that these messages ask for, by record."""
    config = ingestion.config
    starts = {(trigger, kind): config.starts_on(trigger, kind) for trigger in JobTrigger for kind in EntityType}
    return {
        record_id: new_job(
            ingestion.organization_id,
            record_id,
            work.record.entity_type,
            trigger,
            config,
            ingestion.now,
            requested_by=ingestion.requested_by,
        )
        for record_id, work in first_of_each(work for work in works if work.wants_job is not None).items()
        if (trigger := work.wants_job) is not None and starts[trigger, work.record.entity_type]
    }


def _ingested(
    work: StoredMessage,
    jobs: Mapping[str, NewJob],
    folded: Mapping[str, ShownJob],
    starting: Mapping[str, StoredMessage],
) -> IngestedRecord:
    """What became of a message; `starting` has, by record, the one whose job was started: later ones are part of it."""
    ingested = IngestedRecord(work.record, work.outcome, work.refused, late_fields=work.late, repeats=work.repeats)
    if work.wants_job is None:
        return ingested
    if (started := jobs.get(work.record.id)) is not None:
        ingested.job = PendingJob(started, work.record)
        ingested.folded = starting[work.record.id] is not work
    elif (into := folded.get(work.record.id)) is not None:
        ingested.job, ingested.folded = into, True
    return ingested
