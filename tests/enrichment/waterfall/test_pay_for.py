"""What may cost credits: a paid source is asked for what is worth paying for, a free one for everything."""

from typing import Any

from enrichment.config import Config
from enrichment.enums import EntityType
from enrichment.waterfall.planner import Source, Want, Waterfall
from enrichment.waterfall.skip_reason import SkipReason

PAID = Source("paid", frozenset({"title", "avatarUrl", "mobilePhone"}), 1, frozenset({"mobilePhone"}), 8)
FREE = Source("free", frozenset({"title", "avatarUrl"}))


def _waterfall(*wanted: str, **pay_for: Any) -> Waterfall:
    config = Config.model_validate({"payFor": {"lead": pay_for}})
    wants = {name: Want.CHECK if name == "company" else Want.FILL for name in wanted}
    return Waterfall(config, [PAID, FREE], wants, config.pay_for.of(EntityType.LEAD))


def test_a_paid_source_is_not_asked_for_what_is_not_worth_paying_for() -> None:
    waterfall = _waterfall("avatarUrl", fields=["title"])
    assert waterfall.next() is FREE
    assert waterfall.why_not_asked(PAID) is SkipReason.NOT_WORTH_PAYING


def test_what_a_paid_answer_brings_besides_is_asked_for_with_it() -> None:
    waterfall = _waterfall("title", "avatarUrl", fields=["title"])
    assert waterfall.next() is PAID
    assert waterfall.could_give(PAID) == {"title", "avatarUrl"}


def test_what_costs_more_is_left_out_where_it_is_not_worth_it() -> None:
    assert _waterfall("title", "mobilePhone", fields=["title"]).could_give(PAID) == {"title"}
    assert _waterfall("title", "mobilePhone", most={"mobilePhone": 7}).could_give(PAID) == {"title"}
    assert _waterfall("title", "mobilePhone", most={"mobilePhone": 8}).could_give(PAID) == {"title", "mobilePhone"}


def test_a_field_costs_no_more_than_was_set_for_it() -> None:
    assert _waterfall("title", most={"title": 0}).next() is FREE
    assert _waterfall("title", most={"title": 1}).next() is PAID
