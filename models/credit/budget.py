"""Budgets: the most credits that the jobs of one request, or the refreshes of one day, may cost together."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field
from models.db.distribute import unique_target
from models.db.rows import fetch, fetch_one, insert, projection, select
from models.db.statements import execute, marks
from models.db.transaction import Transaction


class CreditBudget(Model):
    """`held` is what its jobs were charged and what is set aside for them, never over `most`. Whole credits.

    Whoever changes one holds the lock of the organization's account.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    most = fields.BigIntField()
    held = fields.BigIntField(default=0)
    requested_by = fields.CharField(max_length=255, null=True)
    created_at: datetime = Instant()

    class Meta:
        table = "credit_budget"


@projection(CreditBudget)
class NewBudget:
    """A budget of which nothing is held yet."""

    id: str
    organization_id: str
    most: int
    requested_by: str | None
    created_at: datetime


@projection(CreditBudget)
class BudgetRow:
    """See CreditBudget."""

    id: str
    most: int
    held: int


async def add_budget(tx: Transaction, budget: NewBudget) -> None:
    await insert(tx, [budget])


async def set_most(tx: Transaction, budget: NewBudget) -> None:
    """Make the budget, or set its most anew: to what it holds already where that is more."""
    then = (
        f"ON CONFLICT ({unique_target('id')}) DO UPDATE SET"
        " most = CASE WHEN credit_budget.held > excluded.most THEN credit_budget.held"
        " ELSE excluded.most END"
    )
    await insert(tx, [budget], then=then)


async def find_budgets(tx: Transaction, organization_id: str, ids: Sequence[str]) -> list[BudgetRow]:
    """Those of the organization's budgets that are there."""
    if not ids:
        return []
    sql = f"SELECT {select(BudgetRow)} FROM credit_budget WHERE organization_id = ? AND id IN ({marks(ids)})"
    return await fetch(BudgetRow, sql, [organization_id, *ids], using=tx)


async def budget_held(organization_id: str, budget_id: str | None, *, using: Transaction | None = None) -> int:
    """Credits that the budget's jobs were charged or hold; 0 where there is no such budget."""
    found = await _find(organization_id, budget_id, using=using)
    return 0 if found is None else found.held


async def budget_most(organization_id: str, budget_id: str | None) -> int | None:
    """The most that the budget allows; None where there is no such budget."""
    found = await _find(organization_id, budget_id)
    return None if found is None else found.most


async def _find(organization_id: str, budget_id: str | None, *, using: Transaction | None = None) -> BudgetRow | None:
    sql = f"SELECT {select(BudgetRow)} FROM credit_budget WHERE organization_id = ? AND id = ?"
    return await fetch_one(BudgetRow, sql, [organization_id, budget_id], using=using)


async def save_held(tx: Transaction, organization_id: str, held: Mapping[str, int]) -> None:
    """Set what each of these budgets holds."""
    for budget_id, credits in held.items():
        sql = "UPDATE credit_budget SET held = ? WHERE organization_id = ? AND id = ?"
        await execute(sql, [credits, organization_id, budget_id], using=tx)


async def change_held_of_job(tx: Transaction, organization_id: str, job_id: str | None, change: int) -> None:
    """Add `change` to what the budget of this job holds; a job without a budget changes nothing."""
    await execute(
        "UPDATE credit_budget SET held = held + ? WHERE organization_id = ?"
        " AND id IN (SELECT budget_id FROM job WHERE id = ?)",
        [change, organization_id, job_id],
        using=tx,
    )
