"""A value of the CRM that a source disputes, as the recommendation weighs it, beside the truth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import is_contradiction, is_equivalent
from enrichment.decide.merge import Candidate, survivors
from enrichment.enums import EntityType
from enrichment.learn.half_life import PRIOR_DAYS
from enrichment.learn.trust import NO_TRUST, Trust
from enrichment.provenance import Current
from enrichment.recommend.observe import Observations, Question, observe
from enrichment.recommend.record import RecordAround

LEAST = 0.6  # the least confidence of a source that disputes a value


@dataclass(frozen=True, slots=True)
class Answered:
    """A record with what its sources say of it: their candidates by field. Ages are counted up to `now`."""

    entity_type: EntityType
    current: Mapping[str, Current]
    answers: Mapping[str, Mapping[str, Candidate]]
    now: datetime
    trust: Trust = NO_TRUST

    def is_disputed(self, name: str) -> bool:
        """Whether a source that is sure enough gives another value than the record has."""
        held = self.current[name].value
        return any(
            name in answer
            and answer[name].confidence >= LEAST
            and not is_equivalent(self.entity_type, name, answer[name].value, held)
            for answer in self.answers.values()
        )


@dataclass(frozen=True, slots=True)
class Disputed:
    """What is to be weighed of one field, and of each of its values whether it is right."""

    observations: Observations
    right: Sequence[bool]

    @property
    def held_right(self) -> bool:
        """Whether the CRM's value is right."""
        values = self.observations.values
        return next(right for value, right in zip(values, self.right, strict=True) if value.current is not None)


def dispute(record: Answered, name: str, is_right: Callable[[Any], bool]) -> Disputed:
    """The values of a field with all that speaks for and against them."""
    entity_type, current = record.entity_type, record.current[name]

    def equal(a: Any, b: Any) -> bool:
        return is_equivalent(entity_type, name, a, b)

    question = Question(
        name=name,
        current=current,
        proposals=survivors([answer[name] for answer in record.answers.values() if name in answer], equal),
        around=RecordAround.of(entity_type, record.current, record.answers, record.trust),
        now=record.now,
        half_life_days=PRIOR_DAYS[entity_type][name],
        is_held=lambda value: equal(current.value, value),
        is_far_off=lambda a, b: is_contradiction(entity_type, name, a, b),
        trust_in=lambda provider: record.trust.of(provider, entity_type, name),
    )
    observations = observe(question)
    return Disputed(observations, [is_right(value.value) for value in observations.values])
