"""How an organization's review rules answer a conflict before it goes to a person.

The rules apply in their order. The first that accepts a value, or leaves no proposal, decides; one that keeps the
current value against one provider removes the proposals of that provider alone, and the next rules see the rest.
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

    `minimum`: the least belief (0-1) in anything that is written. `may_accept`: whether the current value may
    be replaced without a person; `may_keep`: whether there is one.
    """
    left = list(proposals)
    for rule in rules:
        if rule.action is RuleAction.ACCEPT:
            accepted = next((found for proposal in left if (found := _accepted(rule, proposal, minimum))), None)
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
    if proposal.belief < max(minimum, rule.min_confidence or 0.0):
        return None
    if rule.provider is None:
        return proposal
    own = next((candidate for candidate in proposal.support if candidate.provider == rule.provider), None)
    if own is None:
        return None
    others = [candidate for candidate in proposal.support if candidate is not own]
    return replace(proposal, value=own.value, support=(own, *others))


def _kept_from(rule: ReviewRule, proposal: Proposal) -> bool:
    # A second, independent source that agrees makes it a question again.
    only = rule.provider is None or all(candidate.provider == rule.provider for candidate in proposal.support)
    return only and proposal.belief >= (rule.min_confidence or 0.0)
