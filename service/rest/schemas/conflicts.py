"""The shape of a conflict and of the decision on it."""

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, ResolutionAction
from service.rest.schemas.build import (
    ANYTHING,
    COUNT,
    ID,
    MOMENT,
    SHARE,
    TEXT,
    Json,
    closed_list,
    in_any_case,
    listed,
    nullable,
    ref,
    request_shape,
    shape,
)

CANDIDATE = shape(
    "A value that a provider proposes.",
    {
        "id": ID,
        "value": ANYTHING,
        "provider": TEXT,
        "confidence": SHARE,
        "statedConfidence": {**SHARE, "description": "What the provider stated, before what reviewers taught."},
        "observedAt": MOMENT,
    },
)
FIELD_VALUE = shape(
    "One value of one field with its provenance.",
    {
        "field": TEXT,
        "value": ANYTHING,
        "source": {**TEXT, "description": "`crm`, `reviewer` or a provider."},
        "actor": {**nullable(TEXT), "description": "The user, where a person wrote it."},
        "confidence": SHARE,
        "jobId": nullable(ID),
        "observedAt": MOMENT,
        "firstObservedAt": MOMENT,
        "verifiedAt": nullable(MOMENT),
        "verifiedCount": COUNT,
        "freshness": {**nullable(SHARE), "description": "The chance that what the source saw still holds."},
        "writtenAt": nullable(MOMENT),
        "replacedAt": nullable(MOMENT),
    },
)
RESOLUTION = shape(
    "What a reviewer decided.",
    {
        "action": closed_list(ResolutionAction),
        "candidateId": nullable(ID),
        "value": ANYTHING,
        "note": nullable(TEXT),
        "resolvedBy": TEXT,
        "rule": {**nullable(TEXT), "description": "The rule that decided, which `resolvedBy` had accepted."},
        "resolvedAt": MOMENT,
    },
)
CONFLICT = shape(
    "A proposed value that policy does not let us write without a person.",
    {
        "id": ID,
        "jobId": ID,
        "recordId": ID,
        "externalId": TEXT,
        "entityType": closed_list(EntityType),
        "field": TEXT,
        "reason": closed_list(ConflictReason),
        "status": closed_list(ConflictStatus),
        "current": {
            **nullable(ref("FieldValue")),
            "description": "The value when the conflict was raised; null for an empty field.",
        },
        "candidates": listed(ref("Candidate")),
        "recommended": {**nullable(ref("Candidate")), "description": "Null recommends to keep the value."},
        "recommendedBecause": TEXT,
        "resolution": nullable(ref("Resolution")),
        "createdAt": MOMENT,
        "updatedAt": MOMENT,
        "resolvedAt": nullable(MOMENT),
        "ageSeconds": {**COUNT, "description": "How long it has been open, or was until it was settled."},
    },
)
_NOTE = {**nullable(TEXT), "description": "Kept with the decision; at most 2,000 characters."}


def _action(action: ResolutionAction) -> Json:
    return {"type": "string", "pattern": f"^{in_any_case(action)}$", "description": f"`{action}`, in any case."}


ACCEPT_CANDIDATE = request_shape(
    "Take what a provider proposes.",
    {
        "action": _action(ResolutionAction.ACCEPT_CANDIDATE),
        "candidateId": {**nullable(ID), "description": "Without it: the recommended candidate, or the only one."},
        "note": _NOTE,
    },
    required=("action",),
)
KEEP_CURRENT = request_shape(
    "Keep the value that is there.",
    {"action": _action(ResolutionAction.KEEP_CURRENT), "note": _NOTE},
    required=("action",),
)
CUSTOM_VALUE = request_shape(
    "Set another value.",
    {
        "action": _action(ResolutionAction.CUSTOM_VALUE),
        "value": {"not": {"type": "null"}, "description": "Must be valid for the field."},
        "note": _NOTE,
    },
    required=("action", "value"),
)
RESOLUTION_REQUEST: Json = {
    "description": "The decision. An empty object applies the recommendation.",
    "anyOf": [
        ref("AcceptCandidate"),
        ref("KeepCurrent"),
        ref("CustomValue"),
        {"type": "object", "maxProperties": 0},
    ],
}

SCHEMAS = {
    "Candidate": CANDIDATE,
    "FieldValue": FIELD_VALUE,
    "Resolution": RESOLUTION,
    "Conflict": CONFLICT,
    "AcceptCandidate": ACCEPT_CANDIDATE,
    "KeepCurrent": KEEP_CURRENT,
    "CustomValue": CUSTOM_VALUE,
    "ResolutionRequest": RESOLUTION_REQUEST,
}
