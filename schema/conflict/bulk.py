"""What becomes of many conflicts that are decided at once."""

from collections.abc import Sequence
from typing import Self

import strawberry

from resolvers.conflict import api as operations
from schema.base.enums import ResolutionAction
from schema.base.problem import Problem
from schema.conflict.conflict import Conflict


@strawberry.type(description="What became of one of the conflicts that were to be resolved.")
class ResolveConflictResult:
    id: strawberry.ID
    conflict: Conflict | None
    error: Problem | None


@strawberry.type(description="The outcome of each, in the order of the ids, or oldest first.")
class ResolveConflictsPayload:
    results: list[ResolveConflictResult]
    resolved: int = strawberry.field(description="How many are resolved now.")
    remaining: int = strawberry.field(description="How many open ones the filter still lets through.")

    @classmethod
    def of(cls, outcomes: Sequence[operations.ResolveOutcome], *, remaining: int = 0) -> Self:
        results = [
            ResolveConflictResult(
                id=strawberry.ID(outcome.id),
                conflict=None if outcome.conflict is None else Conflict.of(outcome.conflict),
                error=None if outcome.error is None else Problem.of(outcome.error),
            )
            for outcome in outcomes
        ]
        resolved = sum(1 for outcome in outcomes if outcome.error is None)
        return cls(results=results, resolved=resolved, remaining=remaining)


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
