"""Whether a remote provider may be called just now, and what each call tells of its health."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from enrichment.config import ProviderRule
from enrichment.credits import month_bounds
from enrichment.enums import BreakerState, OpenReason
from enrichment.waterfall.breaker import (
    FAILURES_TO_OPEN,
    OPEN_REASON_TEXTS,
    PROBE,
    Breaker,
    after_failure,
    after_success,
    is_worth_its_price,
)
from models.provider_state import ProviderStateRow, change_state, claim_probe, recent_calls, states_of
from providers.api import ProviderError, ProviderInfo
from resolvers.context import Services
from resolvers.events.publisher import announce

FRESH_SECONDS = 1.0  # how long a state read from the database is believed
REFUSING_SECONDS = 0.05  # how long one that ends a job is: somebody may just have set another key

_log = structlog.get_logger(__name__)
_Key = tuple[str, str]  # organization, provider


class CircuitBreakers:
    """The circuit breakers of one worker process, shared with the others through the database."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._breakers: dict[_Key, Breaker] = {}
        self._read_at: dict[str, float] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # by organization

    async def refusal(self, organization_id: str, provider: ProviderInfo) -> ProviderError | None:
        """Why the provider is not called now, if it is not."""
        provider_id = provider.id
        breaker = await self._breaker(organization_id, provider_id, FRESH_SECONDS)
        if breaker.state is not BreakerState.CLOSED:
            breaker = await self._breaker(organization_id, provider_id, REFUSING_SECONDS)
        if breaker.state is BreakerState.CLOSED:
            return None
        now = self._services.now()
        due = breaker.until is not None and breaker.until <= now
        if due and await claim_probe(organization_id, provider_id, now, now + PROBE):
            return None
        return _refused(provider.name, breaker, now)

    def opened(self, organization_id: str, provider: ProviderInfo) -> ProviderError | None:
        """Why a call that was let through is not made after all: the provider was found failing meanwhile."""
        breaker, now = self._breakers.get((organization_id, provider.id)), self._services.now()
        if breaker is None or breaker.state is not BreakerState.OPEN:
            return None
        is_due = breaker.until is not None and breaker.until <= now  # the one call that tries it may be this
        return None if is_due else _refused(provider.name, breaker, now)

    async def note_success(
        self, organization_id: str, provider_id: str, rule: ProviderRule | None, matched: bool
    ) -> None:
        """A reply came. A miss is a reason to see whether the provider is still worth asking."""
        key, now = (organization_id, provider_id), self._services.now()
        if not self._breakers.get(key, Breaker()).is_quiet:
            await self._change(key, lambda row: _answered_again(row, now))
        if not matched and rule is not None and rule.min_match_rate is not None:
            await self._check_match_rate(key, rule)

    async def note_failure(
        self,
        organization_id: str,
        provider_id: str,
        error: ProviderError,
        message: str,
        *,
        asked_at: datetime,
        times: int = 1,
    ) -> None:
        """A call of that moment failed. `times`: for so many questions.

        `message` is the error's, without what it repeats of the record: it outlives the record.
        """
        now = self._services.now()
        after = None if error.retry_after_seconds is None else timedelta(seconds=error.retry_after_seconds)
        _, cycle_end = month_bounds(now)

        def change(row: ProviderStateRow) -> ProviderStateRow:
            if asked_at < row.counted_since:
                return row  # a call with the key before this one, or from before somebody said to ask again
            breaker = _breaker_of(row)
            for _ in range(min(times, FAILURES_TO_OPEN)):
                breaker = after_failure(breaker, error.code, now, retry_after=after, cycle_end=cycle_end)
            return replace(
                _with_breaker(row, breaker),
                paused_until=now + after if error.code == "rate_limited" and after else row.paused_until,
                last_error_code=error.code,
                last_error_message=message[:500],
                last_error_at=now,
            )

        await self._change((organization_id, provider_id), change)

    async def _breaker(self, organization_id: str, provider_id: str, max_age_seconds: float) -> Breaker:
        """The breaker as it was at most so long ago."""
        async with self._reading[organization_id]:  # nobody goes by a state that is only being read
            if time.monotonic() - self._read_at.get(organization_id, -1e9) > max_age_seconds:
                for key, row in (await states_of([organization_id])).items():
                    self._breakers[key] = _breaker_of(row)
                self._read_at[organization_id] = time.monotonic()
        return self._breakers.get((organization_id, provider_id), Breaker())

    async def _change(self, key: _Key, change: Callable[[ProviderStateRow], ProviderStateRow]) -> None:
        before = self._breakers.get(key, Breaker())
        row = await change_state(*key, change, self._services.now())
        after = self._breakers[key] = _breaker_of(row)
        if after.state is not before.state:
            _log.warning(
                "circuit breaker", organization=key[0], provider=key[1], state=after.state, reason=after.reason
            )
            await announce(self._services.redis, key[0], log=True)

    async def _check_match_rate(self, key: _Key, rule: ProviderRule) -> None:
        row = (await states_of([key[0]])).get(key) or ProviderStateRow(*key)
        calls = await recent_calls(*key, row.counted_since, rule.match_rate_over)
        if not is_worth_its_price(calls.answered, calls.matched, floor=rule.min_match_rate, over=rule.match_rate_over):
            opened = Breaker(BreakerState.OPEN, OpenReason.LOW_MATCH_RATE)
            await self._change(key, lambda row: _with_breaker(row, opened))


def _breaker_of(row: ProviderStateRow) -> Breaker:
    return Breaker(row.state, row.reason, row.open_until, row.failures, row.openings)


def _answered_again(row: ProviderStateRow, now: datetime) -> ProviderStateRow:
    """The state after an answer. With its credits back a provider is asked anew, also what it had refused."""
    after = _with_breaker(row, after_success(_breaker_of(row)))
    is_back = row.reason is OpenReason.OUT_OF_CREDITS and after.state is BreakerState.CLOSED
    return replace(after, counted_since=now) if is_back else after


def _with_breaker(row: ProviderStateRow, breaker: Breaker) -> ProviderStateRow:
    return replace(
        row,
        state=breaker.state,
        reason=breaker.reason,
        open_until=breaker.until,
        failures=breaker.failures,
        openings=breaker.openings,
    )


def _refused(name: str, breaker: Breaker, now: datetime) -> ProviderError:
    reason = breaker.reason or OpenReason.FAILURES
    until = breaker.until
    wait = None if until is None else max((until - now).total_seconds(), 1.0)
    when = "" if until is None else f" until {until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return ProviderError(
        "circuit_open",
        f"{name} is not asked{when}: {OPEN_REASON_TEXTS[reason]}",
        retryable=reason is OpenReason.FAILURES,
        retry_after_seconds=wait,
    )
