"""Reading jobs: by a filter, by what changed, by their record, and by what they lacked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tortoise.queryset import QuerySet

from enrichment.enums import ACTIVE_STATUSES, EntityType, JobStatus, JobTrigger
from models.db.columns import to_micros
from models.db.rows import fetch, projection, query_row, select
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction
from models.job.row import Job
from models.record.related import RelatedFilter

if TYPE_CHECKING:
    from models.job.shown import ShownJob

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter(RelatedFilter):
    """Which jobs. Times are exclusive; a job that has not ended is in none of when it ended."""

    status: tuple[JobStatus, ...] = ()
    trigger: tuple[JobTrigger, ...] = ()
    finished_after: datetime | None = None
    finished_before: datetime | None = None

    @property
    def names_kinds(self) -> bool:
        """Whether it lets jobs of some statuses, entity types or triggers through, and not of all."""
        return bool(self.status or self.entity_types or self.trigger)

    @property
    def names_end(self) -> bool:
        """Whether it says when the jobs have ended."""
        return self.finished_after is not None or self.finished_before is not None

    def conditions(self) -> dict[str, Any]:
        return RelatedFilter.conditions(self) | {"status__in": self.status, "trigger__in": self.trigger}

    def matches(self, job: "ShownJob") -> bool:
        """Whether the filter lets a job through, whose record is at hand."""
        return (
            (not self.entity_types or job.entity_type in self.entity_types)
            and (not self.status or job.status in self.status)
            and (not self.trigger or job.trigger in self.trigger)
            and self.external_id in (None, job.record.external_id)
            and self.record_id in (None, job.record_id)
            and (self.created_after is None or job.created_at > self.created_after)
            and (self.created_before is None or job.created_at < self.created_before)
            and (not self.names_end or (job.finished_at is not None and self._holds_end(job.finished_at)))
        )

    def _holds_end(self, end: datetime) -> bool:
        return (self.finished_after is None or end > self.finished_after) and (
            self.finished_before is None or end < self.finished_before
        )


def select_jobs(organization_id: str) -> QuerySet[Job]:
    """The organization's jobs with their records and steps."""
    return Job.filter(organization_id=organization_id).prefetch_related("record", "steps")


async def active_jobs_of(tx: Transaction, organization_id: str, record_ids: Sequence[str]) -> list[Job]:
    """The pending and running jobs of these records, with records and steps."""
    jobs = select_jobs(organization_id).filter(record_id__in=list(record_ids), status__in=list(ACTIVE_STATUSES))
    return list(await jobs.using_db(tx))


@projection(Job)
class ActiveJobRow:
    """A pending or running job, and how it came to be."""

    id: str
    record_id: str
    trigger: JobTrigger
    forced: bool
    answers_since: datetime | None


async def find_active_jobs(organization_id: str, record_ids: Sequence[str]) -> list[ActiveJobRow]:
    """The pending and running jobs of these records."""
    found: list[ActiveJobRow] = []
    for start in range(0, len(record_ids), _AT_ONCE):
        some = list(record_ids[start : start + _AT_ONCE])
        found += await fetch(
            ActiveJobRow,
            f"SELECT {select(ActiveJobRow)} FROM job WHERE organization_id = ?"
            f" AND status IN ('pending', 'in_progress') AND record_id IN ({marks(some)})",
            [organization_id, *some],
        )
    return found


async def records_with_active_job(organization_id: str, record_ids: Sequence[str]) -> set[str]:
    """Those of the records that have a pending or running job."""
    return {job.record_id for job in await find_active_jobs(organization_id, record_ids)}


async def bring_forward(
    tx: Transaction,
    organization_id: str,
    record_ids: Sequence[str],
    now: datetime,
    *,
    priority: int,
    forced: bool,
    followed: bool = False,
) -> None:
    """Give the pending jobs of these records this priority; `forced` lifts the cooldown and lets them ask again.

    `followed`: what runs already, and does not ask again by itself, is to be followed by a run that does (see
    `take_followed`).
    """
    moment = to_micros(now)
    await execute(
        "UPDATE job SET priority = ?, updated_at = ?, forced = (forced OR ?),"
        " answers_since = COALESCE(?, answers_since)"
        f" WHERE organization_id = ? AND status = 'pending' AND record_id IN ({marks(record_ids)})",
        [priority, moment, forced, moment if forced else None, organization_id, *record_ids],
        using=tx,
    )
    if followed:
        await execute(
            "UPDATE job SET forced = TRUE, answers_since = ?, updated_at = ? WHERE organization_id = ?"
            " AND status = 'in_progress' AND (NOT forced OR answers_since IS NULL)"
            f" AND record_id IN ({marks(record_ids)})",
            [moment, moment, organization_id, *record_ids],
            using=tx,
        )


@projection(Job)
class FollowedJob:
    """A job that has ended, and that somebody asked to ask again after it had begun."""

    id: str
    organization_id: str
    record_id: str
    entity_type: EntityType
    answers_since: datetime | None


async def take_followed(tx: Transaction, job_ids: Sequence[str]) -> list[FollowedJob]:
    """Those of these jobs that have ended and are to be followed by one that asks again; each is taken once."""
    found = await fetch(
        FollowedJob,
        f"SELECT {select(FollowedJob)} FROM job WHERE id IN ({marks(job_ids)}) AND finished_at IS NOT NULL"
        " AND forced AND answers_since > started_at",
        list(job_ids),
        using=tx,
    )
    if found:
        taken = [job.id for job in found]
        await execute(f"UPDATE job SET answers_since = started_at WHERE id IN ({marks(taken)})", taken, using=tx)
    return found


@projection(Job)
class JobShortOfCredits:
    """A job that ended without asking a paid provider for want of credits."""

    record_id: str
    organization_id: str
    entity_type: EntityType
    answers_since: datetime | None


async def take_short_of_credits(
    tx: Transaction, organization_id: str, ended_before: datetime, limit: int
) -> list[JobShortOfCredits]:
    """Some jobs that ended before this moment short of credits; each is taken once."""
    return await fetch(
        JobShortOfCredits,
        "UPDATE job SET short_of_credits = FALSE WHERE id IN (SELECT id FROM job WHERE organization_id = ?"
        " AND short_of_credits AND finished_at IS NOT NULL AND finished_at < ? ORDER BY id LIMIT ?)"
        f" RETURNING {select(JobShortOfCredits)}",
        [organization_id, to_micros(ended_before), limit],
        using=tx,
    )


async def organizations_short_of_credits(ended_before: datetime) -> list[str]:
    """Organizations with jobs that ended for want of credits before this moment."""
    found = await query(
        "SELECT DISTINCT organization_id FROM job WHERE short_of_credits AND finished_at < ?",
        [to_micros(ended_before)],
    )
    return [row["organization_id"] for row in found]


@projection(Job)
class JobOutcomes:
    """How the fields ended in a job: see Job.outcomes."""

    id: str
    outcomes: list[dict[str, Any]]
    finished_at: datetime | None
    updated_at: datetime


async def latest_outcomes(record_id: str, limit: int) -> list[JobOutcomes]:
    """How the fields of a record ended in its newest jobs, the newest first."""
    sql = f"SELECT {select(JobOutcomes)} FROM job WHERE record_id = ? ORDER BY id DESC LIMIT ?"
    return await fetch(JobOutcomes, sql, [record_id, limit])


@query_row
class StatusCount:
    status: JobStatus
    jobs: int


@query_row
class OldestWait:
    """Since when an organization's oldest waiting job waits, and how many wait."""

    oldest: datetime
    jobs: int


async def count_unfinished_jobs() -> dict[JobStatus, int]:
    """How many jobs of all organizations wait and run, for the metrics of the installation."""
    found = await fetch(
        StatusCount,
        "SELECT status, COUNT(*) AS jobs FROM job WHERE status IN ('pending', 'in_progress') GROUP BY status",
    )
    counts = {row.status: row.jobs for row in found}
    return {status: counts.get(status, 0) for status in (JobStatus.PENDING, JobStatus.IN_PROGRESS)}


async def longest_waits(most: int) -> list[OldestWait]:
    """Of the organizations whose oldest waiting job waits longest how long and how many wait, for the metrics."""
    return await fetch(
        OldestWait,
        "SELECT MIN(created_at) AS oldest, COUNT(*) AS jobs FROM job WHERE status = 'pending'"
        " GROUP BY organization_id ORDER BY MIN(created_at) LIMIT ?",
        [most],
    )


async def triggers_of(job_ids: Sequence[str]) -> dict[str, JobTrigger]:
    """What started each of these jobs; those that are gone are left out."""
    if not job_ids:
        return {}
    found = await query(f"SELECT id, trigger_kind FROM job WHERE id IN ({marks(job_ids)})", list(job_ids))
    return {row["id"]: JobTrigger(row["trigger_kind"]) for row in found}
