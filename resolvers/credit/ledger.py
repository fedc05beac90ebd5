"""The statements that move credits. Each locks the account first, so however many race, limits hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from enrichment.credits import Limits, Purse, day_of, month_of
from enrichment.enums import CreditKind, EntityType, JobTrigger
from enrichment.waterfall.planner import SkipReason
from models.db.columns import new_id, to_micros
from models.db.statements import execute, insert_rows, marks, query
from models.db.transaction import Transaction, unit_of_work

# Notes of releases: what the provider may have counted, or did, though nothing is charged for it here.
MAYBE_CHARGED = "the provider may have charged it"
WRONG_ENTITY = "answered about somebody else"

_ENTRY = {
    "id": "text",
    "organization_id": "text",
    "kind": "text",
    "amount": "integer",
    "reserved_change": "integer",
    "job_id": "text",
    "record_id": "text",
    "provider": "text",
    "entity_type": "text",
    "trigger_kind": "text",
    "settles": "text",
    "note": "text",
    "actor": "text",
    "idempotency_key": "text",
    "created_at": "integer",
}


_LONGEST_HELD = timedelta(days=2)  # credits are set aside for hours at most


@dataclass(frozen=True, slots=True)
class Reservation:
    """A price to set aside before a call.

    `provider_daily_limit`: most credits a day for this provider; `budget_id`: the budget of the request that
    the job came from.
    """

    job_id: str
    record_id: str
    provider: str
    price: int
    entity_type: EntityType
    trigger: JobTrigger
    provider_daily_limit: int | None = None
    budget_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of a reservation: charged for a match, released otherwise.

    `credits` is what the match costs where that may be less than was set aside; None: all of it. `note` says with its
    line what is not plain: a charge without a match, or a release of what the provider may have counted.
    """

    reservation_id: str
    charge: bool
    credits: int | None = None
    note: str | None = None


async def insert_entries(tx: Transaction, entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Append lines; those that a unique index knows already are left out. Returns the ones appended."""
    then = "ON CONFLICT DO NOTHING RETURNING id, kind, amount, reserved_change, settles, job_id, provider"
    return await insert_rows(tx, "credit_entry", _ENTRY, entries, then=then)


async def lock_account(tx: Transaction, organization_id: str, now: datetime, monthly_grant: int) -> dict[str, Any]:
    """The organization's account, locked until the transaction ends, brought to the month and day of `now`.

    On the first use in a month what is left of the old month's grant ends, and the new one is granted. What
    is reserved at that moment stays, so that calls in flight can be charged.
    """
    account = await _touch(tx, organization_id)
    if account is None:
        await execute(
            "INSERT INTO credit_account (organization_id) VALUES (?) ON CONFLICT DO NOTHING",
            [organization_id],
            using=tx,
        )
        account = await _touch(tx, organization_id)
    assert account is not None  # inserted above, or by another who then committed
    if account["month"] != month_of(now):
        await _begin_month(tx, account, now, monthly_grant)
    if account["day"] != day_of(now):
        account["day"], account["used_in_day"] = day_of(now), 0
    return account


async def _touch(tx: Transaction, organization_id: str) -> dict[str, Any] | None:
    found = await query(
        "UPDATE credit_account SET balance = balance WHERE organization_id = ? RETURNING *",
        [organization_id],
        using=tx,
    )
    return found[0] if found else None


async def _begin_month(tx: Transaction, account: dict[str, Any], now: datetime, monthly_grant: int) -> None:
    base = {"organization_id": account["organization_id"], "created_at": to_micros(now)}
    unused = max(min(account["monthly_balance"], account["balance"] - account["reserved"]), 0)
    entries: list[dict[str, Any]] = []
    if unused:
        note = f"unused credits of {account['month']}"
        entries.append(base | {"id": new_id(), "kind": CreditKind.EXPIRY, "amount": -unused, "note": note})
    if monthly_grant:
        note = f"grant of {month_of(now)}"
        entries.append(base | {"id": new_id(), "kind": CreditKind.GRANT, "amount": monthly_grant, "note": note})
    await insert_entries(tx, [{"reserved_change": 0} | entry for entry in entries])
    account["balance"] += monthly_grant - unused
    account["monthly_balance"] += monthly_grant - unused
    account["month"], account["used_in_month"] = month_of(now), 0


async def save_account(tx: Transaction, account: dict[str, Any]) -> None:
    await execute(
        "UPDATE credit_account SET balance = ?, monthly_balance = ?, reserved = ?, month = ?, used_in_month = ?,"
        " day = ?, used_in_day = ? WHERE organization_id = ?",
        [
            account["balance"],
            account["monthly_balance"],
            account["reserved"],
            account["month"],
            account["used_in_month"],
            account["day"],
            account["used_in_day"],
            account["organization_id"],
        ],
        using=tx,
    )


@dataclass(slots=True)
class _Pot:
    """What has been spent of a limit, and what is set aside of it besides, in whole credits."""

    spent: int = 0
    held: int = 0
    most: int = 0

    def refusal(self, price: int, most: int, over: SkipReason) -> SkipReason | None:
        """Why `price` does not fit: `over`, or CREDITS_HELD where what is set aside may come back."""
        if self.spent + self.held + price <= most:
            return None
        return over if self.spent + price > most else SkipReason.CREDITS_HELD


async def _spent_today(
    tx: Transaction, organization_id: str, providers: Sequence[str], now: datetime
) -> dict[str, _Pot]:
    """Credits charged today, and those set aside and not yet settled, by provider."""
    start = to_micros(now.replace(hour=0, minute=0, second=0, microsecond=0))
    found = await query(
        "SELECT provider, SUM(CASE WHEN kind = 'charge' THEN -amount ELSE 0 END) AS spent,"
        " SUM(reserved_change) AS held"
        f" FROM credit_entry WHERE organization_id = ? AND created_at >= ? AND provider IN ({marks(providers)})"
        " GROUP BY provider",
        [organization_id, start, *providers],
        using=tx,
    )
    return {row["provider"]: _Pot(int(row["spent"] or 0), int(row["held"] or 0)) for row in found}


async def reserve(
    organization_id: str, holds: Sequence[Reservation], *, limits: Limits, now: datetime, monthly_grant: int
) -> list[str | SkipReason]:
    """Set aside the price of each call, in order. For each: the reservation's id, or why it does not fit."""

    async def body(tx: Transaction) -> list[str | SkipReason]:
        account = await lock_account(tx, organization_id, now, monthly_grant)
        limited = sorted({hold.provider for hold in holds if hold.provider_daily_limit is not None})
        spent = await _spent_today(tx, organization_id, limited, now) if limited else {}
        budgets = await _lock_budgets(tx, organization_id, holds, now)
        purse = Purse(account["balance"], account["reserved"], account["used_in_month"], account["used_in_day"])
        results: list[str | SkipReason] = []
        entries: list[dict[str, Any]] = []
        for hold in holds:
            today = spent.setdefault(hold.provider, _Pot())
            refusal = _over_daily_limit(hold, today) or _over_budget(hold, budgets) or purse.hold(hold.price, limits)
            if refusal is not None:
                results.append(refusal)
                continue
            today.held += hold.price
            if hold.budget_id is not None:
                budgets[hold.budget_id].held += hold.price
            entries.append(_reservation(organization_id, hold, now))
            results.append(entries[-1]["id"])
        account["reserved"] = purse.reserved
        await insert_entries(tx, entries)
        for budget_id, budget in budgets.items():
            held = budget.spent + budget.held
            await execute("UPDATE credit_budget SET held = ? WHERE id = ?", [held, budget_id], using=tx)
        await save_account(tx, account)
        return results

    return await unit_of_work(body)()


async def _lock_budgets(
    tx: Transaction, organization_id: str, holds: Sequence[Reservation], now: datetime
) -> dict[str, _Pot]:
    """The budgets that these holds draw on. The account's lock covers them: nobody else changes them now."""
    ids = sorted({hold.budget_id for hold in holds if hold.budget_id is not None})
    if not ids:
        return {}
    sql = f"SELECT id, most, held FROM credit_budget WHERE organization_id = ? AND id IN ({marks(ids)})"
    found = await query(sql, [organization_id, *ids], using=tx)
    dearest = max(hold.price for hold in holds)
    short = [row["id"] for row in found if row["held"] + dearest * len(holds) > row["most"]]
    held = await _held_of_budgets(tx, organization_id, short, now) if short else {}
    return {
        row["id"]: _Pot(row["held"] - held.get(row["id"], 0), held.get(row["id"], 0), most=row["most"]) for row in found
    }


async def _held_of_budgets(
    tx: Transaction, organization_id: str, budget_ids: Sequence[str], now: datetime
) -> dict[str, int]:
    """Credits set aside of these budgets for calls that have not ended, by budget."""
    found = await query(
        "SELECT j.budget_id, SUM(r.reserved_change) AS held FROM credit_entry r JOIN job j ON j.id = r.job_id"
        " WHERE r.organization_id = ? AND r.kind = 'reservation' AND r.created_at >= ?"
        " AND NOT EXISTS (SELECT 1 FROM credit_entry s WHERE s.settles = r.id)"
        f" AND j.budget_id IN ({marks(budget_ids)}) GROUP BY j.budget_id",
        [organization_id, to_micros(now - _LONGEST_HELD), *budget_ids],
        using=tx,
    )
    return {row["budget_id"]: int(row["held"]) for row in found}


def _over_daily_limit(hold: Reservation, today: _Pot) -> SkipReason | None:
    limit = hold.provider_daily_limit
    return None if limit is None else today.refusal(hold.price, limit, SkipReason.PROVIDER_DAILY_LIMIT)


def _over_budget(hold: Reservation, budgets: dict[str, _Pot]) -> SkipReason | None:
    if hold.budget_id is None:
        return None
    budget = budgets.get(hold.budget_id)
    return SkipReason.BUDGET if budget is None else budget.refusal(hold.price, budget.most, SkipReason.BUDGET)


def _reservation(organization_id: str, hold: Reservation, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "organization_id": organization_id,
        "kind": CreditKind.RESERVATION,
        "amount": 0,
        "reserved_change": hold.price,
        "job_id": hold.job_id,
        "record_id": hold.record_id,
        "provider": hold.provider,
        "entity_type": hold.entity_type,
        "trigger_kind": hold.trigger,
        "created_at": to_micros(now),
    }


async def settle(
    tx: Transaction,
    organization_id: str,
    settlements: Sequence[Settlement],
    *,
    now: datetime,
    monthly_grant: int,
) -> dict[str, int]:
    """Charge or release reservations, each once however often it is asked for.

    A charge is never more than was set aside; what it leaves of that is released. A charge that the job has paid
    this provider already becomes a release. Returns the credits charged, by reservation; a reservation that was
    settled before is not in it.
    """
    if not settlements:
        return {}
    account = await lock_account(tx, organization_id, now, monthly_grant)
    wanted = {settlement.reservation_id: settlement for settlement in settlements}
    held = await query(
        "SELECT * FROM credit_entry WHERE organization_id = ? AND kind = 'reservation'"
        f" AND id IN ({marks(list(wanted))})",
        [organization_id, *wanted],
        using=tx,
    )
    costs = {entry["id"]: _cost(entry, wanted[entry["id"]]) for entry in held}
    held = [entry | {"note": wanted[entry["id"]].note} for entry in held]
    charges = [_charge(entry, costs[entry["id"]], now) for entry in held if costs[entry["id"]]]
    settled = await insert_entries(tx, charges)
    charged = {entry["settles"]: entry for entry in settled}
    settled += await insert_entries(tx, [_release(entry, now) for entry in held if entry["id"] not in charged])
    rests = [_rest(entry, charged[entry["id"]], now) for entry in held if entry["id"] in charged]
    done = settled + await insert_entries(tx, [rest for rest in rests if rest["reserved_change"]])
    await _give_budgets_back(tx, [entry for entry in done if entry["kind"] == CreditKind.RELEASE])
    _apply(account, done)
    await save_account(tx, account)
    return {entry["settles"]: -entry["amount"] for entry in settled}


async def _give_budgets_back(tx: Transaction, releases: Sequence[dict[str, Any]]) -> None:
    for entry in releases:
        await execute(
            "UPDATE credit_budget SET held = held + ? WHERE id IN (SELECT budget_id FROM job WHERE id = ?)",
            [entry["reserved_change"], entry["job_id"]],
            using=tx,
        )


def _cost(reservation: dict[str, Any], settlement: Settlement) -> int:
    """The credits to charge; 0 for a release."""
    if not settlement.charge:
        return 0
    held: int = reservation["reserved_change"]
    return held if settlement.credits is None else min(settlement.credits, held)


def _charge(reservation: dict[str, Any], cost: int, now: datetime) -> dict[str, Any]:
    end = {"kind": CreditKind.CHARGE, "amount": -cost, "reserved_change": -cost}
    return reservation | end | {"id": new_id(), "settles": reservation["id"], "created_at": to_micros(now)}


def _release(reservation: dict[str, Any], now: datetime) -> dict[str, Any]:
    end = {"kind": CreditKind.RELEASE, "amount": 0, "reserved_change": -reservation["reserved_change"]}
    return reservation | end | {"id": new_id(), "settles": reservation["id"], "created_at": to_micros(now)}


def _rest(reservation: dict[str, Any], charge: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The release of what a charge leaves of its reservation: it settles the charge, which settled the rest."""
    left = reservation["reserved_change"] + charge["reserved_change"]
    end = {"kind": CreditKind.RELEASE, "amount": 0, "reserved_change": -left}
    return reservation | end | {"id": new_id(), "settles": charge["id"], "created_at": to_micros(now)}


async def charges(job_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """The credits that each of these jobs has been charged, by provider."""
    found: dict[str, dict[str, int]] = {}
    if job_ids:
        sql = (
            f"SELECT job_id, provider, amount FROM credit_entry WHERE kind = 'charge' AND job_id IN ({marks(job_ids)})"
        )
        for row in await query(sql, list(job_ids)):
            found.setdefault(row["job_id"], {})[row["provider"]] = -row["amount"]  # a job pays a provider once
    return found


def _apply(account: dict[str, Any], entries: Sequence[dict[str, Any]]) -> None:
    for entry in entries:
        spent = -entry["amount"]
        account["balance"] -= spent
        account["monthly_balance"] = max(min(account["monthly_balance"] - spent, account["balance"]), 0)
        account["reserved"] += entry["reserved_change"]
        account["used_in_month"] += spent
        account["used_in_day"] += spent


async def charged_to(job_id: str, provider: str) -> int:
    """The credits that a job has paid this provider."""
    sql = "SELECT -amount AS paid FROM credit_entry WHERE job_id = ? AND provider = ? AND kind = 'charge'"
    found = await query(sql, [job_id, provider])
    return int(found[0]["paid"]) if found else 0


async def open_reservations(tx: Transaction, job_ids: Sequence[str], *, awaited: bool = False) -> list[dict[str, Any]]:
    """Reservations of these jobs that nobody settled: `id` and `organization_id`.

    Without `awaited` those that a pending answer needs are left out.
    """
    if not job_ids:
        return []
    needed = " AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.reservation_id = r.id AND a.state = 'pending')"
    return await query(
        "SELECT r.id, r.organization_id FROM credit_entry r WHERE r.kind = 'reservation'"
        f" AND r.job_id IN ({marks(job_ids)}) AND NOT EXISTS (SELECT 1 FROM credit_entry s WHERE s.settles = r.id)"
        f"{'' if awaited else needed}",
        list(job_ids),
        using=tx,
    )


async def release_open(
    tx: Transaction, job_ids: Sequence[str], *, now: datetime, monthly_grant: int, awaited: bool = False
) -> int:
    """Give back what these jobs still hold, of calls whose end nobody will see. Returns how many reservations.

    With `awaited` also what is held for answers that are still to come.
    """
    held: dict[str, list[Settlement]] = {}
    for row in await open_reservations(tx, job_ids, awaited=awaited):
        held.setdefault(row["organization_id"], []).append(Settlement(row["id"], charge=False))
    for organization_id, settlements in sorted(held.items()):
        await settle(tx, organization_id, settlements, now=now, monthly_grant=monthly_grant)
    return sum(map(len, held.values()))
