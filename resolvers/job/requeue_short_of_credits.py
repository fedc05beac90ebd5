"""Start again, once credits return, the jobs that ended without asking a provider for want of them."""

from datetime import datetime

from enrichment.config import Config
from enrichment.enums import JobTrigger
from models.db.columns import EPOCH
from models.db.transaction import Transaction, unit_of_work
from models.job import transitions
from models.job.queries import take_short_of_credits
from resolvers.context import Services
from resolvers.events.publisher import announce
from resolvers.job.new_job import new_job
from resolvers.organizations import config_of, organization_of
from resolvers.queue_wakeup import wake_workers

_AT_ONCE = 500


async def restore_jobs(services: Services, organization_id: str, *, ended_before: datetime | None = None) -> int:
    """Start a job for every record whose last one was short of credits. Returns how many were started.

    `ended_before` leaves out those that ended later, which a new day cannot help.
    """
    started: list[str] = []
    more = True
    while more:
        now = services.now()
        config = config_of(await organization_of(organization_id, services.registry, now))
        until = now + datetime.resolution if ended_before is None else ended_before
        more, jobs = await _restore_some(organization_id, config, until, now)
        started += jobs
    if started:
        await announce(services.redis, organization_id, jobs=started)
        await wake_workers(services.redis, len(started))
    return len(started)


@unit_of_work
async def _restore_some(
    tx: Transaction, organization_id: str, config: Config, ended_before: datetime, now: datetime
) -> tuple[bool, list[str]]:
    """Whether there may be more, and the ids of the jobs started."""
    short = await take_short_of_credits(tx, organization_id, ended_before, _AT_ONCE)
    records = {job.record_id: job for job in sorted(short, key=lambda job: job.answers_since or EPOCH)}
    jobs = [
        new_job(
            organization_id,
            record_id,
            job.entity_type,
            JobTrigger.CREDITS_RESTORED,
            config,
            now,
            forced=True,
            answers_since=job.answers_since,  # what it did not ask then is still to be asked again
        )
        for record_id, job in sorted(records.items())
    ]
    return len(short) == _AT_ONCE, sorted(await transitions.create(tx, jobs))
