"""What a provider answered, kept so that the same question is not asked, or paid for, twice."""

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field


class Answer(Model):
    """One provider's answer to one question of one organization.

    `asking`: the job `asked_by` has the question in hand until `lease_until`; others with the same question
    wait. `answered`: `findings` may be reused until `expires_at`. `pending`: the provider answers later; from
    `lease_until` on the job asks for it with `token`. `maybe_charged`: a call ended without a reply after it was
    sent; it is not repeated by itself before `expires_at`. `delivered` is what the provider sent by itself meanwhile,
    until the job has read it; `delivered_digest` (SHA-256) stays.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    provider = fields.CharField(max_length=64)
    input_key = fields.CharField(max_length=64)  # SHA-256 of the provider's input key
    state = fields.CharField(max_length=16)
    matched = fields.BooleanField(null=True)
    findings = fields.JSONField[list[dict[str, Any]]](null=True)
    detail = fields.TextField(default="")
    asked_by = fields.CharField(max_length=36, null=True)
    reservation_id = fields.CharField(max_length=36, null=True)  # the hold of a call whose answer is pending
    token = fields.TextField(null=True)
    delivered = fields.TextField(null=True)  # JSON
    delivered_digest = fields.CharField(max_length=64, null=True)
    lease_until: datetime | None = Instant(null=True)
    answered_at: datetime | None = Instant(null=True)
    expires_at: datetime | None = Instant(null=True)

    class Meta:
        table = "answer"
