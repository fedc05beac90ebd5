"""One erasure in its transaction: what goes, what stays for others, and what keeps the person from coming back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.erasure import NAME, marks_of_erased
from models.answer.row import AnswerState
from models.conflict.queue import conflict_ids_of
from models.credit.intent import forget_questions
from models.db.columns import new_id
from models.db.scrub import out_of_reach
from models.db.transaction import Transaction, unit_of_work
from models.erasure.certificate import Certificate, insert_erasure
from models.erasure.removal import (
    BELONGINGS,
    RelatedAnswer,
    count_belongings,
    delete_answers,
    delete_record,
    lock_jobs_of,
    related_answers,
)
from models.erasure.tombstone import TombstoneRow, lock_ingestion
from models.event.kinds import EventKind
from models.event.remove import replace_events_of
from models.event.write import NewEvent
from models.idempotency import forget_naming
from models.record import Record
from models.record.row import lock_records
from models.webhook.forget import erase_deliveries_of
from resolvers.audit import record_audit
from resolvers.credit.settle import release_open
from resolvers.erasure.reimport_guard import hash_of
from resolvers.erasure.related_answers import RelatedAnswers, is_of_company
from resolvers.errors import NotFound
from resolvers.keyed_hash import KeyedHash
from resolvers.operation import OperationRun

_BEYOND = (
    "what providers keep of the questions that they were asked",
    "what the CRM holds",
    "values that running processes still have in their memory",
    "lines of the credit ledger and of the audit log: they hold ids and amounts alone",
)
_IN_FLIGHT = frozenset({AnswerState.ASKING, AnswerState.PENDING})


class RecordChanged(Exception):
    """The record has changed since what is related to it was read."""


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """A record to erase, as it was when what is related to it was read. `block_domain` as in `erase_record`.

    `certificate_id` is the id that its certificate will have.
    """

    record: Record
    related: RelatedAnswers
    reason: str | None
    block_domain: bool
    certificate_id: str


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """What an erasure did: the jobs and conflicts that are gone."""

    jobs: list[str]
    conflicts: list[str]


@unit_of_work
async def run_erasure(
    tx: Transaction, run: OperationRun, keyed_hash: KeyedHash, request: ErasureRequest, position: str
) -> ErasureResult:
    """Remove the record, and leave its certificate and tombstones; the operation is at `position` then.

    Raises NotFound when the record is gone, RecordChanged when it is another than the request says, and OperationLost.
    """
    record = request.record
    organization_id = record.organization_id
    await run.advance(tx, position)
    await lock_ingestion(tx, organization_id, exclusive=True)
    version = (await lock_records(tx, [record.id])).get(record.id)
    if version is None:
        raise NotFound(f"no {record.entity_type.value} with this external id")
    if version != record.version:
        raise RecordChanged
    jobs = await lock_jobs_of(tx, record.id)
    conflicts = await conflict_ids_of(tx, organization_id, record.id)
    counted = await count_belongings(tx, record.id)
    grant, now = run.services.monthly_credit_grant, run.services.now()
    await erase_deliveries_of(tx, organization_id, record.id, now)
    await forget_questions(tx, jobs)
    released = await release_open(tx, jobs, now=now, monthly_grant=grant, with_pending=True)
    answers = await _delete_answers(tx, request, jobs)
    await delete_record(tx, organization_id, record.id)
    data = {"certificate": request.certificate_id}
    erased = NewEvent(organization_id, now, EventKind.RECORD_ERASED, record.entity_type, record.id, data)
    await replace_events_of(tx, erased)
    requests = await forget_naming(tx, organization_id, record.external_id, [record.id, *jobs, *conflicts])
    removed = _removed(counted, answers=answers, released=released, requests=requests)
    await insert_erasure(tx, _certificate(run, request, removed, now), _tombstones(keyed_hash, request))
    await record_audit(
        tx,
        organization_id,
        action="record.erased",
        subject=request.certificate_id,
        actor=run.held.requested_by,
        origin=run.held.origin,
        now=now,
        seals=run.services.audit_seals,
        details={"entityType": record.entity_type.value, "record": record.id, "removed": removed},
    )
    return ErasureResult(jobs, conflicts)


def _removed(counted: Mapping[str, int], *, answers: int, released: int, requests: int) -> list[dict[str, Any]]:
    removed = [{"where": "record", "count": 1}]
    removed += [{"where": BELONGINGS[table][0], "count": count} for table, count in counted.items() if count]
    removed += [{"where": "kept answers of providers", "count": answers}] if answers else []
    removed += [{"where": "reservations of credits, given back", "count": released}] if released else []
    removed += [{"where": "answers kept for idempotency keys", "count": requests}] if requests else []
    return removed


def _certificate(
    run: OperationRun, request: ErasureRequest, removed: list[dict[str, Any]], now: datetime
) -> Certificate:
    return Certificate(
        id=request.certificate_id,
        organization_id=request.record.organization_id,
        entity_type=request.record.entity_type,
        reason=request.reason,
        erased_at=now,
        erased_by=run.held.requested_by,
        removed=removed,
        not_reached=[*_BEYOND, out_of_reach()],
    )


async def _delete_answers(tx: Transaction, request: ErasureRequest, jobs: Sequence[str]) -> int:
    """Remove what providers answered about this record; what they answered about its company stays for others."""
    found = await related_answers(tx, request.record.organization_id, jobs, request.related.questions)
    return await delete_answers(tx, [answer.id for answer in found if _is_about(request, answer, set(jobs))])


def _is_about(request: ErasureRequest, answer: RelatedAnswer, jobs: set[str]) -> bool:
    if answer.state in _IN_FLIGHT:
        return answer.asked_by in jobs  # another record's job is asking at this moment
    of_company = is_of_company(request.record.entity_type, answer.findings or ())
    return not of_company or (answer.provider, answer.input_key) not in request.related.shared_questions


def _tombstones(keyed_hash: KeyedHash, request: ErasureRequest) -> list[TombstoneRow]:
    record = request.record
    left = marks_of_erased(
        record.entity_type, record.external_id, request.related.own_fields, with_domain=request.block_domain
    )
    named = any(mark.kind == NAME for mark in left)
    return [
        TombstoneRow(
            id=new_id(),
            organization_id=record.organization_id,
            erasure_id=request.certificate_id,
            kind=mark.stored_kind,
            hash=hash_of(keyed_hash, record.organization_id, mark),
            shared=not mark.sure,
            named=named,
        )
        for mark in sorted(left, key=lambda mark: (mark.kind, mark.value))
    ]
