"""Undo: restore what enrichment replaced, and take that back."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

import strawberry

from enrichment import undo as decisions
from models import undo as models
from resolvers.paging import DEFAULT_SIZE
from resolvers.undo import api as operations
from resolvers.undo.restore import UndoChange
from resolvers.undo.scope import UndoScope
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import EntityType, UndoSkipReason
from schema.base.node import Node
from schema.base.paging import Connection, page_args
from schema.base.references import JobReference, RecordReference, job_of, record_of
from schema.base.scalars import JSON
from schema.base.views import Each
from schema.job.enrich import RecordSelection
from schema.record.record import Record


@strawberry.enum(description="What an undo is about.")
class UndoKind(StrEnum):
    JOB = "job"
    ENRICHMENT = "enrichment"
    UNDO = "undo"


@strawberry.enum(
    description="RUNNING: at work; what it did so far is in its lines. Where its process has died, another goes on."
)
class UndoStatus(StrEnum):
    RUNNING = "running"
    DONE = "done"


@strawberry.enum(description="What became of a field.")
class UndoOutcome(StrEnum):
    RESTORED = "restored"
    SKIPPED = "skipped"


@strawberry.type(description="One field of one record within an undo.")
class UndoLine:
    record: Record
    field: str
    outcome: UndoOutcome
    reason: UndoSkipReason | None = strawberry.field(description="Why it was skipped.")

    @classmethod
    def of(cls, row: models.UndoLine) -> Self:
        return cls(
            record=Record.of(row.record),
            field=row.field,
            outcome=UndoOutcome(row.outcome),
            reason=None if row.reason is None else UndoSkipReason(row.reason),
        )


@strawberry.type(description="What was put back, and what was left as it is.")
class Undo(Node):
    id: strawberry.ID
    kind: UndoKind
    status: UndoStatus
    job_id: strawberry.ID | None
    provider: str | None
    field: str | None
    start: datetime | None = strawberry.field(name="from")
    end: datetime | None = strawberry.field(name="to")
    entity_type: EntityType | None
    undoes: strawberry.ID | None = strawberry.field(description="The undo that this one took back.")
    restored: int = strawberry.field(description="Fields that hold again what they held before.")
    skipped: int = strawberry.field(description="Fields left alone, because they were changed since.")
    requested_by: str | None
    created_at: datetime
    finished_at: datetime | None
    complete: bool = strawberry.field(
        description="Whether it has gone through everything. False while it is at work, where it was taken back"
        " meanwhile, and where it failed again and again."
    )

    @classmethod
    def of(cls, row: models.Undo) -> Self:
        scope = row.scope
        return cls(
            id=strawberry.ID(row.id),
            kind=UndoKind(row.kind),
            status=UndoStatus(row.status),
            job_id=scope.get("jobId"),
            provider=scope.get("provider"),
            field=scope.get("field"),
            start=_moment(scope.get("from")),
            end=_moment(scope.get("to")),
            entity_type=EntityType(scope["entityType"]) if "entityType" in scope else None,
            undoes=None if row.undoes is None else strawberry.ID(row.undoes),
            restored=row.restored,
            skipped=row.skipped,
            requested_by=row.requested_by,
            created_at=row.created_at,
            finished_at=row.finished_at,
            complete=row.status == "done" and not row.stopped,
        )

    @strawberry.field(description="Each field, newest first.")
    async def lines(
        self,
        info: Info,
        outcome: UndoOutcome | None = None,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[UndoLine]:
        wanted = None if outcome is None else outcome.value
        args = page_args(info, first, after, last, before)
        page = await operations.undo_lines(info.context, self.id, wanted, args)
        return Connection[UndoLine].of(page, UndoLine.of)

    @strawberry.field(description="The job of `jobId`; null where there is none, or it is gone.")
    async def job(self, info: Info) -> JobReference | None:
        return await job_of(info, self.job_id)

    @strawberry.field(description="The undo of `undoes`.")
    async def undone(self, info: Info) -> "Undo | None":
        found = [] if self.undoes is None else await operations.undos_of(info.context, [self.undoes])
        return Undo.of(found[0]) if found else None

    @strawberry.field(description="The undos of `revertedBy`.")
    async def reverts(self, info: Info) -> "list[Undo]":
        ids = await operations.reverts_of(info.context, self.id)
        return [Undo.of(row) for row in await operations.undos_of(info.context, ids)]

    @strawberry.field(description="The undos that took this one back.")
    async def reverted_by(self, info: Info) -> list[strawberry.ID]:
        return [strawberry.ID(undo_id) for undo_id in await operations.reverts_of(info.context, self.id)]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@strawberry.type(description="One field that an undo would change, or leave alone.")
class UndoPreviewLine:
    record_id: strawberry.ID
    field: str
    outcome: UndoOutcome
    reason: UndoSkipReason | None
    current: JSON | None = strawberry.field(description="What the field holds.")
    restored: JSON | None = strawberry.field(description="What it would hold. Null: it would be emptied.")

    @classmethod
    def of(cls, change: UndoChange) -> Self:
        decision = change.decision
        skipped = decision if isinstance(decision, decisions.SkippedField) else None
        current = decision.current if isinstance(decision, decisions.SkippedField) else decision.removed
        target = None if isinstance(decision, decisions.SkippedField) else decision.target
        return cls(
            record_id=strawberry.ID(change.record_id),
            field=change.field,
            outcome=UndoOutcome.RESTORED if skipped is None else UndoOutcome.SKIPPED,
            reason=None if skipped is None else skipped.because,
            current=_shown(current),
            restored=_shown(target),
        )

    @strawberry.field(description="The record of `recordId`; null where there is none, or it is gone.")
    async def record(self, info: Info) -> RecordReference | None:
        return await record_of(info, self.record_id)


def _shown(version: decisions.Version | None) -> Any:
    return None if version is None else JSON(version.value)


@strawberry.type(description="What an undo would do now. Nothing was changed.")
class UndoPreview:
    restored: int
    skipped: int
    lines: Sequence[UndoPreviewLine] = strawberry.field(description="The first 1,000.")

    @classmethod
    def of(cls, preview: operations.UndoPreview) -> Self:
        return copied(cls, preview, lines=Each(UndoPreviewLine.of, preview.changes))


_From = Annotated[datetime | None, strawberry.argument(name="from", description="Written then or later.")]
_To = Annotated[datetime | None, strawberry.argument(name="to", description="Written before then.")]
_Again = Annotated[
    bool | None,
    strawberry.argument(
        description="Let the same sources write the same values again. Otherwise they are remembered as rejected."
    ),
]


def _scope(
    provider: str | None,
    field: str | None,
    start: datetime | None,
    end: datetime | None,
    selection: RecordSelection | None,
    allow_again: bool | None = False,
) -> UndoScope:
    return UndoScope(
        provider=provider,
        field=field,
        start=start,
        end=end,
        selection=None if selection is None else selection.read(),
        allow_again=bool(allow_again),
    )


@strawberry.type
class UndoQuery:
    @strawberry.field(description="One undo.")
    async def undo(self, info: Info, id: strawberry.ID) -> Undo:
        return Undo.of(await operations.get_undo(info.context, id))

    @strawberry.field(description="The organization's undos.")
    async def undos(
        self,
        info: Info,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Undo]:
        page = await operations.list_undos(info.context, page_args(info, first, after, last, before))
        return Connection[Undo].of(page, Undo.of)

    @strawberry.field(description="What `undoJob` would do now.")
    async def preview_undo_job(self, info: Info, id: strawberry.ID) -> UndoPreview:
        return UndoPreview.of(await operations.preview_undo_job(info.context, id))

    @strawberry.field(description="What `undoEnrichment` would do now.")
    async def preview_undo_enrichment(
        self,
        info: Info,
        provider: str | None = None,
        field: str | None = None,
        start: _From = None,
        end: _To = None,
        selection: RecordSelection | None = None,
    ) -> UndoPreview:
        scope = _scope(provider, field, start, end, selection)
        return UndoPreview.of(await operations.preview_undo_enrichment(info.context, scope))


@strawberry.type
class UndoMutation:
    @strawberry.mutation(
        description="Put back what a job replaced, except where something newer has been written since."
    )
    async def undo_job(self, info: Info, id: strawberry.ID, allow_again: _Again = False) -> Undo:
        return Undo.of(await operations.undo_job(info.context, id, allow_again=bool(allow_again)))

    @strawberry.mutation(
        description="Put back what enrichment replaced: all that is given must hold, and something must be given."
    )
    async def undo_enrichment(
        self,
        info: Info,
        provider: str | None = None,
        field: str | None = None,
        start: _From = None,
        end: _To = None,
        selection: RecordSelection | None = None,
        allow_again: _Again = False,
    ) -> Undo:
        scope = _scope(provider, field, start, end, selection, allow_again)
        return Undo.of(await operations.undo_enrichment(info.context, scope))

    @strawberry.mutation(description="Take an undo back. One that is still at work ends.")
    async def revert_undo(self, info: Info, id: strawberry.ID) -> Undo:
        return Undo.of(await operations.revert_undo(info.context, id))
