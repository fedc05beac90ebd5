"""What an attempt of a job leaves in its row."""

from datetime import datetime
from typing import Any

from enrichment.enums import JobStatus
from models.db.rows import projection
from models.job.row import Job


@projection(Job)
class AttemptEnd:
    """What the end of an attempt writes: a final `status`, or pending with the moment of the next attempt."""

    id: str
    fence: int
    status: JobStatus
    attempts: int
    progress: int
    fields_updated: list[str]
    outcomes: list[dict[str, Any]]
    filled_before: list[str]
    filled_after: list[str]
    matched: bool | None
    credits_used: int
    short_of_credits: bool
    error_code: str | None
    error_message: str | None
    error_retryable: bool | None
    next_attempt_at: datetime | None
    finished_at: datetime | None
