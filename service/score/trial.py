"""Enriches a record in memory by the product's own rules: the providers, the waterfall and the decision."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.clean import Clean, clean
from enrichment.config import Config
from enrichment.decide.belief import decay_of
from enrichment.decide.decision import Decision
from enrichment.decide.fields import DecisionInput, SourceResult, decide_fields
from enrichment.decide.merge import Candidate
from enrichment.enums import SOURCE_CRM, EntityType, StepOutcome
from enrichment.learn.trust import Trust
from enrichment.provenance import Current
from enrichment.waterfall.planner import Source, Waterfall, want
from providers.api import Answer, Provider, Question
from providers.registry import Registry


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a record: its cleaned fields, each provider's answer, how each field ended, and by what."""

    entity_type: EntityType
    cleaned: Clean
    answers: Mapping[str, Answer]
    given: DecisionInput
    decisions: Mapping[str, Decision]

    def with_trust(self, trust: Trust) -> "Outcome":
        """The same record, decided by an organization that has learned so much of its sources."""
        return replace(self, decisions=decide_fields(replace(self.given, trust=trust)))

    @property
    def after(self) -> dict[str, Any]:
        """The record's values once enrichment has written."""
        written = {name: decision.write.value for name, decision in self.decisions.items() if decision.write}
        return {**self.cleaned.values, **written}

    def found(self, provider_id: str, name: str) -> Any:
        """The value that a provider gave for a field, or None."""
        answer = self.answers.get(provider_id)
        return next((finding.value for finding in answer.findings if finding.field == name), None) if answer else None


async def try_record(
    registry: Registry, config: Config, entity_type: EntityType, raw: Mapping[str, Any], *, blank: bool = False
) -> Outcome:
    """Enrich one raw record. `blank` decides as if it had no values, to see what the sources give by themselves."""
    now = datetime.now(UTC)
    cleaned = clean(entity_type, raw)
    kept = {} if blank else cleaned.values
    current = {name: Current(value, SOURCE_CRM, 1.0, now, now, observed_at_known=False) for name, value in kept.items()}
    for name, (text, reason) in ({} if blank else cleaned.refused).items():
        current[name] = Current(text, SOURCE_CRM, 1.0, now, now, observed_at_known=False, unreadable=reason)
    question = Question(entity_type, {**cleaned.values, **cleaned.unknown}, frozenset())
    sources = [_source(provider, entity_type) for provider in registry]
    wants = {
        field.name: want(config, entity_type, field.name, current.get(field.name), refresh=False)
        for field in fields_of(entity_type).values()
        if field.enrichable
    }
    answers: dict[str, Answer] = {}
    results = {source.id: SourceResult(source.id, StepOutcome.SKIPPED, source.gives) for source in sources}
    waterfall = Waterfall(config, sources, wants)
    while source := waterfall.next():
        wanted = waterfall.could_give(source)
        provider = registry.get(source.id)
        assert provider is not None
        answer = await provider.ask(question)
        assert isinstance(answer, Answer)  # the built-in providers answer at once
        answers[source.id] = answer
        results[source.id] = _result(source, answer, now)
        waterfall.answered(source.id, _settled(config, entity_type, results[source.id], now), wanted)
    given = DecisionInput(entity_type, config, current, wants, tuple(results.values()), _never_rejected, now)
    return Outcome(entity_type, cleaned, answers, given, decide_fields(given))


def _source(provider: Provider, entity_type: EntityType) -> Source:
    return provider.info.source(entity_type)


def _result(source: Source, answer: Answer, now: datetime) -> SourceResult:
    candidates = {
        finding.field: Candidate(source.id, finding.value, finding.confidence, finding.observed_at or now)
        for finding in answer.findings
    }
    outcome = StepOutcome.MATCH if answer.matched else StepOutcome.NO_MATCH
    return SourceResult(source.id, outcome, source.gives, candidates)


def _settled(config: Config, entity_type: EntityType, result: SourceResult, now: datetime) -> set[str]:
    return {
        name
        for name, candidate in result.candidates.items()
        if decay_of(entity_type, name, now).belief(candidate) >= config.minimum(entity_type, name)
    }


def _never_rejected(name: str, value: Any, source: str) -> bool:
    return False
