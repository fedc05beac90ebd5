"""What an organization's records show of its sources weighs in what is recommended, and the reason says so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from enrichment.config import Config
from enrichment.decide.decision import ConflictQuestion
from enrichment.decide.fields import DecisionInput, SourceResult, decide_fields
from enrichment.decide.merge import Candidate
from enrichment.enums import SOURCE_CRM, EntityType, Recommendation, StepOutcome
from enrichment.learn.reliability import CRM_UNDATED, Reliability, log_odds
from enrichment.learn.trust import Trust
from enrichment.provenance import Current
from enrichment.recommend.weights import WEIGHTS
from enrichment.waterfall.planner import Want

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CITY_OF_CRM, CITY, OTHER_CITY = "Hamburg", "Munich", "Berlin"
USUAL = Reliability(500.0, 0.9, {}, {"account.city": log_odds(0.8)}, 0.0, 0.0, {})


def question(answers: Mapping[str, tuple[str, float]], *, dated: bool = True, **known: Reliability) -> ConflictQuestion:
    """What is asked about the city of an account, which the sources say so surely; all saw it ten days ago."""
    seen = NOW - timedelta(days=10)
    gives = frozenset({"city"})
    results = [
        SourceResult(source, StepOutcome.MATCH, gives, {"city": Candidate(source, city, confidence, seen)})
        for source, (city, confidence) in answers.items()
    ]
    current = {"city": Current(CITY_OF_CRM, SOURCE_CRM, 1.0, seen, seen, observed_at_known=dated)}
    decided_on = DecisionInput(
        EntityType.ACCOUNT,
        Config(),
        current,
        {"city": Want.CHECK},
        results,
        lambda *_: False,
        NOW,
        Trust({}, known),
        names={"apollo": "Apollo", "hunter": "Hunter"},
    )
    decisions = decide_fields(decided_on)
    asked = decisions["city"].question
    assert asked is not None
    return asked


ALONE = {"apollo": (CITY, 0.8)}


def test_who_is_mostly_right_is_believed_and_the_reason_says_it_with_figures() -> None:
    good, bad = replace(USUAL, accuracy=0.985), replace(USUAL, accuracy=0.7)
    accepted = question(ALONE, apollo=good, crm=bad)
    kept = question(ALONE, apollo=bad, crm=good)
    assert (accepted.recommendation, kept.recommendation) == (Recommendation.ACCEPT, Recommendation.KEEP)
    says = "by what others say of the same, {} was likely right in {} % of 500 values, {} in {} %"
    assert says.format("Apollo", 98, "the CRM", 70) in accepted.because
    assert says.format("the CRM", 98, "Apollo", 70) in kept.because


def test_figures_that_hardly_differ_or_are_of_few_values_go_without_saying() -> None:
    near, few = replace(USUAL, accuracy=0.91), replace(USUAL, compared=8.0, accuracy=0.98)
    for known in (near, few):
        assert "likely right" not in question(ALONE, apollo=known, crm=USUAL).because


def test_few_values_weigh_little() -> None:
    bad = replace(USUAL, accuracy=0.3)
    many = question(ALONE, apollo=bad, crm=USUAL)
    few = question(ALONE, apollo=replace(bad, compared=2.0), crm=replace(USUAL, compared=2.0))
    assert many.recommendation is Recommendation.KEEP
    assert few.recommendation is question(ALONE).recommendation


def test_a_field_counts_by_itself() -> None:
    address = replace(USUAL, by_field={"account.city": 0.3})
    facts = replace(USUAL, by_field={"account.industry": 0.3})
    crm = replace(USUAL, accuracy=0.6)
    assert question(ALONE, apollo=address, crm=crm).recommendation is Recommendation.KEEP
    assert question(ALONE, apollo=facts, crm=crm).recommendation is Recommendation.ACCEPT


@pytest.mark.parametrize(("slope", "recommendation"), [(4.0, Recommendation.KEEP), (0.0, Recommendation.ACCEPT)])
def test_a_confidence_means_what_it_has_meant(slope: float, recommendation: Recommendation) -> None:
    """The source is 62 % sure, where it mostly is 80 % sure of right values; the one is less sure where it errs."""
    known = replace(USUAL, accuracy=0.95, slope=slope)
    asked = question({"apollo": (CITY, 0.62)}, apollo=known, crm=replace(USUAL, accuracy=0.5))
    assert asked.recommendation is recommendation
    told = "Apollo is 62 % sure of its value, where it mostly is 80 %" in asked.because
    assert told is (recommendation is Recommendation.KEEP)


def test_who_shares_anothers_mistakes_does_not_confirm_it() -> None:
    both = {"apollo": (CITY, 0.8), "hunter": (CITY, 0.8)}
    apollo, crm = replace(USUAL, accuracy=0.7), replace(USUAL, accuracy=0.93)
    alike = question(both, apollo=apollo, hunter=replace(apollo, shares={"apollo": 0.9}), crm=crm)
    apart = question(both, apollo=apollo, hunter=replace(apollo, shares={"apollo": 0.01}), crm=crm)
    assert (alike.recommendation, apart.recommendation) == (Recommendation.KEEP, Recommendation.ACCEPT)


def test_no_crm_is_believed_beyond_all_doubt() -> None:
    sure = {"apollo": (CITY, 0.8), "hunter": (CITY, 0.8)}
    known = replace(USUAL, accuracy=0.95, shares={"apollo": 0.0})
    assert question(sure, apollo=known, hunter=known, crm=replace(USUAL, accuracy=1.0)).recommendation is (
        Recommendation.ACCEPT
    )


def test_of_a_value_without_a_date_nobody_knows_whether_it_is_old_or_wrong() -> None:
    crm = replace(USUAL, accuracy=0.3)
    asked = question(ALONE, dated=False, apollo=USUAL, crm=crm)
    assert asked.recommendation is question(ALONE, dated=False, apollo=USUAL).recommendation
    assert "likely right" not in asked.because


SURE = {"apollo": (CITY, 0.9)}


def test_a_crm_without_dates_is_known_by_what_was_compared_of_the_field() -> None:
    good = replace(USUAL, accuracy=0.97)
    seen, elsewhere = (replace(good, compared_in={name: 120.0}) for name in ("account.city", "account.industry"))
    assert question(SURE, dated=False).recommendation is Recommendation.ACCEPT
    assert question(SURE, dated=False, **{CRM_UNDATED: elsewhere}).recommendation is Recommendation.ACCEPT
    assert question(SURE, dated=False, **{CRM_UNDATED: seen}).recommendation is not Recommendation.ACCEPT


# A CRM that is as good as any: what its being known changes is by how much a proposal must lead, and nothing else.
USUAL_CRM = replace(USUAL, accuracy=WEIGHTS.crm_undated, compared_in={"account.city": 1e6})


def test_the_more_is_known_of_the_crm_the_clearer_a_proposal_must_lead() -> None:
    known = [{CRM_UNDATED: replace(USUAL_CRM, compared_in={"account.city": seen})} for seen in (0.0, 1e6)]
    found = [question(SURE, dated=False, **each).recommendation for each in known]
    assert found == [Recommendation.ACCEPT, Recommendation.NONE]


def test_over_a_value_without_a_date_a_proposal_must_lead_more_clearly() -> None:
    """The CRM is believed so much that the proposal leads by about 1.6 both times."""
    apollo = replace(USUAL, accuracy=0.98)
    dated = question(SURE, apollo=apollo, crm=replace(USUAL_CRM, accuracy=0.6))
    undated = question(SURE, dated=False, apollo=apollo, **{CRM_UNDATED: replace(USUAL_CRM, accuracy=0.8)})
    assert (dated.recommendation, undated.recommendation) == (Recommendation.ACCEPT, Recommendation.NONE)


@pytest.mark.parametrize(("accuracy", "recommendation"), [(0.99, Recommendation.NONE), (0.998, Recommendation.ACCEPT)])
def test_a_source_that_hardly_ever_errs_needs_less_of_a_lead(accuracy: float, recommendation: Recommendation) -> None:
    """It leads by about 2 both times, which is not enough for the usual source."""
    known = {"apollo": replace(USUAL, accuracy=accuracy), CRM_UNDATED: USUAL_CRM}
    assert question(SURE, dated=False, **known).recommendation is recommendation
