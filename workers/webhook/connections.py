"""Sends messages to endpoints: to addresses that are checked as each connection is opened, and within bounds.

The address that a name resolves to is looked at where the socket to it is made, so that what was checked is what is
connected to, however the name's answer changes in between. Nothing is redirected, unpacked or kept of an answer.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from models.webhook.kinds import WebhookFault
from providers.http.bounded import ReplyTooLong, bounded_connector
from providers.http.client import tls_context
from resolvers.webhook.addresses import AllowedNetworks
from resolvers.webhook.rules import WebhookRules
from workers.webhook.sent import Sent

WHOLE_SECONDS = 10.0  # for a name's address, the connection, the request and its answer
MOST_ANSWER = 64 * 1024  # bytes of an answer that are read, and dropped
_CONNECT_SECONDS = 5.0
LOOK_UP_SECONDS = 4.0  # for a name's address
_LOOK_UPS = 128  # names that are looked up at a time: a name server that hangs keeps a thread for each of its names
_KEEPALIVE_SECONDS = 2.0  # shorter than most servers wait
_HTTP_ERROR = 300


class AddressRefused(OSError):
    """A name resolves to an address that may not be reached."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "an address that may not be reached")


class Connections:
    """The connections of one process to endpoints, by these rules."""

    def __init__(self, rules: WebhookRules, *, user_agent: str = "auto-enrichment-webhooks") -> None:
        self._rules = rules
        self._user_agent = user_agent
        self._look_ups = ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix="webhook-names")
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        """Post a message once. Never raises for what an endpoint or its network does."""
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                return await self._post(url, headers, body)
        except TimeoutError:
            return Sent(None, WebhookFault.TIMEOUT)
        except ReplyTooLong:
            return Sent(None, WebhookFault.ANSWER_TOO_LARGE)
        except aiohttp.ClientConnectorCertificateError:
            return Sent(None, WebhookFault.CERTIFICATE)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                return Sent(None, WebhookFault.ADDRESS_REFUSED)
            if isinstance(error.os_error, TimeoutError):
                return Sent(None, WebhookFault.TIMEOUT)
            is_tls = isinstance(error.os_error, ssl.SSLError)
            return Sent(None, WebhookFault.CERTIFICATE if is_tls else WebhookFault.CONNECTION)
        except (aiohttp.ClientError, OSError, ValueError):
            return Sent(None, WebhookFault.CONNECTION)

    async def close(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()
        self._look_ups.shutdown(wait=False, cancel_futures=True)

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        session = self._session(tls=url.startswith("https:"))
        sent = {"Content-Type": "application/json", "User-Agent": self._user_agent, **headers}
        response = await session.post(url, headers=sent, data=body, allow_redirects=False)
        try:
            received = 0
            async for piece in response.content.iter_any():
                received += len(piece)
                if received > MOST_ANSWER:
                    return Sent(response.status, WebhookFault.ANSWER_TOO_LARGE)
            return _sent(response)
        finally:
            response.release()  # which closes a connection whose answer was not read to its end

    def _session(self, *, tls: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(tls)
        if session is None:
            connector = bounded_connector(
                ssl=tls_context(self._rules.ca_file),
                limit=0,  # who sends bounds how much is sent at once: no endpoint waits for another's connection
                keepalive_timeout=_KEEPALIVE_SECONDS,
                resolver=Resolver(self._look_ups),
                socket_factory=partial(_checked_socket, self._rules.allowed, tls),
            )
            session = self._sessions[tls] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding"),
                trust_env=False,
            )
        return session


def _sent(response: aiohttp.ClientResponse) -> Sent:
    status = response.status
    if status < _HTTP_ERROR:
        return Sent(status, None)
    asked = response.headers.get("retry-after", "")
    retry_after = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else None
    redirects = 300 <= status < 400 and "location" in response.headers
    return Sent(status, WebhookFault.REDIRECT if redirects else WebhookFault.STATUS, retry_after)


def _checked_socket(allowed: AllowedNetworks, tls: bool, info: tuple[Any, ...]) -> socket.socket:
    """The socket with which an address is connected to. Raises AddressRefused."""
    family, kind, protocol, _, address = info
    if not allowed.may_reach(str(address[0]), tls=tls):
        raise AddressRefused
    return socket.socket(family, kind, protocol)


class Resolver(AbstractResolver):
    """Looks names up in threads of its own: one that hangs keeps nobody else in the process waiting.

    A name is looked up once at a time, however many ask and however often they try again: an endpoint whose name
    server hangs keeps one thread, for as long as the system asks that server.
    """

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._under_way: dict[tuple[str, int, int], asyncio.Future[list[Any]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses. Raises OSError, and TimeoutError after LOOK_UP_SECONDS."""
        asked = (host, port, family)
        coming = self._under_way.get(asked)
        if coming is None:
            look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
            coming = asyncio.get_running_loop().run_in_executor(self._threads, look_up)
            self._under_way[asked] = coming
            coming.add_done_callback(partial(self._end, asked))
        async with asyncio.timeout(LOOK_UP_SECONDS):
            found = await asyncio.shield(coming)
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=socket.AI_NUMERICHOST
            )
            for kind, _, protocol, _, address in found
        ]

    def _end(self, asked: tuple[str, int, int], looked_up: asyncio.Future[list[Any]]) -> None:
        self._under_way.pop(asked, None)
        if not looked_up.cancelled():
            looked_up.exception()  # nobody may have waited for it so long

    async def close(self) -> None:
        """Nothing is open."""
