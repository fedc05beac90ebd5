"""The shape of the pipeline, and of what pausing it takes."""

from service.rest.schemas.build import COUNT, FLAG, MOMENT, TEXT, nullable, request_shape, shape

PIPELINE = shape(
    "Whether the organization's jobs are dispatched.",
    {
        "paused": FLAG,
        "pausedAt": nullable(MOMENT),
        "pausedBy": nullable(TEXT),
        "reason": nullable(TEXT),
        "pending": COUNT,
        "inProgress": COUNT,
        "oldestPendingAt": nullable(MOMENT),
    },
)
PAUSE_REQUEST = request_shape("Why the pipeline is paused.", {"reason": nullable(TEXT)})

SCHEMAS = {
    "Pipeline": PIPELINE,
    "PauseRequest": PAUSE_REQUEST,
}
