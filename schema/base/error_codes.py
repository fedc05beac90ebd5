"""The codes that an error of GraphQL has in `extensions.code`, as an enum that documents them."""

from enum import Enum

import strawberry


@strawberry.enum(description="What an error says in `extensions.code`.")
class ErrorCode(Enum):
    UNAUTHENTICATED = strawberry.enum_value("UNAUTHENTICATED", description="No token, or one that is not accepted.")
    FORBIDDEN = strawberry.enum_value(
        "FORBIDDEN", description="The role does not allow it, or `X-Organization-ID` names another organization."
    )
    NOT_FOUND = strawberry.enum_value("NOT_FOUND", description="Not there, or another organization's.")
    BAD_REQUEST = strawberry.enum_value(
        "BAD_REQUEST", description="Malformed: the document, its variables, a cursor, an id."
    )
    VALIDATION_FAILED = strawberry.enum_value(
        "VALIDATION_FAILED", description="Well-formed, but not valid; `errors` lists each fault with its path."
    )
    STATE_CONFLICT = strawberry.enum_value("STATE_CONFLICT", description="The state does not allow it; it is shown.")
    CONFLICT_ALREADY_RESOLVED = strawberry.enum_value(
        "CONFLICT_ALREADY_RESOLVED", description="Another decision was made first; it is shown and stays."
    )
    CONFLICT_NOT_REOPENABLE = strawberry.enum_value(
        "CONFLICT_NOT_REOPENABLE", description="Something newer was written, asked or decided since the decision."
    )
    COUNT_CHANGED = strawberry.enum_value(
        "COUNT_CHANGED", description="More or fewer than the caller saw; `count` is now."
    )
    JOB_NOT_RETRYABLE = strawberry.enum_value(
        "JOB_NOT_RETRYABLE", description="Only failed and partial jobs are retried."
    )
    JOB_NOT_CANCELLABLE = strawberry.enum_value(
        "JOB_NOT_CANCELLABLE", description="Only a job that has not ended is cancelled."
    )
    JOB_NOT_UNDOABLE = strawberry.enum_value("JOB_NOT_UNDOABLE", description="Only a job that has ended is undone.")
    UNDO_RUNNING = strawberry.enum_value("UNDO_RUNNING", description="An undo is taken back once it is done.")
    IDEMPOTENCY_KEY_IN_USE = strawberry.enum_value(
        "IDEMPOTENCY_KEY_IN_USE", description="REST alone: the first request with the key is not answered yet."
    )
    IDEMPOTENCY_KEY_REUSED = strawberry.enum_value(
        "IDEMPOTENCY_KEY_REUSED", description="REST alone: another request came with the key within a day."
    )
    ERASED = strawberry.enum_value(
        "ERASED",
        description="The record was erased and does not come back by itself; `certificateId` names the erasure.",
    )
    VERSION_MISMATCH = strawberry.enum_value(
        "VERSION_MISMATCH", description="The expected version is not the current one."
    )
    PAYLOAD_TOO_LARGE = strawberry.enum_value("PAYLOAD_TOO_LARGE", description="The request is over the size limit.")
    CURSOR_EXPIRED = strawberry.enum_value(
        "CURSOR_EXPIRED", description="The log does not reach back to the cursor; go on from `startOver`."
    )
    QUERY_TOO_COMPLEX = strawberry.enum_value(
        "QUERY_TOO_COMPLEX", description="Depth, aliases, tokens, fields or cost over the limit."
    )
    RATE_LIMITED = strawberry.enum_value("RATE_LIMITED", description="Too many requests; wait `retryAfter` seconds.")
    PERSISTED_QUERY_NOT_FOUND = strawberry.enum_value(
        "PERSISTED_QUERY_NOT_FOUND", description="Send the document once more, with its hash."
    )
    TOO_SLOW = strawberry.enum_value(
        "TOO_SLOW", description="A subscription ended because its messages were not read; go on from its last cursor."
    )
    UNAVAILABLE = strawberry.enum_value(
        "UNAVAILABLE", description="The database or Redis is out of reach; wait `retryAfter` seconds."
    )
    INTERNAL = strawberry.enum_value("INTERNAL", description="A defect of the service; report the `requestId`.")
