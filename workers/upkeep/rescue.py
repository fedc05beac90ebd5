"""Jobs that nobody is at work on: those whose worker vanished, and those that are due without a wake-up."""

import math
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog

from models.answer.deliveries import jobs_to_wake, make_answers_due
from models.db.transaction import Transaction, unit_of_work
from models.job.due import organizations_with_due_jobs
from models.job.leases import anything_to_rescue, make_due
from models.job.moved import MovedJob
from models.job.transitions import requeue_lost
from resolvers.context import Services
from resolvers.credit.settle import release_open
from resolvers.events.publisher import announce
from resolvers.queue_wakeup import wake_workers
from workers.repeating import repeat
from workers.upkeep.end_calls import end_calls
from workers.upkeep.read_deliveries import read_deliveries

EVERY_SECONDS = 1.0
RENEWED_WITHIN_SECONDS = 5.0  # of the database's return each worker that lives has prolonged its leases
SLOW_SECONDS = 2.0  # for a look, after which the database counts as having been away
SLOW_ONCE_IN_SECONDS = 60.0  # where it is always slow, lost workers are still noticed

_log = structlog.get_logger(__name__)


async def rescue_forever(services: Services) -> None:
    """Rescue once a second until cancelled; where nothing is to be done, that is one statement."""

    out_of_reach_at = -math.inf

    async def rescue_if_needed() -> None:
        nonlocal out_of_reach_at
        began = time.monotonic()
        try:
            needed = await anything_to_rescue(services.now())
        except Exception:
            out_of_reach_at = time.monotonic()
            raise
        if (now := time.monotonic()) - began > SLOW_SECONDS and began - out_of_reach_at > SLOW_ONCE_IN_SECONDS:
            out_of_reach_at = now  # it was silent, or this process stood still
        if needed:
            # While the database was away nobody could prolong a lease: whoever lives may do so first.
            renewed = now - out_of_reach_at > RENEWED_WITHIN_SECONDS
            await rescue({"services": services}, with_lost=renewed)

    await repeat(rescue_if_needed, lambda: EVERY_SECONDS, "rescue")


async def rescue(ctx: dict[str, Any], *, with_lost: bool = True) -> None:
    """Requeue the jobs whose worker vanished, end its calls, and wake workers for everything that is due.

    Without `with_lost` no worker is taken for lost.
    """
    services: Services = ctx["services"]
    now = services.now()
    lost = await _requeue_lost(now, services.monthly_credit_grant) if with_lost else []
    await read_deliveries(services)
    await end_calls(services)
    await _announce(services, lost)
    if job_ids := await jobs_to_wake(now):
        await _wake_for_deliveries(job_ids, now)
    if lost or await organizations_with_due_jobs(now, 1):
        await wake_workers(services.redis)


@unit_of_work
async def _requeue_lost(tx: Transaction, now: datetime, monthly_grant: int) -> list[MovedJob]:
    lost = await requeue_lost(tx, now)
    await release_open(tx, [job.id for job in lost], now=now, monthly_grant=monthly_grant)
    return lost


async def _announce(services: Services, lost: Sequence[MovedJob]) -> None:
    by_organization: dict[str, list[str]] = {}
    for job in lost:
        _log.warning("worker lost", job_id=job.id, organization=job.organization_id, failed=job.status.is_final)
        by_organization.setdefault(job.organization_id, []).append(job.id)
    for organization_id, ids in by_organization.items():
        await announce(services.redis, organization_id, jobs=ids)


@unit_of_work
async def _wake_for_deliveries(tx: Transaction, job_ids: Sequence[str], now: datetime) -> None:
    """Let jobs go on whose answer was sent before they had begun to wait for it."""
    await make_due(tx, job_ids, now)
    await make_answers_due(tx, job_ids, now)
