"""Run again, once credits return, the jobs that ended without asking a provider for want of them."""

from enrichment.enums import JobTrigger
from models.db.columns import to_micros
from models.db.statements import marks, query
from models.db.transaction import Transaction, unit_of_work
from models.job_claims import insert_jobs
from resolvers.context import Services
from resolvers.events.publisher import announce
from resolvers.organizations import config_of, organization_of
from resolvers.queue_wakeup import wake_workers
from resolvers.record.ingest import job_row

_AT_ONCE = 500


async def restore_jobs(services: Services, organization_id: str, *, ended_before: int | None = None) -> int:
    """Start a job for every record whose last one was short of credits. Returns how many were started.

    `ended_before` (microseconds) leaves out those that ended later, which a new day cannot help.
    """
    started: list[str] = []
    while True:
        more, jobs = await _restore_some(services, organization_id, ended_before)
        started += jobs
        if not more:
            break
    if started:
        await announce(services.redis, organization_id, jobs=started)
        await wake_workers(services.redis, len(started))
    return len(started)


async def _restore_some(services: Services, organization_id: str, ended_before: int | None) -> tuple[bool, list[str]]:
    now = services.now()
    moment = to_micros(now)
    limit = moment + 1 if ended_before is None else ended_before
    config = config_of(await organization_of(organization_id, services.registry, now))

    async def body(tx: Transaction) -> tuple[bool, list[str]]:
        short = await query(
            "UPDATE job SET short_of_credits = FALSE WHERE id IN (SELECT id FROM job WHERE organization_id = ?"
            " AND short_of_credits AND finished_at IS NOT NULL AND finished_at < ? ORDER BY id LIMIT ?)"
            " RETURNING record_id",
            [organization_id, limit, _AT_ONCE],
            using=tx,
        )
        if not short:
            return False, []
        ids = sorted({row["record_id"] for row in short})
        records = await query(
            f"SELECT id, organization_id, entity_type FROM record WHERE id IN ({marks(ids)})", ids, using=tx
        )
        rows = [job_row(row, JobTrigger.CREDITS_RESTORED, config, moment, None, forced=True) for row in records]
        added = await insert_jobs(tx, rows)
        return len(short) == _AT_ONCE, sorted(added)

    return await unit_of_work(body)()


async def organizations_short_of_credits(ended_before: int) -> list[str]:
    """Organizations with jobs that ended for want of credits before this moment (microseconds)."""
    found = await query(
        "SELECT DISTINCT organization_id FROM job WHERE short_of_credits AND finished_at < ?", [ended_before]
    )
    return [row["organization_id"] for row in found]
