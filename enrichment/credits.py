"""What may be spent: whether a price fits into an account and its limits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from enrichment.waterfall.skip_reason import SkipReason


@dataclass(frozen=True, slots=True)
class CreditLimits:
    """The most an organization spends in a calendar month and in a day (UTC). None: no limit of its own."""

    monthly: int | None = None
    daily: int | None = None


@dataclass(slots=True)
class Purse:
    """What of a locked account decides whether a price fits: whole credits. `used_in_day` is of the UTC day."""

    balance: int
    reserved: int
    used_in_month: int
    used_in_day: int

    @property
    def available(self) -> int:
        return self.balance - self.reserved

    def hold(self, price: int, limits: CreditLimits) -> SkipReason | None:
        """Set `price` aside, or say why it does not fit. Nothing changes when it does not.

        Where it would fit but for what is set aside, that may come back: CREDITS_HELD.
        """
        if price > spendable(self, limits):
            fits = price <= spendable(replace(self, reserved=0), limits)
            return SkipReason.CREDITS_HELD if fits else SkipReason.INSUFFICIENT_CREDITS
        self.reserved += price
        return None


def spendable(purse: Purse, limits: CreditLimits) -> int:
    """Credits that may still be set aside: by the balance, the month's limit and the day's."""
    rooms = [purse.available]
    if limits.monthly is not None:
        rooms.append(limits.monthly - purse.used_in_month - purse.reserved)
    if limits.daily is not None:
        rooms.append(limits.daily - purse.used_in_day - purse.reserved)
    return max(min(rooms), 0)


def month_of(moment: datetime) -> str:
    """The calendar month a credit belongs to, in UTC: `2026-11`."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def day_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def month_bounds(moment: datetime) -> tuple[datetime, datetime]:
    """Start of the calendar month around `moment`, and of the next one, in UTC."""
    start = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, (start + timedelta(days=32)).replace(day=1)


def exhaustion(
    now: datetime, remaining: int, charges: Sequence[tuple[datetime, int]], *, window: timedelta
) -> datetime | None:
    """When `remaining` credits run out at the pace of the charges within the last `window`; None: never."""
    spent = sum(credits for moment, credits in charges if moment > now - window)
    if spent <= 0:
        return None
    if remaining <= 0:
        return now
    return now + window * (remaining / spent)
