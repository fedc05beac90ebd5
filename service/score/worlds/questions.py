"""What the product makes of the records of a world: its decisions, and what it has to weigh of disputed values."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.config import Config
from enrichment.decide.decision import Decision
from enrichment.decide.fields import DecisionInput, SourceResult, decide_fields
from enrichment.enums import StepOutcome
from enrichment.learn.trust import NO_TRUST, Key, SourceTrust, Trust
from enrichment.waterfall.planner import Want
from service.score.disputes import Answered, Disputed, dispute
from service.score.worlds.draw import NOW, DrawnRecord, World

_CONFIG = Config()


def learned_trust(world: World) -> Trust:
    """What reviewers who know the truth have taught about the sources of a world."""
    judged: dict[Key, SourceTrust] = {}
    for record in world.records(world.reviewed):
        for name in record.current:
            if not _answered(record, NO_TRUST).is_disputed(name):
                continue
            for provider, answer in record.answers.items():
                if name in answer:
                    key, candidate = (provider, record.entity_type, name), answer[name]
                    accepted = record.is_right(name, candidate.value)
                    judged[key] = _judged(judged.get(key, SourceTrust()), candidate.confidence, accepted=accepted)
    return Trust(judged) if judged else NO_TRUST


def _judged(trust: SourceTrust, stated: float, *, accepted: bool) -> SourceTrust:
    return SourceTrust(trust.accepted + accepted, trust.rejected + (not accepted), 0, trust.stated + stated)


def _answered(record: DrawnRecord, trust: Trust) -> Answered:
    believed = {provider: trust.believed(record.entity_type, answer) for provider, answer in record.answers.items()}
    return Answered(record.entity_type, record.current, believed, NOW, trust)


def decisions_on(record: DrawnRecord, trust: Trust) -> dict[str, Decision]:
    """How the product decides on every field of the record, by its usual configuration."""
    gives = frozenset(fields_of(record.entity_type))
    results = [
        SourceResult(provider, StepOutcome.MATCH, gives, answer)
        for provider, answer in _answered(record, trust).answers.items()
    ]
    wants = dict.fromkeys(gives, Want.CHECK)
    return decide_fields(
        DecisionInput(record.entity_type, _CONFIG, record.current, wants, results, _never_rejected, NOW, trust)
    )


def _never_rejected(name: str, value: Any, source: str) -> bool:
    return False


def disputed_values(record: DrawnRecord, trust: Trust) -> Iterator[Disputed]:
    """Each value of the CRM that a source disputes."""
    answered = _answered(record, trust)
    for name in record.current:
        if answered.is_disputed(name):
            yield dispute(answered, name, partial(record.is_right, name))
