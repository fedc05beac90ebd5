"""Counts, by address, what is served without a token: pages, descriptions, readiness, webhooks, beginnings of sockets.

The routes of the API count their requests once they know whose they are. `/healthz` counts nowhere: whoever keeps the
process alive must get an answer whatever others do.
"""

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from resolvers.errors import RateLimited
from service.http.errors import problem_of
from service.limits.limits import Limits

_UNCOUNTED = "/healthz"


class OpenRoutesMiddleware:
    """Refuses an address over its limit with 429, a WebSocket before it begins. `counted_later`: paths of the API."""

    def __init__(self, app: ASGIApp, limits: Limits, counted_later: tuple[str, ...]) -> None:
        self._app = app
        self._limits = limits
        self._counted_later = counted_later

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            socket = WebSocket(scope, receive, send)
            try:
                await self._limits.admit_open(socket)
                async with self._limits.socket_of_address(socket):
                    await self._app(scope, receive, send)
            except RateLimited as refusal:
                await socket.send_denial_response(problem_of(Request({**scope, "type": "http"}), refusal))
            return
        if scope["type"] == "http" and scope["path"] != _UNCOUNTED and not self._is_counted_later(scope["path"]):
            await self._limits.admit_open(HTTPConnection(scope))
        await self._app(scope, receive, send)

    def _is_counted_later(self, path: str) -> bool:
        return path.startswith(self._counted_later)
