"""The account of an organization in the month and day at hand, and what may be spent of it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from enrichment.config import Config
from enrichment.credits import CreditLimits, Purse, day_of, month_of, spendable
from enrichment.enums import CreditKind
from models.credit import account as account_rows
from models.credit.account import AccountRow, find_account, save_accounts
from models.credit.entry import EntryRow, insert_entries
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.event.kinds import EventKind
from models.event.write import NewEvent, add_events


async def account_of(organization_id: str, now: datetime, monthly_grant: int) -> AccountRow:
    """The account in the month and day of `now`. Its first reader in a month begins that month."""
    account = await find_account(organization_id)
    if account is not None and account.month >= month_of(now):
        return _on_day(account, now)
    return await begin_month(organization_id, now, monthly_grant)


@unit_of_work
async def begin_month(tx: Transaction, organization_id: str, now: datetime, monthly_grant: int) -> AccountRow:
    """The account, with the grant of the month of `now`."""
    account = await lock_account(tx, organization_id, now, monthly_grant)
    await save_accounts(tx, [account])
    return account


async def lock_account(tx: Transaction, organization_id: str, now: datetime, monthly_grant: int) -> AccountRow:
    """As `lock_accounts`, one."""
    return (await lock_accounts(tx, [organization_id], now, monthly_grant))[organization_id]


async def lock_accounts(
    tx: Transaction, organization_ids: Collection[str], now: datetime, monthly_grant: int
) -> dict[str, AccountRow]:
    """The organizations' accounts, locked until the transaction ends, brought to the month and day of `now`.

    They never go back to an earlier day: a process whose clock is behind finds the day that others have begun, and
    dates what it adds by `moment_in`. The first use in a month ends what is left of the old month's grant and grants
    the new one. What is reserved at that moment stays, so that calls in flight can be charged. The caller saves the
    accounts.
    """
    accounts: dict[str, AccountRow] = {}
    for organization_id, account in (await account_rows.lock_accounts(tx, organization_ids)).items():
        if account.month < month_of(now):
            account = await _in_new_month(tx, account, now, monthly_grant)
        accounts[organization_id] = _on_day(account, now)
    return accounts


def _on_day(account: AccountRow, now: datetime) -> AccountRow:
    return account if account.day >= day_of(now) else replace(account, day=day_of(now), used_in_day=0)


def moment_in(account: AccountRow, now: datetime) -> datetime:
    """When what changes a locked account happens: now, or where this clock is behind, as the account's day begins."""
    return now if account.day <= day_of(now) else datetime.fromisoformat(account.day).replace(tzinfo=UTC)


async def _in_new_month(tx: Transaction, account: AccountRow, now: datetime, monthly_grant: int) -> AccountRow:
    unused = max(min(account.monthly_balance, account.balance - account.reserved), 0)
    entries: list[EntryRow] = []
    if unused:
        note = f"unused credits of {account.month}"
        entries.append(EntryRow(new_id(), account.organization_id, CreditKind.EXPIRY, -unused, now, note=note))
    if monthly_grant:
        note = f"grant of {month_of(now)}"
        entries.append(EntryRow(new_id(), account.organization_id, CreditKind.GRANT, monthly_grant, now, note=note))
    await insert_entries(tx, entries)
    if monthly_grant:
        data = {"credits": monthly_grant}
        await add_events(tx, [NewEvent(account.organization_id, now, EventKind.CREDITS_GRANTED, data=data)])
    return replace(
        account,
        balance=account.balance + monthly_grant - unused,
        monthly_balance=account.monthly_balance + monthly_grant - unused,
        month=month_of(now),
        used_in_month=0,
    )


def purse_of(account: AccountRow) -> Purse:
    """What of the account decides whether a price fits."""
    return Purse(account.balance, account.reserved, account.used_in_month, account.used_in_day)


def remaining_of(account: AccountRow, config: Config) -> int:
    """Credits that may still be spent, the configuration's limits included."""
    return spendable(purse_of(account), CreditLimits(config.credits.monthly_limit, config.credits.daily_limit))
