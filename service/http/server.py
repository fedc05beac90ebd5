"""The HTTP server: its socket, its limits, and signals that are left to the command."""

import asyncio
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from service.http.drain import HANDSHAKE_SECONDS, begin_no_more, until_idle
from service.http.event_stream import end_streams
from service.http.http_connection import HttpConnection
from service.http.socket_connection import SocketConnection
from service.settings import PREFIX, Settings

BACKLOG = 2048
PING_SECONDS = 20.0


class AddressUnusable(Exception):
    """The address cannot be listened on; says why and which setting to change."""


def listen(settings: Settings) -> socket.socket:
    """A listening socket. Raises AddressUnusable."""
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        listening = socket.create_server(address[:2], family=family, backlog=BACKLOG)
        # asyncio sets this on sockets whose protocol it knows, which create_server leaves open: without it a small
        # answer waits for the client's delayed acknowledgement, about 40 ms. What is accepted inherits it.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except socket.gaierror as error:
        raise AddressUnusable(f"{PREFIX}HOST: {host} is no address of this machine ({error.strerror})") from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        hint = f"choose another with --port or {PREFIX}PORT"
        raise AddressUnusable(f"cannot listen on {host}:{port}: {reason}; {hint}") from error


def address_of(listening: socket.socket) -> str:
    """The base address for people on this machine, such as http://127.0.0.1:8000."""
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 (compared with, not bound to)
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """uvicorn, which takes no signals here: it would raise them again before we have cleaned up.

    `drain_seconds`: for which, when it ends, connections that are kept may go on, as `service.http.drain` has it.
    """

    def __init__(self, config: uvicorn.Config, connection: type[HttpConnection], drain_seconds: float) -> None:
        super().__init__(config)
        self._connection = connection
        self._drain_seconds = drain_seconds

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        end_streams()
        if self._drain_seconds and not self.force_exit:
            await self._drain(sockets or [])
            end_streams()  # those that were begun meanwhile on connections that are kept
        await super().shutdown(sockets)

    async def _drain(self, sockets: list[socket.socket]) -> None:
        begin_no_more(sockets)
        self._connection.is_leaving = True
        for each in self._kept():
            each.end_with_answer()
        await asyncio.sleep(HANDSHAKE_SECONDS)
        for server in self.servers:
            server.close()
        await until_idle(lambda: self.force_exit or not self._kept(), self._drain_seconds)

    def _kept(self) -> list[HttpConnection]:
        """The HTTP connections that are open; WebSockets are ended with a code of their own."""
        return [each for each in self.server_state.connections if isinstance(each, HttpConnection)]


def build_server(app: Starlette, settings: Settings) -> Server:
    """A server for `app`, whose runtime is open already. `serve(sockets=[…])` runs it."""

    class Connection(HttpConnection):
        allowed_origins = settings.allowed_origins

    return Server(
        uvicorn.Config(
            app,
            http=Connection,
            ws=SocketConnection,
            ws_per_message_deflate=False,  # costs memory and time for each socket, for small messages
            lifespan="off",
            log_config=None,
            access_log=False,  # `service.http.middleware` writes a line for each request
            server_header=False,
            forwarded_allow_ips=list(settings.trusted_proxies),
            ws_max_size=settings.max_body_bytes,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            timeout_graceful_shutdown=settings.shutdown_seconds,
        ),
        Connection,
        settings.seconds_to_drain,
    )
