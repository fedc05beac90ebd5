"""Conflicts as rules see them: field by field, with what people decided, and whether a rule settles one by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import is_equivalent
from enrichment.config import Config, ReviewRule
from enrichment.decide.belief import decay_of
from enrichment.decide.merge import Candidate, survivors
from enrichment.decide.rules import RuleDecision
from enrichment.enums import SOURCE_REVIEWER, FieldPolicy, ResolutionAction
from enrichment.learn.suggestions import ReviewDecision, ReviewedConflict
from models.conflict.review import ReviewRow
from models.conflict.table import Conflict, is_dated_then
from models.record.value import CurrentValue
from resolvers.conflict.stored import FieldQuestion, disputed_parts, questions_of
from resolvers.conflict.trust import is_chosen, keeps_unreadable
from resolvers.refresh.freshness import LearnedHalfLives

StoredConflict = ReviewRow | Conflict


@dataclass(frozen=True, slots=True)
class Ages:
    """How old what conflicts show is: up to `now`, or up to when each was raised (None).

    `held` is what their records hold now, by record and field. Without it they hold what the conflicts show.
    """

    half_lives: LearnedHalfLives
    now: datetime | None = None
    held: Mapping[str, Mapping[str, CurrentValue]] | None = None

    def seen_at(self, conflict: StoredConflict, question: FieldQuestion) -> datetime | None:
        """When the current value was observed last, or set; None where nobody knows."""
        if self.held is not None:
            held = self.held.get(conflict.record_id, {}).get(question.field)
            return None if held is None else held.to_current().seen_at
        current = question.current
        known = current is not None and is_dated_then(current)
        return datetime.fromisoformat(current["observedAt"]) if current is not None and known else None


def decisions_of(conflict: ReviewRow, half_lives: LearnedHalfLives) -> Iterator[ReviewDecision]:
    """What people decided in a resolved conflict: about its field, or about each part that was really in question."""
    assert conflict.resolution is not None  # the caller picks conflicts that people resolved
    parts = {part["field"]: part for part in conflict.resolution.get("parts", ())}
    disputed = disputed_parts(conflict)
    for question in questions_of(conflict):
        decided = conflict.resolution if conflict.unit is None else parts.get(question.field)
        in_question = conflict.unit is None or question.current is not None or question.field in disputed
        if decided is not None and question.is_asked and in_question:
            reviewed = _reviewed(conflict, question, Ages(half_lives))
            yield _decision(reviewed, question, decided["value"], ResolutionAction(decided["action"]))


def settled_by(conflict: StoredConflict, rule: ReviewRule, config: Config, ages: Ages) -> RuleDecision | None:
    """How a rule settles an open conflict; None: it does not, or not all of it.

    A rule about a part of a unit settles the unit's conflict where no other part is left to a person: it keeps the
    record from every answer, or accepts one whose other parts fill empty fields.
    """
    question = next((question for question in questions_of(conflict) if question.field == rule.field), None)
    if question is None or not question.is_asked:
        return None
    decision = _reviewed(conflict, question, ages).settled_by(rule, config)
    if decision is None or conflict.unit is None:
        return decision
    if decision.accepts is None:
        kept_away = {
            candidate["answerId"] for candidate in question.candidates if _differs(conflict, question, candidate)
        }
        return decision if kept_away == {answer["id"] for answer in conflict.candidates} else None
    return decision if _fills_the_rest(conflict, question, decision.accepts.provider, config) else None


def _fills_the_rest(conflict: StoredConflict, accepted: FieldQuestion, provider: str, config: Config) -> bool:
    """Whether the parts of an answer, but for the accepted one, may be written without a person."""
    for question in questions_of(conflict):
        given = next((candidate for candidate in question.candidates if candidate["provider"] == provider), None)
        if given is None or question.field == accepted.field or not _differs(conflict, question, given):
            continue
        allowed = config.rule(conflict.entity_type, question.field).policy is not FieldPolicy.NEVER
        sure = given["confidence"] >= config.minimum(conflict.entity_type, question.field)
        if question.current is not None or not allowed or not sure:
            return False
    return True


def _differs(conflict: StoredConflict, question: FieldQuestion, candidate: Any) -> bool:
    return question.differs(conflict.entity_type, candidate["value"])


def _reviewed(conflict: StoredConflict, question: FieldQuestion, ages: Ages) -> ReviewedConflict:
    entity_type, field, current = conflict.entity_type, question.field, question.current
    candidates = [
        Candidate(
            stored["provider"], stored["value"], stored["confidence"], datetime.fromisoformat(stored["observedAt"])
        )
        for stored in question.candidates
        if _differs(conflict, question, stored)
    ]
    decay = decay_of(entity_type, field, ages.now or conflict.created_at, ages.half_lives[entity_type])
    proposals = survivors(candidates, lambda a, b: is_equivalent(entity_type, field, a, b), decay)
    seen_at = ages.seen_at(conflict, question)
    return ReviewedConflict(
        entity_type=entity_type,
        field=field,
        reason=conflict.reason,
        proposals=proposals,
        has_value=current is not None,
        chosen_by_hand=current is not None and current["source"] == SOURCE_REVIEWER,
        outdated=seen_at is not None and any(proposal.observed_at < seen_at for proposal in proposals),
    )


def _decision(
    reviewed: ReviewedConflict, question: FieldQuestion, value: Any, action: ResolutionAction
) -> ReviewDecision:
    current = question.current
    if keeps_unreadable(current, value):
        return ReviewDecision(reviewed, frozenset(), True)
    chosen = {
        candidate.provider
        for proposal in reviewed.proposals
        if is_chosen(reviewed.entity_type, question, proposal.value, value)
        for candidate in proposal.support
    }
    kept = action is ResolutionAction.KEEP_CURRENT or (
        current is not None and not question.differs(reviewed.entity_type, value)
    )
    return ReviewDecision(reviewed, frozenset(chosen), kept)
