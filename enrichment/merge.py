"""Survivorship: from what several sources say of one field, the value to believe and how much.

Sources that say the same are counted together: belief in a value is one minus the chance that all of its
sources are wrong, each taken as independent. It never reaches certainty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MOST_CONFIDENCE = 0.99
Same = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One source's value for one field. `value` is canonical; `confidence` is 0 to 1, trust included."""

    provider: str
    value: Any
    confidence: float
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """The value that survives: from its most confident source, with all that support it (best first)."""

    value: Any
    confidence: float
    observed_at: datetime
    support: tuple[Candidate, ...]

    @property
    def provider(self) -> str:
        return self.support[0].provider


def agreed_confidence(confidences: Sequence[float]) -> float:
    """Belief (0 to 0.99) in a value that independent sources give with these confidences."""
    doubt = 1.0
    for confidence in confidences:
        doubt *= 1.0 - confidence
    return min(1.0 - doubt, max(MOST_CONFIDENCE, *confidences)) if confidences else 0.0


def survivors(candidates: Sequence[Candidate], same: Same) -> list[Proposal]:
    """The different values among `candidates`, most believed first.

    `candidates` come in order of priority, which decides between equals. A source counts once for a value.
    """
    groups: list[list[Candidate]] = []
    for candidate in candidates:
        group = next((group for group in groups if same(group[0].value, candidate.value)), None)
        if group is None:
            groups.append([candidate])
        elif all(other.provider != candidate.provider for other in group):
            group.append(candidate)
    proposals = [_proposal(group) for group in groups]
    proposals.sort(key=lambda proposal: -proposal.confidence)  # stable: priority decides between equals
    return proposals


def _proposal(group: list[Candidate]) -> Proposal:
    support = tuple(sorted(group, key=lambda candidate: -candidate.confidence))
    return Proposal(
        value=support[0].value,
        confidence=agreed_confidence([candidate.confidence for candidate in support]),
        observed_at=max(candidate.observed_at for candidate in support),
        support=support,
    )
