"""What of an organization's ledger does not add up, or is not what other tables say of the same credits.

Each list has the first faults alone: `MOST` of them.
"""

from datetime import datetime

from models.db.columns import to_micros
from models.db.connection import dialect
from models.db.rows import fetch, fetch_one, query_row
from models.db.statements import execute
from models.db.transaction import Transaction

MOST = 100
_UNSETTLED = "('in_progress', 'pending', 'cancelled', 'failed')"  # jobs that may not show yet what was charged
_CLOCKS_DIFFER_MICROS = 5 * 60 * 1_000_000  # and transactions wait for each other


@query_row
class LedgerSums:
    """How many lines there are, and the sums of what they change."""

    entries: int
    balance: int
    reserved: int


@query_row
class WrongBudget:
    """A budget that says that its jobs hold `held`, where the ledger says `charged`."""

    id: str
    held: int
    charged: int


@query_row
class WrongStep:
    """A provider within an ended job, with what the job shows for it and what was charged."""

    job_id: str
    provider: str
    shown: int
    charged: int


@query_row
class MonthlyGrant:
    """A grant that came with a month."""

    id: str
    created_at: datetime
    note: str | None


@query_row
class _Id:
    id: str


@query_row
class _Credits:
    credits: int


async def read_one_moment(tx: Transaction) -> None:
    """Let all statements of this transaction, which only reads, see the database as it was at the first of them."""
    if dialect() == "postgresql":
        await execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", using=tx)


async def ledger_sums(tx: Transaction, organization_id: str) -> LedgerSums:
    """The sums of all lines."""
    sql = (
        "SELECT COUNT(*) AS entries, COALESCE(SUM(amount), 0) AS balance, COALESCE(SUM(reserved_change), 0) AS reserved"
        " FROM credit_entry WHERE organization_id = ?"
    )
    return (await fetch(LedgerSums, sql, [organization_id], using=tx))[0]


async def charged_between(tx: Transaction, organization_id: str, start: datetime, end: datetime) -> int:
    """Credits charged from `start` to before `end`."""
    found = await fetch_one(
        _Credits,
        "SELECT COALESCE(SUM(-amount), 0) AS credits FROM credit_entry WHERE organization_id = ? AND kind = 'charge'"
        " AND created_at >= ? AND created_at < ?",
        [organization_id, to_micros(start), to_micros(end)],
        using=tx,
    )
    return 0 if found is None else found.credits


async def wrong_settlements(tx: Transaction, organization_id: str) -> list[str]:
    """Ids of the lines that settle no reservation of their price, or no charge that left something of it."""
    return await _ids(
        tx,
        "SELECT s.id FROM credit_entry s LEFT JOIN credit_entry r ON r.id = s.settles"
        " AND r.organization_id = s.organization_id LEFT JOIN credit_entry rest ON rest.settles = s.id"
        " WHERE s.organization_id = ? AND s.settles IS NOT NULL AND CASE r.kind"
        " WHEN 'reservation' THEN s.reserved_change + COALESCE(rest.reserved_change, 0) <> -r.reserved_change"
        " WHEN 'charge' THEN s.kind <> 'release' ELSE TRUE END",
        organization_id,
    )


async def settled_for_others(tx: Transaction, organization_id: str) -> list[str]:
    """Ids of the lines that settle one of another job or provider, or a later one."""
    same = " OR ".join(
        f"COALESCE(s.{column}, '') <> COALESCE(r.{column}, '')"
        for column in ("job_id", "record_id", "provider", "entity_type", "trigger_kind")
    )
    return await _ids(
        tx,
        "SELECT s.id FROM credit_entry s JOIN credit_entry r ON r.id = s.settles"
        " AND r.organization_id = s.organization_id WHERE s.organization_id = ?"
        f" AND ({same} OR s.created_at < r.created_at - {_CLOCKS_DIFFER_MICROS})",
        organization_id,
    )


async def misdated(tx: Transaction, organization_id: str) -> list[str]:
    """Ids of the lines whose date is before that of the line before, in the order in which they were added."""
    return await _ids(
        tx,
        "SELECT id FROM (SELECT id, created_at, LAG(created_at) OVER (ORDER BY id) AS earlier FROM credit_entry"
        f" WHERE organization_id = ?) AS line WHERE created_at < earlier - {_CLOCKS_DIFFER_MICROS}",
        organization_id,
    )


async def jobs_with_other_credits(tx: Transaction, organization_id: str) -> list[str]:
    """Ids of the ended jobs that show other credits than they were charged."""
    return await _ids(
        tx,
        "SELECT j.id FROM job j LEFT JOIN (SELECT job_id, SUM(-amount) AS charged FROM credit_entry"
        " WHERE organization_id = ? AND kind = 'charge' GROUP BY job_id) c ON c.job_id = j.id"
        f" WHERE j.organization_id = ? AND j.status NOT IN {_UNSETTLED}"
        " AND j.credits_used <> COALESCE(c.charged, 0)",
        organization_id,
        organization_id,
    )


async def steps_with_other_credits(tx: Transaction, organization_id: str) -> list[WrongStep]:
    """Providers for which an ended job shows credits, and others than it was charged.

    What an attempt paid a provider that the last attempt had no use for is shown with the job alone.
    """
    return await fetch(
        WrongStep,
        "SELECT j.id AS job_id, part.provider, SUM(part.shown) AS shown, SUM(part.charged) AS charged FROM"
        " (SELECT job_id, provider, credits_charged AS shown, 0 AS charged FROM step"
        " WHERE organization_id = ? AND credits_charged <> 0"
        " UNION ALL SELECT job_id, provider, 0 AS shown, -amount AS charged FROM credit_entry"
        " WHERE organization_id = ? AND kind = 'charge') AS part JOIN job j ON j.id = part.job_id"
        f" WHERE j.organization_id = ? AND j.status NOT IN {_UNSETTLED}"
        " GROUP BY j.id, part.provider HAVING SUM(part.shown) NOT IN (0, SUM(part.charged)) ORDER BY j.id LIMIT ?",
        [organization_id, organization_id, organization_id, MOST],
        using=tx,
    )


async def wrong_budgets(tx: Transaction, organization_id: str) -> list[WrongBudget]:
    """Budgets that say otherwise than the ledger what their jobs were charged and hold.

    What was charged to jobs that are gone with an erased record may have been of any budget that was there then.
    """
    gone = (
        "(SELECT COALESCE(SUM(-e.amount), 0) FROM credit_entry e WHERE e.organization_id = b.organization_id"
        " AND e.kind = 'charge' AND e.created_at >= b.created_at"
        " AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = e.job_id))"
    )
    return await fetch(
        WrongBudget,
        "SELECT b.id, b.held, COALESCE(c.charged, 0) AS charged FROM credit_budget b LEFT JOIN"
        " (SELECT j.budget_id, SUM(e.reserved_change - e.amount) AS charged FROM credit_entry e"
        " JOIN job j ON j.id = e.job_id WHERE e.organization_id = ? AND j.budget_id IS NOT NULL GROUP BY j.budget_id) c"
        " ON c.budget_id = b.id WHERE b.organization_id = ? AND (b.held < COALESCE(c.charged, 0)"
        f" OR (b.held > COALESCE(c.charged, 0) AND b.held > COALESCE(c.charged, 0) + {gone})) ORDER BY b.id LIMIT ?",
        [organization_id, organization_id, MOST],
        using=tx,
    )


async def grants_without_audit(tx: Transaction, organization_id: str) -> list[str]:
    """Ids of the grants of people for which the audit log has no line with the same amount and person."""
    return await _ids(
        tx,
        "SELECT g.id FROM credit_entry g WHERE g.organization_id = ? AND g.kind = 'grant'"
        " AND (g.idempotency_key IS NOT NULL OR g.actor IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM audit_entry a"
        " WHERE a.organization_id = g.organization_id AND a.action = 'credits.granted' AND a.subject = g.id"
        " AND a.details = '{\"amount\":' || g.amount || '}' AND COALESCE(a.actor, '') = COALESCE(g.actor, ''))",
        organization_id,
    )


async def audited_without_grant(tx: Transaction, organization_id: str) -> list[str]:
    """Ids of the grants that the audit log names and the ledger does not have."""
    return await _ids(
        tx,
        "SELECT a.subject AS id FROM audit_entry a WHERE a.organization_id = ? AND a.action = 'credits.granted'"
        " AND NOT EXISTS (SELECT 1 FROM credit_entry g WHERE g.id = a.subject"
        " AND g.organization_id = a.organization_id AND g.kind = 'grant')",
        organization_id,
    )


async def monthly_grants(tx: Transaction, organization_id: str) -> list[MonthlyGrant]:
    """The grants that nobody made, oldest first."""
    return await fetch(
        MonthlyGrant,
        "SELECT id, created_at, note FROM credit_entry WHERE organization_id = ? AND kind = 'grant'"
        " AND idempotency_key IS NULL AND actor IS NULL ORDER BY id",
        [organization_id],
        using=tx,
    )


async def _ids(tx: Transaction, sql: str, *organization_ids: str) -> list[str]:
    found = await fetch(_Id, f"{sql} ORDER BY 1 LIMIT ?", [*organization_ids, MOST], using=tx)
    return [row.id for row in found]
