"""Jobs: one enrichment of one record, with the steps and field outcomes that explain it."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Self

import strawberry

from enrichment.shown import shown_confidence
from enrichment.words import of_detail
from models import job as models
from models.job import queries
from models.job.shown import FAILURE, Failed, ShownJob, ShownStep
from resolvers.job import api as operations
from resolvers.job import watch
from resolvers.job.new_job import PendingJob
from resolvers.job.watch import JobEventKind
from resolvers.paging import DEFAULT_SIZE
from schema.base.context import Info
from schema.base.enums import EntityType, FieldOutcomeReason, JobOrder, JobStatus, JobTrigger, StepOutcome
from schema.base.loaders import Asked
from schema.base.node import Node
from schema.base.paging import Connection, page_args
from schema.base.references import ConflictReference, conflict_view
from schema.base.streams import closing
from schema.base.views import Each, Made, Part, RowView, needs
from schema.base.wanted import printed_nodes, wanted_items, wanted_of
from schema.record.record import RECORD, Record


@strawberry.type(description="Why a job or a step failed.")
class JobError:
    code: str
    message: str
    retryable: bool = strawberry.field(description="Whether the same may work later.")

    @classmethod
    def of(cls, row: Failed) -> Self | None:
        if row.error_code is None:
            return None
        return cls(code=row.error_code, message=row.error_message or "", retryable=bool(row.error_retryable))


@strawberry.type(description="One provider within a job: what it was asked, what it said, what it cost.")
class Step:
    provider: str
    outcome: StepOutcome
    skipped_reason: str | None
    detail: str = strawberry.field(description="How it matched, or why not, in plain words.")
    latency_ms: int | None
    credits_charged: int
    fields_found: list[str]
    error: JobError | None
    asked_at: datetime


_ERROR = Made(JobError.of, ("error_code", "error_message", "error_retryable"), FAILURE)
STEP: RowView[ShownStep | models.Step, Step] = RowView(Step, error=_ERROR)


@strawberry.type(description="How one wanted field of a job ended.")
class FieldOutcome:
    field: str
    reason: FieldOutcomeReason
    provider: str | None
    confidence: float | None
    detail: str | None

    @classmethod
    def of(cls, outcome: Mapping[str, Any]) -> Self:
        return cls(
            field=outcome["field"],
            reason=FieldOutcomeReason(outcome["reason"]),
            provider=outcome.get("provider"),
            confidence=shown_confidence(outcome.get("confidence")),
            detail=None if outcome.get("detail") is None else of_detail(outcome["detail"]),
        )


@strawberry.type(description="How many of the wanted fields ended how: the counts of all reasons make `fields`.")
class JobCounts:
    fields: int
    written: int
    same: int
    verified: int
    protected: int
    below_threshold: int
    conflict: int
    no_data: int
    skipped: int
    error: int

    @classmethod
    def of(cls, row: Any) -> Self:
        counted = Counter(outcome["reason"] for outcome in row.outcomes)
        return cls(fields=counted.total(), **{reason.value: counted[reason.value] for reason in FieldOutcomeReason})


@strawberry.type(description="One enrichment of one record.")
class Job(Node):
    id: strawberry.ID
    entity_type: EntityType
    record: Record
    trigger: JobTrigger
    status: JobStatus
    priority: int = strawberry.field(description="The lowest runs first.")
    progress: int = strawberry.field(description="Percent.")
    running_step: str | None = strawberry.field(description="The provider that is being asked.")
    attempts: int
    max_attempts: int
    forced: bool = strawberry.field(description="Whether the cooldown was passed over.")
    steps: Sequence[Step]
    field_outcomes: Sequence[FieldOutcome]
    counts: JobCounts = strawberry.field(description="Of `fieldOutcomes`.")
    fields_updated: list[str]
    fields_verified: list[str] = strawberry.field(description="Seen again by a source, unchanged.")
    credits_used: int
    error: JobError | None
    requested_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    next_attempt_at: datetime | None
    updated_at: datetime

    @classmethod
    def of(cls, row: ShownJob | models.Job | PendingJob) -> "Job":
        """`row` comes with its record and its steps, where they are asked for."""
        return JOB(row)

    @strawberry.field(description="The conflicts that this job raised.")
    async def conflicts(self, info: Info) -> Sequence[ConflictReference]:
        view = conflict_view()
        raised = await info.context.loaders.conflicts_of.load(Asked(str(self.id), wanted_items(info, view)))
        return Each(view, raised)


JOB: RowView[ShownJob | models.Job | PendingJob, Job] = RowView(
    Job,
    resolved={"conflicts": needs("id")},
    record=Part("record", RECORD),
    steps=Part("steps", STEP, many=True),
    field_outcomes=Made(lambda row: Each(FieldOutcome.of, row.outcomes), ("outcomes",)),
    counts=Made(JobCounts.of, ("outcomes",)),
    fields_verified=Made(attrgetter("fields_verified"), ("outcomes",)),
    error=_ERROR,
)


strawberry.enum(JobEventKind, description="What happened to a job. STARTED, PROGRESSED and WAITS are hints.")


@strawberry.type(description="Something happened to a job.")
class JobEvent:
    job: Job = strawberry.field(description="The job as it is now.")
    at: datetime
    kind: JobEventKind
    cursor: str | None = strawberry.field(
        description="Where the event stands in the log: give it as `after` to go on from there. Null: a hint of how far"
        " the job is, which the log does not keep."
    )


@strawberry.input(description="Which jobs: all that is given must hold, and of a list any one.")
class JobFilter:
    entity_type: EntityType | None = strawberry.field(default=None, description="One more of `entityTypes`.")
    entity_types: list[EntityType] | None = None
    status: list[JobStatus] | None = None
    trigger: list[JobTrigger] | None = None
    external_id: strawberry.ID | None = None
    record_id: strawberry.ID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    finished_after: datetime | None = strawberry.field(default=None, description="Ended after this moment.")
    finished_before: datetime | None = strawberry.field(default=None, description="Ended before this moment.")

    def read(self) -> queries.JobFilter:
        return queries.JobFilter(
            entity_types=(*filter(None, [self.entity_type]), *(self.entity_types or ())),
            status=tuple(self.status or ()),
            trigger=tuple(self.trigger or ()),
            external_id=self.external_id,
            record_id=self.record_id,
            created_after=self.created_after,
            created_before=self.created_before,
            finished_after=self.finished_after,
            finished_before=self.finished_before,
        )


@strawberry.type
class JobQuery:
    @strawberry.field(description="The organization's jobs, newest first or as `orderBy` says.")
    async def jobs(
        self,
        info: Info,
        filter: JobFilter | None = None,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        order_by: JobOrder | None = JobOrder.CREATED_AT_DESC,
    ) -> Connection[Job]:
        wanted = filter or JobFilter()
        args = page_args(info, first, after, last, before)
        page = await operations.list_jobs(
            info.context, wanted.read(), args, printed_nodes(info, JOB), order_by or JobOrder.CREATED_AT_DESC
        )
        return Connection[Job].of(page, JOB)

    @strawberry.field(description="One job.")
    async def job(self, info: Info, id: strawberry.ID) -> Job:
        return JOB(await operations.get_job(info.context, id, wanted_items(info, JOB)))


@strawberry.type
class JobMutation:
    @strawberry.mutation(description="Queue a failed or partial job again; only what is unanswered is asked.")
    async def retry_job(self, info: Info, id: strawberry.ID) -> Job:
        return Job.of(await operations.retry_job(info.context, id))

    @strawberry.mutation(description="Stop a job that has not ended.")
    async def cancel_job(self, info: Info, id: strawberry.ID) -> Job:
        return Job.of(await operations.cancel_job(info.context, id))


@strawberry.type
class JobSubscription:
    @strawberry.subscription(
        description="The job as it is now at once, then after every change; ends after its final state."
    )
    async def job_progress(self, info: Info, job_id: strawberry.ID) -> AsyncIterator[Job]:
        async with closing(watch.watch_job(info.context, job_id, wanted_items(info, JOB))) as jobs:
            async for job in jobs:
                yield Job.of(job)
                if job.status.is_final:
                    return

    @strawberry.subscription(
        description="Every change of the organization's jobs, from now on. With `after`, a cursor of the log (`0`: the"
        " oldest that is kept), the jobs that were created, tried again or ended after it come first."
    )
    async def job_events(
        self, info: Info, filter: JobFilter | None = None, after: str | None = None
    ) -> AsyncIterator[JobEvent]:
        wanted = filter or JobFilter()
        shown = wanted_of(info, JOB, "job")
        after = info.context.after(after)
        async with closing(watch.watch_jobs(info.context, wanted.read(), shown, after=after)) as changes:
            async for change in changes:
                info.context.message.at(change.cursor)
                cursor = None if change.cursor is None else str(change.cursor)
                yield JobEvent(job=Job.of(change.job), at=change.at, kind=change.kind, cursor=cursor)
