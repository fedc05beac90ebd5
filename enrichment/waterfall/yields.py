"""What asking a source is expected to bring and to cost, by what it brought so far."""

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

PRIOR_MATCH_RATE, PRIOR_CALLS = 0.6, 10  # what is believed of a source before it was asked, in calls
PRIOR_FILL_RATE, PRIOR_MATCHES = 0.9, 4  # the same of what a match fills of a field, in matches
PRIOR_LATER = 0.7  # of that, what is left where another source matched before and left the field empty
LATER = "+"  # ends the name under which a source's matches after another's are counted


@dataclass(frozen=True, slots=True)
class SourceYield:
    """How a source did: answers, matches among them, and by field how often it was lacking at a match, and found."""

    answered: int = 0
    matched: int = 0
    lacking: Mapping[str, int] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)


_UNKNOWN = SourceYield()


def _filled(known: Sequence[SourceYield], name: str, prior: float) -> float:
    found, lacking = sum(of.found.get(name, 0) for of in known), sum(of.lacking.get(name, 0) for of in known)
    return (found + prior * PRIOR_MATCHES) / (lacking + PRIOR_MATCHES)


@dataclass(frozen=True, slots=True)
class Yields:
    """How the sources for records of one type did, by source, and by source and LATER after the match of another."""

    sources: Mapping[str, SourceYield] = field(default_factory=dict)

    def match_rate(self, source: str) -> float:
        """How likely (0-1) a source knows a record that it is asked about."""
        known = self.sources.get(source, _UNKNOWN)
        return (known.matched + PRIOR_MATCH_RATE * PRIOR_CALLS) / (known.answered + PRIOR_CALLS)

    def fill_rate(self, source: str, name: str, *, later: bool = False) -> float:
        """How likely (0-1) a match of the source fills this field, where it is empty.

        `later`: another source matched before, and left it empty: then it is often nowhere to be found.
        """
        of_first, of_later = self.sources.get(source, _UNKNOWN), self.sources.get(source + LATER, _UNKNOWN)
        # Who is never the first is known by how it does later.
        first = _filled([of_first, of_later], name, PRIOR_FILL_RATE)
        return _filled([of_later], name, first * PRIOR_LATER) if later else first

    def is_known(self, source: str) -> bool:
        """Whether it has matched often enough to be told from others."""
        return self.sources.get(source, _UNKNOWN).matched >= PRIOR_CALLS

    def expected_values(self, source: str, names: Set[str], *, later: bool = False) -> float:
        """How many of these fields a match of the source is expected to fill."""
        return sum(self.fill_rate(source, name, later=later) for name in names)

    def chance_of_any(self, source: str, names: Set[str], *, later: bool = False) -> float:
        """How likely (0-1) a match of the source fills any of these fields."""
        return 1.0 - math.prod(1.0 - self.fill_rate(source, name, later=later) for name in names)

    def as_json(self) -> dict[str, Any]:
        """By source: answers, matches, and by field how often it was lacking and found."""
        return {
            source: [
                known.answered,
                known.matched,
                {name: [count, known.found.get(name, 0)] for name, count in known.lacking.items()},
            ]
            for source, known in self.sources.items()
        }

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "Yields":
        """From what `as_json` made."""
        return cls(
            {
                source: SourceYield(
                    answered,
                    matched,
                    {name: lacking for name, (lacking, _) in fields.items()},
                    {name: found for name, (_, found) in fields.items()},
                )
                for source, (answered, matched, fields) in stored.items()
            }
        )


NO_YIELDS = Yields()
