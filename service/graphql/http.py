"""GraphQL over HTTP at /graphql, GraphiQL for browsers, and the same address for WebSockets."""

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from resolvers.context import Caller, Role
from resolvers.errors import BadRequest, RateLimited
from resolvers.out_of_reach import is_out_of_reach
from schema.base.context import GraphQLContext, Meter
from schema.root import ApiSchema
from service.graphql.counted import CountedOperations
from service.graphql.documents import Documents, PersistedQueryNotFound, read_allowed
from service.graphql.media_type import JSON, RESPONSE, answer_type
from service.graphql.operation import Operation, names_operation, read_from_address, read_posted
from service.graphql.sharing import SharedSubscriptions
from service.graphql.single_connection import Part, SingleConnections, token_of
from service.graphql.socket import GraphQLSockets, SocketRuntime
from service.graphql.stream import GraphQLStreams, accepts_stream, single
from service.http.errors import problem_of
from service.http.event_stream import STREAM, stream
from service.http.json import dump, respond
from service.http.request import context_of, origin_of
from service.settings import PREFIX, BadSettings, Settings

GRAPHQL_PATH = "/graphql"
OVER_POST = frozenset({OperationType.QUERY, OperationType.MUTATION})
OVER_GET = frozenset({OperationType.QUERY})  # which changes nothing
_ONLY_IN_PROBLEMS = frozenset({"type", "title", "status", "detail", "instance"})


def graphql_routes(runtime: SocketRuntime) -> list[BaseRoute]:
    """The routes of /graphql. Raises BadSettings where the list of allowed documents cannot be used."""
    schema = _schema(introspection=runtime.settings.introspection_open)
    page = (files("service") / "static" / "graphiql" / "index.html").read_text(encoding="utf-8")
    documents = _documents(runtime.settings)
    sharing = SharedSubscriptions(schema)
    streams = GraphQLStreams(schema, sharing)
    singles = SingleConnections(schema, sharing)
    counts = CountedOperations(runtime.metrics, schema, documents.allowed)

    async def answer(request: Request) -> Response:
        if request.method == "GET" and _is_for_page(request):
            await runtime.limits.admit_open(request)
            return HTMLResponse(page)
        if request.method in {"PUT", "DELETE"} or token_of(request) is not None:
            try:
                if request.method == "POST":
                    return await _begin_in_stream(runtime, schema, documents, singles, counts, request)
                return singles.manage(request, (await context_of(runtime, request)).require(Role.VIEWER))
            except Exception as error:  # as in _execute
                return _refused(request, error, answer_type(request))
        return await _execute(runtime, schema, documents, streams, counts, request)

    return [
        Route(GRAPHQL_PATH, answer, methods=["GET", "POST", "PUT", "DELETE"]),
        WebSocketRoute(GRAPHQL_PATH, GraphQLSockets(runtime, schema, documents, sharing, counts)),
    ]


@cache
def _schema(*, introspection: bool) -> ApiSchema:
    """One for all applications of the process: it takes a tenth of a second to build."""
    return ApiSchema(introspection=introspection, is_out_of_reach=is_out_of_reach)


def _documents(settings: Settings) -> Documents:
    if settings.allowed_documents is None:
        return Documents()
    try:
        return Documents(read_allowed(settings.allowed_documents))
    except ValueError as error:
        raise BadSettings([f"{PREFIX}ALLOWED_DOCUMENTS: {settings.allowed_documents} {error}"]) from error


def _is_for_page(request: Request) -> bool:
    """Whether a GET wants GraphiQL: a browser does, and who accepts anything and names no operation."""
    accepted = request.headers.get("accept", "*/*")
    return "text/html" in accepted or ("*/*" in accepted and not names_operation(request))


async def _execute(
    runtime: SocketRuntime,
    schema: ApiSchema,
    documents: Documents,
    streams: GraphQLStreams,
    counts: CountedOperations,
    request: Request,
) -> Response:
    media_type, takes_stream = answer_type(request), accepts_stream(request)
    by_post = request.method == "POST"
    try:
        caller = (await context_of(runtime, request)).require(Role.VIEWER)
        origin = origin_of("graphql", request)
        if media_type is None and not takes_stream:
            raise HTTPException(406, f"answers are {RESPONSE}, {JSON} or {STREAM}")
        operation = await read_posted(request, documents) if by_post else read_from_address(request, documents)
        meter = runtime.limits.meter(request, caller)
        context = GraphQLContext(services=runtime.services, caller=caller, origin=origin)
        context.resumed_after = request.headers.get("last-event-id") or None
        try:
            allowed = OVER_POST if by_post else OVER_GET
            result = await _run(schema, counts, operation, replace(context, takes_printed=True, meter=meter), allowed)
        except InvalidOperationTypeError as error:
            if not takes_stream or error.operation_type is not OperationType.SUBSCRIPTION:
                raise
            counts.started(operation)
            await _count_subscription(schema, operation, meter)
            return streams.answer(operation, context, caller)
    except CannotGetOperationTypeError as error:
        return _refused(request, BadRequest(error.as_http_error_reason()), media_type)
    except InvalidOperationTypeError as error:
        return _refused(request, _wrong_transport(error), media_type)
    except Exception as error:  # every refusal of this address has the form of GraphQL
        return _refused(request, error, media_type)
    answer, ran = _answer_of(result)
    if media_type is None:
        return stream(caller, single(answer))
    if media_type == JSON:
        return respond(answer)
    if ran and result.data is None and not any(error.path for error in result.errors or ()):
        ran = False  # its variables are not what it declares
        del answer["data"]
    return Response(dump(answer), 200 if ran else 400, media_type=RESPONSE)


async def _begin_in_stream(
    runtime: SocketRuntime,
    schema: ApiSchema,
    documents: Documents,
    singles: SingleConnections,
    counts: CountedOperations,
    request: Request,
) -> Response:
    """Begin an operation whose messages come in a stream that was reserved for many."""
    caller = (await context_of(runtime, request)).require(Role.VIEWER)
    operation = await read_posted(request, documents)
    part = singles.begin(request, caller, operation)
    try:
        return await _run_in_stream(runtime, schema, singles, counts, request, caller, operation, part)
    except BaseException:
        part.leave()
        raise


async def _run_in_stream(
    runtime: SocketRuntime,
    schema: ApiSchema,
    singles: SingleConnections,
    counts: CountedOperations,
    request: Request,
    caller: Caller,
    operation: Operation,
    part: Part,
) -> Response:
    meter = runtime.limits.meter(request, caller)
    context = GraphQLContext(services=runtime.services, caller=caller, origin=origin_of("graphql", request))
    try:
        result = await _run(schema, counts, operation, replace(context, takes_printed=True, meter=meter), OVER_POST)
    except CannotGetOperationTypeError as error:
        raise BadRequest(error.as_http_error_reason()) from error
    except InvalidOperationTypeError:  # a subscription
        counts.started(operation)
        await _count_subscription(schema, operation, meter)
        return singles.subscribe(part, caller, operation, context)
    answer, ran = _answer_of(result)
    if ran:
        return singles.give(part, dump(answer))
    part.leave()
    return respond(answer, status=400)


async def _run(
    schema: ApiSchema,
    counts: CountedOperations,
    operation: Operation,
    context: GraphQLContext,
    allowed: Iterable[OperationType],
) -> ExecutionResult:
    began = time.perf_counter()
    try:
        result = await schema.execute(
            operation.document,
            operation.variables,
            context,
            operation_name=operation.name,
            allowed_operation_types=allowed,
        )
    except RateLimited:
        counts.refused(operation)
        raise
    counts.answered(operation, result, time.perf_counter() - began)
    return result


async def _count_subscription(schema: ApiSchema, operation: Operation, meter: Meter | None) -> None:
    """Count the cost of a subscription before it begins. Raises RateLimited."""
    if meter is not None:
        await meter.take(schema.subscription_cost(operation.document, operation.name, operation.variables))


def _answer_of(result: ExecutionResult) -> tuple[dict[str, Any], bool]:
    """The answer, and whether the operation ran: what was refused before it ran has no data, not even null."""
    ran = not isinstance(result, PreExecutionError)
    answer: dict[str, Any] = {"data": result.data} if ran else {}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer, ran


def _wrong_transport(error: InvalidOperationTypeError) -> Exception:
    if error.operation_type is OperationType.MUTATION:
        return HTTPException(405, "mutations are sent with POST", {"Allow": "POST"})
    return BadRequest(f"subscriptions need a WebSocket with graphql-transport-ws, or Accept: {STREAM}")


def refused(request: Request, error: Exception) -> Response:
    """A refusal of a request to this address as a whole."""
    return _refused(request, error, answer_type(request))


def _refused(request: Request, error: Exception, media_type: str | None) -> Response:
    """A refusal of the request as a whole: the status and headers of REST, in the form of GraphQL."""
    if isinstance(error, PersistedQueryNotFound):  # Apollo's clients ask again where this has the status of an answer
        body = {"errors": [{"message": error.message, "extensions": error.extensions}]}
        return Response(dump(body), 200, media_type=media_type or JSON)
    problem = problem_of(request, error)
    shown = orjson.loads(problem.body)
    extensions = {name: value for name, value in shown.items() if name not in _ONLY_IN_PROBLEMS}
    headers = {name: value for name, value in problem.headers.items() if name not in {"content-type", "content-length"}}
    body = {"errors": [{"message": shown["detail"], "extensions": extensions}]}
    return Response(dump(body), problem.status_code, headers, media_type or JSON)
