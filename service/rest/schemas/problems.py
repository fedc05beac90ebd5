"""The shape of every refusal."""

from service.rest.schemas.build import COUNT, TEXT, Json, listed, ref, shape

FAULT = shape(
    "One thing wrong with the input.",
    {"path": {**TEXT, "description": "Where: `providers[1].id`, `status`."}, "message": TEXT},
)

PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457 problem details. Some codes add members of their own, such as `state`.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {**TEXT, "description": "What went wrong, in plain words."},
        "instance": {"type": "string", "format": "uri-reference"},
        "code": {**TEXT, "description": "The stable name of the error; the same as in GraphQL."},
        "requestId": {**TEXT, "description": "Also in the `X-Request-Id` header and in the logs."},
        "errors": {**listed(ref("Fault")), "description": "For input faults: all of them."},
        "retryAfter": {**COUNT, "description": "Seconds; for `RATE_LIMITED` and `UNAVAILABLE`."},
    },
    "required": ["type", "title", "status", "detail", "instance", "code", "requestId"],
}

SCHEMAS = {
    "Fault": FAULT,
    "Problem": PROBLEM,
}
