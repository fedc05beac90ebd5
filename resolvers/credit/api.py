"""Credits: what there is, what was spent on what, and grants."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from enrichment.credits import exhaustion, month_bounds
from enrichment.enums import CreditKind
from models.credit import usage
from models.credit.account import save_accounts
from models.credit.entry import EntryRow, entry_of_key, entry_page, insert_entries
from models.credit.usage import DailyUsage, StatedUsage, UsageSlice
from models.db.columns import new_id
from models.db.period import Period
from models.db.printed import Printed
from models.db.transaction import Transaction, unit_of_work
from models.db.wanted import EVERYTHING, Wanted
from models.event.kinds import EventKind
from models.event.write import NewEvent, add_events
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.credit.account import account_of, lock_account, remaining_of
from resolvers.credit.maybe_charged import MAYBE, MaybeChargedCall, calls_of
from resolvers.errors import BadRequest, Fault, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.job.requeue_short_of_credits import restore_jobs
from resolvers.organizations import config_of, organization_of
from resolvers.paging import Page, PageArgs
from resolvers.validation import check_text

MOST_GRANTED = 1_000_000_000  # with as much of a month's own, a balance fits the Int of GraphQL
MAX_KEY = 255
MAX_NOTE = 1000
PACE_WINDOW = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CreditUsage:
    """The account as it is now, and what a period cost. Whole credits.

    `balance` is the sum of the ledger, `reserved` what calls in flight hold of it; `remaining` is what may
    still be spent, limits included. `used`, `granted`, `wasted` (charged without a value written) and the
    breakdowns are of the period. `maybe_charged` are credits by provider that were given back, for calls without a
    usable answer that the provider may have counted all the same: its own count is at most that much higher;
    `maybe_charged_calls` are the newest of these calls. `stated` is what providers say that the period's calls
    consumed, beside what was charged for them.
    """

    balance: int
    reserved: int
    used: int
    granted: int
    monthly_limit: int | None
    remaining: int
    period_start: datetime
    period_end: datetime
    by_provider: list[UsageSlice]
    by_entity_type: list[UsageSlice]
    by_trigger: list[UsageSlice]
    by_day: list[DailyUsage]
    projected_exhaustion_at: datetime | None
    wasted: int
    maybe_charged: list[UsageSlice]
    maybe_charged_calls: list[MaybeChargedCall]
    stated: list[StatedUsage]


async def get_credits(ctx: Context, start: datetime | None = None, end: datetime | None = None) -> CreditUsage:
    """Credits now, and their use from `start` (inclusive) to `end` (exclusive), by default this calendar month.

    Where one of them lies beyond this month, the other is by default the bound of the month in which that lies.
    """
    caller = ctx.require(Role.VIEWER)
    services = ctx.services
    now = services.now()
    organization_id = caller.organization_id
    period_start, period_end = _period(now, start, end)
    if period_start >= period_end:
        raise BadRequest("from must be before to", faults=[Fault("from", "must be before to")])
    config = config_of(await organization_of(organization_id, services.registry, now))

    account = await account_of(organization_id, now, services.monthly_credit_grant)
    remaining = remaining_of(account, config)
    period = Period(organization_id, period_start, period_end)
    by_day = await usage.charged_by_day(period)
    return CreditUsage(
        balance=account.balance,
        reserved=account.reserved,
        used=sum(day.credits for day in by_day),
        granted=await usage.granted(period),
        monthly_limit=config.credits.monthly_limit,
        remaining=remaining,
        period_start=period_start,
        period_end=period_end,
        by_provider=await usage.charged_by("provider", period),
        by_entity_type=await usage.charged_by("entity_type", period),
        by_trigger=await usage.charged_by("trigger_kind", period),
        by_day=by_day,
        projected_exhaustion_at=await _projection(organization_id, now, remaining),
        wasted=await usage.charged_for_nothing(period),
        maybe_charged=await usage.released_with(MAYBE, period),
        maybe_charged_calls=await calls_of(period),
        stated=await usage.stated_by_provider(period),
    )


def _period(now: datetime, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    month_start, month_end = month_bounds(now)
    if start is not None and start >= month_end:
        month_end = month_bounds(start)[1]
    if end is not None and end <= month_start:
        month_start = month_bounds(end - timedelta(microseconds=1))[0]
    return start or month_start, end or month_end


async def _projection(organization_id: str, now: datetime, remaining: int) -> datetime | None:
    recent = Period(organization_id, now - PACE_WINDOW, now + timedelta(microseconds=1))
    charges = [
        (datetime.combine(day.day, datetime.max.time(), UTC), day.credits) for day in await usage.charged_by_day(recent)
    ]
    return exhaustion(now, remaining, charges, window=PACE_WINDOW)


async def list_credit_entries(ctx: Context, page: PageArgs, shown: Wanted | Printed = EVERYTHING) -> Page[EntryRow]:
    """What is to be shown of the ledger, newest line first."""
    caller = ctx.require(Role.VIEWER)
    return await entry_page(caller.organization_id, page.keyset("creditEntries"), shown)


async def grant_credits(ctx: Context, *, amount: int, note: str | None, idempotency_key: str) -> CreditUsage:
    """Add credits that stay until they are spent, and run again the jobs that ended for want of them.

    The same idempotency key again grants nothing more. Raises ValidationFailed for an amount that is not 1 to
    1,000,000,000, or that takes what was granted and is left over that, and for a key that was used for another amount.
    """
    caller = ctx.require(Role.ADMIN)
    services = ctx.services
    now = services.now()
    faults = _grant_faults(amount, note, idempotency_key)
    if faults:
        raise ValidationFailed("the grant is not valid", faults=faults)
    await organization_of(caller.organization_id, services.registry, now)
    entry = EntryRow(
        id=new_id(),
        organization_id=caller.organization_id,
        kind=CreditKind.GRANT,
        amount=amount,
        note=note,
        actor=caller.user,
        idempotency_key=idempotency_key,
        created_at=now,
    )
    if await _grant(ctx, entry):
        await announce(services.redis, caller.organization_id, log=True)
        await restore_jobs(services, caller.organization_id)
    else:
        await _require_same_grant(caller.organization_id, idempotency_key, amount)
    return await get_credits(ctx)


@unit_of_work
async def _grant(tx: Transaction, ctx: Context, entry: EntryRow) -> bool:
    """Add the grant, unless its idempotency key was used before. Returns whether it was added."""
    services = ctx.services
    account = await lock_account(tx, entry.organization_id, entry.created_at, services.monthly_credit_grant)
    added = bool(await insert_entries(tx, [entry]))
    if added:
        account = replace(account, balance=account.balance + entry.amount)
        if account.balance - account.monthly_balance > MOST_GRANTED:
            message = f"more than {MOST_GRANTED} granted credits would be left"
            raise ValidationFailed("the grant is not valid", faults=[Fault("amount", message)])
    await save_accounts(tx, [account])
    if added:
        granted = NewEvent(
            entry.organization_id, entry.created_at, EventKind.CREDITS_GRANTED, data={"credits": entry.amount}
        )
        await add_events(tx, [granted])
        await note_change(tx, ctx, "credits.granted", entry.id, {"amount": entry.amount})
    return added


def _grant_faults(amount: int, note: str | None, key: str) -> list[Fault]:
    faults: list[Fault] = []
    if not 1 <= amount <= MOST_GRANTED:
        faults.append(Fault("amount", f"must be 1 to {MOST_GRANTED}"))
    try:
        check_text(note or "", "note", longest=MAX_NOTE)
    except ValidationFailed as error:
        faults += error.faults
    if not key.strip() or len(key) > MAX_KEY or not key.isprintable():
        faults.append(Fault("idempotencyKey", f"must be a text of 1 to {MAX_KEY} printable characters"))
    return faults


async def _require_same_grant(organization_id: str, key: str, amount: int) -> None:
    first = await entry_of_key(organization_id, key)
    if first is not None and first.amount != amount:
        raise ValidationFailed(
            f"this key was used for a grant of {first.amount}",
            faults=[Fault("idempotencyKey", f"was used for a grant of {first.amount}")],
        )
