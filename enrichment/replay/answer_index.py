"""Answers that were given before, found again by what was asked; and who pays where several jobs share one."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache

from enrichment.decide.job_outcome import SHORT
from enrichment.enums import EntityType, StepOutcome
from enrichment.learn.trust import NO_TRUST, Trust
from enrichment.replay.snapshot import DecisionSnapshot, StoredSnapshot
from enrichment.waterfall.planner import SkipReason, Source
from enrichment.waterfall.session import Reply, SessionQuestion, SourceReply

ANSWERED = frozenset({StepOutcome.MATCH, StepOutcome.NO_MATCH})
Question = tuple[str, str]  # source, key: two that are equal have the same answer


@dataclass(frozen=True, slots=True)
class QuestionKeys:
    """What a question is known by, and the most that it may cost.

    The last of `keys` is its own; before it come those of wider questions whose kept answers serve it too. None:
    there is not enough to ask with.
    """

    keys: tuple[str, ...]
    most: int


Identify = Callable[[EntityType, SessionQuestion], QuestionKeys]


@dataclass(frozen=True, slots=True)
class IndexedAnswer:
    """An answer that is kept for reuse."""

    reply: Reply
    answered_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    """What a question comes to. `own`: the same job was told so; `free`: whoever asks has it for nothing."""

    reply: Reply
    key: str | None
    own: bool = False
    free: bool = False


class AnswerIndex:
    """All that is known of what sources answer, by what they were asked.

    `unable`: sources that cannot be asked at all, and why; `trust`: what kept answers are worth today; `elsewhere`:
    sources whose answers are only taken from what is kept of them. What is asked of `find` and known to nobody is
    noted in `missing`, with the most that it may cost.
    """

    def __init__(
        self,
        pasts: Sequence[StoredSnapshot],
        identify: Identify,
        unable: Mapping[str, SkipReason],
        lifetimes: Mapping[str, timedelta],
        trust: Trust = NO_TRUST,
        elsewhere: Set[str] = frozenset(),
    ) -> None:
        self._trust = trust
        self._elsewhere_only = elsewhere
        self._identify = identify
        self._unable = unable
        self._lifetimes = lifetimes
        self._pasts = pasts
        self._payments: dict[Question, list[Payment]] = {}
        self._told: dict[Question, list[tuple[datetime, int]]] = {}
        self.versions: set[int] = set()  # of the configurations that were in force
        self.kept: dict[Question, IndexedAnswer] = {}
        self.missing: dict[Question, int] = {}
        self.sought: set[Question] = set()  # what may be kept elsewhere
        self._read = lru_cache(maxsize=512)(lambda place: pasts[place].read())
        for place, past in enumerate(pasts):
            self._index(place, past)
        for times in self._told.values():
            times.sort()
        for payments in self._payments.values():
            payments.sort(key=lambda payment: payment.asked_at)

    def _index(self, place: int, past: StoredSnapshot) -> None:
        glance = past.glance()
        self.versions.add(glance.config_version)
        for source, key, answered, credits in glance.questions:
            if answered and source not in self._elsewhere_only:
                self._told.setdefault((source, key), []).append((glance.asked_at, place))
            if credits:
                payment = Payment(past.id, glance.asked_at, credits)
                self._payments.setdefault((source, key), []).append(payment)

    def bill(self) -> "Bill":
        """A new account of who pays for these answers."""
        return Bill(self._lifetimes, self._payments)

    def find(self, hearing: DecisionSnapshot, query: SessionQuestion, *, poorer: bool) -> FoundAnswer | None:
        """What a source would have said in this hearing; None when nobody knows.

        `poorer`: fewer credits were spent by then than in fact, so that a want of credits proves nothing.
        """
        source = query.source
        said = hearing.said.get(source.id)
        if said is not None and poorer and said.reply.skipped in SHORT:
            said = None
        if said is not None and _is_alike(hearing, query, said):
            return FoundAnswer(said.reply, said.reply.key, own=True)
        asked = self._identify(hearing.entity_type, query)
        if said is not None and said.reply.key in asked.keys:
            return FoundAnswer(said.reply, said.reply.key, own=True)
        if not asked.keys:
            return FoundAnswer(Reply(StepOutcome.SKIPPED, skipped=SkipReason.NOT_ENOUGH_INPUT), None)
        if any(said.reply.skipped is SkipReason.SUPPRESSED for said in hearing.said.values()):
            return FoundAnswer(Reply(StepOutcome.SKIPPED, skipped=SkipReason.SUPPRESSED), None)
        found = self._elsewhere(hearing, source, asked.keys)
        if found is None and source.id in self._unable:
            return FoundAnswer(Reply(StepOutcome.SKIPPED, skipped=self._unable[source.id]), None)
        if found is None:
            self.missing[source.id, asked.keys[-1]] = asked.most
            self.sought |= {(source.id, key) for key in asked.keys}
        return found

    def _elsewhere(self, hearing: DecisionSnapshot, source: Source, keys: Sequence[str]) -> FoundAnswer | None:
        """What the source said of the same question to another job, or what is kept of it."""
        for key in keys[:-1]:
            found = self._known(hearing, source, key) or self._kept(hearing, source, key)
            if found is not None:
                return found
        key = keys[-1]
        if (source.id, key) in self._told:
            # The latest that was known by then; failing that, the first that came later.
            return self._known(hearing, source, key) or self._heard(hearing, source, key, 0)
        return self._kept(hearing, source, key)

    def _kept(self, hearing: DecisionSnapshot, source: Source, key: str) -> FoundAnswer | None:
        kept = self.kept.get((source.id, key))
        if kept is None:
            return None
        free = kept.answered_at <= hearing.asked_at < kept.expires_at
        believed = self._trust.believed(hearing.entity_type, kept.reply.candidates)
        return FoundAnswer(_as_of(hearing, source, replace(kept.reply, candidates=believed)), key, free=free)

    def _known(self, hearing: DecisionSnapshot, source: Source, key: str) -> FoundAnswer | None:
        """The latest answer to this question that was given by then."""
        times = self._told.get((source.id, key), ())
        before = bisect_right(times, (hearing.asked_at, len(self._pasts)))
        if before:
            return self._heard(hearing, source, key, before - 1)
        return None

    def _heard(self, hearing: DecisionSnapshot, source: Source, key: str, which: int) -> FoundAnswer:
        reply = self._read(self._told[source.id, key][which][1]).said[source.id].reply
        return FoundAnswer(_as_of(hearing, source, reply), key)


def _is_alike(hearing: DecisionSnapshot, query: SessionQuestion, said: SourceReply) -> bool:
    """Whether the very same was asked."""
    return (
        query.wanted & query.source.extra == said.extra
        and {**hearing.state.fields, **said.borrowed_ids} == query.fields
    )


def _as_of(hearing: DecisionSnapshot, source: Source, reply: Reply) -> Reply:
    """Another job's reply as this one would have had it: of what the source gives, and observed by then."""
    latest = hearing.attempt.at
    return Reply(
        reply.outcome,
        candidates={
            name: candidate if candidate.observed_at <= latest else replace(candidate, observed_at=latest)
            for name, candidate in reply.candidates.items()
            if name in source.gives
        },
        key=reply.key,
    )


@dataclass(frozen=True, slots=True)
class Payment:
    """What one past hearing paid for an answer."""

    past_id: str
    asked_at: datetime
    credits: int


@dataclass(slots=True)
class Bill:
    """Who pays for what, by source, in fact and in the replay.

    Jobs at work at the same time share an answer, so one may be served by another that is decided later. Then it
    owes: when the turn of the one that paid comes and it does not ask after all, the first that owes pays.
    """

    lifetimes: Mapping[str, timedelta]
    payments: Mapping[Question, Sequence[Payment]]  # in fact, in order of time
    actual: Counter[str] = field(default_factory=Counter)
    simulated: Counter[str] = field(default_factory=Counter)
    _bought: dict[Question, list[datetime]] = field(default_factory=dict)  # in the replay alone
    _paid: set[tuple[str, str]] = field(default_factory=set)  # past, source: payments that the replay made too
    _over: set[str] = field(default_factory=set)  # pasts whose turn is over
    _owed: dict[tuple[str, str], list[datetime]] = field(default_factory=dict)
    # Job, source: a job pays a source once, however often it is decided again.
    _counted_then: set[tuple[str, str]] = field(default_factory=set)
    _counted_now: set[tuple[str, str]] = field(default_factory=set)

    @property
    def poorer(self) -> bool:
        """Whether the replay has spent less so far than was spent in fact."""
        return self.simulated.total() < self.actual.total()

    def charge(self, past: StoredSnapshot, hearing: DecisionSnapshot, source: Source, found: FoundAnswer) -> int:
        """The credits that this reply costs the job."""
        credits = self._cost(past, hearing, source, found)
        self._count(self.simulated, self._counted_now, past.job_id, source.id, credits)
        return credits

    @staticmethod
    def _count(counter: Counter[str], counted: set[tuple[str, str]], job_id: str, source: str, credits: int) -> None:
        if (job_id, source) not in counted:
            counter[source] += credits  # also nothing: it was asked
            if credits:
                counted.add((job_id, source))

    def _cost(self, past: StoredSnapshot, hearing: DecisionSnapshot, source: Source, found: FoundAnswer) -> int:
        reply = found.reply
        if reply.outcome is not StepOutcome.MATCH or found.key is None:
            return reply.credits if found.own else 0
        question, at = (source.id, found.key), hearing.asked_at
        if found.own and reply.credits:
            if self._has_bought(question, at):
                return 0
            self._paid.add((past.id, source.id))
            return reply.credits
        if (found.own and not reply.reused) or self._has_bought(question, at):
            return 0
        return self._shared(question, hearing, source, found)

    def _shared(self, question: Question, hearing: DecisionSnapshot, source: Source, found: FoundAnswer) -> int:
        """What an answer costs that was somebody else's in fact."""
        at, payments = hearing.asked_at, self.payments.get(question, ())
        # Whoever had it from another may have begun before that one.
        latest = hearing.attempt.at if found.own else at
        earlier = [one for one in payments if one.asked_at <= latest and (found.own or self._lasts(source.id, one, at))]
        if not earlier:
            if found.own or found.free:
                return 0  # paid for before the period
            return self._buy(question, at, payments[0].credits if payments else source.price)
        payer = earlier[-1]
        if (payer.past_id, source.id) in self._paid:
            return 0
        if payer.past_id not in self._over:
            self._owed.setdefault((payer.past_id, source.id), []).append(at)
            return 0
        return self._buy(question, at, payer.credits)

    def _lasts(self, source: str, payment: Payment, at: datetime) -> bool:
        return payment.asked_at + self.lifetimes.get(source, timedelta(0)) > at

    def _has_bought(self, question: Question, at: datetime) -> bool:
        lifetime = self.lifetimes.get(question[0], timedelta(0))
        return any(bought + lifetime > at for bought in self._bought.get(question, ()))

    def _buy(self, question: Question, at: datetime, credits: int) -> int:
        self._bought.setdefault(question, []).append(at)
        return credits

    def close(self, past: StoredSnapshot, hearing: DecisionSnapshot, sources: Iterable[Source]) -> None:
        """The turn of this past is over: what it paid in fact is counted, and what others owe it is settled.

        `sources` are those that the replay could ask in it: what the job had paid one of them before, for an answer
        that it did not need in the end, it would have paid all the same.
        """
        self._over.add(past.id)
        for source, said in hearing.said.items():
            self._count(self.actual, self._counted_then, past.job_id, source, said.reply.credits)
            self._settle(past, source, said.reply)
        able = {source.id for source in sources}
        for source in hearing.paid.keys() - hearing.recalled.keys():
            credits = hearing.paid[source]
            self._count(self.actual, self._counted_then, past.job_id, source, credits)
            if source in able:
                self._count(self.simulated, self._counted_now, past.job_id, source, credits)

    def _settle(self, past: StoredSnapshot, source: str, reply: Reply) -> None:
        owed = self._owed.pop((past.id, source), None)
        if owed is None or reply.key is None or (past.id, source) in self._paid:
            return
        if not self._has_bought((source, reply.key), owed[0]):
            self.simulated[source] += self._buy((source, reply.key), owed[0], reply.credits)
