"""How one field ends: a value is written, a conflict is raised, or neither, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from enrichment.decide.merge import Candidate, Proposal
from enrichment.enums import ConflictReason, FieldOutcomeReason, FieldUnit


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
    another place, or another employer. `recommended` None: keep what the record holds.
    """

    unit: FieldUnit
    reason: ConflictReason
    parts: tuple[str, ...]
    disputed: frozenset[str]
    answers: tuple[UnitAnswer, ...]
    recommended: UnitAnswer | None
    because: str


@dataclass(frozen=True, slots=True)
class ConflictQuestion:
    """A conflict to raise: why, which candidates, which is recommended (None: keep the current) and why.

    `whole` is the question about the unit that this is a part of; None: it is a question of its own.
    """

    reason: ConflictReason
    candidates: tuple[Candidate, ...]
    recommended: Candidate | None
    because: str
    whole: UnitQuestion | None = None


@dataclass(frozen=True, slots=True)
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
