"""Order by value and its floor: what a paid source is likely to bring, for what it costs."""

from typing import Any

import pytest

from enrichment.config import Config
from enrichment.waterfall.planner import Source, Want, Waterfall
from enrichment.waterfall.skip_reason import SkipReason
from enrichment.waterfall.yields import NO_YIELDS, SourceYield, Yields

FIELDS = frozenset({"title", "city", "phone"})
CHEAP, DEAR, FREE = Source("cheap", FIELDS, 1), Source("dear", FIELDS, 3), Source("free", frozenset({"title"}))
SELDOM = SourceYield(100, 80, {"phone": 80, "title": 80, "city": 80}, {"phone": 2, "title": 2, "city": 2})
MOSTLY = SourceYield(100, 80, {"phone": 80, "title": 80, "city": 80}, {"phone": 78, "title": 79, "city": 78})


def _waterfall(yields: Yields = NO_YIELDS, *, wanted: frozenset[str] = FIELDS, **rules: Any) -> Waterfall:
    wants = dict.fromkeys(wanted, Want.FILL)
    return Waterfall(Config.model_validate(rules), [DEAR, CHEAP, FREE], wants, yields=yields)


def test_by_priority_the_order_of_the_providers_stays() -> None:
    assert _waterfall().next() is DEAR


def test_by_value_free_sources_go_first_and_then_those_whose_values_cost_least() -> None:
    waterfall = _waterfall(order="value")
    asked = []
    while (source := waterfall.next()) is not None:
        asked.append(source)
        waterfall.answered(source.id, set(), waterfall.could_give(source))
    assert asked == [FREE, CHEAP, DEAR]


def test_a_dear_source_goes_first_where_the_cheap_one_seldom_brings_anything() -> None:
    yields = Yields({"cheap": SELDOM, "dear": MOSTLY})
    waterfall = _waterfall(yields, order="value", wanted=frozenset({"city", "phone"}))
    assert waterfall.next() is DEAR


def test_a_source_that_counts_misses_costs_more_the_less_it_knows() -> None:
    rare = SourceYield(100, 10, MOSTLY.lacking, MOSTLY.found)
    sources = [Source("counting", FIELDS, 1, counts_misses=True), Source("other", FIELDS, 2)]
    wants, config = dict.fromkeys(FIELDS, Want.FILL), Config.model_validate({"order": "value"})
    assert Waterfall(config, sources, wants, yields=Yields({"counting": rare})).next() is sources[1]
    assert Waterfall(config, sources, wants, yields=Yields({"counting": MOSTLY})).next() is sources[0]


@pytest.mark.parametrize("order", ["priority", "value"])
def test_below_the_floor_nobody_is_paid(order: str) -> None:
    yields = Yields({"cheap": SELDOM, "dear": SELDOM})
    waterfall = _waterfall(yields, order=order, valueFloor=0.5)
    assert waterfall.next() is FREE
    waterfall.answered("free", set(), frozenset({"title"}))
    assert waterfall.next() is None
    assert waterfall.why_not_asked(CHEAP) is SkipReason.NOT_WORTH_PAYING
    assert _waterfall(Yields({"cheap": MOSTLY}), order=order, valueFloor=0.5).next() is not None


def test_what_was_learned_comes_back_from_its_json() -> None:
    yields = Yields({"cheap": SELDOM, "dear": MOSTLY})
    assert Yields.of_json(yields.as_json()) == yields


def test_nobody_is_paid_for_a_match_that_hardly_brings_anything() -> None:
    once = SourceYield(100, 80, {"title": 100}, {"title": 60})
    waterfall = _waterfall(Yields({"cheap": once}), wanted=frozenset({"title"}), minChance=0.7)
    assert waterfall.could_give(CHEAP) == frozenset()
    assert waterfall.could_give(DEAR) == {"title"}
    assert _waterfall(Yields({"cheap": once}), wanted=frozenset({"title"}), minChance=0.5).could_give(CHEAP) == {
        "title"
    }


def test_what_one_match_left_empty_is_less_likely_with_the_next() -> None:
    waterfall = _waterfall(wanted=frozenset({"title"}), minChance=0.8)
    assert waterfall.could_give(CHEAP) == {"title"}
    waterfall.matched = True
    assert waterfall.could_give(CHEAP) == frozenset()
