"""How much a value is believed at a moment: its confidence, as far as what its source saw then still holds.

Belief is confidence times freshness. Confidence (0-1) is how sure the source was when it saw the value; freshness
(0-1) is the chance that the value has not changed since, which halves with every half-life of the field. A value whose
age nobody knows has the freshness that is to be expected of its field (see `enrichment.learn.freshness`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from enrichment.decide.edition import LATEST, Edition
from enrichment.enums import EntityType
from enrichment.learn.freshness import expected_freshness, freshness
from enrichment.learn.half_life import PRIOR_DAYS
from enrichment.provenance import Current


class Observed(Protocol):
    """What is believed: a candidate, a proposal, or the current value of a field."""

    @property
    def confidence(self) -> float: ...

    @property
    def observed_at(self) -> datetime: ...

    @property
    def observed_at_known(self) -> bool: ...


@dataclass(slots=True, unsafe_hash=True)  # not frozen, see FieldCase; nobody changes one
class Decay:
    """How the values of one field age: `half_life_days` is the field's, infinite where age does not count."""

    now: datetime
    half_life_days: float = math.inf

    def freshness(self, held: Observed) -> float:
        """The chance (0-1) that what was seen then still holds now."""
        if not held.observed_at_known:
            return expected_freshness(self.half_life_days)
        return freshness(held.observed_at, self.now, self.half_life_days)

    def belief(self, held: Observed) -> float:
        """How much (0-1) the value is believed now."""
        return held.confidence * self.freshness(held)

    def is_contemporary(self, one: Observed, other: Observed) -> bool:
        """Whether both may be right of today: the earlier one was observed less than a half-life before the other."""
        earlier, later = sorted((one.observed_at, other.observed_at))
        return freshness(earlier, later, self.half_life_days) > 0.5

    def confirmed(self, current: Current, confidence: float, observed_at: datetime) -> float:
        """How sure (0-1) the current value is once a source confirmed it.

        `confidence` is the source's, at its observation. It is added to nothing: the same source may confirm a value
        time and again.
        """
        before = current.confidence
        if not current.is_a_persons:
            before *= freshness(current.observed_at, observed_at, self.half_life_days)
        return max(before, confidence)


def decay_of(
    entity_type: EntityType,
    name: str,
    now: datetime,
    half_lives: Mapping[str, float] = MappingProxyType({}),
    edition: Edition = LATEST,
) -> Decay:
    """How the values of a field age up to `now`.

    `half_lives`: those that the organization's own history taught, in days by field; any other field has its prior.
    """
    if edition < Edition.OBSERVATION:
        return Decay(now)
    return Decay(now, half_lives.get(name, PRIOR_DAYS[entity_type][name]))
