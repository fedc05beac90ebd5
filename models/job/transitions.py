"""The state machine of jobs: the only statements that set a job's status.

Every statement takes its guard and its target from `models.job.transition_table`, so that a job in another state is
left alone. `docs/state-machine.md` has the picture.
"""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from tortoise.exceptions import IntegrityError

from enrichment.enums import EntityType, JobStatus, JobTrigger
from models.db.columns import to_micros
from models.db.connection import dialect
from models.db.copying import add_rows
from models.db.locks import skip_locked
from models.db.rows import bulk, columns_of, fetch, insert, projection, select
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction, unit_of_work
from models.event.kinds import EventKind
from models.event.of_job import job_event
from models.event.write import add_events
from models.job.due import DueJobs
from models.job.ended_attempt import AttemptEnd
from models.job.leases import LEASE, Lease, lock_held
from models.job.moved import MovedJob
from models.job.row import Job
from models.job.steps import note_cost_of_ended
from models.job.transition_table import CANCEL, CLAIM, CREATE, FINISH, RELEASE, REQUEUE_LOST, RETRY, WAIT, Transition

WORKER_LOST = "worker_lost"  # the error of a job whose lease ran out
MOST_LOST = 6  # workers in a row; a job that these were lost with is likely to be why


class RecordHasActiveJob(Exception):
    """The job cannot become active: its record has another job that is pending or in progress."""


@projection(Job)
class NewJob:
    """A job to be added, pending."""

    id: str
    organization_id: str
    record_id: str
    entity_type: EntityType
    trigger: JobTrigger
    priority: int
    max_attempts: int
    forced: bool
    answers_since: datetime | None
    budget_id: str | None
    next_attempt_at: datetime
    requested_by: str | None
    created_at: datetime
    updated_at: datetime
    status: JobStatus = JobStatus.PENDING
    fields_updated: list[str] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    filled_before: list[str] = field(default_factory=list)
    filled_after: list[str] = field(default_factory=list)


async def create(tx: Transaction, jobs: Sequence[NewJob], *, logged: bool = True) -> set[str]:
    """Add pending jobs; one whose record has an active job already, or is gone, is left out. Returns the ids added.

    Without `logged` the caller adds to the log what says that they were created.
    """
    # A record that is being erased is waited for, and then is not there.
    lock = "" if dialect() == "sqlite" else " FOR KEY SHARE"
    there = f"EXISTS (SELECT 1 FROM record WHERE record.id = v.record_id{lock})"
    added = await insert(tx, jobs, then=f"AND {CREATE.leads_to_v} AND {there} ON CONFLICT DO NOTHING RETURNING id")
    created = {row["id"] for row in added}
    if logged:
        await add_events(
            tx, [job_event(EventKind.JOB_CREATED, job, job.created_at) for job in jobs if job.id in created]
        )
    return created


async def create_first(tx: Transaction, jobs: Sequence[NewJob]) -> None:
    """Add the first, pending, job of each of these records, which were added in this transaction.

    The caller adds to the log what says that they were created.
    """
    assert all(job.status in CREATE.targets for job in jobs)
    await add_rows(tx, jobs)


@projection(Job)
class JobClaim:
    """A job that has just been claimed: valid while the row has this fence and is in progress."""

    id: str
    fence: int
    organization_id: str
    record_id: str
    entity_type: EntityType
    trigger: JobTrigger
    priority: int
    attempts: int
    max_attempts: int
    forced: bool
    answers_since: datetime | None
    budget_id: str | None
    created_at: datetime
    fields_updated: list[str]
    outcomes: list[dict[str, Any]]
    filled_before: list[str]
    error_code: str | None

    @property
    def lease(self) -> Lease:
        return Lease(self.id, self.fence)

    @property
    def was_lost(self) -> bool:
        """Whether the worker that had it before was lost."""
        return self.error_code == WORKER_LOST


_WAS_LOST = f"COALESCE(error_code, '') = '{WORKER_LOST}'"  # as `requeue_lost` notes it, until an attempt ends


async def claim(
    organization_id: str, now: datetime, limit: int, lease: timedelta = LEASE, *, with_lost: bool = True
) -> list[JobClaim]:
    """Take up to `limit` due jobs of one organization, unless it is paused. The lowest `priority` comes first.

    Of those whose worker was lost at most one is taken, besides: it may be what the worker was lost by. It is one of
    the first `limit` due jobs, and none is taken without `with_lost`.

    They are chosen once, ahead of the update: PostgreSQL may run a subquery in the update's own condition again for
    each row, which then passes by the jobs that it has just taken, and takes more than `limit`.
    """
    moment = to_micros(now)
    due = DueJobs(organization_id, now, limit)
    unpaused = "EXISTS (SELECT 1 FROM organization o WHERE o.id = job.organization_id AND o.paused_at IS NULL)"
    opening, values = due.opening
    usual, of_usual = due.first("id", f"{CLAIM.guard} AND {unpaused} AND NOT {_WAS_LOST}", lock=True)
    after, of_next = due.first(f"id, {_WAS_LOST} AS was_lost", f"{CLAIM.guard} AND {unpaused}", lock=False)
    lost = (
        f", next AS MATERIALIZED ({after}),"
        f" lost AS MATERIALIZED (SELECT id FROM job WHERE id = (SELECT id FROM next WHERE was_lost LIMIT 1)"
        f" AND {CLAIM.guard_by_id} {skip_locked('job')})"
    )
    return await fetch(
        JobClaim,
        f"{opening}usual AS MATERIALIZED ({usual}){lost if with_lost else ''}"
        f" UPDATE job SET status = {CLAIM.to}, fence = fence + 1, attempts = attempts + 1, lease_until = ?,"
        " next_attempt_at = NULL, started_at = COALESCE(started_at, ?), updated_at = ?"
        f" WHERE id IN (SELECT id FROM usual{' UNION ALL SELECT id FROM lost' if with_lost else ''})"
        f" RETURNING {select(JobClaim)}",
        [*values, *of_usual, *(of_next if with_lost else []), to_micros(now + lease), moment, moment],
    )


async def as_claimed(job_ids: Sequence[str]) -> list[JobClaim]:
    """These jobs as a claim would give them, in whatever state they are; none is claimed."""
    if not job_ids:
        return []
    return await fetch(JobClaim, f"SELECT {select(JobClaim)} FROM job WHERE id IN ({marks(job_ids)})", list(job_ids))


_WRITTEN = [name for name in columns_of(AttemptEnd) if name not in {"id", "fence"}]


async def finish(tx: Transaction, ends: Sequence[AttemptEnd], now: datetime) -> set[str]:
    """End jobs for good. Returns the ids of those that ended."""
    return await _end_attempts(tx, FINISH, ends, now)


async def wait(tx: Transaction, ends: Sequence[AttemptEnd], now: datetime) -> set[str]:
    """Let jobs wait for their next attempt. Returns the ids of those that do."""
    return await _end_attempts(tx, WAIT, ends, now)


async def _end_attempts(tx: Transaction, transition: Transition, ends: Sequence[AttemptEnd], now: datetime) -> set[str]:
    if not ends:
        return set()
    source, parameter = bulk(ends)
    written = ", ".join(f"{name} = v.{name}" for name in _WRITTEN)
    changed = await query(
        f"UPDATE job SET {written}, lease_until = NULL, running_step = NULL, steps_so_far = NULL,"
        " times_lost = NULL, updated_at = ?"
        f" FROM {source}"
        f" WHERE job.id = v.id AND job.fence = v.fence AND {transition.guard_by_id} AND {transition.leads_to_v}"
        " RETURNING job.id",
        [to_micros(now), parameter],
        using=tx,
    )
    return {row["id"] for row in changed}


@unit_of_work
async def release_leases(tx: Transaction, leases: Sequence[Lease], now: datetime) -> int:
    """Return jobs that were claimed and not worked on; the attempt does not count. Returns how many."""
    if not await lock_held(tx, leases):
        return 0
    source, parameter = bulk(leases)
    return await execute(
        f"UPDATE job SET status = {RELEASE.to}, lease_until = NULL, next_attempt_at = ?, updated_at = ?,"
        f" attempts = attempts - 1, progress = 0, running_step = NULL, steps_so_far = NULL FROM {source}"
        f" WHERE job.id = v.id AND job.fence = v.fence AND {RELEASE.guard_by_id}",
        [to_micros(now), to_micros(now), parameter],
        using=tx,
    )


async def requeue_lost(tx: Transaction, now: datetime) -> list[MovedJob]:
    """Make jobs whose lease ran out pending again; none is waited for.

    The attempt does not count: a worker dies for reasons of its own. From its second time on a job is the only one
    that a worker has of those that were lost, so that `MOST_LOST` times in a row speak against the job, and end it.
    """
    moment = to_micros(now)
    times = "COALESCE(times_lost, 0) + 1"
    again = f"{times} < {MOST_LOST}"
    lost = await fetch(
        MovedJob,
        "UPDATE job SET lease_until = NULL, progress = 0, running_step = NULL, steps_so_far = NULL, updated_at = ?,"
        f" attempts = attempts - 1, times_lost = {times},"
        f" status = CASE WHEN {again} THEN 'pending' ELSE 'failed' END,"
        f" next_attempt_at = CASE WHEN {again} THEN CAST(? AS BIGINT) END,"
        f" finished_at = CASE WHEN {again} THEN NULL ELSE CAST(? AS BIGINT) END,"
        f" error_code = '{WORKER_LOST}', error_message = CASE WHEN {again}"
        " THEN 'the worker stopped before the job ended'"
        f" ELSE 'set aside: {MOST_LOST} workers in a row stopped while they had this job' END, error_retryable = TRUE"
        f" WHERE id IN (SELECT id FROM job WHERE {REQUEUE_LOST.guard} AND lease_until < ? {skip_locked('job')})"
        f" RETURNING {select(MovedJob)}",
        [moment, moment, moment, moment],
        using=tx,
    )
    await add_events(tx, [job_event(EventKind.JOB_ENDED, job, now) for job in lost if job.status.is_final])
    return lost


@unit_of_work
async def cancel(tx: Transaction, organization_id: str, job_id: str, now: datetime) -> bool:
    """Stop a job that has not ended; its lease is lost. Returns whether it did. It shows what it has cost so far."""
    moment = to_micros(now)
    cancelled = await fetch(
        MovedJob,
        f"UPDATE job SET status = {CANCEL.to}, finished_at = ?, updated_at = ?, lease_until = NULL,"
        f" next_attempt_at = NULL, running_step = NULL, steps_so_far = NULL"
        f" WHERE id = ? AND organization_id = ? AND {CANCEL.guard}"
        f" RETURNING {select(MovedJob)}",
        [moment, moment, job_id, organization_id],
        using=tx,
    )
    if cancelled:
        await note_cost_of_ended(tx, [job_id])
        await add_events(tx, [job_event(EventKind.JOB_ENDED, job, now) for job in cancelled])
    return bool(cancelled)


_AGAIN = (
    f"UPDATE job SET status = {RETRY.to}, next_attempt_at = ?, finished_at = NULL, updated_at = ?,"
    " max_attempts = attempts + ?, progress = 0, running_step = NULL, error_code = NULL, error_message = NULL,"
    " error_retryable = NULL, times_lost = NULL, short_of_credits = FALSE, forced = TRUE"
)


@unit_of_work
async def retry(tx: Transaction, organization_id: str, job_id: str, now: datetime, *, attempts: int) -> bool:
    """Queue a job that failed in whole or in part for so many more attempts. Returns whether it was one.

    Raises RecordHasActiveJob.
    """
    sql = f"{_AGAIN}, priority = 0 WHERE id = ? AND organization_id = ? AND {RETRY.guard} RETURNING {select(MovedJob)}"
    moment = to_micros(now)
    try:
        retried = await fetch(MovedJob, sql, [moment, moment, attempts, job_id, organization_id], using=tx)
    except IntegrityError as error:
        raise RecordHasActiveJob from error
    await add_events(tx, [job_event(EventKind.JOB_RETRIED, job, now) for job in retried])
    return bool(retried)


async def retry_by_itself(
    tx: Transaction, organization_id: str, job_ids: Sequence[str], now: datetime, *, attempts: int, priority: int
) -> list[str]:
    """The same of jobs that nobody insists on: what may have been charged is not asked again. Returns which.

    Of their records none may have an active job.
    """
    moment, trigger = to_micros(now), JobTrigger.CREDITS_RESTORED.value
    retried = await fetch(
        MovedJob,
        f"{_AGAIN}, priority = ?, trigger_kind = ? WHERE organization_id = ? AND id IN ({marks(job_ids)})"
        f" AND {RETRY.guard} RETURNING {select(MovedJob)}",
        [moment, moment, attempts, priority, trigger, organization_id, *job_ids],
        using=tx,
    )
    await add_events(tx, [job_event(EventKind.JOB_RETRIED, job, now) for job in retried])
    return [job.id for job in retried]
