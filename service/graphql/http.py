"""GraphQL over HTTP at /graphql, GraphiQL for browsers, and the same address for WebSockets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from resolvers.errors import BadRequest, ValidationFailed
from schema.base.context import GraphQLContext
from schema.root import ApiSchema
from service.graphql.socket import GraphQLSockets, SocketRuntime
from service.http.errors import is_out_of_reach, problem_of
from service.http.json import dump, respond
from service.http.request import context_of, origin_of, read_object

PATH = "/graphql"
OVER_HTTP = frozenset({OperationType.QUERY, OperationType.MUTATION})
_ONLY_IN_PROBLEMS = frozenset({"type", "title", "status", "detail", "instance"})


def graphql_routes(runtime: SocketRuntime) -> list[BaseRoute]:
    """The routes of /graphql."""
    schema = _schema(introspection=runtime.settings.introspection_open)
    page = (files("service") / "static" / "graphiql" / "index.html").read_text(encoding="utf-8")

    async def answer(request: Request) -> Response:
        if request.method == "POST":
            return await _post(runtime, schema, request)
        return _get(request, page)

    return [
        Route(PATH, answer, methods=["GET", "POST"]),
        WebSocketRoute(PATH, GraphQLSockets(runtime, schema)),
    ]


@cache
def _schema(*, introspection: bool) -> ApiSchema:
    """One for all applications of the process: it takes a tenth of a second to build."""
    return ApiSchema(introspection=introspection, is_out_of_reach=is_out_of_reach)


def _get(request: Request, page: str) -> Response:
    """GraphiQL for clients that accept HTML. Operations are only taken by POST."""
    accepted = request.headers.get("accept", "*/*")
    if "query" not in request.query_params and ("text/html" in accepted or "*/*" in accepted):
        return HTMLResponse(page)
    refusal = HTTPException(405, "operations are sent with POST", {"Allow": "POST"})
    return _refused(request, refusal)


async def _post(runtime: SocketRuntime, schema: ApiSchema, request: Request) -> Response:
    try:
        caller = (await context_of(runtime, request)).caller
        origin = origin_of("graphql", request)
        _check_media_type(request)
        operation = await _read_operation(request)
        result = await schema.execute(
            operation.query,
            operation.variables,
            GraphQLContext(services=runtime.services, caller=caller, origin=origin, takes_printed=True),
            operation_name=operation.name,
            allowed_operation_types=OVER_HTTP,
        )
    except CannotGetOperationTypeError as error:
        return _refused(request, BadRequest(error.as_http_error_reason()))
    except InvalidOperationTypeError:
        return _refused(request, BadRequest("subscriptions need a WebSocket with graphql-transport-ws"))
    except Exception as error:  # every refusal of this address has the form of GraphQL
        return _refused(request, error)
    # What was refused before it ran has no data, not even null.
    answer: dict[str, Any] = {} if isinstance(result, PreExecutionError) else {"data": result.data}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    return respond(answer)


@dataclass(frozen=True, slots=True)
class _Operation:
    query: str
    variables: dict[str, Any] | None
    name: str | None


def _check_media_type(request: Request) -> None:
    """Only JSON is taken, which no form of another site can send."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "the body must be application/json in UTF-8")


async def _read_operation(request: Request) -> _Operation:
    try:
        body = await read_object(request, unique_keys=False)
    except ValidationFailed as error:
        raise BadRequest("the body must be one operation: an object with a query") from error
    _member(body, "extensions", dict)  # none are known, but they have a form
    return _Operation(
        query=_member(body, "query", str, required=True),
        variables=_member(body, "variables", dict),
        name=_member(body, "operationName", str) or None,
    )


def _member(body: Mapping[str, Any], name: str, kind: type, *, required: bool = False) -> Any:
    value = body.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, kind) or (required and not value):
        raise BadRequest(f"{name} must be {'an object' if kind is dict else 'a text'}")
    return value


def _refused(request: Request, error: Exception) -> Response:
    """A refusal of the request as a whole: the status and headers of REST, in the form of GraphQL."""
    problem = problem_of(request, error)
    shown = orjson.loads(problem.body)
    extensions = {name: value for name, value in shown.items() if name not in _ONLY_IN_PROBLEMS}
    headers = {name: value for name, value in problem.headers.items() if name not in {"content-type", "content-length"}}
    body = {"errors": [{"message": shown["detail"], "extensions": extensions}]}
    return Response(dump(body), problem.status_code, headers, "application/json")
