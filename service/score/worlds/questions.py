"""What the product makes of the records of a world: its decisions, and what it has to weigh of disputed values."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.config import Config
from enrichment.decide.decision import Decision
from enrichment.decide.fields import DecisionInput, SourceResult, decide_fields
from enrichment.enums import StepOutcome
from enrichment.learn.agreement import estimate
from enrichment.learn.trust import NO_TRUST, Key, SourceTrust, Trust
from enrichment.recommend.compare import compare
from enrichment.recommend.observe import Observed
from enrichment.recommend.weights import WEIGHTS, Sign
from enrichment.waterfall.planner import Want
from service.score.disputes import Answered, Disputed, dispute
from service.score.worlds.draw import NOW, DrawnRecord, World
from service.score.worlds.ideal import ideal_chances

_CONFIG = Config()


RECORDS_BESIDE = 90  # of the organization, by whose answers its sources are known as well


@dataclass(frozen=True, slots=True)
class Questioned:
    """Records of a world, and what its organization has learned of its sources by these, by others and by reviewers."""

    records: list[DrawnRecord]
    trust: Trust


def draw_questions(world: World, count: int, *, beside: int = RECORDS_BESIDE) -> Questioned:
    """So many records of a world; its organization has had answers about so many others `beside` them."""
    trust = learned_trust(world)
    records = list(world.records(count))
    known = [*records, *world.records(beside)] if beside else []
    compared = (
        item for record in known for item in compare(record.entity_type, record.current, record.answers, NOW, {})
    )
    return Questioned(records, replace(trust, reliability=estimate(compared)))


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


def ideal_leads(
    world: World, record: DrawnRecord, names: Collection[str], trust: Trust
) -> Iterator[tuple[str, float, bool]]:
    """By how much (a logarithm of odds) the likeliest value other than the CRM's leads for who knows the world.

    For each of these fields, with whether that value is right. Of signs it knows what the product's rule knows.
    """
    if not names:
        return
    answered = _answered(record, trust)
    priors: dict[str, dict[str, float]] = {}
    for name in names:
        values = dispute(answered, name, partial(record.is_right, name)).observations.values
        priors[name] = {str(value.value): math.exp(_of_signs(value)) for value in values}
    chances = ideal_chances(world, record, priors)
    for name in names:
        held = [chance for value, chance in chances[name] if record.is_held(name, value)]
        others = [(chance, value) for value, chance in chances[name] if not record.is_held(name, value)]
        best, value = max(others, key=lambda pair: pair[0], default=(0.0, None))
        yield name, math.log(max(best, _HARDLY) / max(*held, _HARDLY)), record.is_right(name, value)


_HARDLY = 1e-9
_MODELLED = frozenset({Sign.MISTYPED, Sign.MEANT})  # signs that the knowledge of how values are mistyped includes


def _of_signs(value: Observed) -> float:
    return sum(WEIGHTS.signs[found.sign] for found in value.signs if found.sign not in _MODELLED)
