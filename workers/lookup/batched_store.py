"""What the jobs in flight ask of the database, gathered: holds, kept answers and settlements of many at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from enrichment.credits import Limits
from enrichment.identity import Identifier
from enrichment.waterfall.planner import SkipReason
from models.answer_cache import AnswerKey, AnswerState, CachedAnswer, acquire, answered, release, store
from models.db.transaction import Transaction, unit_of_work
from models.job_claims import Lease, held_leases, hold_jobs
from resolvers.context import Services
from resolvers.credit.alerts import raise_alerts
from resolvers.credit.ledger import Reservation, Settlement, reserve, settle
from resolvers.suppression.check import Subject, suppressed
from workers.job.load import Snapshot, load_snapshots
from workers.lookup.batcher import Batcher

ASKING = timedelta(seconds=60)  # how long a question stays in one job's hand; longer than any call
_MOST = 500
_WAIT_SECONDS = 0.0


@dataclass(frozen=True, slots=True)
class ReservationRequest:
    """A price to set aside, with the limits that its organization has set."""

    organization_id: str
    hold: Reservation
    limits: Limits


@dataclass(frozen=True, slots=True)
class CallSettlement:
    """The end of a call: whether it is charged, how many credits (None: all that was set aside), and what is kept.

    `kept` is the answer's row (see `models.answer_cache.keep`); None gives the question up. `holds_on` leaves the
    reservation as it is, because the answer comes later. `note` goes into the ledger.
    """

    organization_id: str
    reservation_id: str | None
    answer_key: AnswerKey
    charge: bool = False
    credits: int | None = None
    kept: dict[str, Any] | None = None
    holds_on: bool = False
    note: str | None = None


class ClearanceResult(StrEnum):
    """Whether a question may be asked."""

    GIVEN = "given"
    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"  # the job was cancelled, taken over, or erased with its record


@dataclass(frozen=True, slots=True, eq=False)
class ClearanceRequest:
    """A question that is about to be asked for a job."""

    lease: Lease
    suspect: Subject


class BatchedStore:
    """The gathered statements of one worker."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.hold: Batcher[ReservationRequest, str | SkipReason] = Batcher(self._hold, most=_MOST, wait=_WAIT_SECONDS)
        self.take: Batcher[AnswerKey, CachedAnswer | None] = Batcher(self._take, most=_MOST, wait=_WAIT_SECONDS)
        self.known: Batcher[AnswerKey, CachedAnswer | None] = Batcher(self._known, most=_MOST, wait=_WAIT_SECONDS)
        self.close_call: Batcher[CallSettlement, int] = Batcher(self._close_calls, most=_MOST, wait=_WAIT_SECONDS)
        self.reread: Batcher[str, Snapshot | None] = Batcher(self._reread, most=_MOST, wait=_WAIT_SECONDS)
        self.clear: Batcher[ClearanceRequest, ClearanceResult] = Batcher(self._clear, most=_MOST, wait=_WAIT_SECONDS)
        self.suppressed: Batcher[Subject, frozenset[Identifier]] = Batcher(
            self._suppressed, most=_MOST, wait=_WAIT_SECONDS
        )

    async def close(self) -> None:
        for batcher in (self.hold, self.take, self.known, self.close_call, self.reread, self.clear, self.suppressed):
            await batcher.close()

    async def _clear(self, clearings: Sequence[ClearanceRequest]) -> list[ClearanceResult]:
        """By the leases and lists as they are now: a suppression, a cancel or an erasure counts at once."""
        held = await held_leases(list(dict.fromkeys(clearing.lease for clearing in clearings)))
        suppressing = {c.suspect.organization_id for c in clearings if held.get(c.lease.job_id)}
        found = await suppressed(self._services, [c.suspect for c in clearings], suppressing=suppressing)
        return [
            ClearanceResult.WITHDRAWN
            if clearing.lease.job_id not in held
            else ClearanceResult.SUPPRESSED
            if what
            else ClearanceResult.GIVEN
            for clearing, what in zip(clearings, found, strict=True)
        ]

    async def _suppressed(self, suspects: Sequence[Subject]) -> list[frozenset[Identifier]]:
        return await suppressed(self._services, suspects)

    async def _hold(self, requests: Sequence[ReservationRequest]) -> list[str | SkipReason]:
        answers: dict[int, str | SkipReason] = {}
        groups: dict[tuple[str, Limits], list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            groups[request.organization_id, request.limits].append(index)
        for (organization_id, limits), places in sorted(groups.items(), key=lambda group: group[0][0]):
            results = await reserve(
                organization_id,
                [requests[index].hold for index in places],
                limits=limits,
                now=self._services.now(),
                monthly_grant=self._services.monthly_credit_grant,
            )
            answers.update(zip(places, results, strict=True))
        return [answers[index] for index in range(len(requests))]

    async def _take(self, answer_keys: Sequence[AnswerKey]) -> list[CachedAnswer | None]:
        """For each: what is known of it, or None when it is this job's to ask."""
        now = self._services.now()

        async def body(tx: Transaction) -> tuple[set[AnswerKey], dict[Any, CachedAnswer]]:
            return await acquire(tx, answer_keys, now, now + ASKING)

        mine, known = await unit_of_work(body)()
        return [
            None if answer_key in mine else known.get(answer_key.key, _ASKED_ELSEWHERE) for answer_key in answer_keys
        ]

    async def _known(self, answer_keys: Sequence[AnswerKey]) -> list[CachedAnswer | None]:
        """For each: the answer that is kept of it, if there is one."""
        found = await answered(answer_keys, self._services.now())
        return [found.get(answer_key.key) for answer_key in answer_keys]

    async def _close_calls(self, closings: Sequence[CallSettlement]) -> list[int]:
        """Settle and keep, in one transaction for each organization. For each: the credits charged."""
        charged: dict[str, int] = {}
        groups: dict[str, list[CallSettlement]] = defaultdict(list)
        for closing in closings:
            groups[closing.organization_id].append(closing)
        for organization_id, group in sorted(groups.items()):
            charged |= await self._close_some(organization_id, group)
            if any(charged.values()):
                await raise_alerts(self._services, organization_id)
        return [charged.get(closing.reservation_id or "", 0) for closing in closings]

    async def _close_some(self, organization_id: str, closings: Sequence[CallSettlement]) -> dict[str, int]:
        now = self._services.now()
        settlements = [
            Settlement(closing.reservation_id, charge=closing.charge, credits=closing.credits, note=closing.note)
            for closing in closings
            if closing.reservation_id is not None and not closing.holds_on
        ]
        answered = [closing for closing in closings if closing.kept is not None]

        async def body(tx: Transaction) -> dict[str, int]:
            # Of a record that was erased meanwhile nothing is kept.
            there = await hold_jobs(tx, [closing.answer_key.job_id for closing in answered])
            given_up = [c.answer_key for c in closings if c.kept is None or c.answer_key.job_id not in there]
            kept = [_row(c.answer_key, c.kept) for c in answered if c.kept is not None and c.answer_key.job_id in there]
            charged = await settle(
                tx, organization_id, settlements, now=now, monthly_grant=self._services.monthly_credit_grant
            )
            await store(tx, kept)
            await release(tx, given_up)
            return charged

        return await unit_of_work(body)()

    async def _reread(self, record_ids: Sequence[str]) -> list[Snapshot | None]:
        """The records as they are now; None for one that was erased."""
        found = await load_snapshots(record_ids)
        return [found.get(record_id) for record_id in record_ids]


_ASKED_ELSEWHERE = CachedAnswer(
    AnswerState.ASKING,
    matched=False,
    findings=[],
    detail="",
    answered_at=None,
    token=None,
    due_at=None,
    expires_at=None,
    reservation_id=None,
    asked_by=None,
)


def _row(answer_key: AnswerKey, kept: dict[str, Any]) -> dict[str, Any]:
    return {
        **kept,
        "organization_id": answer_key.organization_id,
        "provider": answer_key.provider,
        "input_key": answer_key.input_key,
        "job_id": answer_key.job_id,
    }
