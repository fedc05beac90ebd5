"""A conflict as REST shows it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from msgspec import Meta
from msgspec.structs import replace

from enrichment.enums import (
    ConflictReason,
    ConflictStatus,
    EntityType,
    FieldUnit,
    Recommendation,
    ResolutionAction,
)
from enrichment.shown import shown_confidence
from enrichment.words import NameOf
from models.conflict.shown import AnyConflict
from models.conflict.table import is_dated_then
from resolvers.conflict.stored import FieldQuestion, questions_of, recommended_part, stated_confidence, why_recommended
from resolvers.refresh.freshness import Aging
from service.http.shape import Count, Id, Moment, Shape, Share, StoredMoment
from service.rest.shapes.example_moments import FINISHED, REVIEWED


class Candidate(Shape, frozen=True):
    """A value that a provider proposes."""

    id: Id
    value: Any
    provider: str
    confidence: Share
    stated_confidence: Annotated[
        Share, Meta(description="What the provider stated, before reviewers' decisions weighed in.")
    ]
    observed_at: StoredMoment

    @classmethod
    def of(cls, candidate: Mapping[str, Any]) -> Self:
        return cls.from_json(
            candidate,
            confidence=shown_confidence(candidate["confidence"]),
            stated_confidence=shown_confidence(stated_confidence(candidate)),
        )


class AcceptedValue(Shape, frozen=True):
    """The value of a source that a reviewer accepted."""

    provider: str
    confidence: Share
    observed_at: StoredMoment

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        return cls.from_json(stored, confidence=shown_confidence(stored["confidence"]))


class FieldValue(Shape, frozen=True):
    """One value of one field with its provenance."""

    field: str
    value: Any
    raw: Annotated[Any, Meta(description="As the CRM sent it, where it cannot be read.")]
    unreadable: Annotated[str | None, Meta(description="Why `raw` cannot be read, in plain words.")]
    source: Annotated[str, Meta(description="`crm`, `reviewer` or a provider.")]
    actor: Annotated[str | None, Meta(description="The user, where a person wrote it.")]
    accepted_from: Annotated[
        AcceptedValue | None, Meta(description="Whose value a reviewer accepted; a conflict does not keep it.")
    ]
    confidence: Share
    job_id: Id | None
    observed_at: Annotated[
        StoredMoment, Meta(description="When the source saw it; when it arrived, where `observedAtKnown` is false.")
    ]
    observed_at_known: Annotated[
        bool, Meta(description="False: nobody said when the value was seen, and nothing follows from its arrival.")
    ]
    first_observed_at: StoredMoment
    verified_at: Moment | None
    verified_count: Count
    freshness: Annotated[Share | None, Meta(description="The chance that what the source saw still holds.")]
    written_at: Moment | None
    replaced_at: Moment | None

    @classmethod
    def of_conflict(cls, conflict: AnyConflict, field: str, value: Mapping[str, Any], aging: Aging) -> Self:
        """The value of a field, or of a unit, as it was when the conflict was raised."""
        known = is_dated_then(value)
        observed_at = datetime.fromisoformat(value["observedAt"]) if known else None
        return cls.from_json(
            value,
            field=field,
            confidence=shown_confidence(value["confidence"]),
            observed_at_known=known,
            raw=None if value.get("unreadable") is None else value["value"],
            accepted_from=None,
            first_observed_at=value["observedAt"],
            verified_at=None,
            verified_count=0,
            freshness=aging.of(conflict.entity_type, field, observed_at),
            written_at=None,
            replaced_at=None,
        )


class ConflictPart(Shape, frozen=True):
    """One field of a conflict about an address or an employment."""

    field: str
    current: Annotated[
        FieldValue | None, Meta(description="The value when the conflict was raised; null for an empty field.")
    ]
    candidates: list[Candidate]
    recommended: Annotated[Candidate | None, Meta(description="Null recommends to keep the value.")]

    @classmethod
    def of(cls, conflict: AnyConflict, question: FieldQuestion, aging: Aging) -> Self:
        current = question.current
        candidates = [Candidate.of(candidate) for candidate in question.candidates]
        recommended_id = recommended_part(conflict, question)
        return cls(
            field=question.field,
            current=None if current is None else FieldValue.of_conflict(conflict, question.field, current, aging),
            candidates=candidates,
            recommended=next((item for item in candidates if item.id == recommended_id), None),
        )


class PartResolution(Shape, frozen=True):
    """What a reviewer decided about one field of an address or an employment."""

    field: str
    action: ResolutionAction
    candidate_id: Id | None
    value: Any


class Resolution(Shape, frozen=True):
    """What a reviewer decided."""

    action: ResolutionAction
    candidate_id: Id | None
    value: Any
    parts: Annotated[list[PartResolution], Meta(description="The same field by field; empty for a single field.")]
    note: str | None
    resolved_by: str
    rule: Annotated[str | None, Meta(description="The rule that decided, which `resolvedBy` had accepted.")]
    because: Annotated[
        str | None, Meta(description="Where the recommendation was followed: what was recommended, and why.")
    ]
    resolved_at: StoredMoment

    @classmethod
    def of(cls, resolution: Mapping[str, Any]) -> Self:
        parts = [PartResolution.from_json(part) for part in resolution.get("parts", ())]
        return cls.from_json(resolution, parts=parts)


class TakenBackResolution(Shape, frozen=True):
    """A decision that was taken back."""

    resolution: Resolution
    resolution_id: Annotated[Id | None, Meta(description="The decision on many conflicts that it was a part of.")]
    taken_back_by: str
    taken_back_at: StoredMoment

    @classmethod
    def of(cls, taken_back: Mapping[str, Any]) -> Self:
        return cls.from_json(taken_back, resolution=Resolution.of(taken_back))


class Conflict(Shape, frozen=True):
    """A proposed value that policy does not let us write without a person."""

    id: Id
    job_id: Id
    record_id: Id
    external_id: str
    entity_type: EntityType
    field: Annotated[str, Meta(description="The field; `address` or `employment` where it is about a unit.")]
    unit: Annotated[
        FieldUnit | None,
        Meta(
            description="The fields that are one thing; then `value` is an object by field in `current` and candidates."
        ),
    ]
    reason: ConflictReason
    status: ConflictStatus
    current: Annotated[
        FieldValue | None, Meta(description="The value when the conflict was raised; null for an empty field.")
    ]
    candidates: list[Candidate]
    parts: Annotated[
        list[ConflictPart], Meta(description="A unit's conflict field by field; empty for a single field.")
    ]
    recommended: Annotated[Candidate | None, Meta(description="The candidate that is recommended; null for none.")]
    recommendation: Annotated[
        Recommendation,
        Meta(description="What is likelier to be right; `none`: neither is, and an empty decision keeps the value."),
    ]
    recommended_because: str
    resolution: Resolution | None
    created_at: Moment
    updated_at: Moment
    resolved_at: Moment | None
    resolution_id: Annotated[Id | None, Meta(description="The decision on many conflicts that this one was a part of.")]
    taken_back: Annotated[
        list[TakenBackResolution], Meta(description="The decisions that were taken back, oldest first.")
    ]
    age_seconds: Annotated[Count, Meta(description="How long it has been open, or was until it was settled.")]

    @classmethod
    def of(cls, conflict: AnyConflict, external_id: str, aging: Aging, name_of: NameOf) -> Self:
        candidates = [Candidate.of(candidate) for candidate in conflict.candidates]
        current, resolution = conflict.current, conflict.resolution
        return cls.copied(
            conflict,
            external_id=external_id,
            current=current and FieldValue.of_conflict(conflict, conflict.field, current, aging),
            candidates=candidates,
            parts=[ConflictPart.of(conflict, question, aging) for question in _parts(conflict)],
            recommended=next((item for item in candidates if item.id == conflict.recommended_id), None),
            recommendation=conflict.advice,
            recommended_because=why_recommended(conflict, name_of),
            resolution=resolution and Resolution.of(resolution),
            taken_back=[TakenBackResolution.of(former) for former in conflict.taken_back or ()],
            age_seconds=conflict.age_seconds(aging.now),
        )


def _parts(conflict: AnyConflict) -> list[FieldQuestion]:
    return [] if conflict.unit is None else questions_of(conflict)


PROPOSED_EXAMPLE = Candidate.example(
    id="01936f2a-7a40-7c11-9b0e-4f7d2c6e1b34",
    value=340,
    provider="directory",
    confidence=0.86,
    stated_confidence=0.8,
    observed_at="2026-09-30T00:00:00Z",
)
EXAMPLE = Conflict.example(
    id="01936f2a-7a40-7c11-9b0e-4f7d2c6e1b33",
    record_id="01936f2a-6f02-7b90-a1f4-93f1c8a0d77e",
    external_id="acc-1042",
    entity_type=EntityType.ACCOUNT,
    field="numberOfEmployees",
    reason=ConflictReason.EXISTING_DIFFERS,
    status=ConflictStatus.OPEN,
    current=FieldValue.example(
        field="numberOfEmployees", value=120, source="crm", confidence=1.0, observed_at_known=False, freshness=0.42
    ),
    candidates=[PROPOSED_EXAMPLE],
    recommended=PROPOSED_EXAMPLE,
    recommendation=Recommendation.ACCEPT,
    recommended_because="the value of Directory is likelier to be right (81 % against 12 %)",
    created_at=FINISHED,
    updated_at=FINISHED,
    age_seconds=5400,
)
RESOLVED_EXAMPLE = replace(
    EXAMPLE,
    status=ConflictStatus.RESOLVED,
    resolution=Resolution.example(
        action=ResolutionAction.ACCEPT_CANDIDATE,
        candidate_id=PROPOSED_EXAMPLE.id,
        value=340,
        note="Checked on their web site",
        resolved_by="user-1",
        resolved_at="2026-11-24T09:12:00Z",
    ),
    updated_at=REVIEWED,
    resolved_at=REVIEWED,
)
REOPENED_EXAMPLE = replace(
    EXAMPLE,
    taken_back=[
        TakenBackResolution.example(
            resolution=Resolution.example(
                action=ResolutionAction.KEEP_CURRENT,
                value=120,
                resolved_by="user-1",
                resolved_at="2026-11-24T09:12:00Z",
            ),
            taken_back_by="user-2",
            taken_back_at="2026-11-24T09:20:00Z",
        )
    ],
    updated_at="2026-11-24T09:20:00Z",
)
