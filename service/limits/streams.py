"""Counts streams of server-sent events, as WebSockets are: from the beginning of the answer to its end."""

from collections.abc import Callable
from contextlib import AsyncExitStack

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resolvers.errors import RateLimited
from service.http.event_stream import STREAM
from service.limits.limits import CALLER, Limits


class _RefusedStream(Exception):
    """The stream must not begin: its handler ends here, and the client is answered `refusal`."""

    def __init__(self, refusal: RateLimited) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class StreamsMiddleware:
    """Refuses a stream where as many streams and sockets are open as there may be. `refuse` words the refusal."""

    def __init__(self, app: ASGIApp, limits: Limits, refuse: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._limits = limits
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held = AsyncExitStack()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and CALLER in scope["state"] and _is_stream(message):
                try:
                    await held.enter_async_context(self._limits.socket_of_address(HTTPConnection(scope)))
                    await held.enter_async_context(self._limits.socket_of_caller(scope["state"][CALLER]))
                except RateLimited as refusal:
                    raise _RefusedStream(refusal) from None
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except _RefusedStream as refused:
            await self._refuse(Request(scope), refused.refusal)(scope, receive, send)
        finally:
            await held.aclose()


def _is_stream(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(STREAM.encode()) for name, value in message["headers"])
