"""What of an organization's ledger does not add up."""

from models.db.rows import fetch, query_row


@query_row
class LedgerSums:
    """How many lines there are, and the sums of what they change."""

    entries: int
    balance: int
    reserved: int


@query_row
class _Id:
    id: str


async def ledger_sums(organization_id: str) -> LedgerSums:
    """The sums of all lines."""
    sql = (
        "SELECT COUNT(*) AS entries, COALESCE(SUM(amount), 0) AS balance, COALESCE(SUM(reserved_change), 0) AS reserved"
        " FROM credit_entry WHERE organization_id = ?"
    )
    return (await fetch(LedgerSums, sql, [organization_id]))[0]


async def wrong_settlements(organization_id: str) -> list[str]:
    """Ids of the lines that settle no reservation of their price, or no charge that left something of it."""
    found = await fetch(
        _Id,
        "SELECT s.id FROM credit_entry s LEFT JOIN credit_entry r ON r.id = s.settles"
        " AND r.organization_id = s.organization_id LEFT JOIN credit_entry rest ON rest.settles = s.id"
        " WHERE s.organization_id = ? AND s.settles IS NOT NULL AND CASE r.kind"
        " WHEN 'reservation' THEN s.reserved_change + COALESCE(rest.reserved_change, 0) <> -r.reserved_change"
        " WHEN 'charge' THEN s.kind <> 'release' ELSE TRUE END",
        [organization_id],
    )
    return [row.id for row in found]


async def jobs_with_other_credits(organization_id: str) -> list[str]:
    """Ids of the ended jobs that show other credits than they were charged."""
    found = await fetch(
        _Id,
        "SELECT j.id FROM job j LEFT JOIN (SELECT job_id, SUM(-amount) AS charged FROM credit_entry"
        " WHERE organization_id = ? AND kind = 'charge' GROUP BY job_id) c ON c.job_id = j.id"
        " WHERE j.organization_id = ? AND j.status NOT IN ('in_progress', 'pending', 'cancelled', 'failed')"
        " AND j.credits_used <> COALESCE(c.charged, 0)",
        [organization_id, organization_id],
    )
    return [row.id for row in found]
