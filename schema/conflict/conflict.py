"""Conflicts: values that policy does not let us write without a person, and their resolution."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Self

import strawberry

from enrichment.words import naming
from models.conflict import table as models
from resolvers.conflict import api as operations
from resolvers.conflict.choice import recommended_part
from resolvers.conflict.stored import FieldQuestion, questions_of, stated_confidence, why_recommended
from resolvers.paging import DEFAULT_SIZE
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import (
    ConflictReason,
    ConflictStatus,
    EntityType,
    FieldUnit,
    Recommendation,
    ResolutionAction,
)
from schema.base.paging import Connection, page_args
from schema.base.problem import Problem
from schema.base.scalars import JSON, read_time
from schema.base.streams import closing
from schema.base.views import Each
from schema.conflict.input import ConflictFilter, ResolutionInput
from schema.job.job import Job
from schema.record.record import FieldValue, Record


@strawberry.type(description="A value that a provider proposed.")
class Candidate:
    id: strawberry.ID
    value: JSON
    provider: str
    confidence: float = strawberry.field(description="From 0 to 1, with what reviewers taught about the provider.")
    stated_confidence: float = strawberry.field(description="From 0 to 1, as the provider stated it.")
    observed_at: datetime

    @classmethod
    def of(cls, candidate: Mapping[str, Any]) -> Self:
        return cls(
            id=strawberry.ID(candidate["id"]),
            value=JSON(candidate["value"]),
            provider=candidate["provider"],
            confidence=candidate["confidence"],
            stated_confidence=stated_confidence(candidate),
            observed_at=read_time(candidate["observedAt"]),
        )


@strawberry.type(description="One field of a conflict about an address or an employment.")
class ConflictPart:
    field: str
    current: FieldValue | None = strawberry.field(
        description="The value when the conflict was raised. Null: the field was empty."
    )
    candidates: Sequence[Candidate] = strawberry.field(description="What the answers say of this field.")
    recommended: Candidate | None = strawberry.field(
        description="What the recommended answer says of it. Null recommends keeping the current value."
    )

    @classmethod
    def of(cls, row: models.Conflict, question: FieldQuestion) -> Self:
        recommended_id = recommended_part(row, question)
        recommended = next((item for item in question.candidates if item["id"] == recommended_id), None)
        return cls(
            field=question.field,
            current=None
            if question.current is None
            else FieldValue.of_json(row.entity_type, question.field, question.current),
            candidates=Each(Candidate.of, question.candidates),
            recommended=None if recommended is None else Candidate.of(recommended),
        )


@strawberry.type(description="What a reviewer chose for one field of an address or an employment.")
class PartResolution:
    field: str
    action: ResolutionAction
    candidate_id: strawberry.ID | None
    value: JSON | None = strawberry.field(description="What the field holds afterwards.")

    @classmethod
    def of(cls, part: Mapping[str, Any]) -> Self:
        return cls(
            field=part["field"],
            action=ResolutionAction(part["action"]),
            candidate_id=part.get("candidateId"),
            value=JSON(part.get("value")),
        )


@strawberry.type(description="What a reviewer chose.")
class Resolution:
    action: ResolutionAction = strawberry.field(
        description="Of a conflict resolved part by part: that of all parts, and CUSTOM_VALUE where they differ."
    )
    candidate_id: strawberry.ID | None
    value: JSON | None
    parts: list[PartResolution] = strawberry.field(
        description="The same field by field, where the conflict is about an address or an employment."
    )
    note: str | None
    resolved_by: str | None
    rule: str | None = strawberry.field(description="The rule that decided, which `resolvedBy` had accepted.")
    because: str | None = strawberry.field(
        description="Where the recommendation was followed: what was recommended, and why."
    )
    resolved_at: datetime

    @classmethod
    def of(cls, resolution: Mapping[str, Any]) -> Self:
        return cls(
            action=ResolutionAction(resolution["action"]),
            candidate_id=resolution.get("candidateId"),
            value=JSON(resolution.get("value")),
            parts=[PartResolution.of(part) for part in resolution.get("parts", ())],
            note=resolution.get("note"),
            resolved_by=resolution.get("resolvedBy"),
            rule=resolution.get("rule"),
            because=resolution.get("because"),
            resolved_at=read_time(resolution["resolvedAt"]),
        )


@strawberry.type(
    description="One question that waits for a person: about a field of a record, or about fields that are one thing."
)
class Conflict:
    id: strawberry.ID
    job_id: strawberry.Private[str]
    record: Record
    entity_type: EntityType
    field: str = strawberry.field(description="The field; `address` or `employment` where it is about a unit.")
    unit: FieldUnit | None = strawberry.field(
        description="The fields that are one thing. `current.value` and each candidate's `value` are objects by field."
    )
    parts: Sequence[ConflictPart] = strawberry.field(
        description="A unit's conflict field by field; empty where it is about a single field."
    )
    reason: ConflictReason
    status: ConflictStatus
    current: FieldValue | None = strawberry.field(
        description="The value when the conflict was raised. Null: the field was empty."
    )
    candidates: Sequence[Candidate]
    recommended: Candidate | None = strawberry.field(description="The candidate that is recommended; null for none.")
    recommendation: Recommendation = strawberry.field(
        description="What is likelier to be right. NONE: neither is; without a decision of one's own the value is kept."
    )
    resolution: Resolution | None
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    row: strawberry.Private[models.Conflict]

    @classmethod
    def of(cls, row: models.Conflict) -> Self:
        """`row` comes with its record."""
        recommended = next((item for item in row.candidates if item["id"] == row.recommended_id), None)
        return copied(
            cls,
            row,
            record=Record.of(row.record),
            current=FieldValue.of_json(row.entity_type, row.field, row.current) if row.current else None,
            parts=Each(partial(ConflictPart.of, row), [] if row.unit is None else questions_of(row)),
            candidates=Each(Candidate.of, row.candidates),
            recommended=None if recommended is None else Candidate.of(recommended),
            recommendation=row.advice,
            resolution=Resolution.of(row.resolution) if row.resolution else None,
            row=row,
        )

    @strawberry.field
    def recommended_because(self, info: Info) -> str:
        return why_recommended(self.row, naming(info.context.services.registry.names))

    @strawberry.field(description="How long it has been open, or was until it was settled.")
    def age_seconds(self, info: Info) -> int:
        return self.row.age_seconds(info.context.services.now())

    @strawberry.field(description="The job that raised it.")
    async def job(self, info: Info) -> Job:
        return Job.of(await info.context.loaders.jobs.load(self.job_id))


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


@strawberry.type
class ConflictQuery:
    @strawberry.field(description="The organization's conflicts; without a filter the open ones.")
    async def conflicts(
        self,
        info: Info,
        filter: ConflictFilter | None = None,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Conflict]:
        wanted = filter or ConflictFilter()
        args = page_args(info, first, after, last, before)
        return Connection[Conflict].of(await operations.list_conflicts(info.context, wanted.read(), args), Conflict.of)

    @strawberry.field(description="One conflict.")
    async def conflict(self, info: Info, id: strawberry.ID) -> Conflict:
        return Conflict.of(await operations.get_conflict(info.context, id))

    @strawberry.field(description="What `resolveMatchingConflicts` would do now.")
    async def preview_resolution(
        self, info: Info, filter: ConflictFilter, resolution: ResolutionInput | None = None
    ) -> ResolutionPreview:
        chosen = None if resolution is None else resolution.read()
        return ResolutionPreview.of(await operations.try_resolution(info.context, filter.read(), chosen))


@strawberry.type
class ConflictMutation:
    @strawberry.mutation(description="Decide a conflict; without a resolution as recommended.")
    async def resolve_conflict(
        self, info: Info, id: strawberry.ID, resolution: ResolutionInput | None = None
    ) -> Conflict:
        chosen = None if resolution is None else resolution.read()
        return Conflict.of(await operations.resolve_conflict(info.context, id, chosen))

    @strawberry.mutation(description="Decide many conflicts in the same way; each has its own outcome.")
    async def resolve_conflicts(
        self, info: Info, ids: list[strawberry.ID], resolution: ResolutionInput | None = None
    ) -> ResolveConflictsPayload:
        chosen = None if resolution is None else resolution.read()
        return ResolveConflictsPayload.of(await operations.resolve_conflicts(info.context, ids, chosen))

    @strawberry.mutation(
        description="Decide the open conflicts that a filter lets through, oldest first, 1,000 at most."
        " With `expectedCount` nothing is decided unless there are exactly so many."
    )
    async def resolve_matching_conflicts(
        self,
        info: Info,
        filter: ConflictFilter,
        resolution: ResolutionInput | None = None,
        expected_count: int | None = None,
    ) -> ResolveConflictsPayload:
        chosen = None if resolution is None else resolution.read()
        outcomes, remaining = await operations.resolve_matching(
            info.context, filter.read(), chosen, expected_count=expected_count
        )
        return ResolveConflictsPayload.of(outcomes, remaining=remaining)


@strawberry.type
class ConflictSubscription:
    @strawberry.subscription(description="Every conflict that is raised from now on.")
    async def conflict_raised(self, info: Info, entity_type: EntityType | None = None) -> AsyncIterator[Conflict]:
        async with closing(operations.watch_conflicts(info.context, entity_type)) as conflicts:
            async for conflict in conflicts:
                yield Conflict.of(conflict)
