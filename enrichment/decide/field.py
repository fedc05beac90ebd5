"""What may be written: one field's proposals against its current value and the organization's rule."""

from collections.abc import Callable, Sequence
from typing import Any

from enrichment.decide.case import FieldCase
from enrichment.decide.decision import ConflictQuestion, Decision
from enrichment.decide.edition import Edition
from enrichment.decide.merge import Proposal, agreed_confidence
from enrichment.decide.recommendation import recommend
from enrichment.decide.rules import rule_decision
from enrichment.enums import (
    SOURCE_CRM,
    SOURCE_REVIEWER,
    ConflictReason,
    FieldOutcomeReason,
    FieldPolicy,
    Strategy,
)
from enrichment.provenance import Current
from enrichment.words import POLICIES

LEAST_FOR_REVIEW = 0.3  # below this a value is not worth a person's time


def decide(case: FieldCase) -> Decision:
    """What happens to a field that at least one source gave a value for."""
    if case.rule.policy is FieldPolicy.NEVER:
        return Decision(FieldOutcomeReason.PROTECTED, detail="the policy of this field is never")
    proposals = case.proposals
    if case.rejected is not None:
        proposals = [proposal for proposal in proposals if not _was_rejected(case.rejected, proposal)]
    if not proposals:
        return Decision(
            FieldOutcomeReason.PROTECTED,
            provider=case.proposals[0].provider,
            confidence=case.proposals[0].confidence,
            detail="a person turned this value down before",
        )
    if case.current is not None and case.current.value is not None:
        return _compare(case, case.current, proposals)
    if case.edited_meanwhile:
        return _protect(proposals[0], _EDITED)
    return _fill(case, proposals)


_EDITED = "a person changed the field while the answer was on its way"


def _was_rejected(rejected: Callable[[Any, str], bool], proposal: Proposal) -> bool:
    # A second, independent source that agrees makes it a new question.
    return all(rejected(proposal.value, source.provider) for source in proposal.support)


def _fill(case: FieldCase, proposals: Sequence[Proposal]) -> Decision:
    best = proposals[0]
    rivals = [
        proposal
        for proposal in proposals[1:]
        if proposal.confidence >= case.minimum and case.decay.is_contemporary(proposal, best)
    ]
    if (
        rivals
        and best.confidence >= case.minimum
        and _asks_about_rivals(case)
        and best.confidence - rivals[0].confidence < _CLEAR_LEAD
    ):
        return _raise_conflict(case, ConflictReason.PROVIDERS_DISAGREE, [best, *rivals])
    return fill_with(best, case.minimum)


def fill_with(best: Proposal, minimum: float) -> Decision:
    """What happens to an empty field of which only this value is believed, or one that is clearly the best."""
    return _below(best, minimum) if best.confidence < minimum else _write(best, "the field was empty")


_CLEAR_LEAD = 0.25  # sources that disagree by more than this in confidence need no person


def _asks_about_rivals(case: FieldCase) -> bool:
    """Whether sources that disagree about an empty field are a question for a person.

    Under `consensus` they always are. Under `waterfall`, where several were asked, the field's policy says whether
    people review its values.
    """
    return case.strategy is Strategy.CONSENSUS or case.rule.policy is FieldPolicy.REVIEW


def _compare(case: FieldCase, current: Current, proposals: Sequence[Proposal]) -> Decision:
    confirming = next((proposal for proposal in proposals if case.confirms(proposal.value)), None)
    others = [proposal for proposal in proposals if not case.confirms(proposal.value)]
    best = others[0] if others else None
    if confirming and (
        best is None or best.confidence < case.minimum or _supported(case, current, confirming) >= best.belief
    ):
        return _confirm(case, current, confirming)
    assert best is not None  # there is a proposal, and none of the others confirms
    if best.confidence < case.minimum:
        return _unsure(case, current, best)
    if current.is_a_persons:
        return _against_a_person(case, current, others)
    return _against_enrichment(case, current, best)


def _supported(case: FieldCase, current: Current, confirming: Proposal) -> float:
    """How much the current value is believed with the sources that confirm it."""
    sources = {candidate.provider for candidate in confirming.support}
    if current.is_a_persons or current.source in sources or case.edition < Edition.OBSERVATION:
        return confirming.belief
    return agreed_confidence([case.belief(current), confirming.belief])


def _unsure(case: FieldCase, current: Current, best: Proposal) -> Decision:
    """No value differs from the current one with enough confidence to be written."""
    if case.rule.policy is FieldPolicy.OVERWRITE and best.belief >= LEAST_FOR_REVIEW:
        if case.edition >= Edition.OBSERVATION and case.is_outdated(best):
            return _protect(best, _observed_before(case, current))
        return _raise_conflict(case, ConflictReason.LOW_CONFIDENCE, [best])
    if _contradicts(case, current, best):
        return _raise_conflict(case, ConflictReason.EXISTING_DIFFERS, [best])
    return _below(best, case.minimum)


def _contradicts(case: FieldCase, current: Current, best: Proposal) -> bool:
    """Whether a source that is not certain enough to be written is still reason to doubt the CRM's value.

    Who does not know a head count to the tenth may know that it is not five times as high. A minimum that was set
    for this very field is kept to.
    """
    return (
        case.rule.policy is FieldPolicy.REVIEW
        and case.rule.min_confidence is None
        and current.source == SOURCE_CRM
        and current.unreadable is None
        and best.confidence >= LEAST_FOR_REVIEW
        and case.is_contradiction(current.value, best.value)
    )


def _confirm(case: FieldCase, current: Current, proposal: Proposal) -> Decision:
    seen_at = case.seen_at
    fresher = case.decay.freshness(current) < proposal.freshness if seen_at is None else proposal.observed_at > seen_at
    return Decision(
        FieldOutcomeReason.VERIFIED if fresher else FieldOutcomeReason.SAME,
        provider=proposal.provider,
        confidence=proposal.confidence,
        detail="confirms the value" if fresher else "the value was there already",
        verified_at=proposal.observed_at if fresher else None,
    )


def _against_a_person(case: FieldCase, current: Current, proposals: Sequence[Proposal]) -> Decision:
    best = proposals[0]
    policy = case.rule.policy
    chosen_by_hand = current.source == SOURCE_REVIEWER
    if policy is FieldPolicy.OVERWRITE and not chosen_by_hand:
        return _overwrite(case, current, best)
    if policy in {FieldPolicy.REVIEW, FieldPolicy.OVERWRITE}:
        likely = [proposal for proposal in proposals if proposal.confidence >= case.minimum]
        return _raise_conflict(case, ConflictReason.EXISTING_DIFFERS, likely)
    return _protect(best, f"{case.name_of(current.source)} holds the value, and the policy is {POLICIES[policy]}")


_OVERWRITTEN = f"the policy of the field is {POLICIES[FieldPolicy.OVERWRITE]}"


def _overwrite(case: FieldCase, current: Current, best: Proposal) -> Decision:
    if case.edited_meanwhile:
        return _protect(best, _EDITED)
    if case.edition >= Edition.OBSERVATION and case.is_outdated(best):
        return _protect(best, _observed_before(case, current))
    if best.belief < case.minimum:
        return _unsure(case, current, best)
    return _write(best, _OVERWRITTEN)


def _observed_before(case: FieldCase, current: Current) -> str:
    if current.is_a_persons:
        return "the CRM's value was set after this was observed"
    return f"the value of {case.name_of(current.source)} was observed later"


def _against_enrichment(case: FieldCase, current: Current, best: Proposal) -> Decision:
    holder = case.name_of(current.source)
    if case.rule.policy is FieldPolicy.FILL_EMPTY:
        return _protect(best, f"the field is filled, and the policy is {POLICIES[FieldPolicy.FILL_EMPTY]}")
    if case.rule.policy is FieldPolicy.OVERWRITE:
        return _overwrite(case, current, best)
    if case.is_outdated(best):
        return _protect(best, _observed_before(case, current))
    if best.provider == current.source:
        return _write(best, f"newer than the value of {holder}")
    if best.belief > case.belief(current):
        later = f"observed later than the value of {holder}, which is less certain by now"
        return _write(best, "more certain" if best.confidence > current.confidence else later)
    return _protect(best, f"the value of {holder} is at least as certain")


def _write(proposal: Proposal, detail: str) -> Decision:
    return Decision(
        FieldOutcomeReason.WRITTEN,
        provider=proposal.provider,
        confidence=proposal.confidence,
        detail=detail,
        write=proposal,
    )


def _protect(proposal: Proposal, detail: str) -> Decision:
    return Decision(
        FieldOutcomeReason.PROTECTED,
        provider=proposal.provider,
        confidence=proposal.confidence,
        detail=detail,
    )


def _below(proposal: Proposal, minimum: float) -> Decision:
    detail = f"confidence {proposal.confidence:.2f} is below the minimum {minimum:.2f}"
    if proposal.confidence >= minimum:
        since = f"it was observed on {proposal.observed_at:%Y-%m-%d}"
        detail = f"{since}: its confidence of {proposal.confidence:.2f} has become {proposal.belief:.2f} since"
        detail += f", below the minimum {minimum:.2f}"
    return Decision(
        FieldOutcomeReason.BELOW_THRESHOLD,
        provider=proposal.provider,
        confidence=proposal.confidence,
        detail=detail,
    )


def _raise_conflict(
    case: FieldCase,
    reason: ConflictReason,
    proposals: Sequence[Proposal],
) -> Decision:
    """A question for a person, unless the organization's rules answer it."""
    has_value = case.current is not None and case.current.value is not None
    # A rule is no review of what was observed before the current value was.
    outdated = case.edition >= Edition.OBSERVATION and any(case.is_outdated(proposal) for proposal in proposals)
    by_rule = rule_decision(
        case.rules(), proposals, minimum=case.minimum, may_accept=case.may_replace and not outdated, may_keep=has_value
    )
    if by_rule.rule is not None:
        detail = f"by the rule: {by_rule.rule.words(case.name_of)}"
        return _protect(proposals[0], detail) if by_rule.accepts is None else _write(by_rule.accepts, detail)
    best = by_rule.left[0]
    advice = recommend(case, by_rule.left)
    because = advice.because
    if case.current is not None and case.current.unreadable is not None:
        because = f"what the CRM sent cannot be read ({case.current.unreadable}); {because}"
    return Decision(
        FieldOutcomeReason.CONFLICT,
        provider=best.provider,
        confidence=best.confidence,
        detail=because,
        question=ConflictQuestion(
            reason=reason,
            candidates=tuple(candidate for proposal in by_rule.left for candidate in proposal.support),
            recommended=advice.candidate,
            recommendation=advice.recommendation,
            gains=advice.gains,
            bound=advice.bound,
            because=because,
        ),
    )
