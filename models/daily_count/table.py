"""What is counted by day, in the transaction that changes it (see migration 0023)."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

ALL_DAYS = -1  # the `day` of the sums over all days


class Measure(StrEnum):
    """What a count is of, and which of its columns tell counts of the same measure apart.

    Jobs, their lookups and their fields count on the day on which the job was created, lines of the ledger on the day
    that they were added, and conflicts on the day of their resolution. What was deleted since stays counted, but for
    records, open conflicts and jobs that have not ended.
    """

    JOB = "job"  # entity_type, trigger_kind; name: the status. credits: those that the jobs used
    JOB_ASKED = "job_asked"  # entity_type, trigger_kind: jobs that asked any provider
    JOB_MATCHED = "job_matched"  # entity_type, trigger_kind: those of them that some provider matched
    FIELD_WRITTEN = "field_written"  # entity_type
    FIELD_OUTCOME = "field_outcome"  # entity_type; name: the reason. Of ended jobs
    FILLED_BEFORE = "filled_before"  # entity_type; name: the field. Of jobs that were completed, partial or failed
    FILLED_AFTER = "filled_after"  # the same
    LOOKUP = "lookup"  # provider; name: the outcome. credits: those that were charged
    LATENCY = "latency"  # provider; name: milliseconds, those of 64 and more by their first six binary digits
    GRANT = "grant"  # credits that were granted
    CHARGE = "charge"  # entity_type, trigger_kind, provider
    RELEASE = "release"  # entity_type, trigger_kind, provider; name: the note
    STATED = "stated"  # provider: calls that said what they consumed. credits: that, in thousandths of a credit
    STATED_CHARGED = "stated_charged"  # provider: the credits that were charged for those calls
    WASTED = "wasted"  # provider: charges of which no value was written for their job
    CONFLICT_RESOLVED = "conflict_resolved"  # entity_type
    CONFLICT_OPEN = "conflict_open"  # entity_type; of all days only: those that are open now
    RECORD = "record"  # entity_type; of all days only: those that there are now


class DailyCount(Model):
    """How often something was counted on a day (UTC), and its credits. A column that does not apply is empty.

    A count can have several rows, to be added up: those that are not `is_merged` wait for the upkeep.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)  # Tortoise knows keys of one column only
    measure = fields.CharEnumField(Measure, max_length=32)
    day = fields.IntField()  # since 1970, or ALL_DAYS
    entity_type = fields.CharField(max_length=16)
    trigger_kind = fields.CharField(max_length=32)
    provider = fields.CharField(max_length=64)
    name = fields.CharField(max_length=255)
    events = fields.BigIntField()
    credits = fields.BigIntField()
    is_merged = fields.BooleanField(default=False)

    class Meta:
        table = "daily_count"
