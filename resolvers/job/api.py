"""Jobs: read, watch, retry and cancel them."""

from enrichment.words import of_status
from models.db.printed import Printed
from models.db.wanted import EVERYTHING, Wanted
from models.job import transitions
from models.job.order import JobOrder
from models.job.page import job_page
from models.job.queries import JobFilter
from models.job.shown import JOBS_OF_RECORD, ShownJob, find_job
from resolvers.context import Context, Role
from resolvers.errors import JobNotCancellable, JobNotRetryable, NotFound
from resolvers.events.publisher import announce
from resolvers.organizations import config_of, organization_of
from resolvers.paging import Page, PageArgs, check_id
from resolvers.queue_wakeup import wake_workers
from resolvers.tracing import keep_parent
from resolvers.validation import check_filter


def _checked(wanted: JobFilter) -> JobFilter:
    check_filter(wanted)
    return wanted


async def list_jobs(
    ctx: Context,
    wanted: JobFilter,
    page: PageArgs,
    shown: Wanted | Printed = EVERYTHING,
    order: JobOrder = JobOrder.CREATED_AT_DESC,
) -> Page[ShownJob]:
    """Jobs in this order, with what is to be shown of them. Raises ValidationFailed for a filter that cannot be."""
    caller = ctx.require(Role.VIEWER)
    keyset = page.keyset("jobs" if wanted.record_id is None else JOBS_OF_RECORD, order)
    return await job_page(caller.organization_id, _checked(wanted), keyset, shown)


async def get_job(ctx: Context, job_id: str, shown: Wanted = EVERYTHING) -> ShownJob:
    """What is to be shown of one job. Raises NotFound, and BadRequest for what cannot be an id."""
    caller = ctx.require(Role.VIEWER)
    return await _read(caller.organization_id, check_id(job_id), shown)


async def _read(organization_id: str, job_id: str, shown: Wanted = EVERYTHING) -> ShownJob:
    found = await find_job(organization_id, job_id, shown)
    if found is None:
        raise NotFound("no such job")
    return found


async def retry_job(ctx: Context, job_id: str) -> ShownJob:
    """Queue a failed or partial job again; only what has not been answered is asked.

    Raises JobNotRetryable for any other state, and where the record has another active job.
    """
    caller = ctx.require(Role.USER)
    services = ctx.services
    now = services.now()
    job_id = check_id(job_id)
    await _read(caller.organization_id, job_id)
    config = config_of(await organization_of(caller.organization_id, services.registry, now))
    try:
        retried = await transitions.retry(caller.organization_id, job_id, now, attempts=config.max_attempts)
    except transitions.RecordHasActiveJob as error:
        raise JobNotRetryable("the record has another job that is pending or in progress") from error
    job = await _read(caller.organization_id, job_id)
    if not retried:
        raise JobNotRetryable(
            f"the job is {of_status(job.status)}; only failed and partial ones are tried again", state=job.status.value
        )
    await announce(services.redis, caller.organization_id, jobs=[job_id])
    await keep_parent(services.redis, [job_id])
    await wake_workers(services.redis)
    return job


async def cancel_job(ctx: Context, job_id: str) -> ShownJob:
    """Stop a pending or running job: nothing more is written. Raises JobNotCancellable when it has ended."""
    caller = ctx.require(Role.USER)
    job_id = check_id(job_id)
    cancelled = await transitions.cancel(caller.organization_id, job_id, ctx.services.now())
    job = await _read(caller.organization_id, job_id)
    if not cancelled:
        raise JobNotCancellable(f"the job is {of_status(job.status)} already", state=job.status.value)
    await announce(ctx.services.redis, caller.organization_id, jobs=[job_id])
    return job
