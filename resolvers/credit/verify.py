"""Prove that an organization's ledger adds up."""

from dataclasses import dataclass

from models.db.statements import query
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
    """As `verify_ledger`."""
    mine = [organization_id]
    sums = (
        await query(
            "SELECT COUNT(*) AS entries, COALESCE(SUM(amount), 0) AS balance,"
            " COALESCE(SUM(reserved_change), 0) AS reserved FROM credit_entry WHERE organization_id = ?",
            mine,
        )
    )[0]
    entries, balance, reserved = (int(sums[name]) for name in ("entries", "balance", "reserved"))
    faults: list[str] = []
    account = await query("SELECT balance, reserved FROM credit_account WHERE organization_id = ?", mine)
    held = account[0] if account else {"balance": 0, "reserved": 0}
    if held["balance"] != balance:
        faults.append(f"the account says {held['balance']} credits, its lines add up to {balance}")
    if held["reserved"] != reserved:
        faults.append(f"the account says {held['reserved']} reserved, its lines add up to {reserved}")
    wrong = await query(
        "SELECT s.id FROM credit_entry s LEFT JOIN credit_entry r ON r.id = s.settles"
        " AND r.organization_id = s.organization_id LEFT JOIN credit_entry rest ON rest.settles = s.id"
        " WHERE s.organization_id = ? AND s.settles IS NOT NULL AND CASE r.kind"
        " WHEN 'reservation' THEN s.reserved_change + COALESCE(rest.reserved_change, 0) <> -r.reserved_change"
        " WHEN 'charge' THEN s.kind <> 'release' ELSE TRUE END",
        mine,
    )
    faults += [f"line {row['id']} settles no reservation of its price" for row in wrong]
    jobs = await query(
        "SELECT j.id FROM job j LEFT JOIN (SELECT job_id, SUM(-amount) AS charged FROM credit_entry"
        " WHERE organization_id = ? AND kind = 'charge' GROUP BY job_id) c ON c.job_id = j.id"
        " WHERE j.organization_id = ? AND j.status NOT IN ('in_progress', 'pending', 'cancelled', 'failed')"
        " AND j.credits_used <> COALESCE(c.charged, 0)",
        [organization_id, organization_id],
    )
    faults += [f"job {row['id']} shows other credits than were charged for it" for row in jobs]
    return LedgerCheck(entries, balance, reserved, faults)
