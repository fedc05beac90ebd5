"""Errors as REST shows them: RFC 9457 problems with a code, and nothing of what went wrong inside."""

import sqlite3

import asyncpg
import orjson
import pytest
import redis.exceptions
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from tortoise.exceptions import DBConnectionError, IntegrityError, OperationalError

from resolvers import errors
from resolvers.errors import Fault, OperationError
from resolvers.out_of_reach import is_out_of_reach
from service.http.errors import problem_of
from service.http.problem import KINDS, MEDIA_TYPE

STATUS_BY_CODE = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "BAD_REQUEST": 400,
    "VALIDATION_FAILED": 422,
    "CONFLICT_ALREADY_RESOLVED": 409,
    "JOB_NOT_RETRYABLE": 409,
    "JOB_NOT_CANCELLABLE": 409,
    "PIPELINE_STATE": 409,
    "ERASED": 409,
    "VERSION_MISMATCH": 412,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "METHOD_NOT_ALLOWED": 405,
    "QUERY_TOO_COMPLEX": 400,
    "CURSOR_EXPIRED": 410,
    "RATE_LIMITED": 429,
    "INSUFFICIENT_CREDITS": 402,
    "UNAVAILABLE": 503,
    "INTERNAL": 500,
}


def request(path: str = "/v1/auto-enrichment/config", query: bytes = b"", **headers: str) -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "server": ("test", 80),
            "scheme": "http",
            "state": {"request_id": "req-1"},
        }
    )


def body(response: Response) -> dict[str, object]:
    parsed: dict[str, object] = orjson.loads(response.body)
    return parsed


def test_each_documented_code_has_its_documented_status() -> None:
    assert {code: KINDS[code].status for code in STATUS_BY_CODE} == STATUS_BY_CODE


def test_a_refusal_is_a_problem_with_code_and_request_id() -> None:
    response = problem_of(request(), errors.NotFound("no such job"))
    assert response.status_code == 404
    assert response.headers["content-type"] == MEDIA_TYPE
    assert body(response) == {
        "type": "/v1/docs#NOT_FOUND",
        "title": "Not found",
        "status": 404,
        "detail": "no such job",
        "instance": "/v1/auto-enrichment/config",
        "code": "NOT_FOUND",
        "requestId": "req-1",
    }


def test_any_path_and_query_can_be_refused() -> None:
    response = problem_of(request("/v1/a b/\ufffd?", b"\xff"), errors.NotFound("no"))
    assert body(response)["instance"] == "/v1/a%20b/%EF%BF%BD%3F"


def test_input_faults_are_all_listed() -> None:
    faults = [Fault("a", "must be a text"), Fault("b[1].c", "unknown")]
    response = problem_of(request(), errors.ValidationFailed("not valid", faults=faults))
    assert body(response)["errors"] == [
        {"path": "a", "message": "must be a text"},
        {"path": "b[1].c", "message": "unknown"},
    ]


def test_a_state_conflict_says_the_state() -> None:
    response = problem_of(request(), errors.JobNotRetryable("the job is completed", state="completed"))
    assert (response.status_code, body(response)["state"]) == (409, "completed")


def test_details_cannot_hide_the_standard_members() -> None:
    response = problem_of(request(), errors.Forbidden("no", status="fine", code="X"))
    assert (body(response)["status"], body(response)["code"]) == (403, "FORBIDDEN")


def test_a_request_without_a_token_is_told_the_scheme_only() -> None:
    response = problem_of(request(), errors.Unauthenticated("a bearer token is needed"))
    assert response.headers["www-authenticate"] == 'Bearer realm="auto-enrichment"'


def test_a_request_with_a_bad_token_is_told_so() -> None:
    response = problem_of(request(authorization="Bearer x"), errors.Unauthenticated("expired"))
    assert response.headers["www-authenticate"] == 'Bearer realm="auto-enrichment", error="invalid_token"'


@pytest.mark.parametrize(
    "error", [errors.RateLimited("slow down", retry_after=7), errors.Unavailable("later", retry_after=7)]
)
def test_a_refusal_for_a_while_says_how_long(error: OperationError) -> None:
    response = problem_of(request(), error)
    assert (response.headers["retry-after"], body(response)["retryAfter"]) == ("7", 7)


def test_an_unexpected_error_shows_nothing_of_itself() -> None:
    response = problem_of(request(), RuntimeError("secret dsn postgres://u:p@h/db"))
    assert response.status_code == 500
    assert body(response)["code"] == "INTERNAL"
    assert b"secret" not in bytes(response.body)
    assert b"RuntimeError" not in bytes(response.body)


def sqlite_error(code: int) -> OperationalError:
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = code
    return OperationalError(cause)


@pytest.mark.parametrize(
    "error",
    [
        DBConnectionError("cannot connect"),
        ConnectionRefusedError(111, "Connection refused"),
        TimeoutError(),
        OSError("Multiple exceptions: [Errno 111] Connect call failed"),
        asyncpg.ConnectionDoesNotExistError("connection was closed"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        asyncpg.DiskFullError("could not extend file"),
        redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'"),
        redis.exceptions.ReadOnlyError("You can't write against a read only replica"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("got result for unknown protocol state 3"),
        asyncpg.TargetServerAttributeNotMatched("None of the hosts match the target attribute requirement"),
        redis.exceptions.ConnectionError("refused"),
        redis.exceptions.TimeoutError("slow"),
        sqlite_error(sqlite3.SQLITE_BUSY),
        sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT),
        sqlite_error(sqlite3.SQLITE_CANTOPEN),
    ],
    ids=repr,
)
def test_a_store_out_of_reach_is_unavailable(error: Exception) -> None:
    response = problem_of(request(), error)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert str(error) == "" or str(error).encode() not in bytes(response.body)


def test_a_store_out_of_reach_is_seen_through_what_wraps_it() -> None:
    error = RuntimeError("could not read")
    error.__cause__ = asyncpg.CannotConnectNowError("starting up")
    assert is_out_of_reach(error)


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_ERROR),
        OperationalError(asyncpg.PostgresSyntaxError("syntax error")),
        IntegrityError("UNIQUE constraint failed"),
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        KeyError("x"),
    ],
    ids=repr,
)
def test_a_defect_is_not_called_unavailable(error: Exception) -> None:
    assert problem_of(request(), error).status_code == 500


def test_a_wrong_method_names_the_right_ones_in_order() -> None:
    response = problem_of(request(), HTTPException(405, headers={"Allow": "PUT, GET,HEAD"}))
    assert body(response)["code"] == "METHOD_NOT_ALLOWED"
    assert response.headers["allow"] == "GET, HEAD, PUT"


def test_a_status_outside_the_catalogue_keeps_its_name() -> None:
    response = problem_of(request(), HTTPException(418))
    assert response.status_code == 418
    assert (body(response)["code"], body(response)["type"]) == ("IM_A_TEAPOT", "about:blank")


def test_a_client_that_leaves_is_not_an_error_of_ours() -> None:
    assert problem_of(request(), ClientDisconnect()).status_code == 400
