"""The table of the log, and how far it was pruned (see migration 0038)."""

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant
from models.event.kinds import EventKind


class Event(Model):
    """One row of an organization's log. It may stand for several events (`models.event.single`)."""

    organization_id = fields.CharField(max_length=128, primary_key=True)  # Tortoise knows keys of one column only
    position = fields.BigIntField()
    number = fields.BigIntField()
    at: datetime = Instant()
    kind = fields.CharEnumField(EventKind, max_length=24)
    entity_type = fields.CharField(max_length=16, null=True)
    record_id = fields.CharField(max_length=36, null=True)
    data = fields.JSONField[dict[str, Any]]()

    class Meta:
        table = "event"


class EventFloor(Model):
    """The last row of an organization's log that was pruned."""

    organization_id = fields.CharField(max_length=128, primary_key=True)
    position = fields.BigIntField()
    number = fields.BigIntField()

    class Meta:
        table = "event_floor"
