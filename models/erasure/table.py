"""Who was erased: keyed hashes and counts, never a value."""

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import EntityType
from models.db.columns import Instant, id_field


class Erasure(Model):
    """The certificate of one erased record.

    `removed` lists `{where, count}`, `not_reached` what is out of the service's reach, in plain words. Until it is
    lifted its tombstones keep the same person from coming back.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    entity_type = fields.CharEnumField(EntityType, max_length=16)
    reason = fields.TextField(null=True)
    erased_at: datetime = Instant()
    erased_by = fields.CharField(max_length=255, null=True)
    removed = fields.JSONField[list[dict[str, Any]]]()
    not_reached = fields.JSONField[list[str]]()
    lifted_at: datetime | None = Instant(null=True)
    lifted_by = fields.CharField(max_length=255, null=True)

    class Meta:
        table = "erasure"


class Tombstone(Model):
    """A keyed hash of one mark of an erased record (see `enrichment.erasure.Mark`).

    `shared`: several people may have this mark. `named`: the erased record left a name.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    erasure_id = fields.CharField(max_length=36)
    kind = fields.CharField(max_length=16)  # `external_id`, `email`, `phone`, `domain`, `profile` or `name`
    hash = fields.CharField(max_length=64)
    shared = fields.BooleanField(default=False)
    named = fields.BooleanField(default=False)

    class Meta:
        table = "tombstone"
