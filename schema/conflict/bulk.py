"""What becomes of many conflicts that are decided at once."""

from typing import Self

import strawberry

from resolvers.conflict import api as operations
from resolvers.conflict.resolve_many import ResolvedMany, ResolveOutcome
from resolvers.conflict.take_back_many import TakenBackMany, TakenBackOutcome
from schema.base.enums import ResolutionAction
from schema.base.problem import Problem
from schema.conflict.conflict import Conflict


@strawberry.type(description="What became of one of the conflicts that were to be resolved.")
class ResolveConflictResult:
    id: strawberry.ID
    conflict: Conflict | None
    error: Problem | None

    @classmethod
    def of(cls, outcome: ResolveOutcome) -> Self:
        return cls(
            id=strawberry.ID(outcome.id),
            conflict=None if outcome.conflict is None else Conflict.of(outcome.conflict),
            error=None if outcome.error is None else Problem.of(outcome.error),
        )


@strawberry.type(description="The outcome of each, in the order of the ids, or oldest first.")
class ResolveConflictsPayload:
    resolution_id: strawberry.ID = strawberry.field(
        description="With it the whole can be taken back by `undoResolutions`."
    )
    results: list[ResolveConflictResult]
    resolved: int = strawberry.field(description="How many are resolved now.")
    remaining: int = strawberry.field(description="How many open ones the filter still lets through.")

    @classmethod
    def of(cls, many: ResolvedMany, *, remaining: int = 0) -> Self:
        return cls(
            resolution_id=strawberry.ID(many.resolution_id),
            results=[ResolveConflictResult.of(outcome) for outcome in many.outcomes],
            resolved=many.resolved,
            remaining=remaining,
        )


@strawberry.type(description="What became of one of the decisions that were to be taken back.")
class UndoResolutionResult:
    conflict_id: strawberry.ID
    restored: bool = strawberry.field(description="The conflict is open again, with its former values.")
    because: str | None = strawberry.field(description="Why the decision stands, in plain words.")
    conflict: Conflict | None = strawberry.field(description="As it is now.")
    error: Problem | None

    @classmethod
    def of(cls, outcome: TakenBackOutcome) -> Self:
        return cls(
            conflict_id=strawberry.ID(outcome.id),
            restored=outcome.error is None,
            because=None if outcome.error is None else outcome.error.message,
            conflict=None if outcome.conflict is None else Conflict.of(outcome.conflict),
            error=None if outcome.error is None else Problem.of(outcome.error),
        )


@strawberry.type(
    description="The outcome of each, in the order of the ids, or the latest decision first. What was changed since is"
    " left alone."
)
class UndoResolutionsPayload:
    results: list[UndoResolutionResult]
    restored: int = strawberry.field(description="How many decisions were taken back.")
    left_alone: int = strawberry.field(description="How many stand.")
    remaining: int = strawberry.field(description="How many resolved conflicts the filter still lets through.")

    @classmethod
    def of(cls, many: TakenBackMany) -> Self:
        return cls(
            results=[UndoResolutionResult.of(outcome) for outcome in many.outcomes],
            restored=many.restored,
            left_alone=many.left_alone,
            remaining=many.remaining,
        )


@strawberry.type(description="How many conflicts of one field a decision would settle.")
class FieldCount:
    field: str
    count: int


@strawberry.type(description="What a decision on many conflicts would do now. Nothing was changed.")
class ResolutionPreview:
    count: int = strawberry.field(description="Open conflicts that the filter lets through.")
    accepts: int = strawberry.field(description="Of the first 1,000, those in which a candidate would be accepted.")
    keeps: int = strawberry.field(description="… in which the current value would be kept.")
    sets: int = strawberry.field(description="… in which a value of one's own would be set.")
    refused: int = strawberry.field(description="… in which the decision is not possible.")
    by_field: list[FieldCount]

    @classmethod
    def of(cls, tried: operations.TriedResolution) -> Self:
        actions = tried.by_action
        return cls(
            count=tried.count,
            accepts=actions[ResolutionAction.ACCEPT_CANDIDATE],
            keeps=actions[ResolutionAction.KEEP_CURRENT],
            sets=actions[ResolutionAction.CUSTOM_VALUE],
            refused=tried.refused,
            by_field=[FieldCount(field=name, count=count) for name, count in tried.by_field.most_common()],
        )
