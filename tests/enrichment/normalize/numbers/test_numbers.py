"""Counts, money, years and codes as people write them."""

import math
from typing import Any

import pytest

from enrichment.normalize.numbers.number import (
    canonical_count,
    canonical_money,
    is_far_off,
    quantity_key,
    same_quantity,
)
from enrichment.normalize.numbers.year import canonical_year, same_year
from enrichment.normalize.text.text import Refused


@pytest.mark.parametrize(
    ("raw", "count"),
    [
        (500, 500),
        (500.0, 500),
        (0, 0),
        ("13,597", 13597),
        ("1.200", 1200),
        ("1 200", 1200),
        ("1\u202f200", 1200),
        ("1'200", 1200),
        ("1,234,567", 1234567),
        ("1,00,000", 100000),
        ("~500", 500),
        ("~22k", 22000),
        ("ca. 5", 5),
        ("approx. 1,200 employees", 1200),
        ("about 500 people", 500),
        ("1.5k", 1500),
        ("5K", 5000),
        ("1 employee", 1),
        ("500 (2023)", 500),
        ("51-200", "51-200"),
        ("51 \u2013 200 employees", "51-200"),
        ("51 to 200", "51-200"),
        ("1,001-5,000", "1001-5000"),
        ("1-5k", "1000-5000"),
        ("200-200", 200),
        ("10001+", "10001+"),
        ("10,001+ employees", "10001+"),
        ("1k+", "1000+"),
        (">500", "500+"),
        ("more than 500", "500+"),
        ("<50", "1-50"),
        ("up to 50", "1-50"),
        ("Nov-50", "11-50"),
        ("10-Jan", "1-10"),
        ("1-Oct", "1-10"),
        ("\uff15\uff10\uff10", 500),
        ("n/a", None),
        ("unknown", None),
        (None, None),
    ],
)
def test_a_count_is_a_number_or_a_range(raw: Any, count: int | str | None) -> None:
    assert canonical_count(raw) == count


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (-5, "negative"),
        ("-5", "negative"),
        (1.5, "not a whole number"),
        ("1.5", "not a whole number"),
        (10**9, "too large"),
        pytest.param(10**5000, "too large", id="huge"),
        ("9" * 60, "too large"),
        (math.nan, "not a finite number"),
        (math.inf, "not a finite number"),
        (-math.inf, "not a finite number"),
        (True, "true or false"),
        ("many", "not a number"),
        ("five hundred", "not a number"),
        ("1.2.3", "not a number"),
        ("200-51", "ends before it begins"),
        ("=5+5", "a spreadsheet formula"),
        ([5], "a list"),
        ({"min": 1}, "an object"),
    ],
)
def test_what_is_no_count_is_refused_with_a_reason(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_count(raw)


@pytest.mark.parametrize(
    ("raw", "money"),
    [
        (5_000_000, 5_000_000),
        (1234567.89, 1_234_568),
        ("$5M", 5_000_000),
        ("US$ 5m", 5_000_000),
        ("5 million USD", 5_000_000),
        ("1.2bn", 1_200_000_000),
        ("1.005bn", 1_005_000_000),
        ("1.200 million", 1_200_000),
        ("$5,000,000.50", 5_000_000),
        ("5.000.000,50", 5_000_000),
        ("10-50 million", "10000000-50000000"),
        ("$10M - $50M", "10000000-50000000"),
        ("$1B+", "1000000000+"),
        ("n/a", None),
    ],
)
def test_money_is_whole_dollars(raw: Any, money: int | str | None) -> None:
    assert canonical_money(raw) == money


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("\u20ac5M", "another currency"),
        ("5m EUR", "another currency"),
        ("A$5m", "another currency"),
        ("\u00a35m", "another currency"),
        ("$-5", "negative"),
        (-1, "negative"),
        (1e30, "too large"),
        ("lots", "not a number"),
    ],
)
def test_what_is_no_money_is_refused_with_a_reason(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_money(raw)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (125, "51-200", True),
        ("51-200", 51, True),
        ("51-200", 201, False),
        (12000, "10001+", True),
        (9000, "10001+", False),
        ("51-200", "51-200", True),
        ("51-200", "11-50", False),
        ("51-200", "200-500", False),
        ("51-200", "101-250", True),
        ("201-1000", "501-1000", True),
        ("5001+", "10001+", True),
        ("1001-5000", "5001+", False),
        ("5001-10000", 8230, True),
        (5, 6, False),
        (5, 5, True),
        (8230, 8500, True),
        (22036, 22000, True),
        (1000, 1100, True),
        (1000, 1101, False),
        (1000, 600, False),
        (30000, 48000, False),
        (1_200_000_000, 1_234_567_890, True),
        ("51-200", 300, False),
        (0, 0, True),
        (0, 1, False),
    ],
)
def test_what_two_counts_can_both_mean_is_the_same(a: int | str, b: int | str, same: bool) -> None:
    assert same_quantity(a, b) is same
    assert same_quantity(b, a) is same


@pytest.mark.parametrize(
    ("a", "b", "far"),
    [
        (1000, 1500, False),
        (1000, 1501, True),
        (2300, 11500, True),
        ("1001-5000", 400, True),
        ("1001-5000", 700, False),
        ("10001+", 2000, True),
        ("51-200", "101-250", False),
        ("51-200", "1001-5000", True),
        (0, 5, True),
        (0, 0, False),
    ],
)
def test_what_is_half_as_much_again_is_far_off(a: int | str, b: int | str, far: bool) -> None:
    assert is_far_off(a, b) is far
    assert is_far_off(b, a) is far


def test_a_number_that_moves_a_little_mostly_keeps_its_key_and_never_shares_one_that_differs() -> None:
    assert quantity_key(8230) == quantity_key(8231) == quantity_key(8300)
    assert quantity_key(8230) != quantity_key(9500)
    assert quantity_key(5) != quantity_key(6)
    numbers = [*range(1, 3000), *range(10_000, 10**6, 997)]
    kept = 0
    for number in numbers:
        for other in (number + 1, round(number * 1.02), round(number * 1.1), round(number * 1.12) + 1):
            if quantity_key(number) == quantity_key(other):
                assert same_quantity(number, other), (number, other)
        kept += quantity_key(number) == quantity_key(round(number * 1.02))
    assert kept / len(numbers) > 0.7


@pytest.mark.parametrize(("a", "b", "same"), [(1970, 1970, True), (1970, 1971, True), (1970, 1972, False)])
def test_a_year_may_be_one_off(a: int, b: int, same: bool) -> None:
    assert same_year(a, b) is same
    assert same_year(b, a) is same


@pytest.mark.parametrize(
    ("raw", "year"),
    [
        (1847, 1847),
        (1847.0, 1847),
        ("1847", 1847),
        ("2003-01-01", 2003),
        ("2003-01-01T00:00:00+0200", 2003),
        ("20030101", 2003),
        ("01/02/2003", 2003),
        ("est. 1977", 1977),
        ("founded 1999", 1999),
        ("since 1999", 1999),
        ("c. 1850", 1850),
        ("1999 / 1999", 1999),
        ("n/a", None),
    ],
)
def test_a_year_is_found(raw: Any, year: int | None) -> None:
    assert canonical_year(raw) == year


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (2150, "in the future"),
        (476, "before 1000"),
        (0, "before 1000"),
        (-5, "before 1000"),
        ("1999-2001", "more than one year"),
        ("1990s", "a decade"),
        ("36526", "not a year"),
        ("old", "not a year"),
        (True, "true or false"),
        (1999.5, "a number, not text"),
        (math.nan, "not a finite number"),
    ],
)
def test_what_is_no_year_is_refused_with_a_reason(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_year(raw)


def test_whoever_has_a_clock_may_bound_the_year() -> None:
    assert canonical_year(2026, latest=2026) == 2026
    with pytest.raises(Refused, match="in the future"):
        canonical_year(2027, latest=2026)
