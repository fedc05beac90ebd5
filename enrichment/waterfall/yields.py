"""What asking a source is expected to bring and to cost, by what it brought so far."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

PRIOR_MATCH_RATE, PRIOR_CALLS = 0.6, 10  # what is believed of a source before it was asked, in calls
PRIOR_FILL_RATE, PRIOR_MATCHES = 0.9, 4  # the same of what a match fills of a field, in matches


@dataclass(frozen=True, slots=True)
class SourceYield:
    """How a source did: answers, matches among them, and by field how often it was lacking at a match, and found."""

    answered: int = 0
    matched: int = 0
    lacking: Mapping[str, int] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)


_UNKNOWN = SourceYield()


@dataclass(frozen=True, slots=True)
class Yields:
    """How the sources for records of one type did, by source."""

    sources: Mapping[str, SourceYield] = field(default_factory=dict)

    def match_rate(self, source: str) -> float:
        """How likely (0-1) a source knows a record that it is asked about."""
        known = self.sources.get(source, _UNKNOWN)
        return (known.matched + PRIOR_MATCH_RATE * PRIOR_CALLS) / (known.answered + PRIOR_CALLS)

    def fill_rate(self, source: str, name: str) -> float:
        """How likely (0-1) a match of the source fills this field, which those before it left empty."""
        known = self.sources.get(source, _UNKNOWN)
        return (known.found.get(name, 0) + PRIOR_FILL_RATE * PRIOR_MATCHES) / (
            known.lacking.get(name, 0) + PRIOR_MATCHES
        )

    def is_known(self, source: str) -> bool:
        """Whether it has matched often enough to be told from others."""
        return self.sources.get(source, _UNKNOWN).matched >= PRIOR_CALLS

    def expected_values(self, source: str, names: Set[str]) -> float:
        """How many of these fields a match of the source is expected to fill."""
        return sum(self.fill_rate(source, name) for name in names)

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
