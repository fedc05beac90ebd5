"""What is known of a source, and what it is known by: its values beside those of others (see
`enrichment.learn.agreement`)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

CRM_UNDATED = "crm, undated"  # values of the CRM without a date, which may be old or wrong

_ENOUGH = 3
_SURE = 0.995  # nothing is surer than this by itself
_MOST = 6.0  # nor does a confidence mean more than this, as a logarithm of odds


@dataclass(frozen=True, slots=True)
class Said:
    """A value of a field by its number: who says it, how surely (0-1), and how many days ago it was seen."""

    source: str
    value: int
    stated: float
    days: float


@dataclass(frozen=True, slots=True)
class Compared:
    """What is said of one field of one record: by the CRM, then by the sources in order of their priority.

    `name`: the field's, with the type of record; `group`: of the fields that are like it. `rate`: how often it changes,
    in changes a day. `same` (0-1): how often two who err there say the same.
    """

    said: tuple[Said, ...]
    name: str
    group: str
    rate: float
    same: float

    @property
    def is_undisputed(self) -> bool:
        return all(each.value == self.said[0].value for each in self.said)

    @property
    def tells_who_errs(self) -> bool:
        """Whether there are enough of them: of two that differ, nobody knows which one errs."""
        return len(self.said) >= _ENOUGH


@dataclass(frozen=True, slots=True)
class Reliability:
    """How one source errs, or the CRM.

    `compared`: how many of its values stood beside those of two others. `accuracy` (0-1): the share of them that is
    likely to have been right, `by_field` the same for single fields, near to that of their group. `usual`: its mean
    confidence, by field, as a logarithm of odds; `level` and `slope`: what it means, in logarithms of odds, that it is
    as sure as usual, and how much more for each such unit that it is surer. `shares`: of the mistakes of another source
    the share (0-1) that it makes as well, by that source. `compared_in`: how many by field.
    """

    compared: float
    accuracy: float
    by_field: Mapping[str, float]
    usual: Mapping[str, float]
    level: float
    slope: float
    shares: Mapping[str, float]
    compared_in: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def accuracy_of(self, name: str) -> float:
        """How often (0-1) it is right about this field."""
        return self.by_field.get(name, self.accuracy)

    def usual_confidence(self, name: str) -> float | None:
        """The confidence (0-1) that it states of this field in the mean; None where nobody knows."""
        usual = self.usual.get(name)
        return None if usual is None else 1.0 / (1.0 + math.exp(-usual))

    def told_by_confidence(self, name: str, stated: float) -> float:
        """What a stated confidence (0-1) says for a value of this field, as a logarithm of odds; below 0: against.

        Nothing where it has given no values of the field that stood beside others.
        """
        usual = self.usual.get(name)
        if usual is None:
            return 0.0
        return max(min(self.level + self.slope * (log_odds(stated) - usual), _MOST), -_MOST)


def log_odds(chance: float) -> float:
    """The logarithm of the odds of a chance (0-1), which is kept from certainty."""
    kept = min(max(chance, 1.0 - _SURE), _SURE)
    return math.log(kept / (1.0 - kept))
