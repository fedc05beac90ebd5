"""The running sums of an organization's ledger."""

from collections.abc import Collection, Sequence

from tortoise import fields
from tortoise.models import Model

from models.db.connection import dialect
from models.db.rows import bulk, columns_of, fetch, fetch_one, insert, projection, select
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


@projection(CreditAccount)
class _NewAccount:
    organization_id: str


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


async def lock_accounts(tx: Transaction, organization_ids: Collection[str]) -> dict[str, AccountRow]:
    """The accounts, made if need be, locked until the transaction ends. The organizations must exist.

    Whoever locks several locks them in this order.
    """
    wanted = sorted(set(organization_ids))
    accounts = await _lock(tx, wanted)
    if missing := [_NewAccount(organization_id) for organization_id in wanted if organization_id not in accounts]:
        await insert(tx, missing, then="ON CONFLICT DO NOTHING")
        accounts |= await _lock(tx, [account.organization_id for account in missing])
    return accounts


async def _lock(tx: Transaction, organization_ids: Sequence[str]) -> dict[str, AccountRow]:
    if not organization_ids:
        return {}
    ids = marks(organization_ids)
    if dialect() == "sqlite":
        sql = (
            f"UPDATE credit_account SET balance = balance WHERE organization_id IN ({ids})"
            f" RETURNING {select(AccountRow)}"
        )
    else:
        sql = (
            f"SELECT {select(AccountRow)} FROM credit_account WHERE organization_id IN ({ids})"
            ' ORDER BY organization_id COLLATE "C" FOR NO KEY UPDATE'
        )
    return {row.organization_id: row for row in await fetch(AccountRow, sql, organization_ids, using=tx)}


async def save_accounts(tx: Transaction, accounts: Sequence[AccountRow]) -> None:
    """Write locked accounts' sums, months and days."""
    if not accounts:
        return
    source, parameter = bulk(accounts)
    changed = ", ".join(f"{name} = v.{name}" for name in columns_of(AccountRow, without=["organization_id"]))
    await execute(
        f"UPDATE credit_account SET {changed} FROM {source} WHERE credit_account.organization_id = v.organization_id",
        [parameter],
        using=tx,
    )
