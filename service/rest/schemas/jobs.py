"""The shape of a job and of what it is made of."""

from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus, JobTrigger, StepOutcome
from service.rest.schemas.build import (
    COUNT,
    FLAG,
    ID,
    MOMENT,
    SHARE,
    TEXT,
    WHOLE,
    closed_list,
    listed,
    nullable,
    ref,
    shape,
)

JOB_ERROR = shape("Why it failed.", {"code": TEXT, "message": TEXT, "retryable": FLAG})
STEP = shape(
    "One provider asked within a job.",
    {
        "provider": TEXT,
        "outcome": closed_list(StepOutcome),
        "skippedReason": nullable(TEXT),
        "detail": {**TEXT, "description": "How it matched, or why not."},
        "latencyMs": nullable(COUNT),
        "creditsCharged": COUNT,
        "fieldsFound": listed(TEXT),
        "error": nullable(ref("JobError")),
        "askedAt": MOMENT,
    },
)
FIELD_OUTCOME = shape(
    "How one wanted field ended.",
    {
        "field": TEXT,
        "reason": closed_list(FieldOutcomeReason),
        "provider": nullable(TEXT),
        "confidence": nullable(SHARE),
        "detail": nullable(TEXT),
    },
)
JOB = shape(
    "One enrichment of one record.",
    {
        "id": ID,
        "entityType": closed_list(EntityType),
        "recordId": ID,
        "externalId": {**TEXT, "description": "The CRM's own id of the record."},
        "trigger": closed_list(JobTrigger),
        "status": closed_list(JobStatus),
        "priority": {**WHOLE, "description": "The lowest runs first."},
        "progress": {"type": "integer", "minimum": 0, "maximum": 100, "description": "Percent."},
        "runningStep": {**nullable(TEXT), "description": "The provider being asked."},
        "attempts": COUNT,
        "maxAttempts": {"type": "integer", "minimum": 1},
        "forced": {**FLAG, "description": "Whether the cooldown was passed over."},
        "steps": listed(ref("Step")),
        "fieldOutcomes": listed(ref("FieldOutcome")),
        "fieldsUpdated": listed(TEXT),
        "fieldsVerified": {**listed(TEXT), "description": "Seen again by a source, unchanged."},
        "conflicts": listed(ref("Conflict")),
        "creditsUsed": COUNT,
        "error": nullable(ref("JobError")),
        "requestedBy": nullable(TEXT),
        "createdAt": MOMENT,
        "startedAt": nullable(MOMENT),
        "finishedAt": nullable(MOMENT),
        "nextAttemptAt": nullable(MOMENT),
        "updatedAt": MOMENT,
    },
)

SCHEMAS = {
    "JobError": JOB_ERROR,
    "Step": STEP,
    "FieldOutcome": FIELD_OUTCOME,
    "Job": JOB,
}
