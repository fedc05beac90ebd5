"""What the queue forgot: lost jobs, jobs that are due without a wake-up, refreshes, and credits that returned."""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient

from enrichment.vocabulary import EntityType, JobTrigger
from models.database import load, query, transaction
from models.deliveries import answers_due, make_due, overslept
from models.fields import to_micros
from models.hearings import drop_hearings
from models.queue import Lost, insert_jobs, organizations_with_due_jobs, requeue_lost
from resolvers.context import Services
from resolvers.events import announce
from resolvers.freshness import renew_half_lives
from resolvers.intake import job_row
from resolvers.ledger import release_open
from resolvers.organizations import read_config
from resolvers.restore import organizations_short_of_credits, restore_jobs
from resolvers.wake import wake_workers

REFRESHED_AT_ONCE = 1000

_log = structlog.get_logger(__name__)


async def sweep(ctx: dict[str, Any]) -> None:
    """Take up jobs whose worker vanished, and wake workers for everything that is due. Runs every second."""
    services: Services = ctx["services"]
    now = services.now()
    lost = await _requeue(services, now)
    await _wake_overslept(now)
    if lost or await organizations_with_due_jobs(now, 1):
        await wake_workers(services.redis)


async def _requeue(services: Services, now: datetime) -> list[Lost]:
    async def body(tx: BaseDBAsyncClient) -> list[Lost]:
        lost = await requeue_lost(tx, now)
        ids = [job.job_id for job in lost]
        await release_open(tx, ids, now=now, monthly_grant=services.monthly_credit_grant)
        return lost

    lost = await transaction(body)
    by_organization: dict[str, list[str]] = {}
    for job in lost:
        _log.warning("worker lost", job_id=job.job_id, organization=job.organization_id, failed=job.failed)
        by_organization.setdefault(job.organization_id, []).append(job.job_id)
    for organization_id, ids in by_organization.items():
        await announce(services.redis, organization_id, jobs=ids)
    return lost


async def _wake_overslept(now: datetime) -> None:
    """Let jobs go on whose answer was sent before they had lain down to wait for it."""
    jobs = await overslept(now)

    async def body(tx: BaseDBAsyncClient) -> None:
        await make_due(tx, jobs, now)
        await answers_due(tx, jobs, now)

    if jobs:
        await transaction(body)


async def refresh(ctx: dict[str, Any]) -> int:
    """Start a refresh for records that are due for one, the stalest first. Returns how many. Runs every minute."""
    services: Services = ctx["services"]
    now = services.now()
    started = 0
    found = await query("SELECT id, config FROM organization WHERE paused_at IS NULL")
    for row in found:
        await renew_half_lives(row["id"], now)
        started += await _refresh(services, row["id"], row["config"], now)
    return started


async def _refresh(services: Services, organization_id: str, stored: Any, now: datetime) -> int:
    config = read_config(load(stored))
    days = config.triggers.refresh_after_days
    if not config.enabled or days is None:
        return 0
    stale = to_micros(now - timedelta(days=days))

    # One try a period: a refresh that was skipped or failed does not start over every minute.
    records = await query(
        "SELECT id, organization_id, entity_type FROM record WHERE organization_id = ?"
        " AND last_enriched_at IS NOT NULL AND last_enriched_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM job WHERE job.record_id = record.id AND job.created_at >= ?)"
        " ORDER BY last_enriched_at LIMIT ?",
        [organization_id, stale, stale, REFRESHED_AT_ONCE],
    )
    wanted = [row for row in records if config.entity_types.allows(EntityType(row["entity_type"]))]
    rows = [job_row(row, JobTrigger.SCHEDULED_REFRESH, config, to_micros(now), None) for row in wanted]

    async def body(tx: BaseDBAsyncClient) -> list[str]:
        return sorted(await insert_jobs(tx, rows))

    started = await transaction(body)
    if started:
        await announce(services.redis, organization_id, jobs=started)
        await wake_workers(services.redis, len(started))
    return len(started)


async def new_day(ctx: dict[str, Any]) -> int:
    """Run again what ended for want of credits before this day: its limits are new, and maybe the month's grant."""
    services: Services = ctx["services"]
    midnight = services.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    before = to_micros(midnight)
    started = 0
    for organization_id in await organizations_short_of_credits(before):
        started += await restore_jobs(services, organization_id, ended_before=before)
    return started


async def drop_old_hearings(ctx: dict[str, Any]) -> int:
    """Forget what jobs decided on longer ago than it can be replayed. Returns how many. Runs every hour."""
    services: Services = ctx["services"]
    return await drop_hearings(to_micros(services.now() - timedelta(days=services.replay_days)))
