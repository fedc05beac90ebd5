"""How one field ends: a value is written, a conflict is raised, or neither, and why."""

from dataclasses import dataclass
from datetime import datetime

from enrichment.decide.merge import Candidate, Proposal
from enrichment.enums import ConflictReason, FieldOutcomeReason


@dataclass(frozen=True, slots=True)
class ConflictQuestion:
    """A conflict to raise: why, which candidates, which is recommended (None: keep the current) and why."""

    reason: ConflictReason
    candidates: tuple[Candidate, ...]
    recommended: Candidate | None
    because: str


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
