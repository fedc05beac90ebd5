"""How much a value is believed at a moment: its confidence, as far as what its source saw then still holds.

Belief is confidence times freshness. Confidence (0-1) is how sure the source was when it saw the value; freshness
(0-1) is the chance that the value has not changed since, which halves with every half-life of the field. A value whose
age nobody knows has the freshness that is to be expected of its field (see `enrichment.learn.freshness`).
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from enrichment.learn.freshness import expected_freshness, freshness


class Observed(Protocol):
    """What is believed: a candidate, a proposal, or the current value of a field."""

    @property
    def confidence(self) -> float: ...

    @property
    def observed_at(self) -> datetime: ...

    @property
    def observed_at_known(self) -> bool: ...


@dataclass(frozen=True, slots=True)
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

    def confidence_at(self, held: Observed, moment: datetime) -> float:
        """How much the value was believed at a moment, 0 to 1: at its observation and before, its confidence."""
        return held.confidence * freshness(held.observed_at, moment, self.half_life_days)
