"""The shapes of credits and statistics."""

from enrichment.enums import CreditKind, EntityType, FieldOutcomeReason, JobStatus, JobTrigger
from service.rest.schemas.build import (
    COUNT,
    DAY,
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

USAGE_SLICE = shape("A part of what was used.", {"key": TEXT, "credits": COUNT, "charges": COUNT})
CREDIT_ENTRY = shape(
    "One line of the ledger.",
    {
        "id": ID,
        "kind": closed_list(CreditKind),
        "amount": {**WHOLE, "description": "Change of the balance."},
        "reservedChange": {**WHOLE, "description": "Change of what is reserved."},
        "jobId": nullable(ID),
        "recordId": nullable(ID),
        "provider": nullable(TEXT),
        "entityType": nullable(closed_list(EntityType)),
        "trigger": nullable(closed_list(JobTrigger)),
        "note": nullable(TEXT),
        "actor": nullable(TEXT),
        "createdAt": MOMENT,
    },
)
CREDIT_ALERT = shape(
    "A share of the month's credits that was crossed; told once.",
    {
        "month": {**TEXT, "description": "Such as `2026-11`."},
        "threshold": SHARE,
        "used": {**COUNT, "description": "When it was crossed."},
        "most": {**COUNT, "description": "What the share is of: the monthly limit, or else the month's grant."},
        "raisedAt": MOMENT,
    },
)
CREDITS = shape(
    "Credits of a period, by default the current month.",
    {
        "balance": COUNT,
        "reserved": COUNT,
        "used": COUNT,
        "wasted": {**COUNT, "description": "Spent without anything being written."},
        "maybeCharged": {
            **listed(ref("UsageSlice")),
            "description": "Given back for calls without a usable answer that the provider may have counted.",
        },
        "granted": COUNT,
        "monthlyLimit": nullable(COUNT),
        "remaining": COUNT,
        "periodStart": MOMENT,
        "periodEnd": MOMENT,
        "byProvider": listed(ref("UsageSlice")),
        "byEntityType": listed(ref("UsageSlice")),
        "byTrigger": listed(ref("UsageSlice")),
        "byDay": listed(shape("One day.", {"day": DAY, "credits": COUNT, "charges": COUNT})),
        "projectedExhaustionAt": nullable(MOMENT),
        "alerts": {**listed(ref("CreditAlert")), "description": "Of the current month, the newest first."},
        "entries": {**listed(ref("CreditEntry")), "description": "The newest 20 lines of the ledger."},
    },
)

STATS = shape(
    "What enrichment did in a period; rates are null where nothing was counted.",
    {
        "records": COUNT,
        "jobsByStatus": listed(shape("Jobs of one status.", {"status": closed_list(JobStatus), "count": COUNT})),
        "matchRate": nullable(SHARE),
        "fillRateBefore": nullable(SHARE),
        "fillRateAfter": nullable(SHARE),
        "fillRates": listed(ref("FieldFillRate")),
        "providers": listed(ref("ProviderStats")),
        "fieldOutcomes": listed(
            shape("Fields that ended so.", {"reason": closed_list(FieldOutcomeReason), "count": COUNT})
        ),
        "conflictsOpen": COUNT,
        "conflictsResolved": COUNT,
        "creditsUsed": COUNT,
        "fieldsVerified": {**COUNT, "description": "Values that a source saw again, unchanged."},
        "byDay": listed(ref("DayStats")),
    },
)
FIELD_FILL_RATE = shape(
    "The share of records with a value in a field, before and after enrichment.",
    {"entityType": closed_list(EntityType), "field": TEXT, "before": SHARE, "after": SHARE, "records": COUNT},
)
PROVIDER_STATS = shape(
    "How one provider did.",
    {
        "provider": TEXT,
        "asked": COUNT,
        "matched": COUNT,
        "noMatch": COUNT,
        "errors": COUNT,
        "skipped": COUNT,
        "latencyP50Ms": nullable(COUNT),
        "latencyP95Ms": nullable(COUNT),
        "credits": COUNT,
    },
)
DAY_STATS = shape(
    "One day in UTC.",
    {
        "day": DAY,
        "jobs": COUNT,
        "completed": COUNT,
        "failed": COUNT,
        "fieldsWritten": COUNT,
        "fieldsVerified": COUNT,
        "credits": COUNT,
    },
)

SCHEMAS = {
    "UsageSlice": USAGE_SLICE,
    "CreditEntry": CREDIT_ENTRY,
    "CreditAlert": CREDIT_ALERT,
    "Credits": CREDITS,
    "Stats": STATS,
    "FieldFillRate": FIELD_FILL_RATE,
    "ProviderStats": PROVIDER_STATS,
    "DayStats": DAY_STATS,
}
