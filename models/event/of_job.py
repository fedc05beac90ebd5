"""What the log says of a job whose state was changed by itself: not by a batch, which says more of it."""

from datetime import datetime
from typing import Protocol

from enrichment.enums import EntityType, JobStatus
from models.event.kinds import EventKind
from models.event.write import NewEvent


class JobOfRecord(Protocol):
    """A job and its state now."""

    @property
    def id(self) -> str: ...

    @property
    def organization_id(self) -> str: ...

    @property
    def record_id(self) -> str: ...

    @property
    def entity_type(self) -> EntityType: ...

    @property
    def status(self) -> JobStatus: ...


def job_event(kind: EventKind, job: JobOfRecord, at: datetime) -> NewEvent:
    """That the job was created, taken up again, or ended in its state."""
    ended = {"status": job.status.value} if kind is EventKind.JOB_ENDED else {}
    return NewEvent(job.organization_id, at, kind, job.entity_type, job.record_id, {"job": job.id} | ended)
