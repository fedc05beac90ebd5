"""What may be written: one field's proposals against its current value and the organization's rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.config import ReviewRule, Rule
from enrichment.decide.merge import Candidate, Proposal, Same
from enrichment.decide.rules import rule_decision
from enrichment.enums import (
    SOURCE_CRM,
    SOURCE_REVIEWER,
    ConflictReason,
    FieldOutcomeReason,
    FieldPolicy,
    Strategy,
)
from enrichment.learn.trust import UNJUDGED, SourceTrust
from enrichment.provenance import Current

LEAST_FOR_REVIEW = 0.3  # below this a value is not worth a person's time
Rejected = Callable[[Any, str], bool]


def _never(a: Any, b: Any) -> bool:
    return False


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


@dataclass(frozen=True, slots=True)
class FieldCase:
    """All that a decision about one field depends on.

    `proposals` are the surviving values, most believed first; `minimum` the least confidence to write;
    `rejected(value, source)` whether a reviewer turned this value of this source down before; `asked_at`
    when the sources were asked: a person's edit after that is newer than any of their answers. `name` is the
    field's; `rules()` are those about it, `standing(provider)` how people judged its values of a provider.
    `far_apart` tells whether two values differ so much that a source which is unsure of its own still contradicts
    the other.
    """

    rule: Rule
    minimum: float
    strategy: Strategy
    current: Current | None
    proposals: Sequence[Proposal]
    same: Same
    rejected: Rejected
    asked_at: datetime
    name: str = "value"
    rules: Callable[[], Sequence[ReviewRule]] = tuple
    standing: Callable[[str], SourceTrust] = lambda _: UNJUDGED
    far_apart: Same = _never

    @property
    def may_replace(self) -> bool:
        """Whether the current value may give way without a person."""
        chosen_by_hand = self.current is not None and self.current.source == SOURCE_REVIEWER
        return not chosen_by_hand and not self.edited_meanwhile

    @property
    def edited_meanwhile(self) -> bool:
        current = self.current
        return current is not None and current.is_a_persons and current.written_at > self.asked_at


def decide(case: FieldCase) -> Decision:
    """What happens to a field that at least one source gave a value for."""
    if case.rule.policy is FieldPolicy.NEVER:
        return Decision(FieldOutcomeReason.PROTECTED, detail="the policy of this field is never")
    proposals = [proposal for proposal in case.proposals if not _was_turned_down(case, proposal)]
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


def _was_turned_down(case: FieldCase, proposal: Proposal) -> bool:
    # A second, independent source that agrees makes it a new question.
    return all(case.rejected(proposal.value, source.provider) for source in proposal.support)


def _fill(case: FieldCase, proposals: Sequence[Proposal]) -> Decision:
    best = proposals[0]
    if best.confidence < case.minimum:
        return _below(best, case.minimum)
    rivals = [proposal for proposal in proposals[1:] if proposal.confidence >= case.minimum]
    if rivals and case.strategy is Strategy.CONSENSUS and best.confidence - rivals[0].confidence < _CLEAR_LEAD:
        return _ask(case, ConflictReason.PROVIDERS_DISAGREE, [best, *rivals], _most_certain)
    return _write(best, "the field was empty")


_CLEAR_LEAD = 0.25  # sources that disagree by more than this in confidence need no person


def _compare(case: FieldCase, current: Current, proposals: Sequence[Proposal]) -> Decision:
    confirming = next((proposal for proposal in proposals if case.same(current.value, proposal.value)), None)
    others = [proposal for proposal in proposals if not case.same(current.value, proposal.value)]
    best = others[0] if others else None
    if confirming and (best is None or confirming.confidence >= best.confidence or best.confidence < case.minimum):
        return _confirm(current, confirming)
    assert best is not None  # there is a proposal, and none of the others confirms
    if best.confidence < case.minimum:
        if case.rule.policy is FieldPolicy.OVERWRITE and best.confidence >= LEAST_FOR_REVIEW:
            return _ask(case, ConflictReason.LOW_CONFIDENCE, [best], _not_certain_enough)
        if _contradicts(case, current, best):
            return _ask(case, ConflictReason.EXISTING_DIFFERS, [best], _far_from_the_crm)
        return _below(best, case.minimum)
    if current.is_a_persons:
        return _against_a_person(case, current, others)
    return _against_enrichment(case, current, best)


def _contradicts(case: FieldCase, current: Current, best: Proposal) -> bool:
    """Whether a source that is not certain enough to be written is still reason to doubt the CRM's value.

    Who does not know a head count to the tenth may know that it is not five times as high. A minimum that was set
    for this very field is kept to.
    """
    return (
        case.rule.policy is FieldPolicy.REVIEW
        and case.rule.min_confidence is None
        and current.source == SOURCE_CRM
        and best.confidence >= LEAST_FOR_REVIEW
        and case.far_apart(current.value, best.value)
    )


def _confirm(current: Current, proposal: Proposal) -> Decision:
    fresher = proposal.observed_at > current.observed_at
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
        if case.edited_meanwhile:
            return _protect(best, _EDITED)
        return _write(best, "the policy of this field is overwrite")
    if policy in {FieldPolicy.REVIEW, FieldPolicy.OVERWRITE}:
        likely = [proposal for proposal in proposals if proposal.confidence >= case.minimum]
        return _ask(case, ConflictReason.EXISTING_DIFFERS, likely, _against_current)
    holder = "a reviewer" if chosen_by_hand else "the CRM"
    return _protect(best, f"{holder} holds the value and the policy is {policy.value}")


Advice = tuple[Candidate | None, str]  # which candidate to take (None: keep the current value) and why


def _most_certain(case: FieldCase, proposals: Sequence[Proposal]) -> Advice:
    best, rival = proposals[0], proposals[1]
    because = f"{best.provider} is the most certain ({best.confidence:.2f} against {rival.confidence:.2f})"
    return best.support[0], _with_history(case, best, because)


def _not_certain_enough(case: FieldCase, proposals: Sequence[Proposal]) -> Advice:
    best = proposals[0]
    because = f"{best.provider} is not certain enough ({best.confidence:.2f}, {case.minimum:.2f} is needed)"
    return None, _with_history(case, best, because)


def _far_from_the_crm(case: FieldCase, proposals: Sequence[Proposal]) -> Advice:
    best = proposals[0]
    because = f"{best.provider} is not certain of its figure ({best.confidence:.2f}), but the CRM's is far from it"
    return None, _with_history(case, best, because)


def _against_current(case: FieldCase, proposals: Sequence[Proposal]) -> Advice:
    best, current = proposals[0], case.current
    assert current is not None  # there is something to differ from
    if current.source == SOURCE_REVIEWER and len(best.support) < 2:
        return None, "a reviewer chose the current value and only one source differs"
    if len(best.support) > 1:
        return best.support[0], f"{len(best.support)} independent sources agree on it"
    standing = case.standing(best.provider)
    low, high = standing.interval
    if low > _EVEN or high < _EVEN:
        # What reviewers keep doing says more about this question than any figure of the source.
        return best.support[0] if low > _EVEN else None, standing.words(best.provider, case.name)
    if best.observed_at < current.observed_at and best.confidence < _SURE:
        return None, _with_history(case, best, f"the current value is newer than what {best.provider} observed")
    if best.confidence < _LIKELY:
        because = f"{best.provider} is not certain enough ({best.confidence:.2f}) to replace a CRM value"
        return None, _with_history(case, best, because)
    return best.support[0], _with_history(case, best, f"{best.provider} is certain ({best.confidence:.2f})")


def _with_history(case: FieldCase, best: Proposal, because: str) -> str:
    told = case.standing(best.provider).words(best.provider, case.name)
    return f"{because}; {told}" if told else because


_EVEN = 0.5
_LIKELY, _SURE = 0.8, 0.95


def _against_enrichment(case: FieldCase, current: Current, best: Proposal) -> Decision:
    if case.rule.policy is FieldPolicy.FILL_EMPTY:
        return _protect(best, "the field is filled and the policy is fill_empty")
    if case.rule.policy is FieldPolicy.OVERWRITE:
        return _write(best, "the policy of this field is overwrite")
    if best.observed_at < current.observed_at:
        return _protect(best, f"the value of {current.source} was observed later")
    own = best.provider == current.source
    if own or best.confidence > current.confidence:
        return _write(best, f"newer than the value of {current.source}" if own else "more certain")
    return _protect(best, f"the value of {current.source} is at least as certain")


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
    return Decision(
        FieldOutcomeReason.BELOW_THRESHOLD,
        provider=proposal.provider,
        confidence=proposal.confidence,
        detail=f"confidence {proposal.confidence:.2f} is below the minimum {minimum:.2f}",
    )


def _ask(
    case: FieldCase,
    reason: ConflictReason,
    proposals: Sequence[Proposal],
    advise: Callable[[FieldCase, Sequence[Proposal]], Advice],
) -> Decision:
    """A question for a person, unless the organization's rules answer it."""
    has_value = case.current is not None and case.current.value is not None
    ruled = rule_decision(
        case.rules(), proposals, minimum=case.minimum, may_accept=case.may_replace, may_keep=has_value
    )
    if ruled.rule is not None:
        detail = f"by the rule: {ruled.rule.words()}"
        return _protect(proposals[0], detail) if ruled.accepts is None else _write(ruled.accepts, detail)
    best = ruled.left[0]
    recommended, because = advise(case, ruled.left)
    return Decision(
        FieldOutcomeReason.CONFLICT,
        provider=best.provider,
        confidence=best.confidence,
        detail=because,
        question=ConflictQuestion(
            reason=reason,
            candidates=tuple(candidate for proposal in ruled.left for candidate in proposal.support),
            recommended=recommended,
            because=because,
        ),
    )
