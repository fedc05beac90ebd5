"""Our copy of one CRM entity, and the history of each of its values."""

from datetime import datetime
from typing import Any, Protocol

from tortoise import fields as columns
from tortoise.models import Model

from enrichment.enums import SOURCE_CRM, EntityType
from models.db.columns import Instant, id_field


class Record(Model):
    """One lead, contact or account of one organization.

    `fields` holds the canonical value of every filled field, and unknown fields as they came; `received` the canonical
    values that the CRM last sent. `raw_values` holds them as they were sent, by which a change is told from a
    repetition; `unreadable` is `{field: {raw, reason}}` for what the CRM sent, cannot be read and nobody has replaced.
    Both are None for a record that has not been sent since they are kept. `version` counts every change.
    """

    id = id_field()
    organization_id = columns.CharField(max_length=128)
    entity_type = columns.CharEnumField(EntityType, max_length=16)
    external_id = columns.CharField(max_length=255)
    fields = columns.JSONField[dict[str, Any]]()
    received = columns.JSONField[dict[str, Any]]()
    raw_values = columns.JSONField[dict[str, Any]](null=True)
    unreadable = columns.JSONField[dict[str, dict[str, Any]]](null=True)
    search_text = columns.TextField(default="")
    completeness = columns.FloatField(default=0.0)
    version = columns.IntField(default=1)
    last_enriched_at: datetime | None = Instant(null=True)
    refreshed_at: datetime | None = Instant(null=True)  # when enrichment's own values were last looked up again
    created_at: datetime = Instant()
    updated_at: datetime = Instant()

    class Meta:
        table = "record"


class FieldValue(Model):
    """One value of one field with its provenance. The current one has no `replaced_at`.

    A cleared field is a row too, with the value null, and so is a text that cannot be read.
    """

    id = id_field()
    organization_id = columns.CharField(max_length=128)
    record_id = columns.CharField(max_length=36)
    field = columns.CharField(max_length=64)
    value = columns.JSONField[Any]()
    raw_value = columns.JSONField[Any](null=True)  # as the CRM sent it; None also where that was not noted
    unreadable = columns.TextField(null=True)  # why `raw_value` cannot be read; then there is no value
    source = columns.CharField(max_length=64)  # `crm`, `reviewer` or a provider's id
    actor = columns.CharField(max_length=255, null=True)  # the user, where a person wrote it
    confidence = columns.FloatField()
    job_id = columns.CharField(max_length=36, null=True)
    observed_at: datetime = Instant()  # when the source saw it, at last; the arrival where that is not known
    observed_at_known = columns.BooleanField(null=True)  # None: see `is_dated`
    first_observed_at: datetime | None = Instant(null=True)  # None: the source saw it once
    verified_at: datetime | None = Instant(null=True)  # when a source last confirmed it
    verified_count = columns.IntField(default=0)
    written_at: datetime = Instant()
    replaced_at: datetime | None = Instant(null=True)
    replaces = columns.CharField(max_length=36, null=True)  # the value that was current before; None: empty
    restores = columns.CharField(max_length=36, null=True)  # the value that an undo restored as this one
    undo_id = columns.CharField(max_length=36, null=True)
    conflict_id = columns.CharField(max_length=36, null=True)  # the conflict whose decision wrote it
    # Of the candidate that a reviewer accepted: {provider, confidence (0-1, as stated), observedAt (ISO 8601)}.
    accepted_from = columns.JSONField[dict[str, Any]](null=True)

    class Meta:
        table = "field_value"

    @property
    def is_dated(self) -> bool:
        """Whether it is known when the source saw the value."""
        return is_dated(self)


class Dated(Protocol):
    """What a row must have that tells whether its value is dated."""

    @property
    def source(self) -> str: ...

    @property
    def observed_at_known(self) -> bool | None: ...

    @property
    def verified_at(self) -> datetime | None: ...


def is_dated(row: Dated) -> bool:
    """Whether it is known when the source saw the value.

    A row of before this was noted is, unless the CRM sent the value and no source confirmed it.
    """
    if row.observed_at_known is not None:
        return row.observed_at_known
    return row.source != SOURCE_CRM or row.verified_at is not None
