"""The steps of an erasure: one record each, and at last the database's files.

`scope` of the operation: the ids of the `records`, those that their `certificates` will have, the `reason` and
whether to `blockDomain`. Its position counts the records that are done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.db.scrub import scrub
from models.db.transaction import Transaction, unit_of_work
from models.erasure.certificate import certificates_by_id, note_not_reached
from models.erasure.table import Erasure
from models.record import Record
from models.record.queries import records_by_id
from models.record.search import RecordName, others_holding
from resolvers.erasure.reason import check_reason
from resolvers.erasure.related_answers import related_answers_of
from resolvers.erasure.transaction import ErasureRequest, RecordChanged, run_erasure
from resolvers.errors import NotFound, OperationError, StateConflict
from resolvers.events.publisher import announce
from resolvers.keyed_hash import KeyedHash
from resolvers.operation import OperationKind, OperationRun, lease_kept
from resolvers.suppression.api import readable_hash_of

ATTEMPTS = 8  # while the record keeps changing
_MOST_OTHERS = 100
_MOST_TEXTS = 20


@dataclass(frozen=True, slots=True)
class ErasedRecord:
    """What became of one record: its certificate and other records with the same e-mail address or profile, or why it
    was refused.
    """

    record_id: str
    certificate_id: str
    others: Sequence[RecordName] = ()
    error: OperationError | None = None


def erasure_kind(report: Callable[[ErasedRecord], None] | None = None) -> OperationKind:
    """The kind of operation that erases records. `report` is told of each record by who waits for the outcome;
    without it a record that cannot be erased now is tried again.
    """

    async def step(run: OperationRun) -> str | None:
        done, record_ids = int(run.held.position or 0), run.held.scope["records"]
        if done == len(record_ids):
            await _end(run)
            return None
        erased = await _erase_next(run, done)
        if erased.error is not None and report is None and not isinstance(erased.error, NotFound):
            raise erased.error
        if erased.error is not None:
            await _pass_by(run, str(done + 1))
        if report is not None:
            report(erased)
        return str(done + 1)

    return OperationKind("erasure", step, _gave_up)


async def _erase_next(run: OperationRun, done: int) -> ErasedRecord:
    keyed_hash = await readable_hash_of(run.services)
    try:
        for _ in range(ATTEMPTS):
            try:
                return await _erase(run, keyed_hash, done)
            except RecordChanged:
                continue
        raise StateConflict("the record keeps changing; try again", state="changing")
    except OperationError as error:
        return ErasedRecord(*_ids(run, done), error=error)


def _ids(run: OperationRun, done: int) -> tuple[str, str]:
    """The ids of the next record and of its certificate."""
    return run.held.scope["records"][done], run.held.scope["certificates"][done]


async def _erase(run: OperationRun, keyed_hash: KeyedHash, done: int) -> ErasedRecord:
    (record_id, certificate_id), organization_id = _ids(run, done), run.held.organization_id
    record = (await records_by_id(organization_id, [record_id])).get(record_id)
    if record is None:
        raise NotFound("no such record any more")
    related = await related_answers_of(run.services, record)
    reason = run.held.scope["reason"]
    check_reason(reason, record.external_id, related.own_fields)
    others = await _others(record, related.own_fields)
    request = ErasureRequest(record, related, reason, run.held.scope["blockDomain"], certificate_id)
    erased = await run_erasure(run, keyed_hash, request, str(done + 1))
    await announce(run.services.redis, organization_id, jobs=erased.jobs, conflicts=erased.conflicts, log=True)
    return ErasedRecord(record_id, certificate_id, others)


async def _others(record: Record, own_fields: Sequence[Mapping[str, Any]]) -> list[RecordName]:
    """Other records that hold an e-mail address or profile that the record has had."""
    texts = {
        value.lower()
        for fields in own_fields
        for name in ("email", "linkedinUrl")
        if isinstance(value := fields.get(name), str)
    }
    return await others_holding(record.organization_id, record.id, sorted(texts)[:_MOST_TEXTS], _MOST_OTHERS)


@unit_of_work
async def _pass_by(tx: Transaction, run: OperationRun, position: str) -> None:
    """Leave out a record that cannot be erased."""
    await run.advance(tx, position)


async def _end(run: OperationRun) -> None:
    """Get what was deleted out of the database's files; what could not be is added to the certificates."""
    certificates = await certificates_by_id(run.held.organization_id, run.held.scope["certificates"])
    async with lease_kept(run):
        remaining = await scrub() if certificates else None
    await _finish(run, certificates, remaining)


@unit_of_work
async def _finish(tx: Transaction, run: OperationRun, certificates: Sequence[Erasure], remaining: str | None) -> None:
    await run.finish(tx)
    if remaining is not None:
        for certificate in certificates:
            await note_not_reached(tx, certificate.id, [*certificate.not_reached, remaining])


async def _gave_up(_: Transaction, __: OperationRun) -> None:
    """Each record that was erased has its certificate; the others are as they were."""


ERASURE = erasure_kind()
