"""How fresh a value is: the chance that what a source saw then still holds now.

It halves with every half-life of its field (see `enrichment.learn.half_life`). Freshness goes by when the source
observed the value, not by when its answer arrived; a source that sees the value again renews it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from enrichment.enums import HUMAN_SOURCES

_DAY_SECONDS = 86_400.0
# What the CRM holds is two years old in the mean, where nobody says how old it is: half of it younger than 17 months.
UNKNOWN_AGE_DAYS = 730.5


def freshness(observed_at: datetime, now: datetime, half_life_days: float) -> float:
    """From 1 (seen just now, or later than `now`) towards 0."""
    if observed_at >= now:
        return 1.0
    return float(0.5 ** ((now - observed_at).total_seconds() / _DAY_SECONDS / half_life_days))


def expected_freshness(half_life_days: float) -> float:
    """The freshness (0-1) of a value of unknown age: the prior of its field.

    Ages are taken to be exponential with a mean of UNKNOWN_AGE_DAYS, over which the freshness is averaged: a head count
    (half-life a year) is expected to hold with 0.42, a title (two years) with 0.59, a founding year with 0.99.
    """
    return 1.0 / (1.0 + UNKNOWN_AGE_DAYS * math.log(2) / half_life_days)


def is_own(source: str) -> bool:
    """Whether a value is enrichment's own: one that a refresh looks up again."""
    return source not in HUMAN_SOURCES


@dataclass(frozen=True, slots=True)
class HeldValue:
    """One of enrichment's own values, with its freshness and the confidence (both 0-1) it was written with."""

    freshness: float
    confidence: float


def record_freshness(values: Iterable[HeldValue]) -> float | None:
    """The freshness of a record: the mean of enrichment's own values, each counted by its confidence.

    None where there are none: what the CRM and reviewers hold is theirs to keep up.
    """
    held = [(value.confidence, value.confidence * value.freshness) for value in values]
    believed = sum(confidence for confidence, _ in held)
    return sum(fresh for _, fresh in held) / believed if believed else None
