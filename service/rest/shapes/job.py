"""A job as REST shows it, with its steps and how its fields ended."""

from collections.abc import Mapping
from typing import Annotated, Any, Self, cast

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus, JobTrigger, StepOutcome
from enrichment.shown import shown_confidence
from enrichment.words import of_detail
from models.db.printed import Hole, Leaf, Printed, PrintedRound, Within
from models.job.shown import FAILURE, Failed, ShownJob, ShownStep, shown_with_steps
from service.http.json import dump
from service.http.shape import Count, Id, Moment, Shape, Share
from service.rest.shapes import conflict
from service.rest.shapes.conflict import Conflict
from service.rest.shapes.example_moments import CAME_IN, FINISHED, REVIEWED, STARTED
from service.rest.shapes.printed import printed


class JobError(Shape, frozen=True):
    """Why it failed."""

    code: str
    message: str
    retryable: bool

    @classmethod
    def of(cls, failed: Failed) -> Self | None:
        if failed.error_code is None:
            return None
        return cls(code=failed.error_code, message=failed.error_message or "", retryable=bool(failed.error_retryable))


class Step(Shape, frozen=True):
    """One provider asked within a job."""

    provider: str
    outcome: StepOutcome
    skipped_reason: str | None
    detail: Annotated[str, Meta(description="How it matched, or why not.")]
    latency_ms: Count | None
    credits_charged: Count
    fields_found: list[str]
    error: JobError | None
    asked_at: Moment

    @classmethod
    def of(cls, step: ShownStep) -> Self:
        return cls.copied(step, error=JobError.of(step))


class FieldOutcome(Shape, frozen=True):
    """How one wanted field ended."""

    field: str
    reason: FieldOutcomeReason
    provider: str | None
    confidence: Share | None
    detail: str | None

    @classmethod
    def of(cls, outcome: Mapping[str, Any]) -> Self:
        get = outcome.get
        detail = get("detail")
        shown = None if detail is None else of_detail(detail)
        return cls(outcome["field"], outcome["reason"], get("provider"), shown_confidence(get("confidence")), shown)


class Job(Shape, frozen=True):
    """One enrichment of one record."""

    id: Id
    entity_type: EntityType
    record_id: Id
    external_id: Annotated[str, Meta(description="The CRM's own id of the record.")]
    trigger: JobTrigger
    status: JobStatus
    priority: Annotated[int, Meta(description="The lowest runs first.")]
    progress: Annotated[int, Meta(ge=0, le=100, description="Percent.")]
    running_step: Annotated[str | None, Meta(description="The provider being asked.")]
    attempts: Count
    max_attempts: Annotated[int, Meta(ge=1)]
    forced: Annotated[bool, Meta(description="Whether the cooldown was passed over.")]
    steps: list[Step]
    field_outcomes: list[FieldOutcome]
    fields_updated: list[str]
    fields_verified: Annotated[list[str], Meta(description="Seen again by a source, unchanged.")]
    conflicts: list[Conflict]
    credits_used: Count
    error: JobError | None
    requested_by: str | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    next_attempt_at: Moment | None
    updated_at: Moment

    @classmethod
    def of(cls, job: ShownJob, conflicts: list[Conflict]) -> Self:
        """`job` comes with its record and its steps; `conflicts` are those that it raised."""
        return cls.copied(
            job,
            external_id=job.record.external_id,
            steps=_steps(job),
            field_outcomes=[FieldOutcome.of(outcome) for outcome in job.outcomes],
            conflicts=conflicts,
            error=JobError.of(job),
        )


def _steps(job: ShownJob) -> list[Step]:
    """Those of the row, or the list as the database printed it, which is encoded as it is."""
    steps: Any = job.steps
    return cast("list[Step]", steps) if isinstance(steps, Raw) else [Step.of(step) for step in steps]


SHOWN = shown_with_steps(printed(Step, error=FAILURE))
"""What is wanted of jobs to show them."""

_HOLES = {
    "field_outcomes": Hole(("outcomes",)),
    "fields_verified": Hole(),  # follow from the outcomes
    "conflicts": Hole(("has_conflicts", "record.external_id")),
}
SHOWN_AS_PRINTED = Printed(
    printed(
        Job,
        external_id=Leaf("record.external_id", "text"),
        steps=Within("steps", printed(Step, error=FAILURE)),
        error=FAILURE,
        **_HOLES,
    ),
    SHOWN,
)
"""The same, printed by the database as far as it can; `PrintedJob` writes the rest."""


class _StoredOutcome(Struct):
    """A `FieldOutcome` as its row has it: with the same keys, of which some may be absent."""

    field: str
    reason: str
    provider: str | None = None
    confidence: int | float | None = None
    detail: str | None = None


_read_outcomes = Decoder(list[_StoredOutcome]).decode
_VERIFIED = FieldOutcomeReason.VERIFIED.value


class PrintedJob:
    """A job that the database printed, but for how its fields ended and what conflicts it raised."""

    __slots__ = ("_around", "_outcomes", "external_id", "has_conflicts", "id")

    def __init__(self, row: PrintedRound) -> None:
        self.id = row.id
        self._around = row.texts
        self._outcomes, self.has_conflicts, self.external_id = row.given

    def text(self, conflicts: list[Conflict]) -> str:
        """Its JSON, as `Job` is encoded; `conflicts` are those that it raised."""
        outcomes = _read_outcomes(self._outcomes)
        verified: list[str] = []
        for outcome in outcomes:
            if (confidence := outcome.confidence) is not None:
                outcome.confidence = shown_confidence(confidence)
            if (detail := outcome.detail) is not None:
                outcome.detail = of_detail(detail)
            if outcome.reason == _VERIFIED:
                verified.append(outcome.field)
        before, after_outcomes, after_verified, rest = self._around
        ended = dump(outcomes).decode()
        seen = dump(verified).decode() if verified else "[]"
        raised = dump(conflicts).decode() if conflicts else "[]"
        return f"{before}{ended}{after_outcomes}{seen}{after_verified}{raised}{rest}"


EXAMPLE = Job.example(
    record_id=conflict.EXAMPLE.record_id,
    external_id=conflict.EXAMPLE.external_id,
    entity_type=EntityType.ACCOUNT,
    trigger=JobTrigger.RECORD_CREATED,
    status=JobStatus.COMPLETED,
    priority=10,
    progress=100,
    attempts=1,
    max_attempts=5,
    steps=[
        Step.example(
            provider="directory",
            outcome=StepOutcome.MATCH,
            detail="matched by domain",
            latency_ms=2,
            fields_found=["industry", "numberOfEmployees"],
            asked_at=STARTED,
        )
    ],
    field_outcomes=[
        FieldOutcome.example(
            field="industry", reason=FieldOutcomeReason.WRITTEN, provider="directory", confidence=0.92
        ),
        FieldOutcome.example(
            field="numberOfEmployees",
            reason=FieldOutcomeReason.CONFLICT,
            provider="directory",
            confidence=0.86,
            detail="the CRM has another value",
        ),
    ],
    fields_updated=["industry"],
    conflicts=[conflict.EXAMPLE],
    requested_by="user-1",
    created_at=CAME_IN,
    started_at=STARTED,
    finished_at=FINISHED,
    updated_at=FINISHED,
)
QUEUED_EXAMPLE = replace(
    EXAMPLE, status=JobStatus.PENDING, progress=0, finished_at=None, next_attempt_at=REVIEWED, updated_at=REVIEWED
)
