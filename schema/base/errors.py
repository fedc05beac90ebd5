"""How errors look in GraphQL: each has a code, and nothing unexpected shows what it was."""

from collections.abc import Callable
from typing import Any

import structlog
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from resolvers.errors import BadRequest, OperationError, QueryTooComplex, Unavailable
from resolvers.refused_value import MESSAGE, is_refused_value

_log = structlog.get_logger(__name__)

# The parser reports its limits on tokens and nesting as syntax errors; only these words distinguish them.
_PARSER_LIMIT = "Parsing aborted."
_REFUSED_BY_STRAWBERRY = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)


class ErrorTranslator:
    """Gives every error its code. `is_out_of_reach` distinguishes a lost database or Redis from a defect."""

    def __init__(self, is_out_of_reach: Callable[[BaseException], bool]) -> None:
        self._is_out_of_reach = is_out_of_reach

    def __call__(self, error: GraphQLError) -> GraphQLError:
        cause = _cause(error)
        if isinstance(cause, OperationError):
            return _located(error, cause.message, cause.extensions)
        if isinstance(cause, GraphQLError):
            extensions = {"code": _code_of_refusal(cause), **(cause.extensions or {})}
            return _located(error, error.message, extensions)
        if isinstance(cause, _REFUSED_BY_STRAWBERRY):
            return _located(error, error.message, {"code": BadRequest.code})
        if self._is_out_of_reach(cause):
            _log.error("store out of reach", path=error.path, exc_info=cause)
            refusal = Unavailable("The service cannot reach its database or queue at the moment.")
            return _located(error, refusal.message, refusal.extensions)
        if is_refused_value(cause):
            _log.warning("value refused", path=error.path, exc_info=cause)
            return _located(error, MESSAGE, {"code": BadRequest.code})
        _log.error("unexpected error", path=error.path, exc_info=cause)
        return _located(error, "Internal error.", {"code": "INTERNAL", **_request_id()})


def _cause(error: GraphQLError) -> Exception:
    """What was raised first. A GraphQLError here is the client's own: syntax, validation, a bad variable."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _code_of_refusal(error: GraphQLError) -> str:
    return QueryTooComplex.code if error.message.endswith(_PARSER_LIMIT) else BadRequest.code


def _located(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def _request_id() -> dict[str, str]:
    known = structlog.contextvars.get_contextvars().get("request_id")
    return {} if known is None else {"requestId": known}
