"""Conflicts, and the values that people rejected."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, cast

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import SOURCE_CRM, ConflictReason, ConflictStatus, EntityType, FieldUnit, Recommendation
from models.db.columns import Instant, id_field
from models.job import Job
from models.record import Record


class Conflict(Model):
    """Values of providers that policy does not let enrichment write without a person.

    A record has at most one open conflict for each field, or unit of fields. `current` is
    `{value, source, confidence, observedAt, observedAtKnown}` as it was when the conflict was raised, or None for an
    empty field; `candidates` lists `{id, value, provider, confidence, statedConfidence, observedAt}`; `resolution` is
    `{action, candidateId, value, note, resolvedBy, rule, resolvedAt}`, where `rule` is the rule that decided, in words,
    if one did, and `because` why, where the recommendation was followed. `taken_back` lists former resolutions, each
    with `resolutionId`, `takenBackBy` and `takenBackAt`. Times in them are ISO 8601.

    In a conflict about a unit (see `models.conflict.parts`) `field` is the unit's name, each `value` maps fields to
    values, `current` and each candidate have `parts`, the same by field, and so has the resolution.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    record: fields.ForeignKeyRelation[Record] = fields.ForeignKeyField("models.Record", related_name="conflicts")
    record_id: str
    job: fields.ForeignKeyRelation[Job] = fields.ForeignKeyField("models.Job", related_name="conflicts")
    job_id: str
    entity_type = fields.CharEnumField(EntityType, max_length=16)
    field = fields.CharField(max_length=64)
    unit = cast("FieldUnit | None", fields.CharEnumField(FieldUnit, max_length=16, null=True))  # None: a single field
    part_names = fields.TextField(null=True)  # the fields of the unit that it shows, each between spaces
    reason = fields.CharEnumField(ConflictReason, max_length=32)
    status = fields.CharEnumField(ConflictStatus, max_length=16)
    current = fields.JSONField[dict[str, Any]](null=True)
    candidates = fields.JSONField[list[dict[str, Any]]]()
    providers = fields.TextField(default="")  # of the candidates, each between spaces: " apollo hunter "
    recommended_id = fields.CharField(max_length=36, null=True)  # of the candidate that is recommended, if one is
    recommendation = cast(  # None: as `advice` reads it
        "Recommendation | None", fields.CharEnumField(Recommendation, max_length=16, null=True)
    )
    recommended_because = fields.TextField(default="")
    resolution = fields.JSONField[dict[str, Any]](null=True)
    by_rule = fields.BooleanField(default=False)  # a rule of the organization resolved it, and no person
    resolution_id = fields.CharField(max_length=36, null=True)  # the operation on many conflicts that resolved it
    taken_back = fields.JSONField[list[dict[str, Any]]](null=True)  # the resolutions that were taken back
    created_at: datetime = Instant()
    updated_at: datetime = Instant()
    resolved_at: datetime | None = Instant(null=True)

    class Meta:
        table = "conflict"

    @property
    def advice(self) -> Recommendation:
        """What is recommended. A version that stored no recommendation recommended no candidate to keep the value."""
        return advice_of(self.recommended_id, self.recommendation)

    @property
    def taken_back_at(self) -> list[datetime]:
        """When decisions on it were taken back, in order."""
        return [datetime.fromisoformat(former["takenBackAt"]) for former in self.taken_back or ()]

    @property
    def opened_at(self) -> datetime:
        """When it was raised, or opened again at last."""
        return [self.created_at, *self.taken_back_at][-1]

    def age_seconds(self, now: datetime) -> int:
        """How long it has been open, or was until it was settled."""
        return age_of(self, now)


def advice_of(recommended_id: str | None, recommendation: Recommendation | None) -> Recommendation:
    """What a conflict recommends: see `Conflict.advice`."""
    if recommended_id is not None:
        return Recommendation.ACCEPT
    return Recommendation.NONE if recommendation is Recommendation.NONE else Recommendation.KEEP


class Aged(Protocol):
    """When a conflict was raised, and when it ended."""

    @property
    def status(self) -> ConflictStatus: ...

    @property
    def created_at(self) -> datetime: ...

    @property
    def updated_at(self) -> datetime: ...

    @property
    def resolved_at(self) -> datetime | None: ...


def age_of(conflict: Aged, now: datetime) -> int:
    """How long a conflict has been open, or was until it was settled, in seconds."""
    ended = now if conflict.status is ConflictStatus.OPEN else conflict.resolved_at or conflict.updated_at
    return max(int((ended - conflict.created_at).total_seconds()), 0)


def is_dated_then(current: Mapping[str, Any]) -> bool:
    """Whether it was known, when a conflict was raised, when its `current` value had been observed.

    A conflict of before this was noted knows it of what a source or a reviewer gave.
    """
    known: bool | None = current.get("observedAtKnown")
    return current["source"] != SOURCE_CRM if known is None else known


class Rejection(Model):
    """A value that a person rejected, in review or by an undo: enrichment does not take it from that source again."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    record_id = fields.CharField(max_length=36)
    field = fields.CharField(max_length=64)
    value_key = fields.CharField(max_length=64)  # `enrichment.catalogue.value_key` of the value
    source = fields.CharField(max_length=64)
    rejected_at: datetime = Instant()
    undo_id = fields.CharField(max_length=36, null=True)
    conflict_id = fields.CharField(max_length=36, null=True)  # the conflict whose decision it is

    class Meta:
        table = "rejection"
