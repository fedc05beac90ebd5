"""A value that policy does not let us write without a person, and what was rejected before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import ConflictReason, ConflictStatus, EntityType
from models.db.columns import Instant, id_field
from models.job import Job
from models.record import Record


class Conflict(Model):
    """One open question at most for each record and field.

    `current` is `{value, source, confidence, observedAt}` as it was when the conflict was raised, or None
    for an empty field; `candidates` lists `{id, value, provider, confidence, observedAt}`;
    `resolution` is `{action, candidateId, value, note, resolvedBy, resolvedAt}`, and `rule` where a rule decided
    that `resolvedBy` accepted. Times in them are ISO 8601.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    record: fields.ForeignKeyRelation[Record] = fields.ForeignKeyField("models.Record", related_name="conflicts")
    record_id: str
    job: fields.ForeignKeyRelation[Job] = fields.ForeignKeyField("models.Job", related_name="conflicts")
    job_id: str
    entity_type = fields.CharEnumField(EntityType, max_length=16)
    field = fields.CharField(max_length=64)
    reason = fields.CharEnumField(ConflictReason, max_length=32)
    status = fields.CharEnumField(ConflictStatus, max_length=16)
    current = fields.JSONField[dict[str, Any]](null=True)
    candidates = fields.JSONField[list[dict[str, Any]]]()
    providers = fields.TextField(default="")  # of the candidates, each between spaces: " apollo hunter "
    recommended_id = fields.CharField(max_length=36, null=True)  # None recommends keeping the current value
    recommended_because = fields.TextField(default="")
    resolution = fields.JSONField[dict[str, Any]](null=True)
    by_rule = fields.BooleanField(default=False)  # a rule of the organization resolved it, and no person
    created_at: datetime = Instant()
    updated_at: datetime = Instant()
    resolved_at: datetime | None = Instant(null=True)

    class Meta:
        table = "conflict"

    def age_seconds(self, now: datetime) -> int:
        """How long it has been open, or was until it was settled."""
        ended = now if self.status is ConflictStatus.OPEN else self.resolved_at or self.updated_at
        return max(int((ended - self.created_at).total_seconds()), 0)


class Rejection(Model):
    """A value a person turned down, in review or by an undo: the same source is not heard with it again."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    record_id = fields.CharField(max_length=36)
    field = fields.CharField(max_length=64)
    value_key = fields.CharField(max_length=64)  # `enrichment.catalogue.value_key` of the value
    source = fields.CharField(max_length=64)
    rejected_at: datetime = Instant()
    undo_id = fields.CharField(max_length=36, null=True)

    class Meta:
        table = "rejection"


async def conflicts_about(record_id: str, field: str) -> list[Conflict]:
    """The conflicts about a field of a record, the newest first, with record and job."""
    conflicts = Conflict.filter(record_id=record_id, field=field)
    return await conflicts.prefetch_related("record", "job").order_by("-id")


async def conflicts_of_jobs(organization_id: str, job_ids: Sequence[str]) -> list[Conflict]:
    """The conflicts that these jobs raised, whatever became of them, oldest first, with record and job."""
    conflicts = Conflict.filter(organization_id=organization_id, job_id__in=list(job_ids))
    return await conflicts.prefetch_related("record", "job").order_by("id")
