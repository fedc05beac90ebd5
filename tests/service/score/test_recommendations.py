"""The score of recommendations: what its table shows, and what is in a share of it."""

import pytest

from enrichment.enums import Recommendation
from service.score.recommendations import (
    BESIDE,
    CHOSEN_ON,
    DATED,
    FITTED_ON,
    SCORED_ON,
    UNDATED,
    RecommendationScore,
    RecommendationTally,
    score_worlds,
)
from service.score.worlds.draw import draw_world
from service.score.worlds.questions import draw_questions, ideal_leads, learned_trust

ACCEPT, KEEP, NONE = Recommendation.ACCEPT, Recommendation.KEEP, Recommendation.NONE


def test_what_recommends_nothing_keeps_the_value() -> None:
    tally = RecommendationTally()
    for recommendation, right, held_right in (
        (ACCEPT, True, False), (ACCEPT, False, False), (KEEP, False, False), (NONE, False, False),
        (KEEP, False, True), (NONE, False, True), (ACCEPT, False, True), (KEEP, False, True),
    ):  # fmt: skip
        tally.note(recommendation, right, held_right=held_right)
    assert tally.share("accepted", "wrong") == 0.25
    assert tally.share("kept", "right") == 0.75
    assert tally.share("none", "wrong", "right") == 0.25


def test_a_wrong_value_that_no_candidate_can_mend_is_in_no_share() -> None:
    tally = RecommendationTally()
    tally.note(ACCEPT, True, held_right=False)
    tally.note(ACCEPT, False, held_right=False, mendable=False)
    assert tally.share("accepted", "wrong") == 1.0
    assert tally.line("x").split()[-1] == "1"


def test_what_can_be_reached_is_counted_where_as_many_are_kept_as_the_goal_asks() -> None:
    tally = RecommendationTally()
    assert tally.reachable(0.9) is None
    tally.ideal = [(float(lead), False, True) for lead in range(-9, 1)]  # the CRM's is right
    tally.ideal += [(lead, True, False) for lead in (-3.0, 0.5, 2.0)] + [(5.0, False, False)]
    assert tally.reachable(1.0) == 0.5
    assert tally.reachable(0.5) == 0.75


def test_the_numbers_are_reported_on_worlds_that_they_were_not_fitted_on() -> None:
    assert {*range(5000, 5012), *range(8000, 8024)} <= {*CHOSEN_ON}, (
        "of these decision 0021 says that bounds were chosen"
    )
    assert not {*FITTED_ON, *CHOSEN_ON} & set(SCORED_ON)


@pytest.fixture(scope="module")
def scored() -> RecommendationScore:
    score = RecommendationScore()
    score_worlds(score, range(2))
    return score


def test_the_table_has_each_kind_of_world_with_what_can_be_reached_and_how_well_chances_are_known(
    scored: RecommendationScore,
) -> None:
    table = "\n".join(scored.lines())
    for shown in (
        UNDATED, DATED, f"{UNDATED}{BESIDE}", "no right one", "none", "where 95% are kept", "where 97% are kept",
        "expected calibration error", "goals: 90 % accepted, 95 % kept",
    ):  # fmt: skip
        assert shown in table
    assert all(scored.tallies[label].counts["wrong"] > 40 for label in (UNDATED, DATED))


@pytest.mark.parametrize(("label", "accepted", "kept"), [(UNDATED, 0.85, 0.75), (DATED, 0.85, 0.75)])
def test_the_likelier_value_is_mostly_the_right_one(
    scored: RecommendationScore, label: str, accepted: float, kept: float
) -> None:
    """Two worlds hold few values, so that the bounds are wide; the whole score is what counts."""
    tally = scored.tallies[label]
    assert (tally.share("accepted", "wrong") or 0) >= accepted
    assert (tally.share("kept", "right") or 0) >= kept


def test_who_knows_the_world_is_nearly_always_right_where_the_crm_is_dated() -> None:
    world = draw_world(4, dated=True)
    trust, found = learned_trust(world), list[bool]()
    for record in world.records(20):
        disputed = [name for name in record.current if any(name in answer for answer in record.answers.values())]
        for name, lead, is_right in ideal_leads(world, record, disputed, trust):
            held_right = record.is_right(name, record.current[name].value)
            found.append(lead <= 0 if held_right else lead > 0 and is_right)
    assert len(found) > 100
    assert sum(found) / len(found) > 0.95


def test_an_organization_knows_its_sources_by_what_they_answered_about_its_records() -> None:
    """Who drew the world knows how they err; the organization has the answers alone, and comes near."""
    world = draw_world(3, dated=True)
    known = draw_questions(world, 60, beside=120).trust.reliability
    assert known.keys() == {"crm", *(source.id for source in world.sources)}
    by_errors = sorted(world.sources, key=lambda source: source.wrong)
    assert known[by_errors[0].id].accuracy > known[by_errors[-1].id].accuracy
    for source in world.sources:
        usual = known[source.id].usual_confidence("account.name")
        assert usual is not None
        assert source.stated - 0.05 < usual < source.stated + 0.05
    assert draw_questions(world, 5, beside=0).trust.reliability == {}
