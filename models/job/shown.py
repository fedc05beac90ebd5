"""Jobs as they are shown: rows of what is asked for, with the record and the steps as of the same moment."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from enrichment.enums import EntityType, JobStatus, JobTrigger, StepOutcome
from models.db.columns import to_micros
from models.db.paging import Page, first_pages, newest_of_records
from models.db.parts import Exists, Kept, Many, One
from models.db.printed import Columns, Printed, Shape
from models.db.rows import columns_of, layout_of, projection
from models.db.selected import Selectable
from models.db.statements import given_texts, one_of, texts
from models.db.transaction import Transaction
from models.db.wanted import EVERYTHING, Wanted, also
from models.db.where import ORGANIZATION, Where, where
from models.job.row import Job, Step, verified_of
from models.job.steps import StepSoFar
from models.record.shown import RECORDS, ShownRecord

JOBS_OF_RECORD = "jobsOfRecord"  # the name of the list of a record's jobs, as its cursors have it
_AT_ONCE = 500


class Failed(Protocol):
    """What may have failed, and why: `error_code` is None where it did not."""

    @property
    def error_code(self) -> str | None: ...

    @property
    def error_message(self) -> str | None: ...

    @property
    def error_retryable(self) -> bool | None: ...


FAILURE = Columns(
    "error_code",
    {
        "code": ("error_code", None),
        "message": ("error_message", '""'),
        "retryable": ("error_retryable", "false"),
    },
)
"""How what failed is printed."""


@projection(Step)
class ShownStep:
    """What is shown of a step: see Step."""

    provider: str
    outcome: StepOutcome
    skipped_reason: str | None
    detail: str
    latency_ms: int | None
    credits_charged: int
    fields_found: list[str]
    error_code: str | None
    error_message: str | None
    error_retryable: bool | None
    asked_at: datetime


@projection(Job)
class _JobColumns:
    id: str
    record_id: str
    entity_type: EntityType
    trigger: JobTrigger
    status: JobStatus
    priority: int
    progress: int
    running_step: str | None
    attempts: int
    max_attempts: int
    forced: bool
    fields_updated: list[str]
    outcomes: list[dict[str, Any]]
    credits_used: int
    error_code: str | None
    error_message: str | None
    error_retryable: bool | None
    requested_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    next_attempt_at: datetime | None
    updated_at: datetime


class ShownJob(_JobColumns):
    """What is shown of a job: see Job. `has_conflicts`: whether it raised any.

    `steps` are JSON (msgspec's `Raw`) for whom they were printed.
    """

    __slots__ = ("has_conflicts", "record", "steps")

    record: ShownRecord
    steps: list[ShownStep]
    has_conflicts: bool

    @property
    def fields_verified(self) -> list[str]:
        """The fields whose value a source saw again, unchanged."""
        return verified_of(self.outcomes)


JOBS = Selectable(
    ShownJob,
    "job",
    record=One(RECORDS, "record.id = job.record_id AND record.organization_id = job.organization_id"),
    steps=Many(
        Selectable(ShownStep, "step"),
        "step.job_id = job.id AND step.organization_id = job.organization_id",
        order="position",
        kept=Kept(
            "job.steps_so_far",
            f"job.steps_so_far IS NOT NULL AND job.status = '{JobStatus.IN_PROGRESS}'",
            columns_of(StepSoFar),
        ),
    ),
    has_conflicts=Exists("conflict", "conflict.job_id = job.id AND conflict.organization_id = job.organization_id"),
)


def shown_with_steps(steps: Shape) -> Wanted:
    """All that is shown of a job where its steps are printed in this shape, and whether there are conflicts of it."""
    columns = dict.fromkeys(column.attribute for column in layout_of(ShownJob).columns)
    record = {"external_id": EVERYTHING}
    return {**columns, "record": record, "steps": Printed(steps, EVERYTHING), "has_conflicts": EVERYTHING}


async def find_job(organization_id: str, job_id: str, wanted: Wanted = EVERYTHING) -> ShownJob | None:
    """One job."""
    found = await JOBS.fetch(organization_id, Where(" AND id = ?", (job_id,)), wanted)
    return found[0] if found else None


async def jobs_by_id(organization_id: str, job_ids: Iterable[str], wanted: Wanted = EVERYTHING) -> list[ShownJob]:
    """Those of the jobs that are the organization's, in order of their ids."""
    ids = sorted(job_ids)
    found: list[ShownJob] = []
    for start in range(0, len(ids), _AT_ONCE):
        some = tuple(ids[start : start + _AT_ONCE])
        found += await JOBS.fetch(organization_id, where(Job, {"id__in": some}), wanted)
    return found


async def jobs_changed_since(
    organization_id: str, since: datetime, limit: int, wanted: Wanted = EVERYTHING
) -> list[ShownJob]:
    """The jobs that changed last, the latest change at the end; at most `limit`."""
    changed = await JOBS.fetch(
        organization_id, where(Job, {"updated_at__gte": since}), wanted, order="updated_at DESC", limit=limit
    )
    return list(reversed(changed))


async def first_job_pages(
    organization_id: str, record_ids: Sequence[str], size: int, wanted: Wanted = EVERYTHING, *, backwards: bool = False
) -> dict[str, Page[ShownJob]]:
    """The newest jobs of each of these records, `size` at most; `backwards`: the oldest."""
    ids = await newest_of_records("job", organization_id, record_ids, size + 1, backwards=backwards)
    jobs = await jobs_by_id(organization_id, ids, also(wanted, "record_id"))

    def count(record_id: str) -> Callable[[], Awaitable[int]]:
        async def counted() -> int:
            return await JOBS.count(organization_id, where(Job, {"record_id": record_id}))

        return counted

    return first_pages(record_ids, jobs, size, count, of=JOBS_OF_RECORD, backwards=backwards)


async def shown_active_jobs(
    tx: Transaction, organization_id: str, record_ids: Iterable[str], wanted: Wanted = EVERYTHING
) -> list[ShownJob]:
    """The pending and running jobs of these records."""
    active = Where(f" AND status IN ('pending', 'in_progress') AND {one_of('record_id')}", (texts(record_ids),))
    return await JOBS.fetch(organization_id, active, also(wanted, "record_id"), using=tx)


async def jobs_of_last_change(
    organization_id: str, record_ids: Iterable[str], since: datetime, wanted: Wanted = EVERYTHING
) -> list[ShownJob]:
    """The newest job of each of these records that the CRM's sending started, since this moment."""
    # One look into the index for each record, however many jobs there are.
    newest = (
        " AND id IN (SELECT (SELECT id FROM job AS j WHERE j.record_id = given.id AND j.organization_id = ?"
        f" AND j.trigger_kind IN ('{JobTrigger.RECORD_CREATED}', '{JobTrigger.RECORD_UPDATED}')"
        f" AND j.created_at >= ? ORDER BY j.id DESC LIMIT 1) FROM {given_texts()})"
    )
    values = (ORGANIZATION, to_micros(since), texts(record_ids))
    return await JOBS.fetch(organization_id, Where(newest, values), also(wanted, "record_id"))
