"""Prove that an organization's ledger adds up."""

from dataclasses import dataclass

from models.credit.account import find_account
from models.credit.proof import jobs_with_other_credits, ledger_sums, wrong_settlements
from resolvers.context import Context, Role


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """How many lines were checked, their sums, and everything that does not add up, in plain words."""

    entries: int
    balance: int
    reserved: int
    faults: list[str]

    @property
    def adds_up(self) -> bool:
        return not self.faults


async def verify_ledger(ctx: Context) -> LedgerCheck:
    """Compare the account with the sum of its lines, and each settlement with what it settles."""
    caller = ctx.require(Role.ADMIN)
    return await check_ledger(caller.organization_id)


async def check_ledger(organization_id: str) -> LedgerCheck:
    """As `verify_ledger`, without a caller."""
    sums = await ledger_sums(organization_id)
    account = await find_account(organization_id)
    balance, reserved = (0, 0) if account is None else (account.balance, account.reserved)
    faults: list[str] = []
    if balance != sums.balance:
        faults.append(f"the account says {balance} credits, its lines add up to {sums.balance}")
    if reserved != sums.reserved:
        faults.append(f"the account says {reserved} reserved, its lines add up to {sums.reserved}")
    for entry_id in await wrong_settlements(organization_id):
        faults.append(f"line {entry_id} settles no reservation of its price")
    for job_id in await jobs_with_other_credits(organization_id):
        faults.append(f"job {job_id} shows other credits than were charged for it")
    return LedgerCheck(sums.entries, sums.balance, sums.reserved, faults)
