"""What the queue forgot: lost jobs, jobs that are due without a wake-up, refreshes, and credits that returned."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from models.answer_deliveries import answers_due, make_due, overslept
from models.db.columns import to_micros
from models.db.statements import load
from models.db.transaction import Transaction, unit_of_work
from models.decision_log import drop_hearings
from models.job_claims import LostJob, organizations_with_due_jobs, requeue_lost
from models.refresh import organizations_by_turn
from resolvers.context import Services
from resolvers.credit.settle import release_open
from resolvers.events.publisher import announce
from resolvers.job.requeue_short_of_credits import organizations_short_of_credits, restore_jobs
from resolvers.organizations import read_config
from resolvers.queue_wakeup import wake_workers
from resolvers.refresh.freshness import is_fit_due, renew_half_lives
from resolvers.refresh.schedule import Turn, start_refreshes

REFRESH_SECONDS = 20.0  # after which a sweep serves no further organization

_log = structlog.get_logger(__name__)


async def sweep(ctx: dict[str, Any]) -> None:
    """Take up jobs whose worker vanished, and wake workers for everything that is due. Runs every second."""
    services: Services = ctx["services"]
    now = services.now()
    lost = await _requeue(services, now)
    await _wake_overslept(now)
    if lost or await organizations_with_due_jobs(now, 1):
        await wake_workers(services.redis)


async def _requeue(services: Services, now: datetime) -> list[LostJob]:
    async def body(tx: Transaction) -> list[LostJob]:
        lost = await requeue_lost(tx, now)
        ids = [job.job_id for job in lost]
        await release_open(tx, ids, now=now, monthly_grant=services.monthly_credit_grant)
        return lost

    lost = await unit_of_work(body)()
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

    async def body(tx: Transaction) -> None:
        await make_due(tx, jobs, now)
        await answers_due(tx, jobs, now)

    if jobs:
        await unit_of_work(body)()


async def refresh(ctx: dict[str, Any]) -> int:
    """Start a refresh for records that are due for one, the stalest first, and renew half-lives once a day.

    Returns how many were started. Runs every minute; whoever's turn does not come in time is first in the next.
    """
    services: Services = ctx["services"]
    now = services.now()
    deadline = time.monotonic() + REFRESH_SECONDS
    started = 0
    for row in await organizations_by_turn():
        if time.monotonic() > deadline:
            break
        try:
            if is_fit_due(row["fitted_at"], now):
                await renew_half_lives(row["id"], now)
            config = read_config(load(row["config"]))
            started += await start_refreshes(Turn(services, row["id"], config, row["config_version"], now))
        except Exception:
            # One organization's trouble keeps no other from its refresh.
            _log.exception("refresh failed", organization=row["id"])
    return started


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
