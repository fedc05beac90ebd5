"""What of an organization's ledger does not add up, or is not what other tables say of the same credits.

Each list has the first faults alone: `MOST` of them. Each looks at all lines, or at those of a part alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models.credit.proof_part import Part, between, jobs_of, lines_of
from models.db.columns import to_micros
from models.db.connection import dialect
from models.db.rows import fetch, fetch_one, query_row
from models.db.statements import execute, marks
from models.db.transaction import Transaction

MOST = 100
_UNSETTLED = "('in_progress', 'pending', 'cancelled', 'failed')"  # jobs that may not show yet what was charged
_CLOCKS_DIFFER_MICROS = 5 * 60 * 1_000_000  # and transactions wait for each other
_EVER = -(2**62)


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
class _DayCharged:
    day: int
    credits: int


@query_row
class _Credits:
    credits: int


async def read_one_moment(tx: Transaction) -> None:
    """Let all statements of this transaction, which only reads, see the database as it was at the first of them."""
    if dialect() == "postgresql":
        await execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", using=tx)


async def ledger_sums(tx: Transaction, organization_id: str, *, after: str = "") -> LedgerSums:
    """The sums of all lines after this one."""
    sql = (
        "SELECT COUNT(*) AS entries, COALESCE(SUM(amount), 0) AS balance, COALESCE(SUM(reserved_change), 0) AS reserved"
        " FROM credit_entry WHERE organization_id = ? AND id > ?"
    )
    return (await fetch(LedgerSums, sql, [organization_id, after], using=tx))[0]


async def charged_by_day(tx: Transaction, organization_id: str, *, after: str) -> dict[int, int]:
    """Credits charged by the lines after this one, by day since 1970."""
    found = await fetch(
        _DayCharged,
        "SELECT created_at / 86400000000 AS day, SUM(-amount) AS credits FROM credit_entry"
        " WHERE organization_id = ? AND id > ? AND kind = 'charge' GROUP BY 1",
        [organization_id, after],
        using=tx,
    )
    return {row.day: row.credits for row in found}


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


async def wrong_settlements(tx: Transaction | None, organization_id: str, part: Part | None = None) -> list[str]:
    """Ids of the lines that settle no reservation of their price, or no charge that left something of it."""
    looked_at = ""
    values: list[Any] = []
    if part is not None:  # what a line of the part settles is looked at again with it
        some, values = lines_of(organization_id, part)
        looked_at = f" AND s.id IN (SELECT id {some} UNION SELECT settles {some} AND settles IS NOT NULL)"
    return await _ids(
        tx,
        "SELECT s.id FROM credit_entry s LEFT JOIN credit_entry r ON r.id = s.settles"
        " AND r.organization_id = s.organization_id LEFT JOIN credit_entry rest ON rest.settles = s.id"
        " WHERE s.organization_id = ? AND s.settles IS NOT NULL AND CASE r.kind"
        " WHEN 'reservation' THEN s.reserved_change + COALESCE(rest.reserved_change, 0) <> -r.reserved_change"
        f" WHEN 'charge' THEN s.kind <> 'release' ELSE TRUE END{looked_at}",
        [organization_id, *values, *values],
    )


async def settled_for_others(tx: Transaction | None, organization_id: str, part: Part | None = None) -> list[str]:
    """Ids of the lines that settle one of another job or provider, or a later one."""
    looked_at, bounds = between("s.id", part)
    same = " OR ".join(
        f"COALESCE(s.{column}, '') <> COALESCE(r.{column}, '')"
        for column in ("job_id", "record_id", "provider", "entity_type", "trigger_kind")
    )
    return await _ids(
        tx,
        "SELECT s.id FROM credit_entry s JOIN credit_entry r ON r.id = s.settles"
        " AND r.organization_id = s.organization_id WHERE s.organization_id = ?"
        f"{looked_at} AND ({same} OR s.created_at < r.created_at - {_CLOCKS_DIFFER_MICROS})",
        [organization_id, *bounds],
    )


async def misdated(tx: Transaction | None, organization_id: str, part: Part | None = None) -> list[str]:
    """Ids of the lines whose date is before that of the line before, in the order in which they were added."""
    looked_at, bounds = ("", []) if part is None else (" AND id >= ? AND id <= ?", [part.after, part.until])
    return await _ids(
        tx,
        "SELECT id FROM (SELECT id, created_at, LAG(created_at) OVER (ORDER BY id) AS earlier FROM credit_entry"
        f" WHERE organization_id = ?{looked_at}) AS line WHERE created_at < earlier - {_CLOCKS_DIFFER_MICROS}",
        [organization_id, *bounds],
    )


async def jobs_with_other_credits(tx: Transaction | None, organization_id: str, part: Part | None = None) -> list[str]:
    """Ids of the ended jobs that show other credits than they were charged."""
    of_jobs, values = jobs_of("{}", organization_id, part)
    return await _ids(
        tx,
        "SELECT j.id FROM job j LEFT JOIN (SELECT job_id, SUM(-amount) AS charged FROM credit_entry"
        f" WHERE organization_id = ? AND kind = 'charge'{of_jobs.format('job_id')} GROUP BY job_id) c"
        f" ON c.job_id = j.id WHERE j.organization_id = ? AND j.status NOT IN {_UNSETTLED}{of_jobs.format('j.id')}"
        " AND j.credits_used <> COALESCE(c.charged, 0)",
        [organization_id, *values, organization_id, *values],
    )


async def steps_with_other_credits(
    tx: Transaction | None, organization_id: str, part: Part | None = None
) -> list[WrongStep]:
    """Providers for which an ended job shows credits, and others than it was charged.

    What an attempt paid a provider that the last attempt had no use for is shown with the job alone.
    """
    of_jobs, values = jobs_of("job_id", organization_id, part)
    return await fetch(
        WrongStep,
        "SELECT j.id AS job_id, part.provider, SUM(part.shown) AS shown, SUM(part.charged) AS charged FROM"
        " (SELECT job_id, provider, credits_charged AS shown, 0 AS charged FROM step"
        f" WHERE organization_id = ? AND credits_charged <> 0{of_jobs}"
        " UNION ALL SELECT job_id, provider, 0 AS shown, -amount AS charged FROM credit_entry"
        f" WHERE organization_id = ? AND kind = 'charge'{of_jobs}) AS part JOIN job j ON j.id = part.job_id"
        f" WHERE j.organization_id = ? AND j.status NOT IN {_UNSETTLED}"
        " GROUP BY j.id, part.provider HAVING SUM(part.shown) NOT IN (0, SUM(part.charged)) ORDER BY j.id LIMIT ?",
        [organization_id, *values, organization_id, *values, organization_id, MOST],
        using=tx,
    )


async def wrong_budgets(tx: Transaction | None, organization_id: str, part: Part | None = None) -> list[WrongBudget]:
    """Budgets that say otherwise than the ledger what their jobs were charged and hold.

    What was charged to jobs that are gone with an erased record may have been of any budget that was there then.
    """
    some = ""
    values: list[Any] = []
    if part is not None:
        values = await _budgets_of(tx, organization_id, part)
        if not values:
            return []
        some = f" AND {{}} IN ({marks(values)})"
    gone = (
        "(SELECT COALESCE(SUM(-e.amount), 0) FROM credit_entry e WHERE e.organization_id = b.organization_id"
        " AND e.kind = 'charge' AND e.created_at >= b.created_at"
        " AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = e.job_id))"
    )
    return await fetch(
        WrongBudget,
        "SELECT b.id, b.held, COALESCE(c.charged, 0) AS charged FROM credit_budget b LEFT JOIN"
        " (SELECT j.budget_id, SUM(e.reserved_change - e.amount) AS charged FROM credit_entry e"
        " JOIN job j ON j.id = e.job_id WHERE e.organization_id = ? AND j.budget_id IS NOT NULL"
        f"{some.format('j.budget_id')} GROUP BY j.budget_id) c ON c.budget_id = b.id"
        f" WHERE b.organization_id = ?{some.format('b.id')} AND (b.held < COALESCE(c.charged, 0)"
        f" OR (b.held > COALESCE(c.charged, 0) AND b.held > COALESCE(c.charged, 0) + {gone})) ORDER BY b.id LIMIT ?",
        [organization_id, *values, organization_id, *values, MOST],
        using=tx,
    )


async def _budgets_of(tx: Transaction | None, organization_id: str, part: Part) -> list[str]:
    """Ids of the budgets that the jobs of a part's lines belong to."""
    looked_at, bounds = between("e.id", part)
    found = await fetch(
        _Id,
        "SELECT DISTINCT job.budget_id AS id FROM credit_entry e JOIN job ON job.id = e.job_id"
        f" WHERE e.organization_id = ?{looked_at} AND job.budget_id IS NOT NULL",
        [organization_id, *bounds],
        using=tx,
    )
    return [row.id for row in found]


async def grants_without_audit(tx: Transaction | None, organization_id: str, part: Part | None = None) -> list[str]:
    """Ids of the grants of people for which the audit log has no line with the same amount and person."""
    looked_at, bounds = between("g.id", part)
    # Ids are ordered by their bytes, subjects as the database orders texts: an index serves its own order alone.
    grant = "g.id" if dialect() == "sqlite" else 'g.id COLLATE "default"'
    return await _ids(
        tx,
        "SELECT g.id FROM credit_entry g WHERE g.organization_id = ? AND g.kind = 'grant'"
        " AND (g.idempotency_key IS NOT NULL OR g.actor IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM audit_entry a"
        f" WHERE a.organization_id = g.organization_id AND a.action = 'credits.granted' AND a.subject = {grant}"
        " AND a.details = '{\"amount\":' || g.amount || '}' AND COALESCE(a.actor, '') = COALESCE(g.actor, ''))"
        f"{looked_at}",
        [organization_id, *bounds],
    )


async def audited_without_grant(tx: Transaction | None, organization_id: str, part: Part | None = None) -> list[str]:
    """Ids of the grants that the audit log names and the ledger does not have."""
    after = -1 if part is None else part.audit_after
    return await _ids(
        tx,
        "SELECT a.subject AS id FROM audit_entry a WHERE a.organization_id = ? AND a.number > ?"
        " AND a.action = 'credits.granted' AND NOT EXISTS (SELECT 1 FROM credit_entry g WHERE g.id = a.subject"
        " AND g.organization_id = a.organization_id AND g.kind = 'grant')",
        [organization_id, after],
    )


async def monthly_grants(
    tx: Transaction | None, organization_id: str, *, since: datetime | None = None
) -> list[MonthlyGrant]:
    """The grants that nobody made, oldest first; `since`: those dated from then on."""
    return await fetch(
        MonthlyGrant,
        "SELECT id, created_at, note FROM credit_entry WHERE organization_id = ? AND kind = 'grant'"
        " AND idempotency_key IS NULL AND actor IS NULL AND created_at >= ? ORDER BY id",
        [organization_id, _EVER if since is None else to_micros(since)],
        using=tx,
    )


async def first_monthly_grant(tx: Transaction | None, organization_id: str, part: Part) -> datetime | None:
    """The date of the earliest grant of a part that nobody made."""
    looked_at, bounds = between("id", part)
    found = await fetch_one(
        MonthlyGrant,
        "SELECT id, created_at, note FROM credit_entry WHERE organization_id = ? AND kind = 'grant'"
        f" AND idempotency_key IS NULL AND actor IS NULL{looked_at} ORDER BY created_at LIMIT 1",
        [organization_id, *bounds],
        using=tx,
    )
    return None if found is None else found.created_at


async def _ids(tx: Transaction | None, sql: str, values: Sequence[Any]) -> list[str]:
    found = await fetch(_Id, f"{sql} ORDER BY 1 LIMIT ?", [*values, MOST], using=tx)
    return [row.id for row in found]
