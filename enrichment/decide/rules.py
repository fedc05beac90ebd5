"""What an organization's rules say of a question before it goes to a person.

Rules speak in their order. The first that accepts a value, or leaves nothing to ask about, decides; one that
keeps the current value against one provider takes away what that provider alone says, and the rest goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from enrichment.config import ReviewRule, RuleAction
from enrichment.decide.merge import Proposal


@dataclass(frozen=True, slots=True)
class RuleDecision:
    """How the rules end a question. `rule` decided; without one a person must, about what is `left`.

    `accepts` is the value to write, None to keep the current one.
    """

    rule: ReviewRule | None
    accepts: Proposal | None
    left: Sequence[Proposal]


def rule_decision(
    rules: Sequence[ReviewRule], proposals: Sequence[Proposal], *, minimum: float, may_accept: bool, may_keep: bool
) -> RuleDecision:
    """What the rules of one field make of its proposals, which come most believed first.

    `minimum`: the least confidence (0-1) of anything that is written. `may_accept`: whether the current value may
    be replaced without a person; `may_keep`: whether there is one.
    """
    left = list(proposals)
    for rule in rules:
        if rule.action is RuleAction.ACCEPT:
            accepted = next((taken for one in left if (taken := _accepted(rule, one, minimum))), None)
            if accepted is not None and may_accept:
                return RuleDecision(rule, accepted, ())
        elif may_keep:
            remaining = [proposal for proposal in left if not _kept_from(rule, proposal)]
            if not remaining:
                return RuleDecision(rule, None, ())
            left = remaining
    return RuleDecision(None, None, left)


def _accepted(rule: ReviewRule, proposal: Proposal, minimum: float) -> Proposal | None:
    """The proposal in the words of the rule's provider, if the rule accepts it."""
    if proposal.confidence < max(minimum, rule.min_confidence or 0.0):
        return None
    if rule.provider is None:
        return proposal
    own = next((one for one in proposal.support if one.provider == rule.provider), None)
    if own is None:
        return None
    return replace(proposal, value=own.value, support=(own, *(one for one in proposal.support if one is not own)))


def _kept_from(rule: ReviewRule, proposal: Proposal) -> bool:
    # A second, independent source that agrees makes it a question again.
    only = rule.provider is None or all(one.provider == rule.provider for one in proposal.support)
    return only and proposal.confidence >= (rule.min_confidence or 0.0)
