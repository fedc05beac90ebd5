"""Which decisions a client takes back over REST, and what became of each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from enrichment.enums import ConflictReason, EntityType
from enrichment.words import NameOf
from resolvers.conflict.take_back_many import TakenBackMany, TakenBackOutcome
from resolvers.errors import OperationError
from resolvers.refresh.freshness import Aging
from service.http.shape import Count, Id, Sent, Shape
from service.rest.description.json_schema import in_any_case
from service.rest.shapes import conflict


class ResolvedFilter(Sent, frozen=True):
    """Which resolved conflicts."""

    entity_type: Annotated[str, in_any_case(EntityType)] | UnsetType | None = UNSET
    external_id: str | UnsetType | None = UNSET
    record_id: Id | UnsetType | None = UNSET
    job_id: Id | UnsetType | None = UNSET
    field: (
        Annotated[
            str | None,
            Meta(description="A field, which also finds the conflict of its unit; or `address`, `employment`."),
        ]
        | UnsetType
    ) = UNSET
    reason: list[Annotated[str, in_any_case(ConflictReason)]] | UnsetType | None = UNSET
    provider: str | UnsetType | None = UNSET
    created_after: datetime | UnsetType | None = UNSET
    created_before: datetime | UnsetType | None = UNSET


class UndoResolutionsRequest(Sent, frozen=True):
    """Exactly one of the three."""

    ids: Annotated[list[Id] | None, Meta(description="Of conflicts, 1,000 at most.")] | UnsetType = UNSET
    filter: ResolvedFilter | UnsetType | None = UNSET
    resolution_id: Annotated[Id | None, Meta(description="Of one decision on many conflicts.")] | UnsetType = UNSET


class UndoResolutionError(Shape, frozen=True):
    """Why a decision stands."""

    code: str
    message: str

    @classmethod
    def of(cls, error: OperationError) -> Self:
        return cls.copied(error)


class UndoResolutionResult(Shape, frozen=True):
    """What became of one of the decisions that were to be taken back."""

    conflict_id: str
    restored: Annotated[bool, Meta(description="The conflict is open again, with its former values.")]
    because: Annotated[str | None, Meta(description="Why the decision stands, in plain words.")]
    conflict: Annotated[conflict.Conflict | None, Meta(description="As it is now.")]
    error: UndoResolutionError | None

    @classmethod
    def of(cls, outcome: TakenBackOutcome, aging: Aging, name_of: NameOf) -> Self:
        found, error = outcome.conflict, outcome.error
        return cls(
            conflict_id=outcome.id,
            restored=error is None,
            because=None if error is None else error.message,
            conflict=None if found is None else conflict.Conflict.of(found, found.record.external_id, aging, name_of),
            error=None if error is None else UndoResolutionError.of(error),
        )


class UndoResolutionsAnswer(Shape, frozen=True):
    """The outcome of each, in the order of the ids, or the latest decision first."""

    results: list[UndoResolutionResult]
    restored: Annotated[Count, Meta(description="How many decisions were taken back.")]
    left_alone: Annotated[Count, Meta(description="How many stand.")]
    remaining: Annotated[Count, Meta(description="How many resolved conflicts the filter still lets through.")]

    @classmethod
    def of(cls, many: TakenBackMany, aging: Aging, name_of: NameOf) -> Self:
        return cls(
            results=[UndoResolutionResult.of(outcome, aging, name_of) for outcome in many.outcomes],
            restored=many.restored,
            left_alone=many.left_alone,
            remaining=many.remaining,
        )


REQUEST_EXAMPLES: Mapping[str, Any] = {
    "ids": UndoResolutionsRequest(ids=[conflict.EXAMPLE.id]),
    "resolution": UndoResolutionsRequest(resolution_id="01936f2a-7b02-7d51-8c1f-2a9e4b7c6d10"),
    "filter": UndoResolutionsRequest(filter=ResolvedFilter(entity_type=EntityType.ACCOUNT, field="city")),
}
EXAMPLE = UndoResolutionsAnswer(
    results=[
        UndoResolutionResult(
            conflict_id=conflict.EXAMPLE.id,
            restored=True,
            because=None,
            conflict=conflict.REOPENED_EXAMPLE,
            error=None,
        )
    ],
    restored=1,
    left_alone=0,
    remaining=0,
)
