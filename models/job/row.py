"""The tables of jobs: one enrichment of one record, and one step for each provider within it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import AnsweredQuestion, EntityType, FieldOutcomeReason, JobStatus, JobTrigger, StepOutcome
from models.db.columns import Instant, id_field
from models.record import Record


class Job(Model):
    """The row is the truth; the queue only says that there is something to do.

    A worker owns a job while `lease_until` lies ahead and `fence` is the number it claimed with.
    `outcomes` lists how each wanted field ended: `{field, reason, provider, confidence, detail}`.
    `filled_before` and `filled_after` name the enrichable fields that had a value.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    record: fields.ForeignKeyRelation[Record] = fields.ForeignKeyField("models.Record", related_name="jobs")
    record_id: str
    entity_type = fields.CharEnumField(EntityType, max_length=16)
    trigger = fields.CharEnumField(JobTrigger, max_length=32, source_field="trigger_kind")
    status = fields.CharEnumField(JobStatus, max_length=16)
    priority = fields.IntField(default=0)  # the lowest runs first
    attempts = fields.IntField(default=0)
    max_attempts = fields.IntField(default=5)
    progress = fields.IntField(default=0)  # percent
    running_step = fields.CharField(max_length=64, null=True)  # the provider being asked
    forced = fields.BooleanField(default=False)  # the cooldown does not apply
    answers_since: datetime | None = Instant(null=True)  # older answers do not serve it; None: any that is kept does
    budget_id = fields.CharField(max_length=36, null=True)  # the most that the request it came from may cost
    fence = fields.IntField(default=0)
    lease_until: datetime | None = Instant(null=True)
    next_attempt_at: datetime | None = Instant(null=True)
    fields_updated = fields.JSONField[list[str]]()
    outcomes = fields.JSONField[list[dict[str, Any]]]()
    filled_before = fields.JSONField[list[str]]()
    filled_after = fields.JSONField[list[str]]()
    matched = fields.BooleanField(null=True)  # whether any provider knew the record; None: none was asked
    credits_used = fields.BigIntField(default=0)
    short_of_credits = fields.BooleanField(default=False)  # runs again when credits return
    error_code = fields.CharField(max_length=64, null=True)
    error_message = fields.TextField(null=True)
    error_retryable = fields.BooleanField(null=True)
    requested_by = fields.CharField(max_length=255, null=True)
    created_at: datetime = Instant()
    started_at: datetime | None = Instant(null=True)
    finished_at: datetime | None = Instant(null=True)
    updated_at: datetime = Instant()
    uncounted = fields.BooleanField(null=True)  # a row of before the daily counts that has no part in them yet
    times_lost = fields.IntField(null=True)  # workers lost in a row while they had it; None: none
    steps_so_far = fields.JSONField[list[dict[str, Any]]](null=True)  # `models.job.steps.so_far`, of this attempt

    steps: fields.ReverseRelation["Step"]

    class Meta:
        table = "job"

    @property
    def fields_verified(self) -> list[str]:
        """The fields whose value a source saw again, unchanged."""
        return verified_of(self.outcomes)


def verified_of(outcomes: Iterable[Mapping[str, Any]]) -> list[str]:
    """The fields that ended verified."""
    return [outcome["field"] for outcome in outcomes if outcome["reason"] == FieldOutcomeReason.VERIFIED]


class Step(Model):
    """One provider within a job: how the call ended, what it found, what it cost."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    job: fields.ForeignKeyRelation[Job] = fields.ForeignKeyField("models.Job", related_name="steps")
    job_id: str
    position = fields.IntField()
    provider = fields.CharField(max_length=64)
    outcome = fields.CharEnumField(StepOutcome, max_length=16)
    skipped_reason = fields.CharField(max_length=64, null=True)
    detail = fields.TextField(default="")
    latency_ms = fields.IntField(null=True)
    credits_charged = fields.BigIntField(default=0)
    fields_found = fields.JSONField[list[str]]()
    candidates = fields.JSONField[list[dict[str, Any]]]()  # empty where they are packed
    packed_candidates = fields.BinaryField(null=True)  # of a job that no attempt goes on with (enrichment.packed_json)
    error_code = fields.CharField(max_length=64, null=True)
    error_message = fields.TextField(null=True)
    error_retryable = fields.BooleanField(null=True)
    answered_question = cast(  # of its two, where the other one failed
        "AnsweredQuestion | None", fields.CharEnumField(AnsweredQuestion, max_length=16, null=True)
    )
    asked_at: datetime = Instant()
    uncounted = fields.BooleanField(null=True)  # a row of before the daily counts that has no part in them yet

    class Meta:
        table = "step"
        ordering = ["position"]


def assemble(job: Job, record: Record, steps: list[Step]) -> Job:
    """A job whose record and steps are at hand, as if they had been fetched with it."""
    job.record = record
    job.steps._set_result_for_query(steps)
    return job
