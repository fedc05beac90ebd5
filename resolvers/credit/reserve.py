"""Set the price of calls aside before they are made, and write down that they will be: `models.credit.intent`.

The accounts are locked first, so that limits hold in any race.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from enrichment.credits import CreditLimits
from enrichment.enums import CreditKind, EntityType, JobTrigger
from enrichment.waterfall.skip_reason import SkipReason
from models.credit.account import AccountRow, save_accounts
from models.credit.budget import find_budgets, save_held
from models.credit.entry import EntryRow, insert_entries, provider_days, reserved_of_budgets
from models.credit.intent import IntentRow, write_intents
from models.db.columns import new_id
from models.db.transaction import Transaction
from resolvers.credit.account import lock_accounts, moment_in, purse_of

_LONGEST_RESERVED = timedelta(days=2)  # credits are set aside for hours at most


@dataclass(frozen=True, slots=True)
class Reservation:
    """A price (whole credits) to set aside before a call.

    `provider_daily_limit`: most credits a day for this provider; `budget_id`: the budget of the request that
    the job came from. `fence` is that of the job's lease, `input_key` the digest of the question, and the call is over
    after `call_seconds` in any case.
    """

    job_id: str
    record_id: str
    provider: str
    price: int
    entity_type: EntityType
    trigger: JobTrigger
    provider_daily_limit: int | None = None
    budget_id: str | None = None
    fence: int = 0
    input_key: str | None = None
    call_seconds: float = 0.0


@dataclass(slots=True)
class _Pot:
    """What has been spent of a limit, and what is reserved of it besides, in whole credits."""

    spent: int = 0
    reserved: int = 0
    most: int = 0

    def refusal(self, price: int, most: int, over: SkipReason) -> SkipReason | None:
        """Why `price` does not fit: `over`, or CREDITS_HELD where what is reserved may come back."""
        if self.spent + self.reserved + price <= most:
            return None
        return over if self.spent + price > most else SkipReason.CREDITS_HELD


@dataclass(frozen=True, slots=True)
class ReservationRequest:
    """A price to set aside, with the limits that its organization has set."""

    organization_id: str
    reservation: Reservation
    limits: CreditLimits


async def reserve(
    tx: Transaction,
    organization_id: str,
    reservations: Sequence[Reservation],
    *,
    limits: CreditLimits,
    now: datetime,
    monthly_grant: int,
) -> list[str | SkipReason]:
    """As `reserve_all`, for one organization."""
    requests = [ReservationRequest(organization_id, wanted, limits) for wanted in reservations]
    return await reserve_all(tx, requests, now=now, monthly_grant=monthly_grant)


async def reserve_all(
    tx: Transaction, requests: Sequence[ReservationRequest], *, now: datetime, monthly_grant: int
) -> list[str | SkipReason]:
    """Set aside the price of each call, in order. For each: the reservation's id, or why it does not fit."""
    accounts = await lock_accounts(tx, {request.organization_id for request in requests}, now, monthly_grant)
    by_organization: dict[str, list[int]] = {}
    for index, request in enumerate(requests):
        by_organization.setdefault(request.organization_id, []).append(index)
    results: dict[int, str | SkipReason] = {}
    entries: list[EntryRow] = []
    for organization_id, indexes in by_organization.items():
        account = accounts[organization_id]
        mine = [requests[index] for index in indexes]
        reserved, added, left = await _reserve(tx, account, mine, moment_in(account, now))
        accounts[organization_id] = left
        results.update(zip(indexes, reserved, strict=True))
        entries += added
    await insert_entries(tx, entries)
    calls = [(request.reservation, results[index]) for index, request in enumerate(requests)]
    ids = {id_: wanted for wanted, id_ in calls if not isinstance(id_, SkipReason)}
    await write_intents(tx, [_intent(entry, ids[entry.id]) for entry in entries])
    await save_accounts(tx, list(accounts.values()))
    return [results[index] for index in range(len(requests))]


async def _reserve(
    tx: Transaction, account: AccountRow, requests: Sequence[ReservationRequest], now: datetime
) -> tuple[list[str | SkipReason], list[EntryRow], AccountRow]:
    """The results for one organization, the lines to add, and its account then."""
    organization_id = account.organization_id
    reservations = [request.reservation for request in requests]
    by_provider = await _spent_today(tx, organization_id, reservations, now)
    budgets = await _budgets(tx, organization_id, reservations, now)
    purse = purse_of(account)
    results: list[str | SkipReason] = []
    entries: list[EntryRow] = []
    for request in requests:
        wanted = request.reservation
        today = by_provider.setdefault(wanted.provider, _Pot())
        refusal = _over_daily_limit(wanted, today) or _over_budget(wanted, budgets)
        refusal = refusal or purse.hold(wanted.price, request.limits)
        if refusal is not None:
            results.append(refusal)
            continue
        today.reserved += wanted.price
        if wanted.budget_id is not None:
            budgets[wanted.budget_id].reserved += wanted.price
        entries.append(_entry(organization_id, wanted, now))
        results.append(entries[-1].id)
    await save_held(tx, organization_id, {id_: budget.spent + budget.reserved for id_, budget in budgets.items()})
    return results, entries, replace(account, reserved=purse.reserved)


async def _spent_today(
    tx: Transaction, organization_id: str, reservations: Sequence[Reservation], now: datetime
) -> dict[str, _Pot]:
    """What was spent and reserved today of each provider that has a daily limit."""
    limited = sorted({wanted.provider for wanted in reservations if wanted.provider_daily_limit is not None})
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = await provider_days(tx, organization_id, limited, midnight)
    return {provider: _Pot(day.spent, day.reserved) for provider, day in days.items()}


async def _budgets(
    tx: Transaction, organization_id: str, reservations: Sequence[Reservation], now: datetime
) -> dict[str, _Pot]:
    """The budgets that these reservations draw on. The account's lock covers them: nobody else changes them now.

    What is reserved of a budget and may come back is only read where not all of the reservations may fit.
    """
    ids = sorted({wanted.budget_id for wanted in reservations if wanted.budget_id is not None})
    found = await find_budgets(tx, organization_id, ids)
    dearest = max((wanted.price for wanted in reservations), default=0)
    short = [budget.id for budget in found if budget.held + dearest * len(reservations) > budget.most]
    reserved = await reserved_of_budgets(tx, organization_id, short, now - _LONGEST_RESERVED)
    return {
        budget.id: _Pot(budget.held - reserved.get(budget.id, 0), reserved.get(budget.id, 0), most=budget.most)
        for budget in found
    }


def _over_daily_limit(wanted: Reservation, today: _Pot) -> SkipReason | None:
    limit = wanted.provider_daily_limit
    return None if limit is None else today.refusal(wanted.price, limit, SkipReason.PROVIDER_DAILY_LIMIT)


def _over_budget(wanted: Reservation, budgets: Mapping[str, _Pot]) -> SkipReason | None:
    if wanted.budget_id is None:
        return None
    budget = budgets.get(wanted.budget_id)
    return SkipReason.BUDGET if budget is None else budget.refusal(wanted.price, budget.most, SkipReason.BUDGET)


def _entry(organization_id: str, wanted: Reservation, now: datetime) -> EntryRow:
    return EntryRow(
        id=new_id(),
        organization_id=organization_id,
        kind=CreditKind.RESERVATION,
        amount=0,
        reserved_change=wanted.price,
        job_id=wanted.job_id,
        record_id=wanted.record_id,
        provider=wanted.provider,
        entity_type=wanted.entity_type,
        trigger=wanted.trigger,
        created_at=now,
    )


def _intent(entry: EntryRow, wanted: Reservation) -> IntentRow:
    """What is written down of the call that this reservation is for."""
    return IntentRow(
        id=entry.id,
        organization_id=entry.organization_id,
        job_id=wanted.job_id,
        fence=wanted.fence,
        record_id=wanted.record_id,
        provider=wanted.provider,
        entity_type=wanted.entity_type,
        trigger=wanted.trigger,
        credits=wanted.price,
        input_key=wanted.input_key,
        reserved_at=entry.created_at,
        ends_by=entry.created_at + timedelta(seconds=wanted.call_seconds),
    )
