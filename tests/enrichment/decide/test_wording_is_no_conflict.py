"""A difference of wording: it raises no conflict and replaces nothing, whatever the policy and the strategy."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrichment.catalogue import normalize
from enrichment.config import Config, EntityPolicies, FieldPolicies, Rule
from enrichment.decide.decision import Decision
from enrichment.decide.fields import DecisionInput, SourceResult, decide_fields
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType, FieldOutcomeReason, FieldPolicy, StepOutcome, Strategy
from enrichment.provenance import Current

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ACCOUNT = EntityType.ACCOUNT
R = FieldOutcomeReason


def decided(
    field: str, held: Any, *told: Any, policy: FieldPolicy = FieldPolicy.REVIEW,
    strategy: Strategy = Strategy.WATERFALL, source: str = "crm", seen: datetime = NOW,
) -> Decision:  # fmt: skip
    """How a field ends that holds one value and of which sources, the first the most certain, say others."""
    rules = EntityPolicies(default=Rule(policy=policy))
    config = Config(strategy=strategy, field_policies=FieldPolicies(account=rules))
    old = NOW - timedelta(days=500)
    current = {field: Current(normalize(ACCOUNT, field, held), source, 0.7, old, old)} if held is not None else {}
    heard = tuple(
        SourceResult(
            name, StepOutcome.MATCH, frozenset({field}),
            {field: Candidate(name, normalize(ACCOUNT, field, value), 0.9 - 0.05 * index, seen)},
        )
        for index, (name, value) in enumerate(zip("pqr", told, strict=False))
    )  # fmt: skip
    return decide_fields(DecisionInput(ACCOUNT, config, current, {}, heard, lambda *_: False, NOW))[field]


WORDINGS = [
    ("name", "ACME, Inc.", "Acme Incorporated"),
    ("website", "http://WWW.Acme.com/index.html?utm_source=x", "https://acme.com"),
    ("phone", "+44 (0)20 7946 0818", "+442079460818"),
    ("industry", "Banking", "Regional Banks"),
    ("subIndustry", "Application Software", "business software"),
    ("numberOfEmployees", "5001-10000", 8230),
    ("numberOfEmployees", 8500, 8230),
    ("annualRevenue", "$1.2B", 1_234_000_000),
    ("foundedYear", 1999, 2000),
    ("city", "St. Louis", "Saint Louis"),
    ("country", "USA", "United States of America"),
]


@pytest.mark.parametrize("source", ["crm", "reviewer", "p", "other"])
@pytest.mark.parametrize("policy", [policy for policy in FieldPolicy if policy is not FieldPolicy.NEVER])
@pytest.mark.parametrize(("field", "held", "told"), WORDINGS)
def test_another_wording_confirms_the_value_and_leaves_it_as_it_is(
    field: str, held: Any, told: Any, policy: FieldPolicy, source: str
) -> None:
    for strategy in Strategy:
        fresh = decided(field, held, told, told, policy=policy, strategy=strategy, source=source)
        assert (fresh.reason, fresh.write, fresh.question) == (R.VERIFIED, None, None)
        stale = decided(field, held, told, policy=policy, strategy=strategy, source=source, seen=NOW - timedelta(900))
        assert (stale.reason, stale.write, stale.question) == (R.SAME, None, None)


@pytest.mark.parametrize(("field", "one", "other"), WORDINGS)
def test_sources_that_word_it_differently_agree(field: str, one: Any, other: Any) -> None:
    decision = decided(field, None, one, other, strategy=Strategy.CONSENSUS)
    assert decision.reason is R.WRITTEN
    assert decision.write is not None
    assert decision.write.value == normalize(ACCOUNT, field, one)
    assert len(decision.write.support) == 2


@pytest.mark.parametrize("vague", ["Technology", "Services", "B2B"])
def test_a_word_that_tells_no_industry_contradicts_none(vague: str) -> None:
    said = decided("industry", "Semiconductors", vague)
    assert (said.reason, said.write, said.question) == (R.NO_DATA, None, None)
    both = decided("industry", "Semiconductors", vague, "semiconductor industry")
    assert both.reason is R.VERIFIED
    sources = decided("industry", None, vague, "Semiconductors", strategy=Strategy.CONSENSUS)
    assert sources.write is not None and sources.write.value == "Semiconductors"
    assert decided("industry", vague.upper(), vague).reason is R.VERIFIED
    assert decided("industry", None, vague).reason is R.WRITTEN


@pytest.mark.parametrize("vague", ["Technology", "Services", "B2B"])
def test_a_word_that_tells_no_industry_is_asked_about_where_a_source_knows_it(vague: str) -> None:
    decision = decided("industry", vague, "Semiconductors")
    assert decision.reason is R.CONFLICT
    assert decision.question is not None and decision.question.recommended is not None
    assert decision.question.recommended.value == "Semiconductors"
