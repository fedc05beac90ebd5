"""Take in what a CRM sends: many records with a handful of statements, each told what became of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from enrichment.catalogue import Clean, clean, completeness, value_key
from enrichment.config import Config
from enrichment.enums import SOURCE_CRM, EntityType, JobStatus, JobTrigger
from enrichment.ingest import RecordChange, apply_message
from models.conflict_queue import remember_rejections, supersede
from models.db.columns import from_micros, new_id, to_micros
from models.db.statements import dump, load, marks, query, row_lock
from models.db.transaction import Transaction, unit_of_work
from models.job import Job, assemble
from models.job_claims import insert_jobs
from models.record import Record
from models.record_values import current_values, insert_records, replace_values, update_received, update_records
from models.trust import Judgement, count_judgements
from resolvers.conflict.trust import judged_by_the_crm
from resolvers.erasure.reimport_guard import ReimportGuard

PRIORITY = {
    JobTrigger.MANUAL: 0,
    JobTrigger.RECORD_CREATED: 10,
    JobTrigger.RECORD_UPDATED: 10,
    JobTrigger.CREDITS_RESTORED: 20,
    JobTrigger.SCHEDULED_REFRESH: 30,
}
_SEARCHED = (
    "name",
    "company",
    "firstName",
    "lastName",
    "fullName",
    "email",
    "domain",
    "companyDomain",
    "website",
)
_BREATH = 50  # records cleaned between two turns of the event loop


class RecordOutcome(StrEnum):
    """What became of one record that was sent."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RecordMessage:
    """One record as the CRM sent it, checked for form. `index` is its place in the request."""

    index: int
    entity_type: EntityType
    external_id: str
    cleaned: Clean

    @property
    def key(self) -> tuple[EntityType, str]:
        return self.entity_type, self.external_id


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
    record: dict[str, Any]  # the row, JSON columns read
    change: RecordChange
    outcome: RecordOutcome
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # before the message, by field

    @property
    def wants_job(self) -> JobTrigger | None:
        if self.outcome is RecordOutcome.CREATED:
            return JobTrigger.RECORD_CREATED
        return JobTrigger.RECORD_UPDATED if self.change.matters else None


@dataclass(slots=True)
class IngestResult:
    """What a batch did, by message, and which conflicts its changes made pointless."""

    taken: dict[int, IngestedRecord]
    superseded: list[str]
    erased: dict[int, str] = field(default_factory=dict)  # refused: the certificate of an erasure, by place


async def clean_all(inputs: Sequence[tuple[int, EntityType, str, Mapping[str, Any]]]) -> list[RecordMessage]:
    """Clean the fields of many records without keeping the event loop to themselves."""
    messages: list[RecordMessage] = []
    for count, (index, entity_type, external_id, fields) in enumerate(inputs, 1):
        messages.append(RecordMessage(index, entity_type, external_id, clean(entity_type, fields)))
        if count % _BREATH == 0:
            await asyncio.sleep(0)
    return messages


async def ingest(
    organization_id: str,
    messages: Sequence[RecordMessage],
    config: Config,
    watch: ReimportGuard,
    now: datetime,
    requested_by: str,
) -> IngestResult:
    """Store these records, each named once, and start the jobs that the triggers ask for.

    Those that an erasure keeps out are left out.
    """
    # One order for everyone, so that two requests with the same records cannot lock each other out.
    ordered = sorted(messages, key=lambda message: message.key)

    async def body(tx: Transaction) -> IngestResult:
        moment = to_micros(now)
        sent = [(message.entity_type, message.external_id, message.cleaned) for message in ordered]
        erased = await watch.erased(tx, organization_id, sent)
        welcome = [message for index, message in enumerate(ordered) if index not in erased]
        works = await _store(tx, organization_id, welcome, moment) if welcome else []
        await _write_values(tx, works, moment)
        superseded = await supersede(
            tx,
            [(work.record["id"], name) for work in works for name in work.change.written if not _is_new(work)],
            moment,
        )
        await _remember_cleared(tx, works, moment)
        jobs, folded = await _start_jobs(tx, works, config, moment, requested_by)
        await count_judgements(tx, [one for work in works for one in _judged(work)])
        taken = {work.message.index: _taken(work, jobs, folded) for work in works}
        kept_out = {ordered[index].index: certificate for index, certificate in erased.items()}
        return IngestResult(taken, list(superseded), kept_out)

    return await unit_of_work(body)()


def _is_new(work: _Work) -> bool:
    return work.outcome is RecordOutcome.CREATED


def _row(organization_id: str, message: RecordMessage, moment: int) -> dict[str, Any]:
    fields = {**message.cleaned.unknown, **message.cleaned.values}
    return {
        "id": new_id(),
        "organization_id": organization_id,
        "entity_type": message.entity_type.value,
        "external_id": message.external_id,
        "fields": fields,
        "received": dict(message.cleaned.values),
        "search_text": search_text(message.external_id, fields),
        "completeness": completeness(message.entity_type, message.cleaned.values),
        "version": 1,
        "last_enriched_at": None,
        "refreshed_at": None,
        "created_at": moment,
        "updated_at": moment,
    }


def search_text(external_id: str, fields: Mapping[str, Any]) -> str:
    """What `RecordFilter.search` looks in: the names and addresses of a record, in lower case."""
    named = [external_id, *(value for name in _SEARCHED if isinstance(value := fields.get(name), str))]
    return " ".join(named).lower()[:1000]


def _stored(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "fields": dump(row["fields"]), "received": dump(row["received"])}


async def _store(tx: Transaction, organization_id: str, messages: Sequence[RecordMessage], moment: int) -> list[_Work]:
    """Insert the new records and change the known ones."""
    fresh = {message.key: _row(organization_id, message, moment) for message in messages}
    added = await insert_records(tx, [_stored(row) for row in fresh.values()])
    works: list[_Work] = []
    known: list[RecordMessage] = []
    for message in messages:
        row = fresh[message.key]
        if row["id"] in added:
            written = dict(message.cleaned.values)
            change = RecordChange(row["fields"], row["received"], written=written, matters=True)
            works.append(_Work(message, row, change, RecordOutcome.CREATED))
        else:
            known.append(message)
    if known:
        works += await _change(tx, organization_id, known, moment)
    return works


async def _change(tx: Transaction, organization_id: str, messages: Sequence[RecordMessage], moment: int) -> list[_Work]:
    rows = await _lock_known(tx, organization_id, messages)
    provenance = await current_values((row["id"] for row in rows.values()), using=tx)
    works: list[_Work] = []
    for message in messages:
        row = rows[message.key]
        change = apply_message(message.entity_type, message.cleaned, row["fields"], row["received"])
        outcome = RecordOutcome.UNCHANGED if change.is_empty else RecordOutcome.CHANGED
        works.append(_Work(message, row, change, outcome, provenance[row["id"]]))
    touched = [work for work in works if not work.change.is_empty]
    await update_records(tx, [_stored(_changed(work)) for work in touched], moment)
    for work in touched:
        work.record = {**_changed(work), "version": work.record["version"] + 1, "updated_at": moment}
    echoed = [work for work in works if work.change.is_empty and work.change.received != work.record["received"]]
    await update_received(tx, [{"id": work.record["id"], "received": dump(work.change.received)} for work in echoed])
    return works


def _changed(work: _Work) -> dict[str, Any]:
    fields = work.change.fields
    return {
        **work.record,
        "fields": fields,
        "received": work.change.received,
        "search_text": search_text(work.message.external_id, fields),
        "completeness": completeness(work.message.entity_type, fields),
    }


async def _lock_known(
    tx: Transaction, organization_id: str, messages: Sequence[RecordMessage]
) -> dict[tuple[EntityType, str], dict[str, Any]]:
    found: dict[tuple[EntityType, str], dict[str, Any]] = {}
    lock = row_lock().replace(" SKIP LOCKED", "")  # wait for whoever holds a row
    for entity_type in EntityType:
        ids = [message.external_id for message in messages if message.entity_type is entity_type]
        if not ids:
            continue
        sql = (
            "SELECT * FROM record WHERE organization_id = ? AND entity_type = ?"
            f" AND external_id IN ({marks(ids)}) ORDER BY external_id {lock}"
        )
        for row in await query(sql, [organization_id, entity_type.value, *ids], using=tx):
            row["fields"], row["received"] = load(row["fields"]), load(row["received"])
            found[entity_type, row["external_id"]] = row
    return found


async def _write_values(tx: Transaction, works: Sequence[_Work], moment: int) -> None:
    values = [
        {
            "id": new_id(),
            "organization_id": work.record["organization_id"],
            "record_id": work.record["id"],
            "field": name,
            "value": dump(value),
            "source": SOURCE_CRM,
            "confidence": 1.0,
            "observed_at": moment,
            "written_at": moment,
        }
        for work in works
        for name, value in work.change.written.items()
    ]
    await replace_values(tx, values, moment)


async def _remember_cleared(tx: Transaction, works: Sequence[_Work], moment: int) -> None:
    """A value of enrichment's that the CRM took away is not put back by the source that gave it."""
    cleared = [
        {
            "id": new_id(),
            "organization_id": work.record["organization_id"],
            "record_id": work.record["id"],
            "field": name,
            "value_key": value_key(work.message.entity_type, name, work.change.replaced[name]),
            "source": work.provenance[name]["source"],
            "rejected_at": moment,
        }
        for work in works
        for name, value in work.change.written.items()
        if value is None and name in work.provenance and work.provenance[name]["source"] != SOURCE_CRM
    ]
    await remember_rejections(tx, cleared)


def _judged(work: _Work) -> list[Judgement]:
    """What the message says about the sources whose values it replaces."""
    replaced = {name: work.provenance[name] for name in work.change.written if name in work.provenance}
    return judged_by_the_crm(work.record["organization_id"], work.message.entity_type, replaced)


async def _start_jobs(
    tx: Transaction, works: Sequence[_Work], config: Config, moment: int, requested_by: str
) -> tuple[dict[str, dict[str, Any]], dict[str, Job]]:
    """Jobs started, and active ones that others were folded into, by record."""
    rows: dict[str, dict[str, Any]] = {}
    for work in works:
        trigger = work.wants_job
        if trigger is not None and config.starts_on(trigger, work.message.entity_type):
            rows[work.record["id"]] = job_row(work.record, trigger, config, moment, requested_by)
    added = await insert_jobs(tx, list(rows.values()))
    started = {record_id: row for record_id, row in rows.items() if row["id"] in added}
    others = [record_id for record_id in rows if record_id not in started]
    if not others:
        return started, {}
    active = (
        await Job.filter(record_id__in=others, status__in=[JobStatus.PENDING, JobStatus.IN_PROGRESS])
        .using_db(tx)
        .prefetch_related("record", "steps")
    )
    return started, {job.record_id: job for job in active}


def job_row(
    record: Mapping[str, Any],
    trigger: JobTrigger,
    config: Config,
    moment: int,
    requested_by: str | None,
    *,
    forced: bool = False,
    budget_id: str | None = None,
) -> dict[str, Any]:
    """A new pending job of a record, due now."""
    return {
        "id": new_id(),
        "organization_id": record["organization_id"],
        "record_id": record["id"],
        "entity_type": record["entity_type"],
        "trigger_kind": trigger.value,
        "priority": PRIORITY[trigger],
        "max_attempts": config.max_attempts,
        "forced": forced,
        "budget_id": budget_id,
        "next_attempt_at": moment,
        "requested_by": requested_by,
        "created_at": moment,
        "updated_at": moment,
    }


def _taken(work: _Work, jobs: Mapping[str, dict[str, Any]], folded: Mapping[str, Job]) -> IngestedRecord:
    row = work.record
    record = record_of(row)
    started = jobs.get(row["id"])
    if started is not None:
        return IngestedRecord(record, work.outcome, job_of(started, record))
    into = folded.get(row["id"])
    return IngestedRecord(record, work.outcome, into, folded=into is not None)


def record_of(row: Mapping[str, Any]) -> Record:
    """The model of a row."""
    last, refreshed = row["last_enriched_at"], row["refreshed_at"]
    return Record(
        **{
            **row,
            "entity_type": EntityType(row["entity_type"]),
            "last_enriched_at": None if last is None else from_micros(last),
            "refreshed_at": None if refreshed is None else from_micros(refreshed),
            "created_at": from_micros(row["created_at"]),
            "updated_at": from_micros(row["updated_at"]),
        }
    )


def job_of(row: Mapping[str, Any], record: Record) -> Job:
    """The model of a job that has just been made."""
    created = from_micros(row["created_at"])
    job = Job(
        id=row["id"],
        organization_id=row["organization_id"],
        entity_type=record.entity_type,
        trigger=JobTrigger(row["trigger_kind"]),
        status=JobStatus.PENDING,
        priority=row["priority"],
        max_attempts=row["max_attempts"],
        forced=row["forced"],
        next_attempt_at=from_micros(row["next_attempt_at"]),
        fields_updated=[],
        outcomes=[],
        filled_before=[],
        filled_after=[],
        requested_by=row["requested_by"],
        created_at=created,
        updated_at=created,
    )
    return assemble(job, record, [])
