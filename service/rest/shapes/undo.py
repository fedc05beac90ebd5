"""What a client undoes over REST, what that would do, and what it did."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from enrichment.enums import EntityType
from enrichment.undo import SkippedField, UndoSkipReason
from models import undo as models
from resolvers.undo import api as operations
from resolvers.undo.restore import UndoChange
from service.http.shape import Count, Id, Moment, Sent, Shape, StoredMoment
from service.rest.description.json_schema import in_any_case
from service.rest.shapes.example_moments import FINISHED, STARTED

_Again = Annotated[
    bool, Meta(description="Let the same sources write the same values again; otherwise they are remembered.")
]


class UndoKind(StrEnum):
    JOB = "job"
    ENRICHMENT = "enrichment"
    UNDO = "undo"


class UndoStatus(StrEnum):
    RUNNING = "running"
    DONE = "done"


class UndoOutcome(StrEnum):
    RESTORED = "restored"
    SKIPPED = "skipped"


class UndoJobRequest(Sent, frozen=True):
    """How a job is undone."""

    allow_again: _Again = False


class UndoScope(Sent, frozen=True):
    """Which of the values that enrichment wrote: all that is given must hold, and something must be given."""

    provider: str | UnsetType | None = UNSET
    field: str | UnsetType | None = UNSET
    from_: Annotated[datetime | None, Meta(description="Written then or later.")] | UnsetType = UNSET
    to: Annotated[datetime | None, Meta(description="Written before then.")] | UnsetType = UNSET
    entity_type: Annotated[str, in_any_case(EntityType)] | UnsetType | None = UNSET
    external_ids: (
        Annotated[list[str], Meta(max_length=10_000, description="Records of `entityType`.")] | UnsetType | None
    ) = UNSET
    allow_again: _Again = False


class UndoPreviewLine(Shape, frozen=True):
    """One field that an undo would change, or leave alone."""

    record_id: Id
    field: str
    outcome: UndoOutcome
    reason: UndoSkipReason | None
    current: Annotated[Any, Meta(description="What the field holds.")]
    restored: Annotated[Any, Meta(description="What it would hold. Null: it would be emptied, or is left alone.")]

    @classmethod
    def of(cls, change: UndoChange) -> Self:
        decision = change.decision
        if isinstance(decision, SkippedField):
            outcome, reason, current, target = UndoOutcome.SKIPPED, decision.because, decision.current, None
        else:
            outcome, reason, current, target = UndoOutcome.RESTORED, None, decision.removed, decision.target
        return cls(
            record_id=change.record_id,
            field=change.field,
            outcome=outcome,
            reason=reason,
            current=None if current is None else current.value,
            restored=None if target is None else target.value,
        )


class UndoPreview(Shape, frozen=True):
    """What an undo would do now. Nothing was changed."""

    restored: Count
    skipped: Count
    lines: Annotated[list[UndoPreviewLine], Meta(description="The first 1,000.")]

    @classmethod
    def of(cls, preview: operations.UndoPreview) -> Self:
        return cls.copied(preview, lines=[UndoPreviewLine.of(change) for change in preview.changes])


class Undo(Shape, frozen=True):
    """What was put back, and what was left as it is."""

    id: Id
    kind: UndoKind
    status: UndoStatus
    job_id: Id | None
    provider: str | None
    field: str | None
    from_: StoredMoment | None
    to: StoredMoment | None
    entity_type: EntityType | None
    undoes: Annotated[Id | None, Meta(description="The undo that this one took back.")]
    restored: Annotated[Count, Meta(description="Fields that hold again what they held before.")]
    skipped: Annotated[Count, Meta(description="Fields left alone, because they were changed since.")]
    requested_by: str | None
    created_at: Moment
    finished_at: Moment | None
    complete: Annotated[bool, Meta(description="Whether it has gone through everything.")]

    @classmethod
    def of(cls, row: models.Undo) -> Self:
        scope = row.scope
        return cls(
            id=row.id,
            kind=UndoKind(row.kind),
            status=UndoStatus(row.status),
            job_id=scope.get("jobId"),
            provider=scope.get("provider"),
            field=scope.get("field"),
            from_=scope.get("from"),
            to=scope.get("to"),
            entity_type=EntityType(scope["entityType"]) if "entityType" in scope else None,
            undoes=row.undoes,
            restored=row.restored,
            skipped=row.skipped,
            requested_by=row.requested_by,
            created_at=row.created_at,
            finished_at=row.finished_at,
            complete=row.status == UndoStatus.DONE and not row.stopped,
        )


class UndoLine(Shape, frozen=True):
    """One field of one record within an undo."""

    record_id: Id
    entity_type: EntityType
    external_id: str
    field: str
    outcome: UndoOutcome
    reason: Annotated[UndoSkipReason | None, Meta(description="Why it was skipped.")]

    @classmethod
    def of(cls, row: models.UndoLine) -> Self:
        return cls(
            record_id=row.record_id,
            entity_type=row.record.entity_type,
            external_id=row.record.external_id,
            field=row.field,
            outcome=UndoOutcome(row.outcome),
            reason=None if row.reason is None else UndoSkipReason(row.reason),
        )


_LINE = {"record_id": "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10", "field": "industry", "outcome": UndoOutcome.RESTORED}
PREVIEW_EXAMPLE = UndoPreview(
    restored=1, skipped=0, lines=[UndoPreviewLine.example(**_LINE, current="Retail", restored="Software")]
)
LINE_EXAMPLE = UndoLine.example(**_LINE, entity_type=EntityType.ACCOUNT, external_id="ACC-1042")
EXAMPLE = Undo.example(
    kind=UndoKind.ENRICHMENT,
    status=UndoStatus.DONE,
    provider="directory",
    field="industry",
    restored=1,
    requested_by="ann",
    created_at=STARTED,
    finished_at=FINISHED,
    complete=True,
)
JOB_EXAMPLES = {"undo": UndoJobRequest(), "again": UndoJobRequest(allow_again=True)}
SCOPE_EXAMPLES = {
    "provider": UndoScope(provider="directory", field="industry"),
    "records": UndoScope(entity_type=EntityType.ACCOUNT, external_ids=["ACC-1042"]),
}
