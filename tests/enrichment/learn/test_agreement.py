"""What sources say of the same shows how they err, though nobody knows what is true."""

import random
from collections.abc import Mapping, Sequence

import pytest

from enrichment.learn.agreement import estimate
from enrichment.learn.reliability import CRM_UNDATED, Compared, Reliability, Said

RATE, SAME = 0.0005, 0.02  # changes a day; how often two mistakes are the same


def compared(*said: Said, group: str = "identity") -> Compared:
    return Compared(said, group, group, RATE, SAME)


def drawn(
    count: int,
    wrong: Mapping[str, float],
    *,
    stated: Mapping[str, tuple[float, float]] | None = None,
    copies: Mapping[str, tuple[str, float]] | None = None,
    days: Mapping[str, float] | None = None,
    group: str = "identity",
) -> list[Compared]:
    """What these sources say of so many fields. The right value is the number 0.

    `wrong`: their shares of mistakes; `stated`: how sure each is where it is right, and where it errs; `copies`: whose
    values each takes over, and how often.
    """
    rng = random.Random(7)  # noqa: S311 - a simulation, no secret
    found = []
    for _ in range(count):
        values: dict[str, int] = {}
        for source, share in wrong.items():
            values[source] = rng.randrange(1, 50) if rng.random() < share else 0
            if copies and source in copies and rng.random() < copies[source][1]:
                values[source] = values[copies[source][0]]
        said = []
        for source, value in values.items():
            sure = (stated or {}).get(source, (0.9, 0.9))[0 if value == 0 else 1]
            said.append(Said(source, value, sure + rng.uniform(-0.02, 0.02), (days or {}).get(source, 0.0)))
        found.append(compared(*said, group=group))
    return found


THREE = {"crm": 0.1, "good": 0.02, "bad": 0.3}


def test_who_is_mostly_contradicted_by_all_others_errs_most() -> None:
    found = estimate(drawn(600, THREE))
    for source, share in THREE.items():
        assert found[source].accuracy == pytest.approx(1 - share, abs=0.03)
        assert found[source].compared == pytest.approx(600)


def test_few_records_change_little() -> None:
    found = estimate([compared(Said("crm", 0, 0.9, 0), Said("bad", 1, 0.9, 0), Said("good", 0, 0.9, 0))] * 2)
    assert all(0.8 < reliability.accuracy < 0.95 for reliability in found.values())
    assert estimate([]) == {}


def test_a_source_that_stands_alone_tells_nothing_of_itself() -> None:
    assert estimate([compared(Said("good", 0, 0.9, 0))] * 50) == {}


@pytest.mark.parametrize(("sure", "unsure", "low", "high"), [(0.9, 0.6, -7.0, -3.0), (0.9, 0.9, -0.4, 0.4)])
def test_what_a_confidence_means_is_how_sure_a_source_is_where_it_errs(
    sure: float, unsure: float, low: float, high: float
) -> None:
    found = estimate(drawn(600, THREE, stated={"bad": (sure, unsure)}))["bad"]
    assert low <= found.told_by_confidence("identity", unsure) <= high
    assert unsure - 0.02 < (found.usual_confidence("identity") or 0) < sure + 0.02
    assert (found.usual_confidence("city"), found.told_by_confidence("city", unsure)) == (None, 0.0)


def test_a_field_of_which_a_source_is_never_sure_is_not_wrong_for_that() -> None:
    """It errs more there, and says so of all its values: of the single one its confidence tells nothing."""
    items = drawn(400, {**THREE, "bad": 0.05}, stated={"bad": (0.95, 0.95)}, group="identity")
    items += drawn(400, {**THREE, "bad": 0.3}, stated={"bad": (0.7, 0.7)}, group="facts")
    found = estimate(items)["bad"]
    assert found.accuracy_of("facts") == pytest.approx(0.7, abs=0.05)
    for group, stated in (("facts", 0.7), ("identity", 0.95)):
        assert found.told_by_confidence(group, stated) == pytest.approx(0.0, abs=0.4)


def test_who_shares_the_mistakes_of_another_has_them_from_there() -> None:
    shares = {"crm": 0.05, "good": 0.05, "bad": 0.25, "copy": 0.05}
    found = estimate(drawn(800, shares, copies={"copy": ("bad", 0.6)}))
    assert found["copy"].shares["bad"] == pytest.approx(0.6, abs=0.1)
    assert found["copy"].shares["good"] < 0.2
    assert "crm" not in found["copy"].shares


def test_two_values_of_different_times_may_both_have_been_right() -> None:
    shares = {"crm": 0.3, "good": 0.0, "other": 0.0}
    long_ago = estimate(drawn(400, shares, days={"crm": 2000.0}))["crm"]
    today = estimate(drawn(400, shares))["crm"]
    assert long_ago.accuracy > today.accuracy + 0.05


def test_a_field_has_its_own_share() -> None:
    items = drawn(400, THREE, group="address") + drawn(400, {**THREE, "bad": 0.0}, group="facts")
    found = estimate(items)["bad"]
    assert found.accuracy_of("address") < 0.8 < 0.93 < found.accuracy_of("facts")
    assert found.accuracy_of("employment") == found.accuracy


def test_of_two_that_differ_nobody_knows_which_one_errs() -> None:
    found = estimate(drawn(600, {"crm": 0.02, "bad": 0.3}))
    assert all(each.compared == 0 and each.accuracy == pytest.approx(0.9) for each in found.values())


def test_a_source_that_is_always_as_sure_says_nothing_by_that() -> None:
    items = [
        compared(Said("crm", 0, 0.9, 0), Said("sure", n % 4 == 0, 0.8, 0), Said("good", 0, 0.9, 0)) for n in range(200)
    ]
    assert estimate(items)["sure"].told_by_confidence("identity", 0.8) == pytest.approx(0.0, abs=0.05)


def test_a_crm_without_dates_is_known_by_itself_and_how_much_was_seen_of_each_field() -> None:
    found = estimate(drawn(600, {CRM_UNDATED: 0.3, "good": 0.02, "bad": 0.3}))
    assert found.keys() == {CRM_UNDATED, "good", "bad"}
    assert found[CRM_UNDATED].accuracy < 0.8
    assert found[CRM_UNDATED].compared_in == {"identity": 600.0}
    assert found["good"].accuracy > found["bad"].accuracy + 0.2


def test_a_reviewer_is_believed_and_is_no_source() -> None:
    """Two sources contradict each other on every value; a reviewer chose what the second one says."""
    said = [Said("reviewer", 1, 0.9, 0), Said("bad", 0, 0.9, 0), Said("good", 1, 0.9, 0)]
    found = estimate([compared(*said)] * 100)
    assert found.keys() == {"bad", "good"}
    assert found["bad"].accuracy < 0.3 < 0.9 < found["good"].accuracy


def test_the_more_is_compared_the_nearer_the_estimate_is() -> None:
    def away(count: int) -> float:
        found: Mapping[str, Reliability] = estimate(drawn(count, THREE))
        return sum(abs(found[source].accuracy - (1 - share)) for source, share in THREE.items())

    counts: Sequence[int] = (10, 2000)
    assert away(counts[1]) < away(counts[0])
