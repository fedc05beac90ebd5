"""What the jobs in flight need of the database, in batches: reservations, cached answers, settlements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from enrichment.identity import Identifier
from enrichment.waterfall.skip_reason import SkipReason
from models.answer.cache import acquire, answered, release, store
from models.answer.row import AnswerKey, AnswerResult, AnswerState, CachedAnswer
from models.db.health import ping
from models.db.transaction import Transaction, unit_of_work
from models.job.leases import Lease, held_leases, lock_states
from models.job.steps import note_cost_of_ended
from resolvers.batcher import Batcher
from resolvers.context import Services
from resolvers.credit import reserve
from resolvers.credit.alerts import raise_alerts_of
from resolvers.credit.reserve import ReservationRequest
from resolvers.credit.settle import CreditSettlement, settle_all
from resolvers.erasure.kept_out import ProposedValues, kept_out
from resolvers.suppression.check import Subject, suppressed
from workers.job.load import LoadedRecord, load_records

QUESTION_LEASE = timedelta(seconds=60)  # how long a job has a question to itself; longer than any call
_log = structlog.get_logger(__name__)
_MOST = 500
_SETTLING_SECONDS = 0.03  # between two batches of settlements, where no call waits any more


@dataclass(frozen=True, slots=True)
class CallSettlement:
    """The end of a call: whether it is charged, how many credits (None: all that was reserved), and what is stored.

    `answer` is stored; None releases the question. `keep_reservation` leaves the credits reserved, because the answer
    comes later. `note` goes into the ledger, and so does `stated`, the credits that the provider says it consumed.
    """

    organization_id: str
    reservation_id: str | None
    answer_key: AnswerKey
    charge: bool = False
    credits: int | None = None
    answer: AnswerResult | None = None
    keep_reservation: bool = False
    note: str | None = None
    stated: float | None = None


class ClearanceResult(StrEnum):
    """Whether a question may be asked."""

    GIVEN = "given"
    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"  # the job was cancelled, taken over, or erased with its record


@dataclass(frozen=True, slots=True, eq=False)
class ClearanceRequest:
    """A question that is about to be asked for a job."""

    lease: Lease
    subject: Subject


class BatchedStore:
    """The statements of one worker, each for many jobs. Two are batchers too, for who comes alone."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.clear: Batcher[ClearanceRequest, ClearanceResult] = Batcher(self.clear_all, most=_MOST, wait=0.0)
        self.settle: Batcher[CallSettlement, int] = Batcher(
            self.settle_all, most=_MOST, wait=_SETTLING_SECONDS, ping=ping
        )

    async def close(self) -> None:
        """Answer everyone who still waits."""
        await self.clear.close()
        await self.settle.close()

    async def clear_all(self, requests: Sequence[ClearanceRequest]) -> list[ClearanceResult]:
        """By the leases and lists as they are now: a suppression, a cancel or an erasure counts at once."""
        held = await held_leases(list(dict.fromkeys(request.lease for request in requests)))
        suppressing = {request.subject.organization_id for request in requests if held.get(request.lease.id)}
        found = await suppressed(self._services, [request.subject for request in requests], suppressing=suppressing)
        return [
            ClearanceResult.WITHDRAWN
            if request.lease.id not in held
            else ClearanceResult.SUPPRESSED
            if identifiers
            else ClearanceResult.GIVEN
            for request, identifiers in zip(requests, found, strict=True)
        ]

    async def suppressed(self, subjects: Sequence[Subject]) -> list[frozenset[Identifier]]:
        """For each, what of it is on its organization's list."""
        return await suppressed(self._services, subjects)

    async def kept_out(self, proposed: Sequence[ProposedValues]) -> list[Mapping[str, str]]:
        """For each, what would bring an erased person back: by field, the id of the erasure."""
        return await kept_out(self._services, proposed)

    async def reserve(self, requests: Sequence[ReservationRequest]) -> list[str | SkipReason]:
        """For each: the reservation's id, or why there is none."""
        return await reserve_all(requests, self._services.now(), self._services.monthly_credit_grant)

    async def acquire(self, answer_keys: Sequence[AnswerKey]) -> list[CachedAnswer | None]:
        """For each: what is known of it, or None when this job has it to itself now."""
        now = self._services.now()
        acquired = await unit_of_work(acquire)(answer_keys, now, now + QUESTION_LEASE)
        return [
            None if answer_key in acquired.held else _known(answer_key, acquired.cached.get(answer_key.key), now)
            for answer_key in answer_keys
        ]

    async def cached(self, answer_keys: Sequence[AnswerKey]) -> list[CachedAnswer | None]:
        """For each: its cached answer, if there is one that serves the job."""
        found, now = await answered(answer_keys), self._services.now()
        return [
            answer
            if (answer := found.get(answer_key.key)) is not None
            and answer.serves(answer_key.answers_since, now, job_id=answer_key.job_id)
            else None
            for answer_key in answer_keys
        ]

    async def settle_all(self, settlements: Sequence[CallSettlement]) -> list[int]:
        """Settle and store, in one transaction for all organizations. For each: the credits charged."""
        charged = await _settle_calls(settlements, self._services.now(), self._services.monthly_credit_grant)
        paying = {call.organization_id for call in settlements if charged.get(call.reservation_id or "")}
        try:
            await raise_alerts_of(self._services, paying)
        except Exception:
            # The calls are settled; the next settlement raises what this one could not.
            _log.exception("alerts were not raised", organizations=len(paying))
        return [charged.get(settlement.reservation_id or "", 0) for settlement in settlements]

    async def reload(self, record_ids: Sequence[str]) -> list[LoadedRecord | None]:
        """The records as they are now; None for one that was erased."""
        found = await load_records(record_ids)
        return [found.get(record_id) for record_id in record_ids]


def _known(answer_key: AnswerKey, cached: CachedAnswer | None, now: datetime) -> CachedAnswer:
    """What is known of a question that another job has. An answer that does not serve this job will be asked for."""
    if cached is not None and (
        cached.state is not AnswerState.ANSWERED
        or cached.serves(answer_key.answers_since, now, job_id=answer_key.job_id)
    ):
        return cached
    return CachedAnswer(*answer_key.key, AnswerState.ASKING)


@unit_of_work
async def reserve_all(
    tx: Transaction, requests: Sequence[ReservationRequest], now: datetime, monthly_grant: int
) -> list[str | SkipReason]:
    """Set aside these prices, in one transaction for all organizations. For each as `reserve.reserve_all` says."""
    return await reserve.reserve_all(tx, requests, now=now, monthly_grant=monthly_grant)


@unit_of_work
async def _settle_calls(
    tx: Transaction, calls: Sequence[CallSettlement], now: datetime, monthly_grant: int
) -> dict[str, int]:
    """Settle these calls. Returns the credits charged, by reservation."""
    # Of a record that was erased meanwhile nothing is stored, and a job that has ended shows what it costs.
    states = await lock_states(tx, [call.answer_key.job_id for call in calls if call.answer is not None or call.charge])
    answers, released = [], []
    groups: dict[str, list[CreditSettlement]] = defaultdict(list)
    for call in calls:
        if call.answer is not None and call.answer_key.job_id in states:
            answers.append(call.answer)
        else:
            released.append(call.answer_key)
        if call.reservation_id is not None and not call.keep_reservation:
            groups[call.organization_id].append(
                CreditSettlement(call.reservation_id, call.charge, call.credits, call.note, call.stated)
            )
    charged = await settle_all(tx, groups, now=now, monthly_grant=monthly_grant)
    if ended := [job_id for job_id, status in states.items() if status.is_final]:
        await note_cost_of_ended(tx, ended)
    await store(tx, answers)
    await release(tx, released)
    return charged
