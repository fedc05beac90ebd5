"""Answers that were promised, whose job has ended without them: what they held is settled by what came at once."""

from datetime import datetime, timedelta
from typing import Any

from models.answer_cache import forget_orphans
from models.db.columns import to_micros
from models.db.statements import execute, load, marks, query
from models.db.transaction import Transaction, unit_of_work
from resolvers.context import Services
from resolvers.credit.alerts import raise_alerts
from resolvers.credit.settle import Settlement, settle

GRACE = timedelta(hours=1)  # after the end of the wait; a job that is retried meanwhile goes on with it
_AT_ONCE = 500
_ACTIVE = "status IN ('pending', 'in_progress')"


async def expire_pending(ctx: dict[str, Any]) -> int:
    """End the wait for answers that nobody waits for any more. Returns how many. Runs every minute.

    What came at once was a match: it is charged, and kept. Where nothing came, nothing is, unless the provider counted
    the question when it took it in.
    """
    services: Services = ctx["services"]
    now = services.now()
    found = await query(
        "SELECT id, organization_id, provider, findings, reservation_id, asked_by FROM answer"
        " WHERE state = 'pending' AND expires_at < ?"
        f" AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = answer.asked_by AND {_ACTIVE}) ORDER BY id LIMIT ?",
        [to_micros(now - GRACE), _AT_ONCE],
    )
    by_organization: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        by_organization.setdefault(row["organization_id"], []).append(row)
    dropped = 0
    for organization_id, overdue in sorted(by_organization.items()):
        dropped += await _drop(services, organization_id, overdue, now)
        await raise_alerts(services, organization_id)
    await forget_orphans(to_micros(now - GRACE))
    return dropped


async def _drop(services: Services, organization_id: str, overdue: list[dict[str, Any]], now: datetime) -> int:
    async def body(tx: Transaction) -> int:
        again = await _started_again(tx, [row["asked_by"] for row in overdue])
        ended = [row for row in overdue if row["asked_by"] not in again]
        matched = {row["id"] for row in ended if load(row["findings"])}
        held = [_settlement(services, row, row["id"] in matched) for row in ended if row["reservation_id"] is not None]
        charged = await settle(tx, organization_id, held, now=now, monthly_grant=services.monthly_credit_grant)
        for row in ended:
            await _show(tx, row, charged.get(row["reservation_id"] or "", 0))
            await _end(tx, services, row, now, keep=row["id"] in matched)
        return len(ended)

    return await unit_of_work(body)()


async def _started_again(tx: Transaction, job_ids: list[str]) -> set[str]:
    """Those of the jobs that run after all; the others cannot be started until the transaction ends."""
    locked = await query(
        f"UPDATE job SET fence = fence WHERE id IN ({marks(job_ids)}) RETURNING id, status", job_ids, using=tx
    )
    return {row["id"] for row in locked if row["status"] in {"pending", "in_progress"}}


def _settlement(services: Services, row: dict[str, Any], matched: bool) -> Settlement:
    """For what came at once alone: the rest, which costs more, did not come."""
    info = services.registry.info(row["provider"])
    counted = info is not None and info.counts_misses
    return Settlement(
        row["reservation_id"],
        charge=matched or counted,
        credits=info.price if info else 0,
        note=f"queued, which {info.name} counts" if info is not None and counted and not matched else None,
    )


async def _show(tx: Transaction, row: dict[str, Any], credits: int) -> None:
    """Show the credits with the job and its step as well."""
    if credits:
        add = [credits, row["asked_by"]]
        await execute("UPDATE job SET credits_used = credits_used + ? WHERE id = ?", add, using=tx)
        await execute(
            "UPDATE step SET credits_charged = credits_charged + ? WHERE job_id = ? AND provider = ?",
            [*add, row["provider"]],
            using=tx,
        )


async def _end(tx: Transaction, services: Services, row: dict[str, Any], now: datetime, *, keep: bool) -> None:
    if not keep:
        await execute("DELETE FROM answer WHERE id = ? AND state = 'pending'", [row["id"]], using=tx)
        return
    info = services.registry.info(row["provider"])
    lifetime = timedelta(days=(info.answer_lifetime_days if info else 0) or 30)
    await execute(
        "UPDATE answer SET state = 'answered', matched = TRUE, answered_at = ?, expires_at = ?, token = NULL,"
        " reservation_id = NULL, delivered = NULL WHERE id = ? AND state = 'pending'",
        [to_micros(now), to_micros(now + lifetime), row["id"]],
        using=tx,
    )
