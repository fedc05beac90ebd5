"""Run again the jobs that ended because a provider refused to answer, once it is asked again.

It is asked again after somebody reset it, with another key, and when its credits are back. A job asks only what has not
been answered, as after a retry by hand; but nobody insists on what may have been charged.
"""

from datetime import timedelta

from enrichment.config import Config
from enrichment.enums import JobTrigger
from models.db.transaction import Transaction, unit_of_work
from models.job.refused import AskedAgain, refused_jobs
from models.job.transitions import retry_by_itself
from models.provider_state import asked_again_since, lock_state, out_of_credits_until
from resolvers.context import Services
from resolvers.events.publisher import announce
from resolvers.job.new_job import PRIORITY
from resolvers.organizations import config_of, organization_of
from resolvers.queue_wakeup import wake_workers

AT_ONCE = 500
GRACE = timedelta(seconds=3)  # in which whoever had a provider asked again may retry some jobs by hand first
LOOKED_BACK = timedelta(days=2)  # how long after a provider is asked again there may be jobs left that it refused


async def restart_refused(services: Services) -> int:
    """Run them again, for every provider that is asked again. Returns how many jobs.

    Of a provider whose credits may be back one job tries it; the others follow once that was answered.
    """
    now, started = services.now(), 0
    for organization_id, provider, since in await asked_again_since(now - LOOKED_BACK):
        if since <= now - GRACE:
            asked_again = AskedAgain(organization_id, provider, since)
            while some := await _restart(services, asked_again, AT_ONCE):
                started += some
    for organization_id, provider in await out_of_credits_until(now):
        started += await _restart(services, AskedAgain(organization_id, provider, now), 1)
    return started


async def _restart(services: Services, asked_again: AskedAgain, most: int) -> int:
    organization_id = asked_again.organization_id
    if not await refused_jobs(asked_again, 1):
        return 0
    config = config_of(await organization_of(organization_id, services.registry, services.now()))
    started = await _start(asked_again, most, config, services)
    if started:
        await announce(services.redis, organization_id, jobs=started)
        await wake_workers(services.redis, len(started))
    return len(started)


@unit_of_work
async def _start(tx: Transaction, asked_again: AskedAgain, most: int, config: Config, services: Services) -> list[str]:
    """The ids of the jobs. The provider's state is locked: of two that start them one finds nothing left."""
    organization_id = asked_again.organization_id
    await lock_state(tx, organization_id, asked_again.provider)
    refused = await refused_jobs(asked_again, most, using=tx)
    if not refused:
        return []
    return await retry_by_itself(
        tx,
        organization_id,
        [job.id for job in refused],
        services.now(),
        attempts=config.max_attempts,
        priority=PRIORITY[JobTrigger.CREDITS_RESTORED],
    )
