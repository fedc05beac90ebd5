"""How one field ends: a value is written, a conflict is raised, or neither, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from enrichment.decide.merge import Candidate, Proposal
from enrichment.enums import ConflictReason, FieldOutcomeReason, FieldUnit, Recommendation


@dataclass(frozen=True, slots=True)
class UnitAnswer:
    """What one source says of a unit, by part. It is as sure, and as old, as the least of its disputing parts."""

    provider: str
    parts: Mapping[str, Candidate]
    confidence: float
    stated: float
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class UnitQuestion:
    """A conflict to raise about a unit: one question, whichever of its parts differ.

    `parts` are those that may be shown and written, in catalogue order; `disputed` those by which an answer is about
    another place, or another employer. `recommended` is the answer to accept, None unless that is the recommendation;
    `completed` has parts that it does not give, of answers that agree with it, which are accepted with it.
    """

    unit: FieldUnit
    reason: ConflictReason
    parts: tuple[str, ...]
    disputed: frozenset[str]
    answers: tuple[UnitAnswer, ...]
    recommended: UnitAnswer | None
    recommendation: Recommendation
    because: str
    completed: Mapping[str, Candidate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConflictQuestion:
    """A conflict to raise: why, which candidates, what is recommended and why.

    `recommended` is the candidate to accept, None unless the `recommendation` is to accept one. `gains` tells of each
    source's value by how much (as a logarithm of odds) it is likelier than the current one, or than the best other one
    of an empty field, and `bound` by how much (a logarithm of odds) a value must lead. `whole` is the question about
    the unit that this is a part of; None: it is a question of its own.
    """

    reason: ConflictReason
    candidates: tuple[Candidate, ...]
    recommended: Candidate | None
    recommendation: Recommendation
    because: str
    gains: Mapping[str, float] = field(default_factory=dict)
    bound: float = 0.0
    whole: UnitQuestion | None = None


@dataclass(slots=True, unsafe_hash=True)  # not frozen, see FieldCase; nobody changes one
class Decision:
    """How a field ends. `write` is set when a value is written, `question` when a conflict is raised.

    `verified_at` is set when a source confirmed the current value, observed then.
    """

    reason: FieldOutcomeReason
    provider: str | None = None
    confidence: float | None = None
    detail: str = ""
    write: Proposal | None = None
    question: ConflictQuestion | None = None
    verified_at: datetime | None = None
