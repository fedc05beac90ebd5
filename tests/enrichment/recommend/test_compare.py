"""What is compared of a record: what people and sources say of the same field, at the moments when they saw it."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from enrichment.decide.merge import Candidate
from enrichment.enums import SOURCE_CRM, SOURCE_REVIEWER, EntityType
from enrichment.learn.freshness import UNKNOWN_AGE_DAYS
from enrichment.learn.reliability import CRM_UNDATED, Compared, Said
from enrichment.provenance import Current
from enrichment.recommend.compare import compare, group_of

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ACCOUNT, LEAD = EntityType.ACCOUNT, EntityType.LEAD


def held(value: Any, source: str = SOURCE_CRM, days: float | None = 10, unreadable: str | None = None) -> Current:
    at = NOW if days is None else NOW - timedelta(days=days)
    return Current(value, source, 1.0, at, NOW, observed_at_known=days is not None, unreadable=unreadable)


def given(source: str, values: Mapping[str, Any], days: float = 0) -> dict[str, Candidate]:
    at = NOW - timedelta(days=days)
    return {name: Candidate(source, value, 0.7, at, before_trust=0.8) for name, value in values.items()}


def compared(current: Mapping[str, Current], *answers: Mapping[str, Any], **half_lives: float) -> list[Compared]:
    said = {f"source{index}": given(f"source{index}", answer, index) for index, answer in enumerate(answers)}
    return list(compare(ACCOUNT, current, said, NOW, half_lives))


def test_values_that_mean_the_same_have_one_number() -> None:
    [item] = compared({"name": held("Acme Inc.")}, {"name": "Acme"}, {"name": "Bolt"}, name=100.0)
    assert item.said == (
        Said("crm", 0, 0.9, 10.0), Said("source0", 0, 0.8, 0.0), Said("source1", 1, 0.8, 1.0),
    )  # fmt: skip
    assert (item.name, item.group, item.rate, item.is_undisputed) == (
        "account.name",
        "identity",
        math.log(2) / 100.0,
        False,
    )


def test_what_nobody_else_says_anything_of_is_left_out() -> None:
    assert compared({"name": held("Acme")}, {"city": "Oakland"}) == []


def test_what_enrichment_wrote_and_what_cannot_be_read_is_no_persons_word() -> None:
    answers = {"city": "Oakland", "phone": "+16502530000", "custom": 1}, {"city": "Rome", "phone": "+16502530001"}
    current = {"city": held("Rome", "apollo"), "phone": held("two", unreadable="two numbers"), "name": held(None)}
    assert [[each.source for each in item.said] for item in compared(current, *answers)] == [["source0", "source1"]] * 2
    [item] = compared({"industry": held("???")}, {"industry": "Mining"}, {"industry": "Banking"})
    assert [each.source for each in item.said] == ["source0", "source1"]


def test_a_reviewers_word_and_an_unknown_age() -> None:
    current = {"city": held("Oakland", SOURCE_REVIEWER), "name": held("Acme", days=None)}
    by_field = {item.said[0].source: item.said[0].days for item in compared(current, {"city": "Rome", "name": "Bolt"})}
    assert by_field == {"reviewer": 10.0, CRM_UNDATED: UNKNOWN_AGE_DAYS}


def test_groups_of_fields() -> None:
    assert [group_of(LEAD, name) for name in ("city", "title", "numberOfEmployees", "linkedinUrl")] == [
        "address", "employment", "facts", "identity",
    ]  # fmt: skip
