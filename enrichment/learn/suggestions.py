"""Rules that reviewers already follow: found in the older part of their decisions, tried on the newer part.

A rule is suggested only where it would have agreed with nearly all of the decisions that it applies to: on the
whole, in the newer part, which it was not fitted on, and lately. The simplest rule that explains the decisions is
preferred: a rule about any provider before a rule for each, and either before a rule with a least confidence, above
which people must also have decided differently than below. Decisions that a rule of the configuration makes by now
teach nothing new.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from uuid import UUID, uuid5

from enrichment.config import Config, ReviewRule, RuleAction
from enrichment.decide.merge import Proposal
from enrichment.decide.rules import RuleDecision, rule_decision
from enrichment.enums import ConflictReason, EntityType, FieldPolicy
from enrichment.learn import beta
from enrichment.words import NameOf, field_words, source_name

LEAST_SEEN = 20  # decisions that a rule must apply to
OLDER = 0.6  # the share of the decisions that a rule is fitted on
MOST_WRONG = 0.1  # the share of decisions that a rule may get wrong
MOST_WRONG_IN_PART = 0.15  # the same in the part that it was fitted on, and in the part that it is tried on
LEAST_CERTAIN = 0.8  # the chance of agreement lies above this with 97.5 % probability
LATELY = 20  # newest decisions, in which
MOST_WRONG_LATELY = 0.25  # a habit that has ended would show
_EACH = 10  # decisions about a provider, before it counts in a rule about any provider
_NAMESPACE = UUID("5d0f9f57-3c9c-4c0e-9a58-6f1b0b7f3a61")


@dataclass(frozen=True, slots=True)
class ReviewedConflict:
    """A conflict as rules see it: its proposals, the most believed first, and the current value.

    `outdated`: the current value was observed, or set, after a source saw its own.
    """

    entity_type: EntityType
    field: str
    reason: ConflictReason
    proposals: Sequence[Proposal]
    has_value: bool
    chosen_by_hand: bool  # the current value is a reviewer's
    outdated: bool = False

    def decided_by(self, rules: Sequence[ReviewRule], minimum: float) -> RuleDecision:
        """How these rules decide it, where `minimum` (0-1) is the least belief to write."""
        may_accept = not self.chosen_by_hand and not self.outdated
        return rule_decision(rules, self.proposals, minimum=minimum, may_accept=may_accept, may_keep=self.has_value)

    def settled_by(self, rule: ReviewRule, config: Config) -> RuleDecision | None:
        """How this rule would settle it, after those of the configuration that come before it; None: it would not."""
        if (rule.entity_type, rule.field) != (self.entity_type, self.field):
            return None
        if not self.is_raised_under(config.rule(self.entity_type, self.field).policy):
            return None
        rules = config.rules_of(self.entity_type, self.field)
        minimum = config.minimum(self.entity_type, self.field)
        decision = self.decided_by(rules if rule in rules else [*rules, rule], minimum)
        return decision if decision.rule == rule else None

    def is_raised_under(self, policy: FieldPolicy) -> bool:
        """Whether such a conflict is raised under this policy."""
        if self.reason is ConflictReason.PROVIDERS_DISAGREE:
            return policy is not FieldPolicy.NEVER
        return policy in {FieldPolicy.REVIEW, FieldPolicy.OVERWRITE}


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """A conflict and how people decided it: whose value they chose (`chosen`), or that the current value was kept."""

    question: ReviewedConflict
    chosen: frozenset[str]
    kept: bool

    def agrees(self, decision: RuleDecision) -> bool:
        """Whether rules would have decided the same."""
        return self.kept if decision.accepts is None else decision.accepts.provider in self.chosen


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule with how it would have done: decisions it applies to and agrees with, on the whole and in the newer
    part (`tested`), which it was not fitted on.
    """

    rule: ReviewRule
    seen: int
    agreed: int
    tested: int
    tested_agreed: int

    @property
    def wrong(self) -> int:
        return self.seen - self.agreed

    @property
    def id(self) -> str:
        """The same for the same rule."""
        return suggestion_id(self.rule)

    def words(self, name_of: NameOf = source_name) -> str:
        """What reviewers keep doing; `name_of` names the provider that it is about."""
        rule, field = self.rule, field_words(self.rule.field)
        whose = f"{name_of(rule.provider)}'s" if rule.provider else "the most certain"
        sure = "" if rule.min_confidence is None else f" when its confidence was at least {rule.min_confidence:g}"
        if rule.action is RuleAction.ACCEPT:
            return f"reviewers accepted {whose} {field} {self.agreed} of {self.seen} times{sure}"
        whom = name_of(rule.provider) if rule.provider else "every provider"
        return f"reviewers kept the current {field} against {whom} {self.agreed} of {self.seen} times{sure}"


def suggestion_id(rule: ReviewRule) -> str:
    sure = "" if rule.min_confidence is None else f"{rule.min_confidence:.6f}"
    return str(uuid5(_NAMESPACE, f"{pattern_of(rule)}/{sure}"))


def pattern_of(rule: ReviewRule) -> str:
    """What a suggestion is about, whatever its least confidence: dismissing it dismisses the whole pattern."""
    kind = "any" if rule.min_confidence is None else "sure"
    return f"{rule.entity_type.value}/{rule.field}/{rule.action.value}/{kind}/{rule.provider or ''}"


def find_suggestions(history: Iterable[ReviewDecision], config: Config) -> list[Suggestion]:
    """Rules worth suggesting, those that settle most first. `history` is in order of time."""
    by_field: dict[tuple[EntityType, str], list[ReviewDecision]] = defaultdict(list)
    for decided in history:
        by_field[decided.question.entity_type, decided.question.field].append(decided)
    found = [
        suggestion
        for (entity_type, field), decisions in by_field.items()
        for suggestion in _of_field(entity_type, field, decisions, config)
    ]
    return sorted(found, key=lambda suggestion: (-suggestion.seen, suggestion.rule.words()))


def _still_raised(decisions: Sequence[ReviewDecision], config: Config) -> Iterator[ReviewDecision]:
    """The decisions about one field whose conflicts would be raised today, with the proposals that rules leave."""
    first = decisions[0].question
    policy = config.rule(first.entity_type, first.field).policy
    rules, minimum = config.rules_of(first.entity_type, first.field), config.minimum(first.entity_type, first.field)
    for decided in decisions:
        if decided.question.is_raised_under(policy):
            decision = decided.question.decided_by(rules, minimum) if rules else None
            if decision is None:
                yield decided
            elif decision.rule is None:
                yield replace(decided, question=replace(decided.question, proposals=decision.left))


@dataclass(frozen=True, slots=True)
class _Trial:
    """How a rule would have done on one decision; `confidence` is that of the value it is about."""

    confidence: float
    agreed: bool
    provider: str


def _of_field(
    entity_type: EntityType, field: str, decisions: Sequence[ReviewDecision], config: Config
) -> Iterator[Suggestion]:
    raised = list(_still_raised(decisions, config))
    if len(raised) < LEAST_SEEN:
        return
    minimum = config.minimum(entity_type, field)
    by_provider: dict[str | None, list[ReviewDecision]] = {None: raised}
    for decided in raised:
        for source in {candidate.provider for proposal in decided.question.proposals for candidate in proposal.support}:
            by_provider.setdefault(source, []).append(decided)
    trials: list[tuple[ReviewRule, list[_Trial]]] = []
    for provider in sorted(by_provider, key=lambda name: name or ""):  # any provider first
        for action in RuleAction:
            rule = ReviewRule(entity_type=entity_type, field=field, provider=provider, action=action)
            trials.append((rule, list(_tried(rule, by_provider[provider], minimum))))
    explained: set[str | None] = set()
    for fit in (_always, _from_a_confidence_on):
        for rule, tried in trials:
            if None in explained or rule.provider in explained or (rule.provider is None and explained):
                continue
            suggestion = fit(rule, tried)
            if suggestion is not None:
                explained.add(rule.provider)
                yield suggestion


def _tried(rule: ReviewRule, decisions: Sequence[ReviewDecision], minimum: float) -> Iterator[_Trial]:
    for decided in decisions:
        decision = decided.question.decided_by((rule,), minimum)
        if decision.rule is not None:
            about = decision.accepts or decided.question.proposals[0]
            yield _Trial(about.confidence, decided.agrees(decision), about.provider)


def _always(rule: ReviewRule, tried: Sequence[_Trial]) -> Suggestion | None:
    return _suggestion(rule, tried, _older(tried))


def _from_a_confidence_on(rule: ReviewRule, tried: Sequence[_Trial]) -> Suggestion | None:
    """The rule with the least confidence that separates right from wrong best in the older part."""
    older = _older(tried)
    if rule.action is RuleAction.KEEP or not older:
        return None
    cut = _best_cut(tried[:older])
    if cut is None:
        return None
    above = [trial for trial in tried if trial.confidence >= cut]
    below = [trial for trial in tried if trial.confidence < cut]
    if _interval(above)[0] <= _interval(below)[1]:
        return None  # those below may be accepted as often
    fitted = sum(trial.confidence >= cut for trial in tried[:older])
    return _suggestion(rule.model_copy(update={"min_confidence": cut}), above, fitted)


def _best_cut(tried: Sequence[_Trial]) -> float | None:
    """The confidence from which on accepting makes the fewest mistakes, as round as it can be."""
    ordered = sorted(tried, key=lambda trial: trial.confidence)
    errors = sum(not trial.agreed for trial in ordered)  # of accepting everything
    fewest, best = errors, None
    for before, trial in pairwise(ordered):
        errors += 1 if before.agreed else -1
        if trial.confidence > before.confidence and errors < fewest:
            fewest, best = errors, _round_between(before.confidence, trial.confidence)
    return best


def _round_between(low: float, high: float) -> float:
    """The roundest number above `low` and not above `high`."""
    for step in (10, 20, 100, 1000):
        rounded = math.floor(high * step + 1e-9) / step
        if low < rounded <= high:
            return rounded
    return high


def _older(tried: Sequence[_Trial]) -> int:
    return int(len(tried) * OLDER)


def _suggestion(rule: ReviewRule, tried: Sequence[_Trial], fitted: int) -> Suggestion | None:
    """The rule, if it holds; the first `fitted` decisions are those that it was fitted on."""
    tested = tried[fitted:]
    holds = (
        len(tried) >= LEAST_SEEN
        and _wrong(tried[:fitted]) <= MOST_WRONG_IN_PART
        and _wrong(tested) <= MOST_WRONG_IN_PART
        and _wrong(tried[-LATELY:]) <= MOST_WRONG_LATELY
        and _wrong(tried) <= MOST_WRONG
        and _interval(tried)[0] >= LEAST_CERTAIN
        and (rule.provider is not None or _holds_for_every_provider(tried))
    )
    if not holds:
        return None
    return Suggestion(rule, len(tried), _agreed(tried), len(tested), _agreed(tested))


def _holds_for_every_provider(tried: Sequence[_Trial]) -> bool:
    """Whether several providers were judged, and none of them may be said to be judged differently."""
    by_provider: dict[str, list[_Trial]] = defaultdict(list)
    for trial in tried:
        by_provider[trial.provider].append(trial)
    judged = [group for group in by_provider.values() if len(group) >= _EACH]
    return len(judged) > 1 and all(_interval(group)[1] >= 1.0 - MOST_WRONG for group in judged)


def _agreed(tried: Sequence[_Trial]) -> int:
    return sum(trial.agreed for trial in tried)


def _wrong(tried: Sequence[_Trial]) -> float:
    return 1.0 - _agreed(tried) / len(tried) if tried else 1.0


def _interval(tried: Sequence[_Trial]) -> tuple[float, float]:
    agreed = _agreed(tried)
    return beta.interval(agreed, len(tried) - agreed)
