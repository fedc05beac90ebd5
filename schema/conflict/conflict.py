"""Conflicts: values that policy does not let us write without a person, and their resolution."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, Self

import strawberry

from enrichment.shown import shown_confidence
from enrichment.words import naming
from models.conflict.shown import AnyConflict
from resolvers.conflict.stored import FieldQuestion, questions_of, recommended_part, stated_confidence, why_recommended
from schema.base.context import Info
from schema.base.enums import (
    ConflictReason,
    ConflictStatus,
    EntityType,
    FieldUnit,
    Recommendation,
)
from schema.base.loaders import Asked
from schema.base.node import Node
from schema.base.scalars import JSON, read_time
from schema.base.views import Each, Made, Part, RowView, needs
from schema.base.wanted import wanted_items
from schema.conflict.resolution import Resolution, TakenBackResolution
from schema.job.job import JOB, Job
from schema.record.record import RECORD, FieldValue, Record


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
            confidence=shown_confidence(candidate["confidence"]),
            stated_confidence=shown_confidence(stated_confidence(candidate)),
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
    def of(cls, row: AnyConflict, question: FieldQuestion) -> Self:
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


@strawberry.type(
    description="One question that waits for a person: about a field of a record, or about fields that are one thing."
)
class Conflict(Node):
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
    resolution_id: strawberry.ID | None = strawberry.field(
        description="The decision on many conflicts that this one was a part of; with it the whole can be taken back."
    )
    taken_back: Sequence[TakenBackResolution] = strawberry.field(
        description="The decisions that were taken back, oldest first."
    )
    row: strawberry.Private[AnyConflict]

    @classmethod
    def of(cls, row: AnyConflict) -> "Conflict":
        """`row` comes with its record, where it is asked for."""
        return CONFLICT(row)

    @strawberry.field
    def recommended_because(self, info: Info) -> str:
        return why_recommended(self.row, naming(info.context.services.registry.names))

    @strawberry.field(description="How long it has been open, or was until it was settled.")
    def age_seconds(self, info: Info) -> int:
        return self.row.age_seconds(info.context.services.now())

    @strawberry.field(description="The job that raised it.")
    async def job(self, info: Info) -> Job:
        return JOB(await info.context.loaders.jobs.load(Asked(self.job_id, wanted_items(info, JOB))))


def _current(row: AnyConflict) -> FieldValue | None:
    return FieldValue.of_json(row.entity_type, row.field, row.current) if row.current else None


def _parts(row: AnyConflict) -> Sequence[ConflictPart]:
    return Each(partial(ConflictPart.of, row), [] if row.unit is None else questions_of(row))


def _recommended(row: AnyConflict) -> Candidate | None:
    recommended = next((item for item in row.candidates if item["id"] == row.recommended_id), None)
    return None if recommended is None else Candidate.of(recommended)


_RECOMMENDED = ("candidates", "recommended_id")
CONFLICT: RowView[AnyConflict, Conflict] = RowView(
    Conflict,
    resolved={
        "recommended_because": needs("recommended_because", "recommendation", "candidates"),
        "age_seconds": needs("status", "created_at", "updated_at", "resolved_at"),
        "job": needs("job_id"),
    },
    record=Part("record", RECORD),
    current=Made(_current, ("entity_type", "field", "current")),
    parts=Made(_parts, ("entity_type", "field", "unit", "current", *_RECOMMENDED)),
    candidates=Made(lambda row: Each(Candidate.of, row.candidates), ("candidates",)),
    recommended=Made(_recommended, _RECOMMENDED),
    recommendation=Made(attrgetter("advice"), ("recommended_id", "recommendation")),
    resolution=Made(lambda row: Resolution.of(row.resolution) if row.resolution else None, ("resolution",)),
    taken_back=Made(lambda row: Each(TakenBackResolution.of, row.taken_back or []), ("taken_back",)),
    row=Made(lambda row: row, ()),
)
