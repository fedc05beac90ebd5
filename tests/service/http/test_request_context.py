"""Nothing of a request is left for the next one of its connection."""

import asyncio

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from models.db.acting import act_for, acting
from service.http.metrics import Metrics
from service.http.middleware import RequestMiddleware
from tests.support.socket_client import served


async def test_the_organization_of_a_request_is_not_that_of_the_next() -> None:
    async def act(request: Request) -> Response:
        act_for("acme")
        return PlainTextResponse(str(len(await request.body())))

    async def see(_: Request) -> Response:
        return PlainTextResponse(f"acts for {acting()}")

    routes = [Route("/act", act, methods=["POST"]), Route("/see", see)]
    app = Starlette(routes=routes, middleware=[Middleware(RequestMiddleware, metrics=Metrics("0"), tracer=None)])
    async with served(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /act HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
        writer.write(b"GET /see HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"acts for None")
        writer.close()
