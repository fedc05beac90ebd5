"""Errors a caller can expect, one catalogue for GraphQL and REST. Anything else that escapes is a bug.

OperationError
├── Unauthenticated            no token, or one that is not accepted
├── Forbidden                  the role does not allow it
├── NotFound                   not there, or another organization's
├── BadRequest                 malformed: a cursor, an id, a parameter
├── ValidationFailed           well-formed but not valid; lists every fault
├── StateConflict              the state does not allow it; says the state
│   ├── ConflictAlreadyResolved
│   ├── ConflictNotReopenable  what the decision changed has changed since
│   ├── CountChanged
│   ├── JobNotRetryable
│   ├── JobNotCancellable
│   ├── JobNotUndoable
│   ├── UndoRunning
│   ├── IdempotencyKeyInUse  the first request with the key is under way
│   └── Erased                 an erasure keeps the record out
├── IdempotencyKeyReused       another request came with the key before
├── VersionMismatch            a stale expected version
├── PayloadTooLarge
├── CursorExpired              the log does not reach back to it any more
├── QueryTooComplex
├── RateLimited                try again after `retryAfter` seconds
└── Unavailable                the database or Redis is out of reach
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

MOST_FAULTS = 100  # that an error lists; how many more there are it says as `moreErrors`
LONGEST_SHOWN = 1_000  # characters of a message or a path: callers' own words stand in them


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: where (`fieldPolicies.lead.fields.foo`, `records[3].externalId`) and what."""

    path: str
    message: str


class OperationError(Exception):
    """Base of the catalogue. `details` are shown to the caller beside the code.

    `faults` are the first MOST_FAULTS of those given.
    """

    code: ClassVar[str] = "OPERATION_FAILED"

    def __init__(self, message: str, *, faults: Sequence[Fault] = (), **details: Any) -> None:
        super().__init__(message)
        self.message = _shortened(message)
        self.faults = tuple(Fault(_shortened(fault.path), _shortened(fault.message)) for fault in faults[:MOST_FAULTS])
        self.more_faults = len(faults) - len(self.faults)
        self.details = {**details, "moreErrors": self.more_faults} if self.more_faults else details

    @property
    def extensions(self) -> dict[str, Any]:
        """What graphql-core copies into the error of a response."""
        shown: dict[str, Any] = {"code": self.code, **self.details}
        if self.faults:
            shown["errors"] = [{"path": fault.path, "message": fault.message} for fault in self.faults]
        return shown


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


class Unauthenticated(OperationError):
    code = "UNAUTHENTICATED"


class Forbidden(OperationError):
    code = "FORBIDDEN"


class NotFound(OperationError):
    code = "NOT_FOUND"


class BadRequest(OperationError):
    code = "BAD_REQUEST"


class ValidationFailed(OperationError):
    code = "VALIDATION_FAILED"


class StateConflict(OperationError):
    code = "STATE_CONFLICT"


class ConflictAlreadyResolved(StateConflict):
    code = "CONFLICT_ALREADY_RESOLVED"


class ConflictNotReopenable(StateConflict):
    code = "CONFLICT_NOT_REOPENABLE"


class CountChanged(StateConflict):
    code = "COUNT_CHANGED"


class JobNotRetryable(StateConflict):
    code = "JOB_NOT_RETRYABLE"


class JobNotCancellable(StateConflict):
    code = "JOB_NOT_CANCELLABLE"


class JobNotUndoable(StateConflict):
    code = "JOB_NOT_UNDOABLE"


class UndoRunning(StateConflict):
    code = "UNDO_RUNNING"


class IdempotencyKeyInUse(StateConflict):
    code = "IDEMPOTENCY_KEY_IN_USE"


class Erased(StateConflict):
    """`certificateId` names the erasure that keeps the record out."""

    code = "ERASED"


class IdempotencyKeyReused(OperationError):
    code = "IDEMPOTENCY_KEY_REUSED"


class VersionMismatch(OperationError):
    code = "VERSION_MISMATCH"


class PayloadTooLarge(OperationError):
    code = "PAYLOAD_TOO_LARGE"


class CursorExpired(OperationError):
    """A cursor of the log that it does not reach back to; `startOver` is the cursor of its beginning."""

    code = "CURSOR_EXPIRED"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path}: the log does not reach back to this cursor. Read anew what you keep, and go on from the cursor"
            " that `eventCursor` gave before; or begin with the oldest event that is kept (`startOver`)",
            startOver="0",
        )


class QueryTooComplex(OperationError):
    code = "QUERY_TOO_COMPLEX"


class RateLimited(OperationError):
    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, retryAfter=retry_after)


class Unavailable(OperationError):
    code = "UNAVAILABLE"

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message, retryAfter=retry_after)
