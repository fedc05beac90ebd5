"""The verdict on one record: how every enrichable field ends, once the sources have been heard.

Every enrichable field of the record ends with exactly one reason, so that the reasons partition the fields.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of, is_contradiction, is_equivalent, is_too_generic
from enrichment.config import Config
from enrichment.decide.field import Decision, FieldCase, decide
from enrichment.decide.merge import Candidate, survivors
from enrichment.enums import EntityType, FieldOutcomeReason, StepOutcome
from enrichment.learn.trust import NO_TRUST, Trust
from enrichment.provenance import Current
from enrichment.waterfall.planner import Want

Rejected = Callable[[str, Any, str], bool]


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What became of asking one source: its candidates by field, or why there are none.

    `gives` names the fields it could have given; `skipped` why it was not asked.
    """

    source: str
    outcome: StepOutcome
    gives: frozenset[str]
    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    skipped: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """One record with all that the verdict depends on. `heard` is in order of priority.

    `rejected(field, value, source)` tells whether a reviewer turned that down; `asked_at` is when the sources
    were asked; `trust` what reviewers taught about them.
    """

    entity_type: EntityType
    config: Config
    current: Mapping[str, Current]
    wants: Mapping[str, Want]
    heard: Sequence[SourceResult]
    rejected: Rejected
    asked_at: datetime
    trust: Trust = NO_TRUST


def decide_fields(hearing: DecisionInput) -> dict[str, Decision]:
    """How each enrichable field of the record ends, in catalogue order."""
    told: dict[str, list[Candidate]] = {}
    for heard in hearing.heard:
        for name, candidate in heard.candidates.items():
            told.setdefault(name, []).append(candidate)
    return {
        known.name: _decide(hearing, known.name, told[known.name])
        if known.name in told
        else _without_data(hearing, known.name)
        for known in fields_of(hearing.entity_type).values()
        if known.enrichable
    }


def _decide(hearing: DecisionInput, name: str, candidates: Sequence[Candidate]) -> Decision:
    entity_type = hearing.entity_type

    def equal(a: Any, b: Any) -> bool:
        return is_equivalent(entity_type, name, a, b)

    current = hearing.current.get(name)
    telling = [
        candidate
        for candidate in candidates
        if not is_too_generic(entity_type, name, candidate.value) or (current and equal(current.value, candidate.value))
    ]
    if not telling and current is not None and current.value is not None:
        return _TOO_WIDE
    return decide(
        FieldCase(
            rule=hearing.config.rule(entity_type, name),
            minimum=hearing.config.minimum(entity_type, name),
            strategy=hearing.config.strategy,
            current=current,
            proposals=survivors(telling or candidates, equal),
            same=equal,
            rejected=lambda value, source: hearing.rejected(name, value, source),
            asked_at=hearing.asked_at,
            name=name,
            rules=lambda: hearing.config.rules_of(entity_type, name),
            standing=lambda provider: hearing.trust.of(provider, entity_type, name),
            far_apart=lambda a, b: is_contradiction(entity_type, name, a, b),
        )
    )


_KEPT = Decision(FieldOutcomeReason.PROTECTED, detail="the policy of this field keeps its value")
_TOO_WIDE = Decision(FieldOutcomeReason.NO_DATA, detail="what was said is too wide to be compared with the value")
_UNKNOWN = Decision(FieldOutcomeReason.NO_DATA, detail="nobody asked knew a value")
_NO_PROVIDER = Decision(FieldOutcomeReason.SKIPPED, detail="no_provider")
_ANSWERED = frozenset({StepOutcome.MATCH, StepOutcome.NO_MATCH})


def _without_data(hearing: DecisionInput, name: str) -> Decision:
    if hearing.wants.get(name, Want.NONE) is Want.NONE:
        return _KEPT
    able = [heard for heard in hearing.heard if name in heard.gives]
    if not able:
        return _NO_PROVIDER
    failed = next((heard for heard in able if heard.outcome is StepOutcome.ERROR), None)
    if failed is not None:
        return Decision(FieldOutcomeReason.ERROR, provider=failed.source, detail=failed.error or "")
    if any(heard.outcome in _ANSWERED for heard in able):
        return _UNKNOWN
    return Decision(FieldOutcomeReason.SKIPPED, provider=able[0].source, detail=able[0].skipped or "")
