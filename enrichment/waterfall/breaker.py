"""When a provider is not asked for a while: a circuit breaker for each organization and provider.

It opens after failures in a row, for longer each time; at once when the provider says that its credits are
used up (until they renew) or that the key is bad (until the key changes); and when too few calls match (the
break-even guard). After a pause for failures, one call is let through to see whether all is well again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from enrichment.enums import BreakerState, OpenReason

FAILURES_TO_OPEN = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
PROBE = timedelta(seconds=60)  # how long one call may take to show that all is well


OPEN_REASON_TEXTS: Mapping[OpenReason, str] = {
    OpenReason.FAILURES: "it failed too often in a row",
    OpenReason.OUT_OF_CREDITS: "its credits are used up",
    OpenReason.BAD_KEY: "it refused the key; set another one",
    OpenReason.LOW_MATCH_RATE: "too few of its last calls matched; reset it or lower the floor",
}


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state for one organization and provider. `until` None: open until a person changes something."""

    state: BreakerState = BreakerState.CLOSED
    reason: OpenReason | None = None
    until: datetime | None = None
    failures: int = 0  # in a row
    openings: int = 0  # in a row, for failures

    @property
    def is_quiet(self) -> bool:
        """Whether a success would change nothing."""
        return self == Breaker()


def after_success(breaker: Breaker) -> Breaker:
    """A call was answered. A breaker that is open for another reason than failures stays open."""
    if breaker.state is BreakerState.OPEN and breaker.reason is not OpenReason.FAILURES:
        return breaker
    return Breaker()


def after_failure(
    breaker: Breaker, code: str, now: datetime, *, retry_after: timedelta | None, cycle_end: datetime
) -> Breaker:
    """A call failed with this `ProviderError` code. `cycle_end` is when credits renew if the provider is silent."""
    if code == "out_of_credits":
        until = now + retry_after if retry_after else cycle_end
        return replace(breaker, state=BreakerState.OPEN, reason=OpenReason.OUT_OF_CREDITS, until=until)
    if code == "bad_key":
        return replace(breaker, state=BreakerState.OPEN, reason=OpenReason.BAD_KEY, until=None)
    if code not in {"timeout", "unavailable", "invalid_answer"}:
        return breaker  # about this question, or about our own pace: not about the provider's health
    if breaker.state is BreakerState.OPEN:
        return breaker  # a call from before it opened, of which there may be many: one outage is one opening
    failures = breaker.failures + 1
    if breaker.state is not BreakerState.HALF_OPEN and failures < FAILURES_TO_OPEN:
        return replace(breaker, failures=failures)
    pause = max(min(FIRST_PAUSE * 2**breaker.openings, LONGEST_PAUSE), retry_after or timedelta())
    return Breaker(BreakerState.OPEN, OpenReason.FAILURES, now + pause, failures, min(breaker.openings + 1, 10))


def is_worth_its_price(asked: int, matched: int, *, floor: float | None, over: int) -> bool:
    """Whether a provider's match rate over its last `over` calls reaches the `floor`; too few calls say nothing."""
    return floor is None or asked < over or matched / asked >= floor
