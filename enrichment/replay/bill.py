"""Who pays for the answers in a replay, where several jobs share one."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enrichment.enums import StepOutcome
from enrichment.replay.snapshot import DecisionSnapshot
from enrichment.replay.stored import StoredSnapshot
from enrichment.waterfall.planner import Source, provider_of
from enrichment.waterfall.reply import Reply

Question = tuple[str, str]  # source, key: two that are equal have the same answer


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    """The answer to a question of a replay. `own`: the same job had it in fact; `free`: it costs nothing."""

    reply: Reply
    key: str | None
    own: bool = False
    free: bool = False


@dataclass(frozen=True, slots=True)
class Payment:
    """What one decision paid for an answer in fact."""

    snapshot_id: str
    asked_at: datetime
    credits: int


@dataclass(slots=True)
class Bill:
    """Who pays for what, by source, in fact and in the replay.

    Jobs at work at the same time share an answer, so one may be served by another that is decided later. Then it
    owes: when the one that paid is replayed and does not ask after all, the first that owes pays.
    """

    lifetimes: Mapping[str, timedelta]
    payments: Mapping[Question, Sequence[Payment]]  # in fact, in order of time
    actual: Counter[str] = field(default_factory=Counter)
    simulated: Counter[str] = field(default_factory=Counter)
    _bought: dict[Question, list[datetime]] = field(default_factory=dict)  # in the replay alone
    _paid: set[tuple[str, str]] = field(default_factory=set)  # snapshot, source: payments that the replay made too
    _replayed: set[str] = field(default_factory=set)  # snapshots
    _owed: dict[tuple[str, str], list[datetime]] = field(default_factory=dict)
    # Job, source: a job pays a source once, however often it is decided again.
    _counted_in_fact: set[tuple[str, str]] = field(default_factory=set)
    _counted_in_replay: set[tuple[str, str]] = field(default_factory=set)

    @property
    def poorer(self) -> bool:
        """Whether the replay has spent less so far than was spent in fact."""
        return self.simulated.total() < self.actual.total()

    def charge(self, stored: StoredSnapshot, snapshot: DecisionSnapshot, source: Source, found: FoundAnswer) -> int:
        """The credits that this reply costs the job."""
        credits = self._cost(stored, snapshot, source, found)
        self._count(self.simulated, self._counted_in_replay, stored.job_id, source.id, credits)
        return credits

    @staticmethod
    def _count(counter: Counter[str], counted: set[tuple[str, str]], job_id: str, source: str, credits: int) -> None:
        if (job_id, source) not in counted:
            counter[provider_of(source)] += credits  # also nothing: it was asked
            if credits:
                counted.add((job_id, source))

    def _cost(self, stored: StoredSnapshot, snapshot: DecisionSnapshot, source: Source, found: FoundAnswer) -> int:
        reply = found.reply
        if reply.outcome is not StepOutcome.MATCH or found.key is None:
            return reply.credits if found.own else 0
        question, at = (source.id, found.key), snapshot.asked_at
        if found.own and reply.credits:
            if self._has_bought(question, at):
                return 0
            self._paid.add((stored.id, source.id))
            return reply.credits
        if (found.own and not reply.reused) or self._has_bought(question, at):
            return 0
        return self._cost_of_shared(question, snapshot, source, found)

    def _cost_of_shared(
        self, question: Question, snapshot: DecisionSnapshot, source: Source, found: FoundAnswer
    ) -> int:
        """What an answer costs that was somebody else's in fact."""
        at, payments = snapshot.asked_at, self.payments.get(question, ())
        # A job that had it from another may have begun before that one.
        latest = snapshot.attempt.at if found.own else at
        earlier = [
            payment
            for payment in payments
            if payment.asked_at <= latest and (found.own or self._lasts(source.id, payment, at))
        ]
        if not earlier:
            if found.own or found.free:
                return 0  # paid for before the period
            return self._buy(question, at, payments[0].credits if payments else source.price)
        payer = earlier[-1]
        if (payer.snapshot_id, source.id) in self._paid:
            return 0
        if payer.snapshot_id not in self._replayed:
            self._owed.setdefault((payer.snapshot_id, source.id), []).append(at)
            return 0
        return self._buy(question, at, payer.credits)

    def _lasts(self, source: str, payment: Payment, at: datetime) -> bool:
        return payment.asked_at + self.lifetimes.get(provider_of(source), timedelta(0)) > at

    def _has_bought(self, question: Question, at: datetime) -> bool:
        lifetime = self.lifetimes.get(provider_of(question[0]), timedelta(0))
        return any(bought + lifetime > at for bought in self._bought.get(question, ()))

    def _buy(self, question: Question, at: datetime, credits: int) -> int:
        self._bought.setdefault(question, []).append(at)
        return credits

    def close(self, stored: StoredSnapshot, snapshot: DecisionSnapshot, sources: Iterable[Source]) -> None:
        """This decision has been replayed: what it paid in fact is counted, and what others owe it is settled.

        `sources` are those that the replay could ask in it: what the job had paid one of them before, for an answer
        that it did not need in the end, it would have paid all the same.
        """
        self._replayed.add(stored.id)
        for source, given in snapshot.replies.items():
            self._count(self.actual, self._counted_in_fact, stored.job_id, source, given.reply.credits)
            self._settle(stored, source, given.reply)
        able = {source.id for source in sources}
        for source in snapshot.paid.keys() - snapshot.restored.keys():
            credits = snapshot.paid[source]
            self._count(self.actual, self._counted_in_fact, stored.job_id, source, credits)
            if source in able:
                self._count(self.simulated, self._counted_in_replay, stored.job_id, source, credits)

    def _settle(self, stored: StoredSnapshot, source: str, reply: Reply) -> None:
        owed = self._owed.pop((stored.id, source), None)
        if owed is None or reply.key is None or (stored.id, source) in self._paid:
            return
        if not self._has_bought((source, reply.key), owed[0]):
            self.simulated[provider_of(source)] += self._buy((source, reply.key), owed[0], reply.credits)
