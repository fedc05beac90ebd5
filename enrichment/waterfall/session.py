"""The questions of one job: whom to ask next and with what, and what each source's reply leads to.

Nothing is asked here. The caller takes `next_question()` and gives `record_reply()` what came of it: a worker calls the
provider, a replay looks the reply up.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of, value_keys
from enrichment.config import Config
from enrichment.decide.belief import decay_of
from enrichment.decide.decision import Decision
from enrichment.decide.edition import LATEST, Edition
from enrichment.decide.fields import DecisionInput, SourceResult, decide_fields
from enrichment.decide.merge import Candidate, discount
from enrichment.enums import EntityType, JobTrigger, StepOutcome
from enrichment.learn.trust import NO_TRUST, Trust
from enrichment.provenance import Current
from enrichment.record_state import RejectedValue
from enrichment.waterfall.company_question import company_of
from enrichment.waterfall.planner import COMPANY, Source, Waterfall, refreshes, want
from enrichment.waterfall.reply import Reply, of_one_provider
from enrichment.waterfall.skip_reason import SkipReason
from enrichment.waterfall.yields import NO_YIELDS, Yields
from enrichment.words import Names


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job is about: the record as it finds it, the rules, and how the job came to be.

    `rejected` is what reviewers turned down; `asked_at` is when the job began: a person's edit after it is newer
    than any answer. `trust` is what reviewers taught about the sources; `half_lives` are those that the organization's
    history taught, in days by field; `yields` what the sources brought so far, where the rules weigh it.
    """

    entity_type: EntityType
    config: Config
    trigger: JobTrigger
    forced: bool
    fields: Mapping[str, Any]
    current: Mapping[str, Current]
    rejected: Set[RejectedValue]
    asked_at: datetime
    trust: Trust = NO_TRUST
    names: Names = field(default_factory=dict)
    half_lives: Mapping[str, float] = field(default_factory=dict)
    yields: Yields = NO_YIELDS
    edition: Edition = LATEST

    def was_rejected(self, name: str, value: Any, source: str) -> bool:
        """Whether a reviewer turned this value of this source down, also before an upgrade."""
        if not self.rejected:
            return False
        return any((name, key, source) in self.rejected for key in value_keys(self.entity_type, name, value))

    def belief(self, name: str, candidate: Candidate) -> float:
        """How much (0-1) a source's value for a field is believed now."""
        return decay_of(self.entity_type, name, self.asked_at, self.half_lives, self.edition).belief(candidate)


@dataclass(frozen=True, slots=True)
class SourceReply:
    """A source's reply as it was given, and the question in short.

    `borrowed_ids`: identifiers, by field, that the source was asked with and other sources had found. `extra`: what
    costs more that it was asked for. With the fields of the record they make up the question.
    """

    reply: Reply
    borrowed_ids: Mapping[str, Any]
    extra: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SessionQuestion:
    """Which source to ask, with which fields, for which."""

    source: Source
    fields: Mapping[str, Any]
    wanted: frozenset[str]


class WaterfallSession:
    """The state of one job's questions: the waterfall, the replies, and the identifiers that sources found."""

    def __init__(self, context: JobContext, sources: Sequence[Source], paid: Mapping[str, int] | None = None) -> None:
        """`paid`: what the job has been charged before, by source; it is not charged for those again."""
        self._context = context
        self.paid: Mapping[str, int] = dict(paid or {})
        self._paid_unused = dict(self.paid)  # of those without a reply yet
        entity_type = context.entity_type
        refresh = refreshes(context.trigger, forced=context.forced)
        wants = {
            known.name: want(context.config, entity_type, known.name, context.current.get(known.name), refresh=refresh)
            for known in fields_of(entity_type).values()
            if known.enrichable
        }
        pay_for = context.config.pay_for.of(entity_type)
        self.waterfall = Waterfall(context.config, sources, wants, pay_for, yields=context.yields)
        self.results: dict[str, Reply] = {}  # by source; their candidates are discounted for borrowed identifiers
        self.replies: dict[str, SourceReply] = {}  # by source: as those asked this time gave them
        self._spent = sum(self._paid_unused.values())
        self._stopped = False
        self._opted_out = False
        self._question: SessionQuestion | None = None
        self._fields: dict[str, Any] = dict(context.fields)
        self._provider_of = {source.id: source.provider for source in sources}
        self._gives: dict[str, frozenset[str]] = {}
        for source in sources:
            self._gives[source.provider] = self._gives.get(source.provider, frozenset()) | source.gives
        self._asks_companies = any(source.is_about_company for source in sources)
        self._know_company()
        self._borrowed: dict[str, float] = {}  # identifiers that a source found, with their confidence

    def _know_company(self) -> None:
        """Whether the company can be asked about follows from what is known of the person by now."""
        if self._asks_companies and not self.waterfall.knows_company:
            self.waterfall.knows_company = company_of(self._fields) is not None

    def next_question(self) -> SessionQuestion | None:
        """The next question; None when no source left could help or may be asked, or an answer is waited for."""
        while not (self._stopped or self._opted_out) and (source := self.waterfall.next()) is not None:
            wanted = self.waterfall.could_give(source)
            if not self._affords(source, wanted):
                wanted = self.waterfall.could_give(source.plain())
            if wanted and self._affords(source, wanted):
                self._question = SessionQuestion(source, self._fields, wanted)
                return self._question
            self._record_result(source.id, Reply(StepOutcome.SKIPPED, skipped=SkipReason.PER_RECORD_MAX), wanted)
        return None

    def _affords(self, source: Source, wanted: frozenset[str]) -> bool:
        limit, most = self._context.config.credits.per_record_max, source.most(wanted)
        return limit is None or not most or source.id in self._paid_unused or self._spent + most <= limit

    def record_reply(self, source_id: str, reply: Reply) -> None:
        """What became of the question that `next_question` gave last."""
        assert self._question is not None  # `next_question` gave it
        extra = self._question.source.extra & self._question.wanted
        borrowed_ids = {name: self._fields[name] for name in self._borrowed}
        self.replies[source_id] = SourceReply(reply, borrowed_ids, extra)
        if self._borrowed:
            candidates = discount(self._context.entity_type, reply.candidates, self._fields, self._borrowed)
            reply = replace(reply, candidates=candidates)
        self._record_result(source_id, reply, self._question.wanted, self._question.source.apart)
        # A source after one whose answer is waited for may not be needed.
        self._stopped = reply.waits_until is not None

    def restore_reply(self, source_id: str, reply: Reply) -> None:
        """A source's reply to an earlier attempt of the job counts: it is not asked, or paid for, again."""
        [source] = [source for source in self.waterfall.sources if source.id == source_id]
        self._record_result(source_id, reply, self.waterfall.could_give(source), source.apart)

    def _record_result(
        self, source_id: str, reply: Reply, wanted: frozenset[str], apart: frozenset[str] = frozenset()
    ) -> None:
        context = self._context
        self.results[source_id] = reply
        self._opted_out = self._opted_out or reply.skipped is SkipReason.OPTED_OUT
        self._spent += reply.credits - self._paid_unused.pop(source_id, 0)
        rules = context.config.by_field[context.entity_type]
        minimum = {name: rules[name].minimum for name in reply.candidates}
        # A value that has aged is no reason to ask nobody else.
        settled = {
            name for name, candidate in reply.candidates.items() if context.belief(name, candidate) >= minimum[name]
        }
        # Of a company it counts as asked where it told of it: else that is a question of its own.
        asked = (wanted - apart) | apart.intersection(reply.candidates)
        if reply.error is not None and reply.error.retryable:
            # Its answer may tell of the company too, for one price.
            self.waterfall.put_off.add(self._provider_of[source_id])
        if reply.is_paid_match and source_id.endswith(COMPANY):
            self.waterfall.matched_company = True  # of the person it says nothing
        elif reply.is_paid_match:
            self.waterfall.matched = True
        self.waterfall.answered(source_id, settled, asked if reply.was_asked else frozenset())
        known = fields_of(context.entity_type)
        for name, candidate in reply.candidates.items():
            # An identifier that one source found helps to ask the next one.
            is_confident = candidate.confidence >= minimum[name]
            if is_confident and known[name].identifying and self._fields.get(name) is None:
                self._fields = {**self._fields, name: candidate.value}
                self._borrowed[name] = candidate.confidence
        self._know_company()

    def decide(self) -> dict[str, Decision]:
        """How each enrichable field ends, in catalogue order."""
        context = self._context
        return decide_fields(
            DecisionInput(
                entity_type=context.entity_type,
                config=context.config,
                current=context.current,
                wants=self.waterfall.wants,
                results=[self._result_of(*given) for given in self.replies_by_provider()],
                rejected=context.was_rejected if context.rejected else None,
                asked_at=context.asked_at,
                trust=context.trust,
                names=context.names,
                half_lives=context.half_lives,
                edition=context.edition,
            )
        )

    def reply_of(self, source: Source) -> Reply:
        """What became of a source, asked or not."""
        if (reply := self.results.get(source.id)) is not None:
            return reply
        # Whom a person told to leave them alone tells all.
        why = SkipReason.OPTED_OUT if self._opted_out else self.waterfall.why_not_asked(source)
        return Reply(StepOutcome.SKIPPED, skipped=why)

    def replies_by_provider(self, *, given: bool = False) -> list[tuple[str, Reply]]:
        """What became of each provider, in order of priority: its replies about a person and the company as one.

        `given`: of those alone that have replied so far.
        """
        found: dict[str, list[Reply]] = {}
        for source in self.waterfall.sources:
            if given and source.id not in self.results:
                continue
            replies = found.setdefault(source.provider, [])
            if not source.is_about_company or source.id in self.results or not replies:
                replies.append(self.reply_of(source))
        return [
            (provider, replies[0] if len(replies) == 1 else of_one_provider(*replies))
            for provider, replies in found.items()
        ]

    def _result_of(self, provider: str, reply: Reply) -> SourceResult:
        return SourceResult(
            provider,
            reply.outcome,
            self._gives[provider],
            candidates=reply.candidates,
            skipped=reply.skipped,
            error=reply.error.message if reply.error else None,
            withheld=reply.withheld,
        )
