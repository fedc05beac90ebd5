"""Settle an open conflict by a rule of the organization, as if the rule had been there before the conflict."""

from datetime import datetime

from enrichment.decide.merge import Proposal
from enrichment.decide.rules import RuleDecision
from enrichment.enums import ResolutionAction
from enrichment.words import NameOf
from models.conflict.table import Conflict
from resolvers.conflict.choice import current_value
from resolvers.conflict.settle import SettledField, SettledValue, Settlement
from resolvers.conflict.stored import FieldQuestion, Stored, questions_of

_ACCEPT, _KEEP = ResolutionAction.ACCEPT_CANDIDATE, ResolutionAction.KEEP_CURRENT


def settlement_by_rule(
    conflict: Conflict, decision: RuleDecision, name_of: NameOf, user: str, now: datetime
) -> Settlement:
    """What the rule says: an accepted value is its provider's, a kept one stays whose it is.

    Nothing is remembered as rejected, and the decision counts for or against no source. `user` accepted the rule.
    """
    assert decision.rule is not None  # the caller picks the conflicts that a rule decides
    rule, accepts = decision.rule.words(name_of), decision.accepts
    asked = [question for question in questions_of(conflict) if question.is_asked]
    if accepts is None:
        fields = [SettledField(question.field, _KEEP, question.value, None, write=None) for question in asked]
        return Settlement(_KEEP, current_value(conflict), None, fields, user, now, rule=rule)
    candidate = _candidate(conflict, accepts)
    fields = [_settled(conflict, question, candidate, accepts) for question in asked]
    return Settlement(_ACCEPT, candidate["value"], candidate["id"], fields, user, now, rule=rule)


def _candidate(conflict: Conflict, accepts: Proposal) -> Stored:
    return next(
        candidate
        for candidate in conflict.candidates
        if candidate["provider"] == accepts.provider
        and (conflict.unit is not None or candidate["value"] == accepts.value)
    )


def _settled(conflict: Conflict, question: FieldQuestion, candidate: Stored, accepts: Proposal) -> SettledField:
    """What becomes of the conflict's field, or of a part of the accepted answer."""
    if conflict.unit is None:
        held = SettledValue(accepts.provider, accepts.confidence, accepts.observed_at)
        return SettledField(question.field, _ACCEPT, candidate["value"], candidate["id"], held)
    part = candidate["parts"].get(question.field)
    if part is None or not question.differs(conflict.entity_type, part["value"]):
        return SettledField(question.field, _KEEP, question.value, None, write=None)
    held = SettledValue(accepts.provider, part["confidence"], datetime.fromisoformat(part["observedAt"]))
    return SettledField(question.field, _ACCEPT, part["value"], part["id"], held)
