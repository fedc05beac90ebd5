"""Decisions on conflicts, also those that were taken back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import strawberry

from schema.base.enums import ResolutionAction
from schema.base.scalars import JSON, read_time


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


@strawberry.type(description="A decision that was taken back.")
class TakenBackResolution:
    resolution: Resolution
    resolution_id: strawberry.ID | None = strawberry.field(
        description="The decision on many conflicts that it was a part of."
    )
    taken_back_by: str
    taken_back_at: datetime

    @classmethod
    def of(cls, taken_back: Mapping[str, Any]) -> Self:
        return cls(
            resolution=Resolution.of(taken_back),
            resolution_id=taken_back["resolutionId"],
            taken_back_by=taken_back["takenBackBy"],
            taken_back_at=read_time(taken_back["takenBackAt"]),
        )
