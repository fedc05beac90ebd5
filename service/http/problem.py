"""What a refusal is: the catalogue of codes with their HTTP statuses, and the shape of a problem (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self
from urllib.parse import quote

from msgspec import UNSET, Meta, UnsetType

from resolvers import errors
from service.http.shape import Count, Shape, Uri

MEDIA_TYPE = "application/problem+json"
DOCS_PATH = "/v1/docs"


@dataclass(frozen=True, slots=True)
class Kind:
    """One code of the catalogue: its HTTP status, its title, and when it is answered."""

    status: int
    title: str
    when: str


KINDS: Mapping[str, Kind] = {
    "BAD_REQUEST": Kind(400, "Malformed request", "Malformed JSON, or a parameter or id that is missing or bad."),
    "QUERY_TOO_COMPLEX": Kind(400, "Query too complex", "A GraphQL query over a limit."),
    "UNAUTHENTICATED": Kind(401, "Not authenticated", "No bearer token, or one that is not accepted."),
    "INSUFFICIENT_CREDITS": Kind(402, "Not enough credits", "The call itself spends more than is left."),
    "FORBIDDEN": Kind(403, "Not allowed", "The role of the token does not allow it."),
    "NOT_FOUND": Kind(404, "Not found", "Not there, or another organization's."),
    "METHOD_NOT_ALLOWED": Kind(405, "Method not allowed", "The path has other methods; see `Allow`."),
    "STATE_CONFLICT": Kind(409, "The state does not allow it", "See `state`."),
    "CONFLICT_ALREADY_RESOLVED": Kind(
        409, "Conflict already resolved", "Another decision was made first; it is shown and stays."
    ),
    "CONFLICT_NOT_REOPENABLE": Kind(
        409, "Conflict cannot be reopened", "Something newer was written, asked or decided since the decision."
    ),
    "COUNT_CHANGED": Kind(409, "Another number than expected", "More or fewer than the caller saw; `count` is now."),
    "JOB_NOT_RETRYABLE": Kind(409, "Job cannot be retried", "Only failed and partial jobs are retried."),
    "JOB_NOT_CANCELLABLE": Kind(409, "Job cannot be cancelled", "Only a job that has not ended is cancelled."),
    "JOB_NOT_UNDOABLE": Kind(409, "Job cannot be undone", "Only a job that has ended is undone."),
    "UNDO_RUNNING": Kind(409, "Undo still running", "An undo is taken back once it is done."),
    "IDEMPOTENCY_KEY_IN_USE": Kind(
        409, "Request under way", "The first request with this `Idempotency-Key` is not answered yet."
    ),
    "PIPELINE_STATE": Kind(409, "Pipeline state", "The state of the pipeline does not allow it."),
    "ERASED": Kind(409, "Erased", "The record was erased and does not come back by itself; an admin may lift that."),
    "CURSOR_EXPIRED": Kind(410, "Cursor expired", "The log does not reach back to it; go on from `startOver`."),
    "VERSION_MISMATCH": Kind(412, "Version mismatch", "`If-Match` names a version that is not current."),
    "PAYLOAD_TOO_LARGE": Kind(413, "Payload too large", "The body is over the size limit."),
    "UNSUPPORTED_MEDIA_TYPE": Kind(415, "Unsupported media type", "The body is not JSON in UTF-8."),
    "VALIDATION_FAILED": Kind(422, "Validation failed", "Well-formed, but not valid; `errors` lists each fault."),
    "IDEMPOTENCY_KEY_REUSED": Kind(
        422, "Key used before", "Another request came with this `Idempotency-Key` within a day."
    ),
    "RATE_LIMITED": Kind(429, "Too many requests", "Too many requests; wait `Retry-After` seconds."),
    "INTERNAL": Kind(500, "Internal error", "A defect of the service; report the `requestId`."),
    "UNAVAILABLE": Kind(503, "Temporarily unavailable", "The database or Redis is out of reach."),
}

RESERVED = frozenset({"INSUFFICIENT_CREDITS", "PIPELINE_STATE"})
"""Codes of the catalogue that no operation raises."""


class Fault(Shape, frozen=True):
    """One thing wrong with the input."""

    path: Annotated[str, Meta(description="Where: `providers[1].id`, `status`.")]
    message: str

    @classmethod
    def of(cls, fault: errors.Fault) -> Self:
        return cls.copied(fault)


class Problem(Shape, frozen=True):
    """RFC 9457 problem details. Some codes add members of their own, such as `state`."""

    type: Uri
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(description="What went wrong, in plain words.")]
    instance: Uri
    code: Annotated[str, Meta(description="The stable name of the error; the same as in GraphQL.")]
    request_id: Annotated[str, Meta(description="Also in the `X-Request-Id` header and in the logs.")]
    errors: Annotated[list[Fault], Meta(description="For input faults: the first hundred.")] | UnsetType = UNSET
    more_errors: (
        Annotated[Count, Meta(description="How many faults there are beside those of `errors`.")] | UnsetType
    ) = UNSET
    retry_after: Annotated[Count, Meta(description="Seconds; for `RATE_LIMITED` and `UNAVAILABLE`.")] | UnsetType = (
        UNSET
    )


def type_of(code: str) -> str:
    """The `type` of a problem: where the readable pages explain its code."""
    return f"{DOCS_PATH}#{code}" if code in KINDS else "about:blank"


def problem_example(code: str, path: str) -> Problem:
    """What a refusal with this code looks like."""
    kind = KINDS[code]
    return Problem(
        type=type_of(code),
        title=kind.title,
        status=kind.status,
        detail=kind.when,
        instance=quote(path),
        code=code,
        request_id="01936f2a-9c00-7aaa-b000-1f2e3d4c5b6a",
    )
