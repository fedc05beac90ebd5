"""The tenant: its configuration and whether its pipeline runs."""

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field


class Organization(Model):
    """One tenant, made on first use. `config` is the JSON that `enrichment.config` reads."""

    id = fields.CharField(max_length=128, primary_key=True)
    created_at: datetime = Instant()
    config = fields.JSONField[dict[str, Any]]()
    config_version = fields.IntField(default=1)
    config_updated_at: datetime = Instant()
    config_updated_by = fields.CharField(max_length=255, null=True)
    paused_at: datetime | None = Instant(null=True)
    paused_by = fields.CharField(max_length=255, null=True)
    pause_reason = fields.TextField(null=True)

    class Meta:
        table = "organization"


class ConfigChange(Model):
    """A version of the configuration: what it was, since when, by whom."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    version = fields.IntField()
    config = fields.JSONField[dict[str, Any]]()
    changed_at: datetime = Instant()
    changed_by = fields.CharField(max_length=255, null=True)

    class Meta:
        table = "config_change"
