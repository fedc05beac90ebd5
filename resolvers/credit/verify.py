"""Prove that an organization's ledger adds up, and says the same as the tables that hold something of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from enrichment.credits import month_bounds, month_of
from models.credit import proof
from models.credit.account import AccountRow, find_account
from models.db.transaction import Transaction, unit_of_work
from resolvers.context import Context, Role


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """How many lines were checked, their sums, and everything that does not add up, in plain words.

    Of each kind of fault the first 100.
    """

    entries: int
    balance: int
    reserved: int
    faults: list[str]

    @property
    def adds_up(self) -> bool:
        return not self.faults


async def verify_ledger(ctx: Context) -> LedgerCheck:
    """Compare the account and the counters that limits rest on with the sum of the lines, each settlement with what it
    settles, charges with the jobs that show them, and grants with the audit log.
    """
    caller = ctx.require(Role.ADMIN)
    return await check_ledger(caller.organization_id)


@unit_of_work
async def check_ledger(tx: Transaction, organization_id: str) -> LedgerCheck:
    """As `verify_ledger`, without a caller."""
    await proof.read_one_moment(tx)
    sums = await proof.ledger_sums(tx, organization_id)
    account = await find_account(organization_id, using=tx)
    faults = [
        *_wrong_sums(account, sums),
        *(await _wrong_counters(tx, account) if account is not None else []),
        *await _wrong_lines(tx, organization_id),
        *await _wrong_jobs(tx, organization_id),
        *await _wrong_grants(tx, organization_id),
    ]
    return LedgerCheck(sums.entries, sums.balance, sums.reserved, faults)


def _wrong_sums(account: AccountRow | None, sums: proof.LedgerSums) -> list[str]:
    balance, reserved = (0, 0) if account is None else (account.balance, account.reserved)
    faults: list[str] = []
    if balance != sums.balance:
        faults.append(f"the account says {balance} credits, its lines add up to {sums.balance}")
    if reserved != sums.reserved:
        faults.append(f"the account says {reserved} reserved, its lines add up to {sums.reserved}")
    return faults


async def _wrong_counters(tx: Transaction, account: AccountRow) -> list[str]:
    """What the limits of the month and of the day, and the budgets, are measured by."""
    faults: list[str] = []
    if account.month:
        bounds = month_bounds(datetime.fromisoformat(f"{account.month}-01").replace(tzinfo=UTC))
        charged = await proof.charged_between(tx, account.organization_id, *bounds)
        if charged != account.used_in_month:
            faults.append(f"the account says {account.used_in_month} used in {account.month}, its lines say {charged}")
    if account.day:
        start = datetime.fromisoformat(account.day).replace(tzinfo=UTC)
        charged = await proof.charged_between(tx, account.organization_id, start, start + timedelta(days=1))
        if charged != account.used_in_day:
            faults.append(f"the account says {account.used_in_day} used on {account.day}, its lines say {charged}")
    for budget in await proof.wrong_budgets(tx, account.organization_id):
        faults.append(f"budget {budget.id} says {budget.held} used or reserved, its lines say {budget.charged}")
    return faults


async def _wrong_lines(tx: Transaction, organization_id: str) -> list[str]:
    unsettled = await proof.wrong_settlements(tx, organization_id)
    others = await proof.settled_for_others(tx, organization_id)
    misdated = await proof.misdated(tx, organization_id)
    return [
        *(f"line {entry_id} settles no reservation of its price" for entry_id in unsettled),
        *(f"line {entry_id} settles a reservation of another job, provider or later time" for entry_id in others),
        *(f"line {entry_id} is dated before the line that was added before it" for entry_id in misdated),
    ]


async def _wrong_jobs(tx: Transaction, organization_id: str) -> list[str]:
    jobs = await proof.jobs_with_other_credits(tx, organization_id)
    steps = await proof.steps_with_other_credits(tx, organization_id)
    return [
        *(f"job {job_id} shows other credits than were charged for it" for job_id in jobs),
        *(
            f"job {step.job_id} shows {step.shown} credits for {step.provider}, its lines say {step.charged}"
            for step in steps
        ),
    ]


async def _wrong_grants(tx: Transaction, organization_id: str) -> list[str]:
    faults = [
        f"grant {entry_id} is not in the audit log with its amount and person"
        for entry_id in await proof.grants_without_audit(tx, organization_id)
    ]
    for entry_id in await proof.audited_without_grant(tx, organization_id):
        faults.append(f"grant {entry_id} of the audit log is not in the ledger")
    granted: set[str] = set()
    for grant in await proof.monthly_grants(tx, organization_id):
        month = month_of(grant.created_at)
        if grant.note != f"grant of {month}":
            faults.append(f"grant {grant.id} is of nobody, and not the grant of its month")
        elif month in granted:
            faults.append(f"grant {grant.id} is a second one of {month}")
        granted.add(month)
    return faults
