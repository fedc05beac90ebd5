"""Examples of requests and answers, for `openapi.json` and the readable pages."""

from typing import Any

from enrichment.config import Config

Json = dict[str, Any]

_JOB = "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10"
_RECORD = "01936f2a-6f02-7b90-a1f4-93f1c8a0d77e"
_CONFLICT = "01936f2a-7a40-7c11-9b0e-4f7d2c6e1b33"
_CANDIDATE = "01936f2a-7a40-7c11-9b0e-4f7d2c6e1b34"

CONFIG: Json = {
    **Config.model_validate(
        {
            "providers": [
                {"id": "directory"},
                {"id": "directory_archive", "dailyLimit": 500},
                {"id": "signals"},
            ],
            "fieldPolicies": {"account": {"fields": {"industry": {"policy": "tracked", "minConfidence": 0.7}}}},
        }
    ).as_json(),
    "version": 3,
    "updatedAt": "2026-11-24T07:00:00Z",
    "updatedBy": "user-1",
}
CONFIG_CHANGES: Json = {
    "refresh": {"triggers": {"refreshAfterDays": 90}},
    "policy": {"fieldPolicies": {"account": {"fields": {"industry": "tracked"}}}},
    "nothing": {},
}

CONFLICT: Json = {
    "id": _CONFLICT,
    "jobId": _JOB,
    "recordId": _RECORD,
    "externalId": "acc-1042",
    "entityType": "account",
    "field": "numberOfEmployees",
    "reason": "existing_differs",
    "status": "open",
    "current": {
        "field": "numberOfEmployees",
        "value": 120,
        "source": "crm",
        "actor": None,
        "confidence": 1.0,
        "jobId": None,
        "observedAt": "2026-11-24T07:00:00Z",
        "firstObservedAt": "2026-11-24T07:00:00Z",
        "verifiedAt": None,
        "verifiedCount": 0,
        "freshness": 0.998,
        "writtenAt": None,
        "replacedAt": None,
    },
    "candidates": [
        {
            "id": _CANDIDATE,
            "value": 340,
            "provider": "directory",
            "confidence": 0.86,
            "statedConfidence": 0.8,
            "observedAt": "2026-09-30T00:00:00Z",
        }
    ],
    "recommended": {
        "id": _CANDIDATE,
        "value": 340,
        "provider": "directory",
        "confidence": 0.86,
        "statedConfidence": 0.8,
        "observedAt": "2026-09-30T00:00:00Z",
    },
    "recommendedBecause": "The directory is sure of the company, and its value is newer.",
    "resolution": None,
    "createdAt": "2026-11-24T07:00:02Z",
    "updatedAt": "2026-11-24T07:00:02Z",
    "resolvedAt": None,
    "ageSeconds": 5400,
}
RESOLVED_CONFLICT: Json = {
    **CONFLICT,
    "status": "resolved",
    "resolution": {
        "action": "accept_candidate",
        "candidateId": _CANDIDATE,
        "value": 340,
        "note": "Checked on their web site",
        "resolvedBy": "user-1",
        "rule": None,
        "resolvedAt": "2026-11-24T09:12:00Z",
    },
    "updatedAt": "2026-11-24T09:12:00Z",
    "resolvedAt": "2026-11-24T09:12:00Z",
}
RESOLUTION_REQUESTS: Json = {
    "accept": {
        "action": "accept_candidate",
        "candidateId": _CANDIDATE,
        "note": "Checked on their web site",
    },
    "keep": {"action": "keep_current"},
    "custom": {"action": "custom_value", "value": 350},
    "recommended": {},
}

JOB: Json = {
    "id": _JOB,
    "entityType": "account",
    "recordId": _RECORD,
    "externalId": "acc-1042",
    "trigger": "record_created",
    "status": "completed",
    "priority": 10,
    "progress": 100,
    "runningStep": None,
    "attempts": 1,
    "maxAttempts": 5,
    "forced": False,
    "steps": [
        {
            "provider": "directory",
            "outcome": "match",
            "skippedReason": None,
            "detail": "matched by domain",
            "latencyMs": 2,
            "creditsCharged": 0,
            "fieldsFound": ["industry", "numberOfEmployees"],
            "error": None,
            "askedAt": "2026-11-24T07:00:01Z",
        }
    ],
    "fieldOutcomes": [
        {
            "field": "industry",
            "reason": "written",
            "provider": "directory",
            "confidence": 0.92,
            "detail": None,
        },
        {
            "field": "numberOfEmployees",
            "reason": "conflict",
            "provider": "directory",
            "confidence": 0.86,
            "detail": "the CRM has another value",
        },
    ],
    "fieldsUpdated": ["industry"],
    "fieldsVerified": [],
    "conflicts": [CONFLICT],
    "creditsUsed": 0,
    "error": None,
    "requestedBy": "user-1",
    "createdAt": "2026-11-24T07:00:00Z",
    "startedAt": "2026-11-24T07:00:01Z",
    "finishedAt": "2026-11-24T07:00:02Z",
    "nextAttemptAt": None,
    "updatedAt": "2026-11-24T07:00:02Z",
}
QUEUED_JOB: Json = {
    **JOB,
    "status": "pending",
    "progress": 0,
    "finishedAt": None,
    "nextAttemptAt": "2026-11-24T09:12:00Z",
    "updatedAt": "2026-11-24T09:12:00Z",
}

RUNNING: Json = {
    "paused": False,
    "pausedAt": None,
    "pausedBy": None,
    "reason": None,
    "pending": 12,
    "inProgress": 4,
    "oldestPendingAt": "2026-11-24T07:00:00Z",
}
PAUSED: Json = {
    **RUNNING,
    "paused": True,
    "pausedAt": "2026-11-24T09:12:00Z",
    "pausedBy": "user-1",
    "reason": "CRM import under way",
}
PAUSE_REQUESTS: Json = {"reason": {"reason": "CRM import under way"}, "none": {}}

CREDITS: Json = {
    "balance": 940,
    "reserved": 4,
    "used": 60,
    "wasted": 2,
    "maybeCharged": [],
    "granted": 1000,
    "monthlyLimit": None,
    "remaining": 936,
    "periodStart": "2026-11-01T00:00:00Z",
    "periodEnd": "2026-12-01T00:00:00Z",
    "byProvider": [{"key": "directory_archive", "credits": 60, "charges": 30}],
    "byEntityType": [{"key": "account", "credits": 60, "charges": 30}],
    "byTrigger": [{"key": "record_created", "credits": 60, "charges": 30}],
    "byDay": [{"day": "2026-11-24", "credits": 60, "charges": 30}],
    "projectedExhaustionAt": None,
    "alerts": [],
    "entries": [
        {
            "id": "01936f2a-7b00-7f00-8c00-5a6b7c8d9e0f",
            "kind": "charge",
            "amount": -2,
            "reservedChange": -2,
            "jobId": _JOB,
            "recordId": _RECORD,
            "provider": "directory_archive",
            "entityType": "account",
            "trigger": "record_created",
            "note": None,
            "actor": None,
            "createdAt": "2026-11-24T07:00:02Z",
        }
    ],
}

STATS: Json = {
    "records": 300,
    "jobsByStatus": [{"status": "completed", "count": 290}, {"status": "skipped", "count": 10}],
    "matchRate": 0.71,
    "fillRateBefore": 0.34,
    "fillRateAfter": 0.58,
    "fillRates": [{"entityType": "account", "field": "industry", "before": 0.2, "after": 0.75, "records": 200}],
    "providers": [
        {
            "provider": "directory",
            "asked": 290,
            "matched": 205,
            "noMatch": 85,
            "errors": 0,
            "skipped": 10,
            "latencyP50Ms": 1,
            "latencyP95Ms": 3,
            "credits": 0,
        }
    ],
    "fieldOutcomes": [
        {"reason": "written", "count": 1240},
        {"reason": "verified", "count": 15},
        {"reason": "conflict", "count": 42},
    ],
    "conflictsOpen": 40,
    "conflictsResolved": 2,
    "creditsUsed": 60,
    "fieldsVerified": 15,
    "byDay": [
        {
            "day": "2026-11-24",
            "jobs": 300,
            "completed": 290,
            "failed": 0,
            "fieldsWritten": 1240,
            "fieldsVerified": 15,
            "credits": 60,
        }
    ],
}

CERTIFICATE: Json = {
    "id": "01936f2a-7c00-7e1d-9d2c-2b3c4d5e6f70",
    "entityType": "lead",
    "reason": "Art. 17 GDPR",
    "erasedAt": "2026-11-24T09:12:00Z",
    "by": "admin-1",
    "removed": [
        {"where": "record", "count": 1},
        {"where": "values and their history", "count": 14},
        {"where": "jobs", "count": 2},
        {"where": "kept answers of providers", "count": 3},
    ],
    "notReached": ["what providers keep of the questions that they were asked", "what the CRM holds"],
    "others": [{"entityType": "contact", "externalId": "contact-12"}],
}

RECORDS_REQUESTS: Json = {
    "two": {
        "records": [
            {
                "entityType": "account",
                "externalId": "acc-1042",
                "fields": {"name": "Example Industries, Inc.", "website": "HTTP://WWW.EXAMPLE.COM/"},
            },
            {
                "entityType": "lead",
                "externalId": "lead-77",
                "fields": {"email": "ada.lovelace@example.com", "phone": "12"},
            },
        ]
    }
}
RECORDS_ANSWER: Json = {
    "results": [
        {
            "index": 0,
            "outcome": "created",
            "recordId": _RECORD,
            "externalId": "acc-1042",
            "entityType": "account",
            "jobId": _JOB,
            "folded": False,
            "refusedFields": [],
            "error": None,
        },
        {
            "index": 1,
            "outcome": "created",
            "recordId": "01936f2a-6f02-7b90-a1f4-93f1c8a0d77f",
            "externalId": "lead-77",
            "entityType": "lead",
            "jobId": "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a11",
            "folded": False,
            "refusedFields": [{"field": "phone", "value": "12", "reason": "not a phone number"}],
            "error": None,
        },
    ],
    "created": 2,
    "changed": 0,
    "unchanged": 0,
    "refused": 0,
}
