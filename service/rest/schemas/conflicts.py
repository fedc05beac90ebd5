"""The shape of a conflict and of the decision on it."""

from enrichment.vocabulary import ConflictReason, ConflictStatus, EntityType, ResolutionAction
from service.rest.schemas.build import (
    ANYTHING,
    ID,
    MOMENT,
    SHARE,
    TEXT,
    any_case,
    closed_list,
    listed,
    nullable,
    ref,
    request_shape,
    shape,
)

CANDIDATE = shape(
    "A value that a provider proposes.",
    {"id": ID, "value": ANYTHING, "provider": TEXT, "confidence": SHARE, "observedAt": MOMENT},
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
    },
)
RESOLUTION_REQUEST = request_shape(
    "The decision. An empty object applies the recommendation.",
    {
        "action": any_case(ResolutionAction),
        "candidateId": {**nullable(ID), "description": "For `accept_candidate`."},
        "value": {"description": "For `custom_value`: any value valid for the field."},
        "note": nullable(TEXT),
    },
)

SCHEMAS = {
    "Candidate": CANDIDATE,
    "FieldValue": FIELD_VALUE,
    "Resolution": RESOLUTION,
    "Conflict": CONFLICT,
    "ResolutionRequest": RESOLUTION_REQUEST,
}
