"""What fails is tried again after ever longer waits, and an endpoint at which nothing arrives is left alone."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from workers.webhook.retries import quiet_after, wait_before

SPREAD = st.floats(0, 1)


def test_waits_grow_to_four_hours_so_that_a_day_has_a_dozen_attempts() -> None:
    waits = [wait_before(tries, spread=0.5).total_seconds() for tries in range(1, 20)]
    assert waits[:9] == [5, 30, 120, 600, 1800, 3600, 7200, 14400, 14400]
    assert sum(waits[:12]) < timedelta(days=1).total_seconds() < sum(waits[:13])


@given(tries=st.integers(1, 100), spread=SPREAD)
def test_a_wait_is_spread_by_a_fifth(tries: int, spread: float) -> None:
    middle = wait_before(tries, spread=0.5)
    assert middle * 0.79 < wait_before(tries, spread=spread) < middle * 1.21


@given(spread=SPREAD)
def test_what_an_endpoint_asks_for_is_kept_up_to_an_hour(spread: float) -> None:
    assert wait_before(1, spread=spread, retry_after=120.0) == timedelta(minutes=2)
    assert wait_before(1, spread=spread, retry_after=1e8) == timedelta(hours=1)
    assert wait_before(8, spread=spread, retry_after=120.0) > timedelta(hours=3)


@given(failures=st.integers(1, 5000), spread=SPREAD)
def test_an_endpoint_is_left_alone_for_five_minutes_at_most(failures: int, spread: float) -> None:
    assert timedelta(seconds=0.79) < quiet_after(failures, spread=spread) <= timedelta(minutes=6)
