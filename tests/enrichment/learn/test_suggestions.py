"""Suggested rules are those that reviewers follow: simulated reviewers with a hidden rule."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from enrichment.config import Config, ReviewRule, RuleAction
from enrichment.decide.merge import Candidate, Proposal
from enrichment.enums import ConflictReason, EntityType
from enrichment.learn.suggestions import ReviewDecision, ReviewedConflict, find_suggestions, pattern_of, suggestion_id

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PROVIDERS = ("apollo", "hunter", "zoominfo")
ACCEPT, KEEP = RuleAction.ACCEPT, RuleAction.KEEP


def question(
    provider: str, confidence: float, reason: ConflictReason = ConflictReason.EXISTING_DIFFERS
) -> ReviewedConflict:
    proposal = Proposal("new", confidence, NOW, (Candidate(provider, "new", confidence, NOW),))
    return ReviewedConflict(EntityType.CONTACT, "title", reason, (proposal,), has_value=True, chosen_by_hand=False)


def decided(provider: str, confidence: float, *, accepted: bool) -> ReviewDecision:
    chosen = frozenset({provider}) if accepted else frozenset[str]()
    return ReviewDecision(question(provider, confidence), chosen, kept=not accepted)


Reviewer = Callable[[random.Random, str, float], bool]  # whether this provider's value of this confidence is accepted


def history(reviewer: Reviewer, count: int, noise: float, seed: int) -> list[ReviewDecision]:
    """What a reviewer decides about values of several providers, failing its own rule as often as `noise`."""
    rng = random.Random(seed)  # noqa: S311 -- a simulation that must be the same every time
    decisions: list[ReviewDecision] = []
    for _ in range(count):
        provider, confidence = rng.choice(PROVIDERS), round(rng.uniform(0.6, 0.97), 2)
        accepted = reviewer(rng, provider, confidence) != (rng.random() < noise)
        decisions.append(decided(provider, confidence, accepted=accepted))
    return decisions


def at_random(share: float) -> Reviewer:
    return lambda rng, provider, confidence: rng.random() < share


def only_from(provider: str, then: Reviewer, otherwise: Reviewer) -> Reviewer:
    return lambda rng, name, confidence: (then if name == provider else otherwise)(rng, name, confidence)


ALWAYS, NEVER = at_random(1.0), at_random(0.0)
SURE: Reviewer = lambda rng, provider, confidence: confidence >= 0.8  # noqa: E731 -- a table reads better
Rule = tuple[RuleAction, str | None, float | None]


@dataclass(frozen=True)
class Hidden:
    """A reviewer's habit, and the rules that it amounts to."""

    reviewer: Reviewer
    rules: tuple[Rule, ...]


HIDDEN = {
    "accepts apollo, else undecided": Hidden(
        only_from("apollo", ALWAYS, at_random(0.5)), ((ACCEPT, "apollo", None),)
    ),
    "accepts apollo, never the others": Hidden(
        only_from("apollo", ALWAYS, NEVER),
        ((ACCEPT, "apollo", None), (KEEP, "hunter", None), (KEEP, "zoominfo", None)),
    ),
    "keeps what the CRM has": Hidden(NEVER, ((KEEP, None, None),)),
    "accepts everyone": Hidden(ALWAYS, ((ACCEPT, None, None),)),
    "accepts what is certain": Hidden(SURE, ((ACCEPT, None, 0.8),)),
    "accepts apollo when it is certain": Hidden(
        only_from("apollo", SURE, at_random(0.5)), ((ACCEPT, "apollo", 0.8),)
    ),
    "distrusts hunter": Hidden(only_from("hunter", NEVER, at_random(0.6)), ((KEEP, "hunter", None),)),
}  # fmt: skip


def rules_found(decisions: list[ReviewDecision], config: Config | None = None) -> list[Rule]:
    found = find_suggestions(decisions, config or Config())
    return [(item.rule.action, item.rule.provider, item.rule.min_confidence) for item in found]


def is_like(found: Rule, wanted: Rule) -> bool:
    same_kind = found[:2] == wanted[:2] and (found[2] is None) == (wanted[2] is None)
    return same_kind and (found[2] is None or wanted[2] is None or abs(found[2] - wanted[2]) <= 0.03)


def tally(hidden: Hidden, count: int, noise: float, runs: int = 12) -> Counter[str]:
    """How many hidden rules were found and missed, and how many suggestions were false, over many histories."""
    counted: Counter[str] = Counter()
    for seed in range(runs):
        found = rules_found(history(hidden.reviewer, count, noise, seed))
        hits = [any(is_like(item, wanted) for item in found) for wanted in hidden.rules]
        counted["found"] += sum(hits)
        counted["missed"] += len(hits) - sum(hits)
        counted["false"] += sum(not any(is_like(item, wanted) for wanted in hidden.rules) for item in found)
    return counted


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.05])
@pytest.mark.parametrize("name", HIDDEN)
def test_a_hidden_rule_is_found(name: str, noise: float) -> None:
    hidden = HIDDEN[name]
    counted = tally(hidden, 600, noise)
    wanted = counted["found"] + counted["missed"]
    assert counted["found"] >= (wanted if noise < 0.05 else 0.85 * wanted), counted
    assert counted["false"] == 0, counted


def test_a_rule_is_found_once_there_are_enough_decisions() -> None:
    early = {count: tally(HIDDEN["keeps what the CRM has"], count, 0.05, runs=30) for count in (15, 50, 100)}
    assert early[15]["found"] == 0, "too few to tell"
    assert early[50]["found"] >= 24
    assert early[100]["found"] >= 28


@pytest.mark.parametrize("share", [0.2, 0.35, 0.5, 0.65, 0.8])
def test_a_random_reviewer_yields_no_rule(share: float) -> None:
    found = [rules_found(history(at_random(share), count, 0.0, seed)) for count in (30, 100, 400) for seed in range(25)]
    assert sum(map(bool, found)) <= (0 if 0.3 < share < 0.7 else 3), found


def test_a_habit_that_has_ended_is_not_suggested() -> None:
    before = history(ALWAYS, 400, 0.0, 1)
    assert rules_found(before) == [(ACCEPT, None, None)]
    assert rules_found([*before, *history(NEVER, 40, 0.0, 2)]) == []


def test_what_a_rule_decides_by_now_teaches_nothing_new() -> None:
    decisions = history(SURE, 600, 0.0, 3)
    (found,) = find_suggestions(decisions, Config())
    with_it = Config(rules=[found.rule])
    (rest,) = find_suggestions(decisions, with_it)
    assert (rest.rule.action, rest.rule.provider, rest.rule.min_confidence) == (KEEP, None, None)
    assert find_suggestions(decisions, Config(rules=[found.rule, rest.rule])) == []


def test_a_field_that_policy_settles_by_itself_gets_no_rule() -> None:
    decisions = history(ALWAYS, 200, 0.0, 4)
    policies = {"contact": {"fields": {"title": "tracked"}}}
    assert rules_found(decisions, Config.model_validate({"fieldPolicies": policies})) == []
    assert rules_found(decisions, Config(min_confidence=0.98)) == [], "nothing so certain was ever seen"


def test_decisions_about_one_provider_suggest_no_rule_about_all() -> None:
    decisions = [decided("apollo", 0.9, accepted=True) for _ in range(60)]
    assert rules_found(decisions) == [(ACCEPT, "apollo", None)]
    few = [decided("hunter", 0.9, accepted=True) for _ in range(9)]
    assert rules_found(decisions + few) == [(ACCEPT, "apollo", None)]


def test_the_back_test_counts_every_decision_and_the_newer_ones_apart() -> None:
    decisions = [decided("apollo", 0.9, accepted=n not in {3, 10, 45}) for n in range(50)]
    (found,) = find_suggestions(decisions, Config())
    assert (found.seen, found.agreed, found.wrong, found.tested, found.tested_agreed) == (50, 47, 3, 20, 19)


def test_the_same_rule_has_the_same_id_and_a_dismissal_holds_for_any_confidence() -> None:
    def rule(sure: float | None, **changes: Any) -> ReviewRule:
        given = {"entityType": "contact", "field": "title", "provider": "apollo", "action": "accept"}
        return ReviewRule.model_validate({**given, "minConfidence": sure, **changes})

    assert suggestion_id(rule(0.8)) == suggestion_id(rule(0.8))
    ids = {suggestion_id(known) for known in (rule(0.8), rule(0.85), rule(None), rule(None, action="keep"))}
    assert len(ids) == 4
    assert pattern_of(rule(0.8)) == pattern_of(rule(0.85)) != pattern_of(rule(None))
