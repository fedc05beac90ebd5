"""A request that waits for a database that has stopped answering is answered itself, within two seconds.

Nothing is measured while requests are quick. One that has no answer after most of a second asks for the database by a
connection of its own, because all others may be busy; requests that wait at one time share the look. A request that
waits for something else goes on waiting.
"""

import asyncio
import time
from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.db.health import answers_within
from resolvers.errors import Unavailable
from service.http.middleware import PROBES

FIRST_LOOK_SECONDS = 0.8  # after the request came
LOOK_SECONDS = 0.8  # that the database has to answer
NEXT_LOOK_SECONDS = 1.0
SHARED_SECONDS = 0.5  # for which others go by a look

Refuse = Callable[[Request, Exception], Response]

_log = structlog.get_logger(__name__)


class DatabaseWatch:
    """Looks whether the database answers, once for all who ask at one time."""

    def __init__(self) -> None:
        self._looking: asyncio.Task[bool] | None = None
        self._until = 0.0

    async def answers(self) -> bool:
        """Whether the database answers now, or did just before."""
        if self._looking is None or (self._looking.done() and time.monotonic() > self._until):
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> bool:
        found = await answers_within(LOOK_SECONDS)
        self._until = time.monotonic() + SHARED_SECONDS
        return found


class ReachMiddleware:
    """Answers for a database that does not. `refuse` words the refusal for the address that was asked."""

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse
        self._watch = DatabaseWatch()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:  # which look for themselves
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._watch, self._refuse)
        exchange.look_in(FIRST_LOOK_SECONDS)
        try:
            await self._app(scope, receive, exchange.send)
        except Exception as error:
            if not exchange.given_up:
                raise
            _log.debug("ended after it was given up", error=type(error).__name__)
        finally:
            exchange.end()


class _Exchange:
    """One request and its answer. `given_up`: it was refused, and what its handler still says is not sent."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, watch: DatabaseWatch, refuse: Refuse) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._watch = watch
        self._refuse = refuse
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._over = False  # answered, or on its way to be
        self.given_up = False

    def look_in(self, seconds: float) -> None:
        """Look after the database then, if there is no answer yet."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._begin_look)

    async def send(self, message: Message) -> None:
        """Send what the handler answers."""
        if not self.given_up:
            self._over = True
            await self._send(message)

    def end(self) -> None:
        """The handler has ended."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()

    def _begin_look(self) -> None:
        if not self._over:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        there = await self._watch.answers()
        if self._over:
            return
        if there:
            self.look_in(NEXT_LOOK_SECONDS)
            return
        self._over = self.given_up = True
        error = Unavailable("the service cannot reach its database at the moment")
        await self._refuse(Request(self._scope), error)(self._scope, self._receive, self._send)
