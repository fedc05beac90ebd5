"""The REST routes: they call the same operations as GraphQL, and describe themselves.

Bodies and statuses follow the documented interface of SalesOS Auto Enrichment.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from models.db.version import VERSION
from service.http.errors import problem_of
from service.http.json import dump
from service.http.request import RestRuntime, context_of
from service.rest import (
    audit,
    config,
    conflict,
    credit,
    erasure,
    estimate,
    event,
    job,
    pipeline,
    preview,
    provider,
    record,
    resolution,
    simulation,
    stats,
    stored_record,
    undo,
    webhook,
    webhook_delivery,
)
from service.rest.description.openapi import describe
from service.rest.description.pages import page, render
from service.rest.idempotency import answer_once
from service.rest.operation import RestOperation
from service.rest.query import refuse_unknown
from service.rest.request import is_known

OPERATIONS: tuple[RestOperation, ...] = (
    *config.OPERATIONS,
    *record.OPERATIONS,
    *stored_record.OPERATIONS,
    *erasure.OPERATIONS,
    *job.OPERATIONS,
    *conflict.OPERATIONS,
    *resolution.OPERATIONS,
    *pipeline.OPERATIONS,
    *stats.OPERATIONS,
    *credit.OPERATIONS,
    *event.OPERATIONS,
    *provider.OPERATIONS,
    *audit.OPERATIONS,
    *estimate.OPERATIONS,
    *preview.OPERATIONS,
    *undo.OPERATIONS,
    *simulation.OPERATIONS,
    *webhook.OPERATIONS,
    *webhook_delivery.OPERATIONS,
)


def rest_routes(runtime: RestRuntime) -> list[BaseRoute]:
    """The API below `/v1`, its description and its readable pages."""
    by_path: dict[str, dict[str, RestOperation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.full_path, {})[operation.method] = operation
    # A path without parameters comes first: `/conflicts/resolve` is no conflict's.
    ordered = sorted(by_path.items(), key=lambda item: item[0].count("{"))
    routes: list[BaseRoute] = [_route(runtime, path, methods) for path, methods in ordered]
    return [*routes, *_descriptions()]


def _route(runtime: RestRuntime, path: str, methods: Mapping[str, RestOperation]) -> Route:
    """One route for all methods of a path, so that 405 and OPTIONS can name them all."""
    known = {*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    allow = ", ".join(sorted(known))

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": allow})
        operation = methods["GET" if request.method == "HEAD" else request.method]
        try:
            ctx = await context_of(runtime, request)
            ctx.require(operation.role)  # before the body is read
            refuse_unknown(request, operation.query_names)
            return await answer_once(
                ctx, request, lambda: operation.handler(ctx, request), shown_once=operation.shown_once
            )
        except Exception as error:  # translated here, once, whatever it is
            return problem_of(request, error)

    kind = _EncodedRoute if "{externalId}" in path else _PathRoute
    return kind(path, answer, methods=known, name=path)


class _PathRoute(Route):
    """A route that has its path for itself: a method that it lacks is not looked for in routes with parameters."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        return (Match.FULL if match is Match.PARTIAL else match), found


class _EncodedRoute(_PathRoute):
    """A route whose parameters may hold a slash, percent-encoded: the path is matched before it is decoded."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        match, found = super().matches({**scope, "path": raw.decode("ascii", "replace")})
        if match is not Match.NONE:
            found["path_params"] = {name: unquote(value) for name, value in found["path_params"].items()}
        return match, found


def _descriptions() -> list[BaseRoute]:
    """The routes that describe the others."""

    async def openapi(request: Request) -> Response:
        content, tag = _description()[0], _tag()
        if is_known(request, tag.removeprefix("W/")):
            return Response(status_code=304, headers={"ETag": tag})
        return Response(content, media_type="application/json", headers={"ETag": tag})

    async def docs(request: Request) -> Response:
        return HTMLResponse(page(_description()[1], str(request.base_url)))

    return [
        Route("/v1/openapi.json", openapi),
        Route("/v1/docs", docs),
    ]


@cache
def _tag() -> str:
    return f'W/"{sha256(_description()[0]).hexdigest()[:32]}"'


@cache
def _description() -> tuple[bytes, str]:
    """As JSON, and as the readable page. Made for whoever asks first: the start of a process does not wait for it."""
    description = describe(OPERATIONS, VERSION)
    return dump(description), render(description)
