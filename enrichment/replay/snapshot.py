"""What is stored of a job's decision, so that the same decision can be taken again under other rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from enrichment.decide.belief import Decay, decay_of
from enrichment.decide.decision import Decision
from enrichment.decide.edition import LATEST, Edition
from enrichment.decide.job_outcome import Attempt
from enrichment.enums import ConflictReason, EntityType, FieldOutcomeReason, FieldUnit, JobStatus, JobTrigger
from enrichment.record_state import RecordState
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.session import SourceReply
from enrichment.waterfall.yields import Yields

_WITH_CANDIDATES = frozenset(
    {
        FieldOutcomeReason.WRITTEN,
        FieldOutcomeReason.SAME,
        FieldOutcomeReason.VERIFIED,
        FieldOutcomeReason.PROTECTED,
        FieldOutcomeReason.BELOW_THRESHOLD,
        FieldOutcomeReason.CONFLICT,
    }
)


@dataclass(slots=True, unsafe_hash=True)  # not frozen, see FieldCase; nobody changes one
class FieldEffect:
    """What became of a field that a source gave a value for.

    `value` is what was written, or the foremost candidate of a conflict; `observed_at` when it was observed, or
    when the current value was confirmed. `unit` is the one that the conflict is about, None where it is about the field
    alone; `is_disputed`: the field is what the conflict is about, rather than held back with it.
    """

    reason: FieldOutcomeReason
    source: str | None = None
    confidence: float | None = None
    value: Any = None
    observed_at: datetime | None = None
    conflict: ConflictReason | None = None
    unit: FieldUnit | None = None
    is_disputed: bool = True


@dataclass(frozen=True, slots=True)
class Origin:
    """How a job came to be. `by_hand`: a person asked for it, whatever started it first."""

    trigger: JobTrigger
    forced: bool
    by_hand: bool
    config_version: int


@dataclass(frozen=True, slots=True)
class DecisionSnapshot:
    """One attempt of one job, as it was.

    `replies` are those of the sources asked in it, `restored` those to earlier attempts, `paid` is what the job had
    been charged before; each by source. `half_lives` are those that the organization's history had taught by then, in
    days by field; `yields` what its sources had brought, None where the rules did not weigh it; `edition` that of the
    rules by which it was decided.
    """

    entity_type: EntityType
    origin: Origin
    attempt: Attempt
    asked_at: datetime
    state: RecordState
    replies: Mapping[str, SourceReply]
    restored: Mapping[str, Reply]
    paid: Mapping[str, int]
    effects: Mapping[str, FieldEffect]
    status: JobStatus
    code: str | None
    half_lives: Mapping[str, float] = field(default_factory=dict)
    yields: Yields | None = None
    edition: Edition = LATEST

    def decay(self, name: str) -> Decay:
        """How the values of a field aged by what was known then."""
        return decay_of(self.entity_type, name, self.asked_at, self.half_lives, self.edition)


def effects_of(decisions: Mapping[str, Decision]) -> dict[str, FieldEffect]:
    """What these decisions do, by field; fields that nobody gave a value for are left out."""
    return {
        name: _effect(name, decision)
        for name, decision in decisions.items()
        if decision.reason in _WITH_CANDIDATES and decision.provider is not None
    }


def _effect(name: str, decision: Decision) -> FieldEffect:
    reason, source, confidence = decision.reason, decision.provider, decision.confidence
    if decision.write is not None:
        return FieldEffect(reason, source, confidence, decision.write.value, decision.write.observed_at)
    if decision.question is not None:
        question = decision.question
        return FieldEffect(
            reason,
            source,
            confidence,
            question.candidates[0].value,
            conflict=question.reason,
            unit=None if question.whole is None else question.whole.unit,
            is_disputed=question.whole is None or name in question.whole.disputed,
        )
    return FieldEffect(reason, source, confidence, observed_at=decision.verified_at)
