"""The refusal of one part of a bulk call, as data beside the parts that succeeded."""

from typing import Self

import strawberry

from resolvers.errors import OperationError
from schema.base.error_codes import ErrorCode


@strawberry.type(description="One thing wrong with an input.")
class Fault:
    path: str
    message: str


@strawberry.type(description="Why one of many was refused.")
class Problem:
    code: str = strawberry.field(
        description="As `extensions.code` of an error.", deprecation_reason="Since 2026-11-28: use `errorCode`."
    )
    error_code: ErrorCode = strawberry.field(description="As `extensions.code` of an error.")
    message: str
    errors: list[Fault] = strawberry.field(description="The first hundred.")
    more_errors: int = strawberry.field(description="How many there are beside those of `errors`.")

    @classmethod
    def of(cls, error: OperationError) -> Self:
        faults = [Fault(path=fault.path, message=fault.message) for fault in error.faults]
        return cls(
            code=error.code,
            error_code=ErrorCode[error.code],
            message=error.message,
            errors=faults,
            more_errors=error.more_faults,
        )
