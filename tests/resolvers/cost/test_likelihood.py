"""How likely a call is needed after others: what is left of its fields, and whether that is worth it."""

import pytest

from enrichment.waterfall.yields import LATER, SourceYield, Yields
from resolvers.cost.likelihood import Likelihood, Need

FIELDS = frozenset({"title", "city"})
ALL, NONE = dict.fromkeys(FIELDS, 10_000), dict.fromkeys(FIELDS, 0)
HALF = SourceYield(100_000, 50_000, ALL, ALL)
YIELDS = Yields(
    {"full": HALF, "empty": SourceYield(100_000, 50_000, ALL, NONE), "next": SourceYield(lacking=ALL, found=ALL)}
)


def after(source: str, need: Need) -> float:
    likelihood = Likelihood()
    assert likelihood.of(Need(source, FIELDS), YIELDS) == 1.0
    likelihood.expect(Need(source, FIELDS), FIELDS, YIELDS)
    return likelihood.of(need, YIELDS)


def test_who_settles_everything_leaves_nothing_where_it_knows_the_record() -> None:
    assert after("full", Need("next", FIELDS)) == pytest.approx(0.5, abs=0.01)
    assert after("empty", Need("next", FIELDS)) == pytest.approx(1.0, abs=0.01)


def test_a_call_that_is_not_worth_it_is_not_made() -> None:
    never = Yields({**YIELDS.sources, "next" + LATER: SourceYield(lacking=dict.fromkeys(FIELDS, 100), found=NONE)})
    likelihood = Likelihood()
    likelihood.expect(Need("empty", FIELDS), FIELDS, never)
    assert likelihood.of(Need("next", FIELDS, chance=0.9), never) == pytest.approx(0.5, abs=0.01)
    assert likelihood.of(Need("next", FIELDS, least=1.5), never) == pytest.approx(0.5, abs=0.01)
    assert likelihood.of(Need("next", FIELDS), never) == pytest.approx(1.0, abs=0.01)


def test_a_stored_answer_settles_its_fields_in_every_course() -> None:
    likelihood = Likelihood()
    likelihood.expect(Need("full", FIELDS), FIELDS, YIELDS)
    likelihood.settle(FIELDS)
    assert likelihood.of(Need("next", FIELDS), YIELDS) == 0.0
    assert likelihood.of(Need("next", frozenset()), YIELDS) == 0.0


def test_many_calls_keep_few_courses() -> None:
    likelihood = Likelihood()
    for _ in range(30):
        likelihood.expect(Need("empty", FIELDS), FIELDS, YIELDS)
    assert likelihood.of(Need("next", FIELDS), YIELDS) == pytest.approx(1.0, abs=0.01)
