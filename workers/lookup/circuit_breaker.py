"""Whether a remote provider may be called just now, and what each call tells of its health."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from enrichment.config import ProviderRule
from enrichment.credits import month_bounds
from enrichment.waterfall.breaker import (
    IN_WORDS,
    PROBE,
    Breaker,
    BreakerState,
    OpenReason,
    after_failure,
    after_success,
    is_worth_its_price,
)
from models.db.columns import from_micros, to_micros
from models.provider_state import change_state, recent_calls, states_of, take_probe
from providers.api import ProviderError
from resolvers.context import Services

FRESH_SECONDS = 1.0  # how long a state read from the database is believed
REFUSING_SECONDS = 0.05  # how long one that ends a job is: somebody may just have set another key

_log = structlog.get_logger(__name__)
_Key = tuple[str, str]


class CircuitBreakers:
    """The circuit breakers of one worker process, shared with the others through the database."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._states: dict[_Key, Breaker] = {}
        self._read_at: dict[str, float] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # by organization

    async def refusal(self, organization_id: str, provider_id: str) -> ProviderError | None:
        """Why the provider is not called now, if it is not."""
        breaker = await self._breaker(organization_id, provider_id, FRESH_SECONDS)
        if breaker.state is not BreakerState.CLOSED:
            breaker = await self._breaker(organization_id, provider_id, REFUSING_SECONDS)
        if breaker.state is BreakerState.CLOSED:
            return None
        now = self._services.now()
        due = breaker.until is not None and breaker.until <= now
        if due and await take_probe(organization_id, provider_id, now, now + PROBE):
            return None
        return _refused(breaker, now)

    async def note_success(
        self, organization_id: str, provider_id: str, rule: ProviderRule | None, matched: bool
    ) -> None:
        """A reply came. A miss is a reason to see whether the provider is still worth asking."""
        key = organization_id, provider_id
        if not self._states.get(key, Breaker()).is_quiet:
            await self._change(key, after_success)
        if not matched and rule is not None and rule.min_match_rate is not None:
            await self._check_match_rate(key, rule)

    async def note_failure(
        self, organization_id: str, provider_id: str, error: ProviderError, message: str, *, asked_at: datetime
    ) -> None:
        """A call of that moment failed.

        `message` is the error's, without what it repeats of the record: it outlives the record.
        """
        now = self._services.now()
        after = None if error.retry_after_seconds is None else timedelta(seconds=error.retry_after_seconds)
        _, cycle_end = month_bounds(now)
        await self._change(
            (organization_id, provider_id),
            lambda breaker: after_failure(breaker, error.code, now, retry_after=after, cycle_end=cycle_end),
            asked_at=to_micros(asked_at),
            last_error_code=error.code,
            last_error_message=message[:500],
            last_error_at=to_micros(now),
        )

    async def _breaker(self, organization_id: str, provider_id: str, most_seconds: float) -> Breaker:
        """The breaker as it was at most so long ago."""
        async with self._reading[organization_id]:  # nobody goes by a state that is only being read
            if time.monotonic() - self._read_at.get(organization_id, -1e9) > most_seconds:
                for key, row in (await states_of([organization_id])).items():
                    self._states[key] = read_breaker(row)
                self._read_at[organization_id] = time.monotonic()
        return self._states.get((organization_id, provider_id), Breaker())

    async def _change(self, key: _Key, turn: Any, *, asked_at: int | None = None, **noted: Any) -> None:
        before = self._states.get(key, Breaker())

        def change(row: Mapping[str, Any]) -> Mapping[str, Any]:
            if asked_at is not None and asked_at < row["counted_since"]:
                return row  # a call with the key before this one, or from before somebody said to ask again
            return {**breaker_row(turn(read_breaker(row))), **noted}

        row = await change_state(*key, change)
        after = self._states[key] = read_breaker(row)
        if after.state is not before.state:
            _log.warning(
                "circuit breaker", organization=key[0], provider=key[1], state=after.state, reason=after.reason
            )

    async def _check_match_rate(self, key: _Key, rule: ProviderRule) -> None:
        row = (await states_of([key[0]])).get(key)
        since = row["counted_since"] if row else 0
        asked, matched = await recent_calls(*key, since, rule.match_rate_over)
        if not is_worth_its_price(asked, matched, floor=rule.min_match_rate, over=rule.match_rate_over):
            await self._change(key, lambda _: Breaker(BreakerState.OPEN, OpenReason.LOW_MATCH_RATE))


def read_breaker(row: Mapping[str, Any]) -> Breaker:
    """The breaker in a row of `provider_state`."""
    return Breaker(
        state=BreakerState(row["state"]),
        reason=None if row["reason"] is None else OpenReason(row["reason"]),
        until=None if row["open_until"] is None else from_micros(row["open_until"]),
        failures=row["failures"],
        openings=row["openings"],
    )


def breaker_row(breaker: Breaker) -> dict[str, Any]:
    """The columns of `provider_state` that hold a breaker."""
    return {
        "state": breaker.state.value,
        "reason": None if breaker.reason is None else breaker.reason.value,
        "open_until": None if breaker.until is None else to_micros(breaker.until),
        "failures": breaker.failures,
        "openings": breaker.openings,
    }


def _refused(breaker: Breaker, now: datetime) -> ProviderError:
    reason = breaker.reason or OpenReason.FAILURES
    until = breaker.until
    wait = None if until is None else max((until - now).total_seconds(), 1.0)
    when = "" if until is None else f" until {until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return ProviderError(
        "circuit_open",
        f"not asked{when}: {IN_WORDS[reason]}",
        retryable=reason is OpenReason.FAILURES,
        retry_after_seconds=wait,
    )
