"""A rule decides what a person would otherwise have to decide, and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrichment.config import Config, InvalidConfig, ReviewRule, Rule, parse_config
from enrichment.decide.case import FieldCase
from enrichment.decide.decision import Decision
from enrichment.decide.field import decide
from enrichment.decide.merge import Candidate, survivors
from enrichment.enums import FieldOutcomeReason, FieldPolicy, Strategy
from enrichment.learn.trust import SourceTrust
from enrichment.provenance import Current

NOW = datetime(2026, 11, 24, tzinfo=UTC)
OLD = NOW - timedelta(days=90)
R = FieldOutcomeReason


def rule(action: str, provider: str | None = None, sure: float | None = None) -> ReviewRule:
    return ReviewRule.model_validate(
        {"entityType": "contact", "field": "title", "provider": provider, "action": action, "minConfidence": sure}
    )


def stated(value: str, confidence: float = 0.9, provider: str = "apollo") -> Candidate:
    return Candidate(provider, value, confidence, NOW)


def decided(
    rules: list[ReviewRule],
    *candidates: Candidate,
    source: str | None = "crm",
    written: datetime = OLD,
    policy: FieldPolicy = FieldPolicy.REVIEW,
    trust: SourceTrust | None = None,
    **changes: Any,
) -> Decision:
    current = Current("CTO", source, 1.0, OLD, written, observed_at_known=source != "crm") if source else None
    given: dict[str, Any] = {
        "rule": Rule(policy=policy), "minimum": 0.6, "strategy": Strategy.CONSENSUS, "current": current,
        "proposals": survivors(candidates, lambda a, b: bool(a == b)), "is_equivalent": lambda a, b: a == b,
        "rejected": lambda value, source: False, "asked_at": NOW - timedelta(minutes=1), "name": "title",
        "rules": lambda: rules,
    }  # fmt: skip
    if trust is not None:
        given["trust_in"] = lambda provider: trust
    return decide(FieldCase(**given | changes))


def test_a_rule_writes_what_it_accepts_with_its_own_providers_words() -> None:
    decision = decided([rule("accept", "apollo")], stated("VP", 0.95, "hunter"), stated("CEO"))
    assert decision.write is not None
    assert (decision.reason, decision.write.value, decision.write.provider) == (R.WRITTEN, "CEO", "apollo")
    assert decision.detail == "by the rule: accept Apollo's title of contacts"
    shared = decided([rule("accept", "apollo")], stated("CEO", 0.95, "hunter"), stated("CEO"))
    assert shared.write is not None
    assert (shared.write.provider, round(shared.write.confidence, 3)) == ("apollo", 0.99)


def test_a_rule_about_any_provider_accepts_the_most_certain_value() -> None:
    decision = decided([rule("accept")], stated("CEO"), stated("VP", 0.95, "hunter"))
    assert decision.write is not None
    assert decision.write.value == "VP"


def test_a_rule_that_keeps_leaves_the_current_value() -> None:
    decision = decided([rule("keep")], stated("CEO"), stated("VP", 0.95, "hunter"))
    assert (decision.reason, decision.write, decision.question) == (R.PROTECTED, None, None)
    assert decision.detail == "by the rule: keep the title of contacts against any provider"


def test_a_rule_against_one_provider_leaves_the_others_to_a_person() -> None:
    decision = decided([rule("keep", "apollo")], stated("CEO", 0.95), stated("VP", 0.9, "hunter"))
    assert decision.question is not None
    assert [candidate.provider for candidate in decision.question.candidates] == ["hunter"]
    assert decision.question.recommended is decision.question.candidates[0]
    agreed = decided([rule("keep", "apollo")], stated("CEO"), stated("CEO", 0.7, "hunter"))
    assert agreed.question is not None


def test_rules_apply_in_their_order_and_only_to_values_that_are_certain_enough() -> None:
    rules = [rule("accept", "apollo", 0.8), rule("keep", "apollo")]
    assert decided(rules, stated("CEO", 0.8)).reason is R.WRITTEN
    assert decided(rules, stated("CEO", 0.79)).reason is R.PROTECTED
    assert decided(rules[::-1], stated("CEO", 0.8)).reason is R.PROTECTED
    assert decided(rules[:1], stated("CEO", 0.79)).reason is R.CONFLICT


def test_a_persons_choice_and_the_policy_outrank_every_rule() -> None:
    accept = [rule("accept")]
    assert decided(accept, stated("CEO"), source="reviewer").reason is R.CONFLICT
    assert decided(accept, stated("CEO"), written=NOW).reason is R.CONFLICT
    assert decided(accept, stated("CEO"), policy=FieldPolicy.NEVER).reason is R.PROTECTED
    assert decided(accept, stated("CEO"), policy=FieldPolicy.TRACKED).reason is R.PROTECTED
    assert decided(accept, stated("CEO", 0.5)).reason is R.BELOW_THRESHOLD
    assert decided(accept, stated("CEO", 0.5), policy=FieldPolicy.OVERWRITE).reason is R.CONFLICT
    assert decided(accept, stated("CEO"), rejected=lambda value, source: True).reason is R.PROTECTED


def test_rules_settle_conflicts_of_every_reason() -> None:
    close = (stated("CEO", 0.9), stated("VP", 0.85, "hunter"))
    assert decided([], *close, source=None).reason is R.CONFLICT
    chosen = decided([rule("accept", "hunter")], *close, source=None)
    assert chosen.write is not None
    assert chosen.write.value == "VP"
    assert decided([rule("keep")], *close, source=None).reason is R.CONFLICT, "there is nothing to keep"
    assert decided([rule("keep")], stated("CEO", 0.5), policy=FieldPolicy.OVERWRITE).reason is R.PROTECTED


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        ({"field": "name"}, "rules[0].field"), ({"provider": "nobody"}, "rules[0].provider"),
        ({"action": "guess"}, "rules[0].action"), ({"minConfidence": 1.2}, "rules[0].minConfidence"),
        ({"entityType": "person"}, "rules[0].entityType"), ({"extra": 1}, "rules[0].extra"),
    ],
)  # fmt: skip
def test_faults_of_rules_are_named_by_their_path(bad: dict[str, Any], path: str) -> None:
    good = {"entityType": "Contact", "field": "title", "provider": "apollo", "action": "ACCEPT"}
    assert parse_config({"rules": [good]}, ["apollo"]).rules[0].provider == "apollo"
    with pytest.raises(InvalidConfig) as refused:
        parse_config({"rules": [{**good, **bad}]}, ["apollo"])
    assert path in [where for where, _ in refused.value.faults]
    with pytest.raises(InvalidConfig) as refused:
        parse_config({"rules": [good, {**good, "action": "keep"}]}, ["apollo"])
    assert refused.value.faults == [("rules[1]", "speaks of the same as rules[0]")]
    assert Config().as_json()["rules"] == []
