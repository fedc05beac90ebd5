"""Which conflicts a client decides in the same way over REST, and what became of each."""

from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from enrichment.words import NameOf
from resolvers.conflict.resolve_many import ResolvedMany, ResolveOutcome
from resolvers.refresh.freshness import Aging
from service.http.shape import Count, Id, Sent, Shape
from service.rest.shapes import conflict
from service.rest.shapes.record import RecordError


class ResolveConflictsRequest(Sent, frozen=True):
    """Up to 1,000 conflicts, and the decision on each; without one, as recommended."""

    ids: Annotated[list[Id], Meta(max_length=1000)]
    resolution: (
        Annotated[dict[str, Any] | None, Meta(description="As the body of `/conflicts/{id}/resolve`.")] | UnsetType
    ) = UNSET


class ResolveConflictResult(Shape, frozen=True):
    """What became of one of the conflicts."""

    conflict_id: str
    conflict: Annotated[conflict.Conflict | None, Meta(description="As it is now.")]
    error: RecordError | None

    @classmethod
    def of(cls, outcome: ResolveOutcome, aging: Aging, name_of: NameOf) -> Self:
        found, error = outcome.conflict, outcome.error
        return cls(
            conflict_id=outcome.id,
            conflict=None if found is None else conflict.Conflict.of(found, found.record.external_id, aging, name_of),
            error=None if error is None else RecordError.of(error),
        )


class ResolveConflictsAnswer(Shape, frozen=True):
    """The outcome of each, in the order of the ids."""

    resolution_id: Annotated[Id, Meta(description="With it the whole decision can be taken back.")]
    resolved: Annotated[Count, Meta(description="How many conflicts are resolved now.")]
    results: list[ResolveConflictResult]

    @classmethod
    def of(cls, many: ResolvedMany, aging: Aging, name_of: NameOf) -> Self:
        return cls(
            resolution_id=many.resolution_id,
            resolved=many.resolved,
            results=[ResolveConflictResult.of(outcome, aging, name_of) for outcome in many.outcomes],
        )


REQUEST_EXAMPLES = {
    "keep": ResolveConflictsRequest(ids=[conflict.EXAMPLE.id], resolution={"action": "keep_current"}),
    "recommended": ResolveConflictsRequest(ids=[conflict.EXAMPLE.id]),
}
EXAMPLE = ResolveConflictsAnswer(
    resolution_id="01936f2a-7b02-7d51-8c1f-2a9e4b7c6d10",
    resolved=1,
    results=[ResolveConflictResult(conflict_id=conflict.EXAMPLE.id, conflict=conflict.RESOLVED_EXAMPLE, error=None)],
)
