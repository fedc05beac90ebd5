"""Credits: what there is, what was spent on what, and grants."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from enrichment.credits import Limits, Purse, day_of, exhaustion, month_bounds, month_of, spendable
from enrichment.enums import CreditKind
from models.credit import CreditEntry
from models.db.columns import from_micros, new_id, to_micros
from models.db.statements import query
from models.db.transaction import Transaction, unit_of_work
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.credit.ledger import MAYBE_CHARGED, WRONG_ENTITY, insert_entries, lock_account, save_account
from resolvers.errors import BadRequest, Fault, ValidationFailed
from resolvers.job.requeue_short_of_credits import restore_jobs
from resolvers.organizations import config_of, organization_of
from resolvers.paging import Page, PageArgs, paginate
from resolvers.validation import check_text

MOST_GRANTED = 1_000_000_000  # with as much of a month's own, a balance fits the Int of GraphQL
MAX_KEY = 255
MAX_NOTE = 1000
PACE_WINDOW = timedelta(days=7)
_DAY_MICROS = 86_400_000_000


@dataclass(frozen=True, slots=True)
class UsageSlice:
    """Credits charged, and how often, for one provider, entity type or trigger (`key`)."""

    key: str
    credits: int
    charges: int


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """Credits charged on one day (UTC)."""

    day: date
    credits: int
    charges: int


@dataclass(frozen=True, slots=True)
class CreditUsage:
    """The account as it is now, and what a period cost. Whole credits.

    `balance` is the sum of the ledger, `reserved` what calls in flight hold of it; `remaining` is what may
    still be spent, limits included. `used`, `granted`, `wasted` (charged without a value written) and the
    breakdowns are of the period. `maybe_charged` are credits by provider that were given back, for calls without a
    usable answer that the provider may have counted all the same: its own count is at most that much higher.
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


async def get_credits(ctx: Context, start: datetime | None = None, end: datetime | None = None) -> CreditUsage:
    """Credits now, and their use from `start` (inclusive) to `end` (exclusive); by default this calendar month."""
    caller = ctx.require(Role.VIEWER)
    services = ctx.services
    now = services.now()
    organization_id = caller.organization_id
    month_start, month_end = month_bounds(now)
    period_start, period_end = start or month_start, end or month_end
    if period_start >= period_end:
        raise BadRequest("from must be before to", faults=[Fault("from", "must be before to")])
    config = config_of(await organization_of(organization_id, services.registry, now))

    account = await account_of(organization_id, now, services.monthly_credit_grant)
    purse = Purse(account["balance"], account["reserved"], account["used_in_month"], account["used_in_day"])
    remaining = spendable(purse, Limits(config.credits.monthly_limit, config.credits.daily_limit))
    bounds = (organization_id, to_micros(period_start), to_micros(period_end))
    by_day = await _by_day(bounds)
    return CreditUsage(
        balance=purse.balance,
        reserved=purse.reserved,
        used=sum(day.credits for day in by_day),
        granted=await _granted(bounds),
        monthly_limit=config.credits.monthly_limit,
        remaining=remaining,
        period_start=period_start,
        period_end=period_end,
        by_provider=await _slices("provider", bounds),
        by_entity_type=await _slices("entity_type", bounds),
        by_trigger=await _slices("trigger_kind", bounds),
        by_day=by_day,
        projected_exhaustion_at=await _projection(organization_id, now, remaining),
        wasted=await _wasted(bounds),
        maybe_charged=await _maybe_charged(bounds),
    )


async def account_of(organization_id: str, now: datetime, monthly_grant: int) -> dict[str, int]:
    """The account of this month, which its first reader begins."""
    found = await query(
        "SELECT * FROM credit_account WHERE organization_id = ? AND month = ?", [organization_id, month_of(now)]
    )
    if found:
        return found[0] | ({} if found[0]["day"] == day_of(now) else {"used_in_day": 0})

    async def begin(tx: Transaction) -> dict[str, int]:
        account = await lock_account(tx, organization_id, now, monthly_grant)
        await save_account(tx, account)
        return account

    return await unit_of_work(begin)()


_IN_PERIOD = "organization_id = ? AND created_at >= ? AND created_at < ?"
_Bounds = tuple[str, int, int]


async def _slices(column: str, bounds: _Bounds) -> list[UsageSlice]:
    found = await query(
        f"SELECT {column} AS slice, SUM(-amount) AS credits, COUNT(*) AS charges FROM credit_entry"
        f" WHERE {_IN_PERIOD} AND kind = 'charge' GROUP BY {column} ORDER BY 2 DESC, 1",
        bounds,
    )
    return [UsageSlice(row["slice"], int(row["credits"]), int(row["charges"])) for row in found]


async def _by_day(bounds: _Bounds) -> list[DailyUsage]:
    found = await query(
        f"SELECT created_at / {_DAY_MICROS} AS day, SUM(-amount) AS credits, COUNT(*) AS charges FROM credit_entry"
        f" WHERE {_IN_PERIOD} AND kind = 'charge' GROUP BY 1 ORDER BY 1",
        bounds,
    )
    return [
        DailyUsage(from_micros(row["day"] * _DAY_MICROS).date(), int(row["credits"]), int(row["charges"]))
        for row in found
    ]


async def _granted(bounds: _Bounds) -> int:
    found = await query(
        f"SELECT SUM(amount) AS credits FROM credit_entry WHERE {_IN_PERIOD} AND kind = 'grant'", bounds
    )
    return int(found[0]["credits"] or 0)


async def _wasted(bounds: _Bounds) -> int:
    found = await query(
        f"SELECT SUM(-amount) AS credits FROM credit_entry WHERE {_IN_PERIOD} AND kind = 'charge'"
        " AND NOT EXISTS (SELECT 1 FROM field_value f WHERE f.job_id = credit_entry.job_id"
        " AND f.source = credit_entry.provider)",
        bounds,
    )
    return int(found[0]["credits"] or 0)


async def _maybe_charged(bounds: _Bounds) -> list[UsageSlice]:
    found = await query(
        "SELECT provider AS slice, SUM(-reserved_change) AS credits, COUNT(*) AS calls FROM credit_entry"
        f" WHERE {_IN_PERIOD} AND kind = 'release' AND note IN (?, ?) GROUP BY provider ORDER BY 2 DESC, 1",
        [*bounds, MAYBE_CHARGED, WRONG_ENTITY],
    )
    return [UsageSlice(row["slice"], int(row["credits"]), int(row["calls"])) for row in found]


async def _projection(organization_id: str, now: datetime, remaining: int) -> datetime | None:
    start = now - PACE_WINDOW
    recent = await _by_day((organization_id, to_micros(start), to_micros(now) + 1))
    charges = [(datetime.combine(day.day, datetime.max.time(), UTC), day.credits) for day in recent]
    return exhaustion(now, remaining, charges, window=PACE_WINDOW)


async def list_credit_entries(ctx: Context, page: PageArgs) -> Page[CreditEntry]:
    """The ledger, newest line first."""
    caller = ctx.require(Role.VIEWER)
    return await paginate(CreditEntry.filter(organization_id=caller.organization_id), page)


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
    entry: dict[str, Any] = {
        "id": new_id(),
        "organization_id": caller.organization_id,
        "kind": CreditKind.GRANT,
        "amount": amount,
        "reserved_change": 0,
        "note": note,
        "actor": caller.user,
        "idempotency_key": idempotency_key,
        "created_at": to_micros(now),
    }

    async def body(tx: Transaction) -> bool:
        account = await lock_account(tx, caller.organization_id, now, services.monthly_credit_grant)
        added = await insert_entries(tx, [entry])
        if added:
            account["balance"] += amount
            if account["balance"] - account["monthly_balance"] > MOST_GRANTED:
                told = f"more than {MOST_GRANTED} granted credits would be left"
                raise ValidationFailed("the grant is not valid", faults=[Fault("amount", told)])
        await save_account(tx, account)
        if added:
            await note_change(tx, ctx, "credits.granted", entry["id"], {"amount": amount})
        return bool(added)

    if await unit_of_work(body)():
        await restore_jobs(services, caller.organization_id)
    else:
        await _require_same_grant(caller.organization_id, idempotency_key, amount)
    return await get_credits(ctx)


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
    first = await CreditEntry.get(organization_id=organization_id, idempotency_key=key)
    if first.amount != amount:
        raise ValidationFailed(
            f"this key was used for a grant of {first.amount}",
            faults=[Fault("idempotencyKey", f"was used for a grant of {first.amount}")],
        )
