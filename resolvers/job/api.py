"""Jobs: read, watch, retry and cancel them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise.exceptions import IntegrityError
from tortoise.queryset import QuerySet

from enrichment.enums import ACTIVE_STATUSES, RETRYABLE_STATUSES, EntityType, JobStatus, JobTrigger
from models.db.columns import to_micros
from models.db.statements import marks, query
from models.job import Job
from resolvers.context import Context, Role
from resolvers.errors import JobNotCancellable, JobNotRetryable, NotFound
from resolvers.events.publisher import announce
from resolvers.events.subscriber import Notice
from resolvers.organizations import config_of, organization_of
from resolvers.paging import Page, PageArgs, check_id, paginate
from resolvers.queue_wakeup import wake_workers
from resolvers.validation import MAX_EXTERNAL_ID, MAX_NAME, check_text

REREAD_SECONDS = 5.0  # a lost notice delays a watcher no longer than this
_MOST_AT_ONCE = 500
_OVERLAP = timedelta(seconds=1)  # between the clocks of two processes, and a write and its notice


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs. An empty tuple leaves that open; `created_before` is exclusive."""

    entity_types: tuple[EntityType, ...] = ()
    status: tuple[JobStatus, ...] = ()
    trigger: tuple[JobTrigger, ...] = ()
    external_id: str | None = None
    record_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


def _filtered(organization_id: str, wanted: JobFilter) -> QuerySet[Job]:
    rows = Job.filter(organization_id=organization_id).prefetch_related("record", "steps")
    if wanted.entity_types:
        rows = rows.filter(entity_type__in=list(wanted.entity_types))
    if wanted.status:
        rows = rows.filter(status__in=list(wanted.status))
    if wanted.trigger:
        rows = rows.filter(trigger__in=list(wanted.trigger))
    if wanted.external_id is not None:
        rows = rows.filter(record__external_id=check_text(wanted.external_id, "externalId", longest=MAX_EXTERNAL_ID))
    if wanted.record_id is not None:
        rows = rows.filter(record_id=check_text(wanted.record_id, "recordId", longest=MAX_NAME))
    if wanted.created_after is not None:
        rows = rows.filter(created_at__gt=wanted.created_after)
    if wanted.created_before is not None:
        rows = rows.filter(created_at__lt=wanted.created_before)
    return rows


async def list_jobs(ctx: Context, wanted: JobFilter, page: PageArgs) -> Page[Job]:
    """Jobs, newest first, with record and steps. Raises ValidationFailed for a filter that cannot be."""
    caller = ctx.require(Role.VIEWER)
    return await paginate(_filtered(caller.organization_id, wanted), page)


async def get_job(ctx: Context, job_id: str) -> Job:
    """One job with its record and steps. Raises NotFound, and BadRequest for what cannot be an id."""
    caller = ctx.require(Role.VIEWER)
    return await _read(caller.organization_id, check_id(job_id))


async def _read(organization_id: str, job_id: str) -> Job:
    found = await _filtered(organization_id, JobFilter()).get_or_none(id=job_id)
    if found is None:
        raise NotFound("no such job")
    return found


async def retry_job(ctx: Context, job_id: str) -> Job:
    """Queue a failed or partial job again; only what has not been answered is asked.

    Raises JobNotRetryable for any other state, and where the record has another active job.
    """
    caller = ctx.require(Role.USER)
    services = ctx.services
    now = services.now()
    job_id = check_id(job_id)
    await _read(caller.organization_id, job_id)
    config = config_of(await organization_of(caller.organization_id, services.registry, now))
    states = sorted(status.value for status in RETRYABLE_STATUSES)
    try:
        retried = await query(
            "UPDATE job SET status = 'pending', next_attempt_at = ?, finished_at = NULL, updated_at = ?,"
            " max_attempts = attempts + ?, progress = 0, running_step = NULL, error_code = NULL,"
            " error_message = NULL, error_retryable = NULL, short_of_credits = FALSE, forced = TRUE, priority = 0"
            f" WHERE id = ? AND organization_id = ? AND status IN ({marks(states)}) RETURNING id",
            [to_micros(now), to_micros(now), config.max_attempts, job_id, caller.organization_id, *states],
        )
    except IntegrityError as error:
        raise JobNotRetryable("the record has another job that is pending or in progress") from error
    job = await _read(caller.organization_id, job_id)
    if not retried:
        raise JobNotRetryable(f"the job is {job.status.value}; only failed and partial ones", state=job.status.value)
    await announce(services.redis, caller.organization_id, jobs=[job_id])
    await wake_workers(services.redis)
    return job


async def cancel_job(ctx: Context, job_id: str) -> Job:
    """Stop a pending or running job: nothing more is written. Raises JobNotCancellable when it has ended."""
    caller = ctx.require(Role.USER)
    now = to_micros(ctx.services.now())
    job_id = check_id(job_id)
    states = sorted(status.value for status in ACTIVE_STATUSES)
    cancelled = await query(
        "UPDATE job SET status = 'cancelled', finished_at = ?, updated_at = ?, lease_until = NULL,"
        " next_attempt_at = NULL, running_step = NULL"
        f" WHERE id = ? AND organization_id = ? AND status IN ({marks(states)}) RETURNING id",
        [now, now, job_id, caller.organization_id, *states],
    )
    job = await _read(caller.organization_id, job_id)
    if not cancelled:
        raise JobNotCancellable(f"the job is {job.status.value} already", state=job.status.value)
    await announce(ctx.services.redis, caller.organization_id, jobs=[job_id])
    return job


async def watch_job(ctx: Context, job_id: str) -> AsyncIterator[Job]:
    """The job as it is now, then after each change; ends after its final state."""
    caller = ctx.require(Role.VIEWER)
    organization_id, job_id = caller.organization_id, check_id(job_id)
    async with ctx.services.events.watch(organization_id, job=job_id, reread_every=REREAD_SECONDS) as notices:
        job = await _read(organization_id, job_id)
        yield job
        if job.status.is_final:
            return
        async for notice in notices:
            seen = job.updated_at, job.progress, job.running_step
            job = await notice.once(f"job {job_id}", lambda: _read(organization_id, job_id))
            if (job.updated_at, job.progress, job.running_step) != seen:
                yield job
            if job.status.is_final:
                return


async def watch_jobs(ctx: Context, wanted: JobFilter) -> AsyncIterator[Job]:
    """Every job of the organization as it changes, that the filter lets through."""
    caller = ctx.require(Role.VIEWER)
    now = ctx.services.now
    async with ctx.services.events.watch(caller.organization_id) as notices:
        heard_at = now()
        async for notice in notices:
            since, heard_at = heard_at, now()
            for job in await _changed(caller.organization_id, notice, since):
                if _matches(job, wanted):
                    yield job


async def _changed(organization_id: str, notice: Notice, since: datetime) -> list[Job]:
    """The jobs a notice is about; after a gap those that changed since the last notice, the newest of very many."""
    if notice.gap:
        since = since.replace(microsecond=0) - _OVERLAP  # by the second, so that many watchers ask once

        async def load_since() -> list[Job]:
            rows = _filtered(organization_id, JobFilter()).filter(updated_at__gte=since)
            return list(reversed(await rows.order_by("-updated_at").limit(_MOST_AT_ONCE)))

        return await notice.once(f"jobs since {since.isoformat()}", load_since)
    if not notice.jobs:
        return []

    async def load() -> list[Job]:
        ids = sorted(notice.jobs)
        found: list[Job] = []
        for start in range(0, len(ids), _MOST_AT_ONCE):
            rows = _filtered(organization_id, JobFilter()).filter(id__in=ids[start : start + _MOST_AT_ONCE])
            found += await rows.order_by("id")
        return found

    return await notice.once("jobs", load)


def _matches(job: Job, wanted: JobFilter) -> bool:
    return (
        (not wanted.entity_types or job.entity_type in wanted.entity_types)
        and (not wanted.status or job.status in wanted.status)
        and (not wanted.trigger or job.trigger in wanted.trigger)
        and wanted.external_id in (None, job.record.external_id)
        and wanted.record_id in (None, job.record_id)
        and (wanted.created_after is None or job.created_at > wanted.created_after)
        and (wanted.created_before is None or job.created_at < wanted.created_before)
    )
