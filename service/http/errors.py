"""Answers to errors, as RFC 9457 problems: the one place where an exception becomes an HTTP answer."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
import structlog
from msgspec import UNSET
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from models.db.columns import new_id
from resolvers import errors
from resolvers.errors import OperationError
from resolvers.out_of_reach import is_out_of_reach
from resolvers.refused_value import MESSAGE, is_refused_value
from service.http.json import dump
from service.http.problem import KINDS, MEDIA_TYPE, Fault, Kind, Problem, type_of
from service.logs.paths import logged_path

RETRY_AFTER_SECONDS = 5

_log = structlog.get_logger(__name__)


_CODE_OF_STATUS = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_FAILED",
    429: "RATE_LIMITED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def problem(
    request: Request,
    code: str,
    detail: str,
    *,
    faults: Iterable[errors.Fault] = (),
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
) -> Response:
    """A problem answer. `details` become members of the body beside the standard ones.

    `status` is needed only for a code outside `KINDS`.
    """
    kind = KINDS.get(code) or Kind(status or 500, HTTPStatus(status or 500).phrase, "")
    details = details or {}
    shown = Problem(
        type=type_of(code),
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=quote(request.scope["path"], errors="replace"),
        code=code,
        request_id=request_id(request),
        errors=[Fault.of(fault) for fault in faults] or UNSET,
    )
    standard: dict[str, Any] = msgspec.to_builtins(shown)
    body = {**msgspec.to_builtins(details, enc_hook=str), **standard}
    extra = {**_headers_of(request, code, details), **(headers or {})}
    return Response(dump(body), kind.status, extra, MEDIA_TYPE)


def request_id(request: Request) -> str:
    """The id this request goes by in logs and answers; made here if no middleware has set one."""
    known: str | None = structlog.contextvars.get_contextvars().get("request_id")
    if known is None:
        known = getattr(request.state, "request_id", None)
    if known is None:
        known = request.state.request_id = new_id()
    return known


def _headers_of(request: Request, code: str, details: Mapping[str, Any]) -> dict[str, str]:
    if code == "UNAUTHENTICATED":
        # RFC 6750: the answer to a request without a token names the scheme only, and no error.
        reason = ', error="invalid_token"' if "authorization" in request.headers else ""
        return {"WWW-Authenticate": f'Bearer realm="auto-enrichment"{reason}'}
    if code == "PAYLOAD_TOO_LARGE":
        return {"Connection": "close"}  # the rest of the body is not waited for
    if code in {"RATE_LIMITED", "UNAVAILABLE"}:
        return {"Retry-After": str(details.get("retryAfter", RETRY_AFTER_SECONDS))}
    return {}


def problem_of(request: Request, error: Exception) -> Response:
    """The answer to any exception. What is not in the catalogue is logged and shows nothing of itself."""
    if isinstance(error, OperationError):
        return problem(request, error.code, error.message, faults=error.faults, details=error.details)
    if isinstance(error, HTTPException):
        return _problem_of_http(request, error)
    if isinstance(error, ClientDisconnect):
        return problem(request, "BAD_REQUEST", "the connection ended before the body did")
    if is_out_of_reach(error):
        _log.error("store out of reach", path=logged_path(request.scope), exc_info=error)
        detail = "the service cannot reach its database or queue at the moment"
        return problem(request, "UNAVAILABLE", detail, details={"retryAfter": RETRY_AFTER_SECONDS})
    if is_refused_value(error):
        _log.warning("value refused", path=logged_path(request.scope), exc_info=error)
        return problem(request, "BAD_REQUEST", MESSAGE)
    _log.error("unexpected error", path=logged_path(request.scope), method=request.method, exc_info=error)
    return problem(request, "INTERNAL", "something went wrong on our side")


def _problem_of_http(request: Request, error: HTTPException) -> Response:
    status = error.status_code
    if status < 400:
        return Response(status_code=status, headers=error.headers)
    code = _CODE_OF_STATUS.get(status) or HTTPStatus(status).name
    headers = dict(error.headers or {})
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(method.strip() for method in headers["Allow"].split(",")))
    detail = KINDS[code].when if code in KINDS and error.detail == HTTPStatus(status).phrase else error.detail
    return problem(request, code, detail, headers=headers, status=status)


async def answer_problem(request: Request, error: Exception) -> Response:
    """`problem_of` as a handler of Starlette."""
    return problem_of(request, error)
