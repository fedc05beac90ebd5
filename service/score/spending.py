"""What of the credits is spent for nothing, over drawn mixes of known and unknown people and companies.

Six providers with the fields and prices of the paid ones know some of them, and some of what there is to know of each.
Jobs are walked as a worker walks them: what a provider was asked before is reused, and what its answers brought teaches
the plan. A charge is wasted where its provider wrote no value for the job, as `credits` shows it.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.config import Config, PayFor
from enrichment.decide.merge import Candidate
from enrichment.enums import SOURCE_CRM, EntityType, JobTrigger, StepOutcome
from enrichment.learn.yields import LOOKED_AT, Decided, learned_yields
from enrichment.provenance import Current
from enrichment.waterfall.company_question import as_persons, company_of
from enrichment.waterfall.planner import Source
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.session import JobContext, SessionQuestion, WaterfallSession
from enrichment.waterfall.yields import NO_YIELDS, Yields
from providers.api import ProviderInfo
from providers.sources import sources_of
from service.score.worlds.spending import Entity, SpendingWorld

RECORDS = 600  # of each world
_LEARNED_EVERY = 50  # records
_NOW = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(slots=True)
class Spent:
    """Credits of one set of rules: in all, and those of which no value was written; the values that they brought."""

    credits: int = 0
    wasted: int = 0
    values: int = 0

    def line(self, label: str) -> str:
        """One row of the table."""
        share = 100 * self.wasted / self.credits if self.credits else 0.0
        return f"  {label:<34}{self.credits:>10}{self.wasted:>10}{share:>9.1f} %{self.values:>10}"


@dataclass(slots=True)
class SpendingScore:
    """What is spent under the rules of a new organization, and where everything may cost and nothing is weighed."""

    new: Spent = field(default_factory=Spent)
    before: Spent = field(default_factory=Spent)

    def lines(self) -> Iterator[str]:
        """The table."""
        yield f"{'Credits, drawn records':<36}{'spent':>10}{'wasted':>10}{'share':>11}{'values':>10}"
        yield self.new.line("as a new organization")
        yield self.before.line("all fields, no floor, no companies")


def score_spending(infos: list[ProviderInfo], config: Config, seeds: range) -> SpendingScore:
    """Spend in the drawn worlds of these seeds under `config`, and as organizations from before do."""
    score = SpendingScore()
    nothing_weighed = {"value_floor": None, "min_chance": None}
    before = config.model_copy(update={"pay_for": PayFor(), "company_questions": False, **nothing_weighed})
    for seed in seeds:
        for spent, rules in ((score.new, config), (score.before, before)):
            _Organization(SpendingWorld.drawn(seed, infos, RECORDS), infos, rules, spent).run()
    return score


@dataclass(slots=True)
class _Organization:
    """One organization that sends the records of a world, one after the other."""

    world: SpendingWorld
    infos: list[ProviderInfo]
    config: Config
    spent: Spent
    asked: set[tuple[str, str]] = field(default_factory=set)
    decided: deque[Decided] = field(default_factory=lambda: deque(maxlen=LOOKED_AT))
    yields: Mapping[EntityType, Yields] = field(default_factory=dict)

    def run(self) -> None:
        for number, entity in enumerate(self.world.records):
            if number % _LEARNED_EVERY == 0:
                self.yields = learned_yields(self.decided)
            self._enrich(entity)

    def _enrich(self, entity: Entity) -> None:
        held = {name: Current(value, SOURCE_CRM, 1.0, _NOW, _NOW) for name, value in entity.held.items()}
        context = JobContext(
            entity_type=entity.kind,
            config=self.config,
            trigger=JobTrigger.RECORD_CREATED,
            forced=False,
            fields=entity.held,
            current=held,
            rejected=frozenset(),
            asked_at=_NOW,
            yields=self.yields.get(entity.kind, NO_YIELDS),
        )
        sources = sources_of(self.infos, entity.kind, company_questions=self.config.company_questions)
        session = WaterfallSession(context, sources)
        credits: Counter[str] = Counter()
        while (question := session.next_question()) is not None:
            reply = self._reply(entity, question)
            credits[question.source.provider] += reply.credits
            session.record_reply(question.source.id, reply)
        written = Counter(decision.provider for decision in session.decide().values() if decision.write is not None)
        self.spent.credits += credits.total()
        self.spent.wasted += sum(paid for provider, paid in credits.items() if not written[provider])
        self.spent.values += sum(count for provider, count in written.items() if provider in credits)
        replies = {source: given.reply for source, given in session.replies.items()}
        self.decided.append(Decided(entity.kind, entity.held, replies))

    def _reply(self, entity: Entity, question: SessionQuestion) -> Reply:
        source = question.source
        about = self._subject(entity, question)
        told = self.world.told(source.provider, about)
        reused = (source.provider, about.key) in self.asked
        self.asked.add((source.provider, about.key))
        if told is None:
            return Reply(StepOutcome.NO_MATCH, reused=reused)
        found = _candidates(source, about.kind, told, question)
        if source.is_about_company or about.kind is not entity.kind:
            found = as_persons(entity.kind, found)
        extra = source.extra_price if source.extra & question.wanted & found.keys() else 0
        return Reply(StepOutcome.MATCH, found, credits=0 if reused else source.price + extra, reused=reused)

    def _subject(self, entity: Entity, question: SessionQuestion) -> Entity:
        """Whom a question is about: the record's person, or the company where that alone is wanted."""
        if entity.company is None:
            return entity
        asks_company = question.source.is_about_company or not question.wanted - self.world.company_fields
        return entity.company if asks_company and company_of(question.fields) else entity


def _candidates(
    source: Source, kind: EntityType, told: Mapping[str, Any], question: SessionQuestion
) -> dict[str, Candidate]:
    dear = source.extra - question.wanted
    known = fields_of(kind)
    return {
        name: Candidate(source.provider, value, 0.9, _NOW)
        for name, value in told.items()
        if name in known and name not in dear
    }
