"""Watching jobs: what the log says of them, and hints of how far the active ones are, read back from their rows."""

from collections.abc import AsyncIterator, Collection
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from enrichment.enums import ACTIVE_STATUSES, JobStatus
from models.db.wanted import EVERYTHING, Wanted, also, merged
from models.event.cursor import EventCursor
from models.event.kinds import EventKind
from models.job.queries import JobFilter
from models.job.shown import ShownJob, find_job, jobs_by_id, jobs_changed_since
from resolvers.context import Context, Role
from resolvers.errors import NotFound
from resolvers.events.follow import REREAD_SECONDS, Followed, follow, start_of
from resolvers.events.notice import Notice
from resolvers.paging import check_id

_MOST_AT_ONCE = 500
_OVERLAP = timedelta(seconds=1)  # between the clocks of two processes, and a write and its notice
_FILTERED = ("entity_type", "status", "trigger", "record_id", "created_at", "updated_at", "progress", "running_step")
_STATE = ("status", "progress", "running_step", "attempts", "next_attempt_at", "error_code")


class JobEventKind(StrEnum):
    """What happened to a job. Those without a cursor are hints: the last of them is what the row says now."""

    CREATED = "created"
    STARTED = "started"  # a hint
    PROGRESSED = "progressed"  # a hint
    WAITS = "waits"  # a hint: for its next attempt
    RETRIED = "retried"
    ENDED = "ended"


_LOGGED = {
    EventKind.JOB_CREATED: JobEventKind.CREATED,
    EventKind.JOB_RETRIED: JobEventKind.RETRIED,
    EventKind.JOB_ENDED: JobEventKind.ENDED,
}


@dataclass(frozen=True, slots=True)
class JobChange:
    """What happened to a job, which is shown as it is now. `cursor`: of what stands in the log."""

    job: ShownJob
    kind: JobEventKind
    at: datetime
    cursor: EventCursor | None = None


async def watch_job(ctx: Context, job_id: str, shown: Wanted = EVERYTHING) -> AsyncIterator[ShownJob]:
    """What is to be shown of the job as it is now, then each other state; ends after its final state."""
    caller = ctx.require(Role.VIEWER)
    organization_id, job_id = caller.organization_id, check_id(job_id)
    shown = also(shown, *_STATE)
    same = f"job {job_id} {shown}"  # for watchers of the same, who share what is read for them

    async def read() -> ShownJob:
        found = await find_job(organization_id, job_id, shown)
        if found is None:
            raise NotFound("no such job")
        return found

    async with ctx.services.events.watch(organization_id, job=job_id, reread_every=REREAD_SECONDS) as notices:
        job = await read()
        yield job
        if job.status.is_final:
            return
        async for notice in notices:
            seen = _state(job)
            job = await notice.once(same, read)
            if _state(job) != seen:
                yield job
            if job.status.is_final:
                return


def _state(job: ShownJob) -> tuple[Any, ...]:
    return tuple(getattr(job, name) for name in _STATE)


async def watch_jobs(
    ctx: Context, wanted: JobFilter, shown: Wanted = EVERYTHING, *, after: str | None = None
) -> AsyncIterator[JobChange]:
    """Every change of the organization's jobs that the filter lets through: after a cursor of the log, or from now on.

    What stands in the log comes in its order, without a gap. Between come hints of the active jobs, each other state
    once. The filter's status is the one that an event brought the job to. A job that was erased meanwhile is left out.
    Raises BadRequest and CursorExpired.
    """
    organization_id = ctx.require(Role.VIEWER).organization_id
    shown = merged((also(shown, *_FILTERED, *_STATE), {"record": {"external_id": EVERYTHING}}))
    of_any_status = replace(wanted, status=())
    now, sent = ctx.services.now, dict[str, tuple[Any, ...]]()
    async with ctx.services.events.watch(organization_id, reread_every=REREAD_SECONDS) as notices:
        start, read_at = await start_of(organization_id, after), now()
        async with aclosing(follow(organization_id, start, notices)) as followed:
            async for read in followed:
                for change, status in await _logged(organization_id, read, shown):
                    if of_any_status.matches(change.job) and (not wanted.status or status in wanted.status):
                        sent[change.job.id] = _state(change.job)
                        yield change
                    if change.job.status.is_final:
                        sent.pop(change.job.id, None)
                if not read.caught_up or read.notice is None:
                    continue
                since, read_at = read_at, now()
                for job in await _hinted(organization_id, read.notice, since, shown):
                    if job.status in ACTIVE_STATUSES and wanted.matches(job) and sent.get(job.id) != _state(job):
                        kind = _hint(job, sent.get(job.id))
                        sent[job.id] = _state(job)
                        yield JobChange(job, kind, job.updated_at)


def _hint(job: ShownJob, before: tuple[Any, ...] | None) -> JobEventKind:
    if job.status is JobStatus.PENDING:
        return JobEventKind.WAITS
    began = before is None or before[0] is JobStatus.PENDING
    return JobEventKind.STARTED if began else JobEventKind.PROGRESSED


async def _logged(organization_id: str, read: Followed, shown: Wanted) -> list[tuple[JobChange, JobStatus]]:
    """What the log says of jobs, each as it is now, with the status that it says."""
    told = [event for event in read.events if event.kind in _LOGGED]
    ids = {event.job_id for event in told if event.job_id is not None}
    if not ids:
        return []

    async def load() -> list[ShownJob]:
        return await _by_id(organization_id, ids, shown)

    # Whoever is as far and shows the same shares what is read.
    same = f"logged jobs {read.cursor} {sorted(ids)[0]} {len(ids)} {shown}"
    found = await (load() if read.notice is None else read.notice.once(same, load))
    jobs = {job.id: job for job in found}
    return [
        (
            JobChange(jobs[event.job_id], _LOGGED[event.kind], event.at, event.cursor),
            event.job_status or JobStatus.PENDING,
        )
        for event in told
        if event.job_id in jobs
    ]


async def _by_id(organization_id: str, ids: Collection[str], shown: Wanted) -> list[ShownJob]:
    ordered = sorted(ids)
    found: list[ShownJob] = []
    for start in range(0, len(ordered), _MOST_AT_ONCE):
        found += await jobs_by_id(organization_id, ordered[start : start + _MOST_AT_ONCE], shown)
    return found


async def _hinted(organization_id: str, notice: Notice, since: datetime, shown: Wanted) -> list[ShownJob]:
    """The jobs a notice is about; after a gap those that changed since the last notice, the newest of very many."""
    if notice.gap:
        since = since.replace(microsecond=0) - _OVERLAP  # by the second, so that many watchers ask once
        return await notice.once(
            f"jobs since {since.isoformat()} {shown}",
            lambda: jobs_changed_since(organization_id, since, _MOST_AT_ONCE, shown),
        )
    if not notice.jobs:
        return []
    return await notice.once(f"jobs {shown}", lambda: jobs_by_id(organization_id, notice.jobs, shown))
