"""The shape of records as they are sent, and of what happened to each."""

from enrichment.enums import EntityType
from resolvers.record.ingest import RecordOutcome
from service.rest.schemas.build import (
    ANYTHING,
    COUNT,
    FLAG,
    ID,
    TEXT,
    any_case,
    closed_list,
    listed,
    nullable,
    ref,
    request_shape,
    shape,
)

RECORD_INPUT = request_shape(
    "One record as the CRM has it.",
    {
        "entityType": any_case(EntityType),
        "externalId": {
            "type": ["string", "integer"],
            "description": "The CRM's own id.",
            "minLength": 1,
            "maxLength": 255,
        },
        "fields": {
            "type": "object",
            "description": "By field name. Unknown fields are kept as they are, never enriched.",
        },
    },
    required=("entityType", "externalId", "fields"),
)
RECORDS_REQUEST = request_shape(
    "Up to 1,000 records.",
    {"records": {**listed(ref("RecordInput")), "maxItems": 1000}},
    required=("records",),
)
REFUSED_FIELD = shape("A value that was not taken.", {"field": TEXT, "value": ANYTHING, "reason": TEXT})
RECORD_ERROR = shape("Why the record was refused.", {"code": TEXT, "message": TEXT, "errors": listed(ref("Fault"))})
RECORD_RESULT = shape(
    "What happened to one record.",
    {
        "index": {**COUNT, "description": "Its place in the request."},
        "outcome": closed_list(RecordOutcome),
        "recordId": nullable(ID),
        "externalId": nullable(TEXT),
        "entityType": nullable(TEXT),
        "jobId": {**nullable(ID), "description": "The job it started or was folded into."},
        "folded": {**FLAG, "description": "Whether the job was active already."},
        "refusedFields": listed(ref("RefusedField")),
        "error": nullable(ref("RecordError")),
    },
)
RECORDS_ANSWER = shape(
    "The outcome of each record, in the order in which they were sent, and how many ended so.",
    {
        "results": listed(ref("RecordResult")),
        **{outcome.value: COUNT for outcome in RecordOutcome},
    },
)

SCHEMAS = {
    "RecordInput": RECORD_INPUT,
    "RecordsRequest": RECORDS_REQUEST,
    "RefusedField": REFUSED_FIELD,
    "RecordError": RECORD_ERROR,
    "RecordResult": RECORD_RESULT,
    "RecordsAnswer": RECORDS_ANSWER,
}
