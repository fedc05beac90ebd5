"""Answers that were given before, found again by what was asked."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from enrichment.decide.job_outcome import SHORT
from enrichment.enums import EntityType, StepOutcome
from enrichment.learn.trust import NO_TRUST, Trust
from enrichment.replay.bill import Bill, FoundAnswer, Payment, Question
from enrichment.replay.snapshot import DecisionSnapshot
from enrichment.replay.stored import StoredSnapshot
from enrichment.waterfall.company_question import FIELDS_OF_COMPANY, as_persons
from enrichment.waterfall.planner import Source, provider_of
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.session import SessionQuestion, SourceReply
from enrichment.waterfall.skip_reason import SkipReason


@dataclass(frozen=True, slots=True)
class QuestionKeys:
    """What a question is known by, and the most that it may cost.

    The last of `keys` is its own; before it come those of broader questions whose cached answers serve it too. None:
    there is not enough to ask with.
    """

    keys: tuple[str, ...]
    most: int


Identify = Callable[[EntityType, SessionQuestion], QuestionKeys]
Before = Callable[[], SessionQuestion | None]


def not_otherwise() -> None:
    """No earlier version asked otherwise."""


@dataclass(frozen=True, slots=True)
class IndexedAnswer:
    """An answer that is cached for reuse."""

    reply: Reply
    answered_at: datetime
    expires_at: datetime


class AnswerIndex:
    """All that is known of what sources answer, by what they were asked.

    `unable`: sources that cannot be asked at all, and why; `trust`: how far cached answers are believed today;
    `cached_only`: sources whose answers count only where they are cached. What is asked of `find` and known to nobody
    is noted in `missing`, with the most that it may cost.
    """

    def __init__(
        self,
        snapshots: Sequence[StoredSnapshot],
        identify: Identify,
        unable: Mapping[str, SkipReason],
        lifetimes: Mapping[str, timedelta],
        trust: Trust = NO_TRUST,
        cached_only: Set[str] = frozenset(),
    ) -> None:
        self._trust = trust
        self._cached_only = cached_only
        self._identify = identify
        self._unable = unable
        self._lifetimes = lifetimes
        self._snapshots = snapshots
        self._payments: dict[Question, list[Payment]] = {}
        self._answered: dict[Question, list[tuple[datetime, int]]] = {}  # when, and in which snapshot
        self.versions: set[int] = set()  # of the configurations that were in force
        self.cached: dict[Question, IndexedAnswer] = {}
        self.missing: dict[Question, int] = {}
        self.sought: set[Question] = set()  # what may be cached
        self._read = lru_cache(maxsize=512)(lambda index: snapshots[index].read())
        for index, snapshot in enumerate(snapshots):
            self._add(index, snapshot)
        for times in self._answered.values():
            times.sort()
        for payments in self._payments.values():
            payments.sort(key=lambda payment: payment.asked_at)

    def _add(self, index: int, snapshot: StoredSnapshot) -> None:
        summary = snapshot.summary()
        self.versions.add(summary.config_version)
        for source, key, answered, credits in summary.questions:
            if answered and provider_of(source) not in self._cached_only:
                self._answered.setdefault((source, key), []).append((summary.asked_at, index))
            if credits:
                payment = Payment(snapshot.id, summary.asked_at, credits)
                self._payments.setdefault((source, key), []).append(payment)

    def add_cached(
        self, question: Question, reply: Reply, *, answered_at: datetime, expires_at: datetime | None
    ) -> None:
        """Note an answer that is cached; it may be reused as long as its source's are, or until `expires_at`."""
        until = answered_at + self._lifetimes.get(question[0], timedelta(0))
        self.cached[question] = IndexedAnswer(reply, answered_at, min(until, expires_at or until))

    def bill(self) -> Bill:
        """A new account of who pays for these answers."""
        return Bill(self._lifetimes, self._payments)

    def find(
        self, snapshot: DecisionSnapshot, question: SessionQuestion, *, poorer: bool, before: Before = not_otherwise
    ) -> FoundAnswer | None:
        """What a source would have replied in this decision; None when nobody knows.

        `poorer`: fewer credits were spent by then than in fact, so that a want of credits proves nothing. `before`: the
        question as earlier versions asked it, whose answer serves where there is none to today's.
        """
        source = question.source
        given = snapshot.replies.get(source.id)
        if given is not None and poorer and given.reply.skipped in SHORT:
            given = None
        if given is not None and _is_alike(snapshot, question, given):
            return FoundAnswer(given.reply, given.reply.key, own=True)
        known_by = self._identify(snapshot.entity_type, question)
        if given is not None and given.reply.key in known_by.keys:
            return FoundAnswer(given.reply, given.reply.key, own=True)
        if not known_by.keys:
            return FoundAnswer(Reply(StepOutcome.SKIPPED, skipped=SkipReason.NOT_ENOUGH_INPUT), None)
        if any(other.reply.skipped is SkipReason.SUPPRESSED for other in snapshot.replies.values()):
            return FoundAnswer(Reply(StepOutcome.SKIPPED, skipped=SkipReason.SUPPRESSED), None)
        found, keys = self._of_others(snapshot, source, known_by.keys), known_by.keys
        if found is None and (asked_before := before()) is not None:
            asked_as = self._identify(snapshot.entity_type, asked_before).keys[-1:]
            found, keys = self._of_others(snapshot, source, asked_as) if asked_as else None, (*asked_as, *keys)
        if found is None and source.provider in self._unable:
            return FoundAnswer(Reply(StepOutcome.SKIPPED, skipped=self._unable[source.provider]), None)
        if found is None:
            self.missing[source.provider, known_by.keys[-1]] = known_by.most
            self.sought |= {(source.provider, key) for key in keys}
        return found

    def _of_others(self, snapshot: DecisionSnapshot, source: Source, keys: Sequence[str]) -> FoundAnswer | None:
        """The source's answer to the same question of another job, or its cached answer."""
        for key in keys[:-1]:
            found = self._latest_by_then(snapshot, source, key) or self._of_cache(snapshot, source, key)
            if found is not None:
                return found
        key = keys[-1]
        if (source.id, key) in self._answered:
            # The latest that was known by then; failing that, the first that came later.
            return self._latest_by_then(snapshot, source, key) or self._of_snapshot(snapshot, source, key, 0)
        if (cached := self._of_cache(snapshot, source, key)) is not None:
            return cached
        if not source.is_about_company or (source.provider, key) not in self._answered:
            return None
        account = Source(source.provider, frozenset(FIELDS_OF_COMPANY.values()), source.price)
        found = self._latest_by_then(snapshot, account, key) or self._of_snapshot(snapshot, account, key, 0)
        candidates = as_persons(snapshot.entity_type, found.reply.candidates)
        return replace(found, reply=replace(found.reply, candidates=candidates))

    def _of_cache(self, snapshot: DecisionSnapshot, source: Source, key: str) -> FoundAnswer | None:
        cached = self.cached.get((source.provider, key))
        if cached is None:
            return None
        free = cached.answered_at <= snapshot.asked_at < cached.expires_at
        candidates = cached.reply.candidates
        if source.is_about_company:
            candidates = as_persons(snapshot.entity_type, candidates)
        believed = self._trust.believed(snapshot.entity_type, candidates)
        return FoundAnswer(_as_of(snapshot, source, replace(cached.reply, candidates=believed)), key, free=free)

    def _latest_by_then(self, snapshot: DecisionSnapshot, source: Source, key: str) -> FoundAnswer | None:
        times = self._answered.get((source.id, key), ())
        before = bisect_right(times, (snapshot.asked_at, len(self._snapshots)))
        if before:
            return self._of_snapshot(snapshot, source, key, before - 1)
        return None

    def _of_snapshot(self, snapshot: DecisionSnapshot, source: Source, key: str, which: int) -> FoundAnswer:
        _, index = self._answered[source.id, key][which]
        reply = self._read(index).replies[source.id].reply
        return FoundAnswer(_as_of(snapshot, source, reply), key)


def _is_alike(snapshot: DecisionSnapshot, question: SessionQuestion, given: SourceReply) -> bool:
    """Whether the very same was asked."""
    return (
        question.wanted & question.source.extra == given.extra
        and {**snapshot.state.fields, **given.borrowed_ids} == question.fields
    )


def _as_of(snapshot: DecisionSnapshot, source: Source, reply: Reply) -> Reply:
    """Another job's reply as this one would have had it: of what the source gives, and observed by then."""
    latest = snapshot.attempt.at
    return Reply(
        reply.outcome,
        candidates={
            name: candidate if candidate.observed_at <= latest else replace(candidate, observed_at=latest)
            for name, candidate in reply.candidates.items()
            if name in source.gives
        },
        skipped=reply.skipped,
        key=reply.key,
    )
