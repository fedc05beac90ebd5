"""What an event of the log may say."""

from enum import StrEnum


class EventKind(StrEnum):
    """What happened. A row of the log has the kind of what it is about, and may stand for several events."""

    RECORD_CREATED = "record.created"
    RECORD_CHANGED = "record.changed"  # by the CRM, a decision on a conflict, or an undo
    RECORD_ENRICHED = "record.enriched"  # a job wrote fields
    RECORD_ERASED = "record.erased"
    JOB_CREATED = "job.created"
    JOB_RETRIED = "job.retried"
    JOB_ENDED = "job.ended"
    CONFLICT_RAISED = "conflict.raised"
    CONFLICT_RESOLVED = "conflict.resolved"
    CONFLICT_SUPERSEDED = "conflict.superseded"
    CONFLICT_REOPENED = "conflict.reopened"
    CREDITS_GRANTED = "credits.granted"
    CREDITS_LOW = "credits.low"
    CREDITS_EXHAUSTED = "credits.exhausted"
    CONFIG_CHANGED = "config.changed"
    PIPELINE_PAUSED = "pipeline.paused"
    PIPELINE_RESUMED = "pipeline.resumed"
    PROVIDER_CHANGED = "provider.changed"  # it is asked no more, is asked again, or for another reason not
    WEBHOOK_PAUSED = "webhook.paused"  # an endpoint that failed for days
    WEBHOOK_TEST = "webhook.test"  # sent to an endpoint that is tried; it stands in no log
