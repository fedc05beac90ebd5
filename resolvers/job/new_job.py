"""What a new job is made of."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from enrichment.config import Config
from enrichment.enums import EntityType, JobStatus, JobTrigger
from models.db.columns import new_id
from models.job import Job, assemble
from models.job.transitions import NewJob
from models.record import Record

PRIORITY = {
    JobTrigger.MANUAL: 0,
    JobTrigger.RECORD_CREATED: 10,
    JobTrigger.RECORD_UPDATED: 10,
    JobTrigger.CREDITS_RESTORED: 20,
    JobTrigger.SCHEDULED_REFRESH: 30,
}
"""The lowest runs first."""


def new_job(
    organization_id: str,
    record_id: str,
    entity_type: EntityType,
    trigger: JobTrigger,
    config: Config,
    now: datetime,
    *,
    requested_by: str | None = None,
    forced: bool = False,
    answers_since: datetime | None = None,
    budget_id: str | None = None,
) -> NewJob:
    """A pending job of a record, due now. `answers_since`: no answer that was given before it serves the job."""
    return NewJob(
        id=new_id(),
        organization_id=organization_id,
        record_id=record_id,
        entity_type=entity_type,
        trigger=trigger,
        priority=PRIORITY[trigger],
        max_attempts=config.max_attempts,
        forced=forced,
        answers_since=answers_since,
        budget_id=budget_id,
        next_attempt_at=now,
        requested_by=requested_by,
        created_at=now,
        updated_at=now,
    )


def job_of(new: NewJob, record: Record) -> Job:
    """The model of a job that has just been created."""
    job = Job(
        id=new.id,
        organization_id=new.organization_id,
        entity_type=new.entity_type,
        trigger=new.trigger,
        status=JobStatus.PENDING,
        priority=new.priority,
        max_attempts=new.max_attempts,
        forced=new.forced,
        next_attempt_at=new.next_attempt_at,
        fields_updated=[],
        outcomes=[],
        filled_before=[],
        filled_after=[],
        requested_by=new.requested_by,
        created_at=new.created_at,
        updated_at=new.updated_at,
    )
    return assemble(job, record, [])


class PendingJob:
    """A job that has just been created, with its record, as jobs are shown: what it has not come to yet is empty."""

    __slots__ = ("_new", "record")

    attempts = progress = credits_used = 0
    running_step = error_code = error_message = error_retryable = started_at = finished_at = None
    steps: Sequence[Any] = ()
    fields_verified: Sequence[str] = ()

    # As the new job has them.
    entity_type: EntityType
    trigger: JobTrigger
    status: JobStatus
    priority: int
    max_attempts: int
    forced: bool
    requested_by: str | None
    next_attempt_at: datetime | None
    fields_updated: Sequence[str]
    outcomes: Sequence[Mapping[str, Any]]
    created_at: datetime
    updated_at: datetime

    def __init__(self, new: NewJob, record: Any) -> None:
        self._new = new
        self.record = record

    @property
    def id(self) -> str:
        return self._new.id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._new, name)
