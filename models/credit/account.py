"""The running sums of an organization's ledger."""

from collections.abc import Collection

from tortoise import fields
from tortoise.models import Model

from models.db.rows import fetch, fetch_one, projection, select
from models.db.statements import execute, marks
from models.db.transaction import Transaction


class CreditAccount(Model):
    """The running sums of one organization's ledger; locked by whoever changes it.

    `monthly_balance` is the part of the balance that ends with `month`; it is spent first.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)
    balance = fields.BigIntField(default=0)
    monthly_balance = fields.BigIntField(default=0)
    reserved = fields.BigIntField(default=0)
    month = fields.CharField(max_length=7, default="")  # 2026-11
    used_in_month = fields.BigIntField(default=0)
    day = fields.CharField(max_length=10, default="")  # 2026-11-24
    used_in_day = fields.BigIntField(default=0)

    class Meta:
        table = "credit_account"


@projection(CreditAccount)
class AccountRow:
    """See CreditAccount. Whole credits."""

    organization_id: str
    balance: int
    monthly_balance: int
    reserved: int
    month: str
    used_in_month: int
    day: str
    used_in_day: int


async def find_account(organization_id: str, *, using: Transaction | None = None) -> AccountRow | None:
    """The account as it was left by its last change, which may have been in an earlier month; None before the first."""
    sql = f"SELECT {select(AccountRow)} FROM credit_account WHERE organization_id = ?"
    return await fetch_one(AccountRow, sql, [organization_id], using=using)


async def find_accounts(organization_ids: Collection[str]) -> list[AccountRow]:
    """The accounts of these organizations, each as its last change left it; those without one are left out."""
    if not organization_ids:
        return []
    sql = f"SELECT {select(AccountRow)} FROM credit_account WHERE organization_id IN ({marks(organization_ids)})"
    return await fetch(AccountRow, sql, sorted(organization_ids))


async def lock_row(tx: Transaction, organization_id: str) -> AccountRow:
    """The account, made if need be, locked until the transaction ends. The organization must exist."""
    account = await _lock(tx, organization_id)
    if account is None:
        first = "INSERT INTO credit_account (organization_id) VALUES (?) ON CONFLICT DO NOTHING"
        await execute(first, [organization_id], using=tx)
        account = await _lock(tx, organization_id)
    assert account is not None  # inserted above, or by another who then committed
    return account


async def _lock(tx: Transaction, organization_id: str) -> AccountRow | None:
    sql = f"UPDATE credit_account SET balance = balance WHERE organization_id = ? RETURNING {select(AccountRow)}"
    return await fetch_one(AccountRow, sql, [organization_id], using=tx)


async def save_account(tx: Transaction, account: AccountRow) -> None:
    """Write a locked account's sums, month and day."""
    await execute(
        "UPDATE credit_account SET balance = ?, monthly_balance = ?, reserved = ?, month = ?, used_in_month = ?,"
        " day = ?, used_in_day = ? WHERE organization_id = ?",
        [
            account.balance,
            account.monthly_balance,
            account.reserved,
            account.month,
            account.used_in_month,
            account.day,
            account.used_in_day,
            account.organization_id,
        ],
        using=tx,
    )
