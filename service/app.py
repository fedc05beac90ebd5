"""The web application: every route, the middleware around them, and a lifespan that opens and closes the runtime."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Lifespan

from models.db.version import VERSION
from resolvers.errors import OperationError, RateLimited
from service.graphql.http import GRAPHQL_PATH, graphql_routes, refused
from service.http.compression import CompressionMiddleware, PackedBodyMiddleware
from service.http.cross_origin import cross_origin
from service.http.errors import answer_problem, problem_of
from service.http.health import health_routes
from service.http.middleware import BodyLimitMiddleware, ProblemMiddleware, RequestMiddleware, TrailingSlash
from service.http.reach import ReachMiddleware
from service.http.webhooks import webhook_routes
from service.limits.limits import STATE as LIMITS
from service.limits.limits import Limits
from service.limits.open_routes import OpenRoutesMiddleware
from service.limits.streams import StreamsMiddleware
from service.rest.operation import PREFIX
from service.rest.routes import rest_routes
from service.runtime import Runtime

STATIC_DIR = Path(__file__).parent / "static"


def create_app(runtime: Runtime) -> Starlette:
    """The application on this runtime, which its lifespan opens and closes unless it is open already."""
    app = Starlette(
        routes=[
            Route("/", landing_page),
            *health_routes(runtime),
            *graphql_routes(runtime),
            *rest_routes(runtime),
            *webhook_routes(runtime),
            Mount("/static", _PackableFiles(directory=STATIC_DIR), name="static"),
        ],
        middleware=_middleware(runtime),
        exception_handlers={HTTPException: partial(_answer_counted, runtime.limits), OperationError: answer_problem},
        lifespan=_lifespan(runtime),
    )
    app.state.public_url = runtime.settings.public_url  # for the addresses in answers
    app.router.redirect_slashes = False  # TrailingSlash serves it, so that a POST is not sent twice
    return app


class _PackableFiles(StaticFiles):
    """Files whose tags are weak, so that they may be packed."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        if "etag" in response.headers:
            response.headers["etag"] = f"W/{response.headers['etag']}"
        return response


def _lifespan(runtime: Runtime) -> Lifespan[Starlette]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if runtime.is_open:
            yield
            return
        async with runtime:
            yield

    return lifespan


def _middleware(runtime: Runtime) -> list[Middleware]:
    settings = runtime.settings
    layers = [Middleware(RequestMiddleware, metrics=runtime.metrics, tracer=runtime.tracer)]
    if settings.allowed_origins:
        layers.append(cross_origin(settings.allowed_origins))
    return [
        *layers,
        Middleware(CompressionMiddleware),
        Middleware(ProblemMiddleware),
        Middleware(ReachMiddleware, refuse=_refuse),
        Middleware(StreamsMiddleware, limits=runtime.limits, refuse=_refuse),
        Middleware(OpenRoutesMiddleware, limits=runtime.limits, counted_later=(PREFIX, GRAPHQL_PATH)),
        Middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes),
        Middleware(PackedBodyMiddleware, max_bytes=settings.max_body_bytes),
        Middleware(TrailingSlash),
    ]


def _refuse(request: Request, error: Exception) -> Response:
    return refused(request, error) if request.url.path.rstrip("/") == GRAPHQL_PATH else problem_of(request, error)


async def _answer_counted(limits: Limits, request: Request, error: Exception) -> Response:
    """`answer_http_error`, of a request that counts: a path of the API that there is not was counted nowhere before."""
    if LIMITS not in request.scope["state"]:
        try:
            await limits.admit_open(request)
        except RateLimited as refusal:
            return problem_of(request, refusal)
    return await answer_http_error(request, error)


async def answer_http_error(request: Request, error: Exception) -> Response:
    """A refusal of Starlette as a problem; for a wrong method, `Allow` lists what the whole path takes."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = _methods_of(request)
        error = HTTPException(405, error.detail, {"Allow": ", ".join(sorted(allowed))})
    return await answer_problem(request, error)


def _methods_of(request: Request) -> set[str]:
    """The methods of the route that serves this path."""
    routes: list[BaseRoute] = request.app.routes
    serving = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return next((route.methods or set() for route in serving if isinstance(route, Route)), set())


async def landing_page(_: Request) -> Response:
    """The page for a person who opens the address in a browser: links to what there is."""
    return HTMLResponse(_LANDING)


_LANDING = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SalesOS Auto Enrichment</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1rem;
  color: #1c2330; background: #fff }}
a {{ color: #0b57c9 }} li {{ margin: .3rem 0 }} small {{ color: #5b6472 }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e8ebf0; background: #14171c }} a {{ color: #8ab4ff }}
  small {{ color: #9aa4b2 }} }}
</style>
<h1>SalesOS Auto Enrichment</h1>
<p>Fills and refreshes CRM leads, contacts and accounts, explains every value and can undo it.</p>
<ul>
<li><a href="/graphql">GraphiQL</a>: try queries, mutations and subscriptions</li>
<li><a href="/v1/docs">REST reference</a> (<a href="/v1/openapi.json">openapi.json</a>)</li>
<li><a href="/readyz">Readiness</a>: database, Redis and worker</li>
</ul>
<p><small>Version {escape(VERSION)}</small></p>
</html>
"""
