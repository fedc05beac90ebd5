"""The connections to providers, a pool for each provider, and one exchange over them.

Built on aiohttp's connections, whose cost does not grow with their number: no cookies that one organization's call
could leave to another's, no settings received from the environment, no request that is sent a second time by itself.
"""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import aiohttp

from providers.api import ProviderError
from providers.http.adapter import Reply
from providers.http.bounded import ReplyTooLong, bounded_connector
from providers.http.client import ClientLimits
from providers.http.request import PreparedRequest, Request, bad_redirect, prepared, redirected

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_REFUSAL_SECONDS = 2.0  # for the body of a refusal, whose status says the most
_LONGEST_HEADER = 32 * 1024
_PACKED = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Connections:
    """The connections of one process, within these limits and checked by this context."""

    def __init__(self, limits: ClientLimits, user_agent: str, tls: ssl.SSLContext) -> None:
        self.limits = limits
        self._user_agent = user_agent
        self._tls = tls
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def send(self, provider_id: str, request: Request, within: float) -> Reply:
        """As `providers.http.client.HttpClient.send` says."""
        seconds, partial = min(within, self.limits.whole_seconds), _PartialReply()
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(self._session(provider_id), prepared(request, self._user_agent), partial)
        except aiohttp.ConnectionTimeoutError:
            raise _timeout("no connection in time", maybe_charged=False) from None
        except aiohttp.ServerTimeoutError:
            raise _timeout(f"no reply for {self.limits.read_seconds:g} s", maybe_charged=True) from None
        except TimeoutError:
            if partial.refusal is not None:
                return partial.refusal
            raise _timeout(f"no whole reply within {seconds:g} s", maybe_charged=True) from None
        except (aiohttp.ClientConnectorError, aiohttp.NonHttpUrlClientError) as error:
            raise _unavailable("it cannot be connected to", error, maybe_charged=False) from None
        except ValueError:
            # Its text would show the header or address that is at fault, which may be the key.
            raise ProviderError("rejected", "the request cannot be written as HTTP", retryable=False) from None
        except ReplyTooLong as error:
            raise _unreadable(f"the reply has {error}") from None
        except aiohttp.ClientError as error:
            raise _unavailable("the connection broke", error, maybe_charged=True) from None

    async def close(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _session(self, provider_id: str) -> aiohttp.ClientSession:
        session = self._sessions.get(provider_id)
        if session is None:
            limits = self.limits
            session = self._sessions[provider_id] = aiohttp.ClientSession(
                connector=bounded_connector(ssl=self._tls, limit=limits.connections, keepalive_timeout=30.0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    connect=limits.connect_seconds,
                    sock_connect=limits.connect_seconds,
                    sock_read=limits.read_seconds,
                ),
                middlewares=(_send_once,),
                auto_decompress=False,
                skip_auto_headers=("Accept",),
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
                trust_env=False,
            )
        return session

    async def _follow(
        self, session: aiohttp.ClientSession, request: PreparedRequest, partial: "_PartialReply"
    ) -> Reply:
        home = request.url.origin()
        for _ in range(_MOST_REDIRECTS + 1):
            partial.refusal = None
            reply = await self._exchange(session, request, partial)
            target = reply.headers.get("location")
            if reply.status not in _REDIRECTS or target is None:
                return reply
            request = redirected(request, target, home)
        raise bad_redirect(f"it redirects more than {_MOST_REDIRECTS} times")

    async def _exchange(
        self, session: aiohttp.ClientSession, request: PreparedRequest, partial: "_PartialReply"
    ) -> Reply:
        response = await session.request(
            request.method, request.url, headers=request.headers, data=request.content, allow_redirects=False
        )
        try:
            headers = _headers_of(response)
            head = Reply(response.status, headers, b"")
            if request.method == "HEAD":
                return head
            if head.status < 300:
                return replace(head, body=await self._body(response, headers))
            partial.refusal = head
            return await self._with_refusal_body(head, response)
        finally:
            response.release()  # which closes a connection whose reply was not read to its end

    async def _body(self, response: aiohttp.ClientResponse, headers: Mapping[str, str]) -> bytes:
        """The body of an answer. Raises ProviderError, `maybe_charged`, for one that cannot be read."""
        max_bytes = self.limits.max_bytes
        body = bytearray()
        try:
            async for piece in _unpacked(response.content.iter_any(), headers.get("content-encoding", ""), max_bytes):
                body += piece
                if len(body) > max_bytes:
                    raise _unreadable(f"the reply is larger than {max_bytes} bytes")
        except zlib.error:
            raise _unreadable("the reply cannot be unpacked") from None
        return bytes(body)

    async def _with_refusal_body(self, head: Reply, response: aiohttp.ClientResponse) -> Reply:
        """The refusal with as much of its body as arrives within two seconds and can be read."""
        body = bytearray()
        pieces = _unpacked(response.content.iter_any(), head.headers.get("content-encoding", ""), self.limits.max_bytes)
        with suppress(TimeoutError, aiohttp.ClientError, zlib.error):
            async with asyncio.timeout(_REFUSAL_SECONDS):
                async for piece in pieces:
                    body += piece
                    if len(body) > self.limits.max_bytes:
                        break
        return replace(head, body=bytes(body))


async def _send_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps aiohttp from sending a GET again whose kept connection broke: the first may have been charged."""
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionBroke(type(error).__name__) from error


class _ConnectionBroke(aiohttp.ClientError):
    """The connection ended after the request may have been sent."""


def _headers_of(response: aiohttp.ClientResponse) -> dict[str, str]:
    """The headers by lower-case name; values that share a name are one list, as HTTP has it."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.raw_headers:
        name, value = raw_name.decode("ascii", "replace").lower(), _text(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


@dataclass(slots=True)
class _PartialReply:
    """What is known of a reply before its body has been read."""

    refusal: Reply | None = None


async def _unpacked(raw: AsyncIterator[bytes], encoding: str, max_bytes: int) -> AsyncIterator[bytes]:
    """The pieces of a body, unpacked one by one, since a small body may unpack to gigabytes.

    Raises zlib.error for an encoding that was not asked for, a body that ends early, or one of more than `max_bytes`
    before unpacking.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        async for piece in raw:
            yield piece
        return
    if encoding not in _PACKED:
        raise zlib.error("an encoding that was not asked for")
    unpacker = zlib.decompressobj(_PACKED[encoding])
    received = 0
    async for piece in raw:
        received += len(piece)
        if received > max_bytes:
            raise zlib.error("too much")
        rest = piece
        while rest and not unpacker.eof:
            yield unpacker.decompress(rest, 64 * 1024)
            rest = unpacker.unconsumed_tail
    # What is still inside the unpacker is at most one window, which cannot be a bomb.
    while not unpacker.eof and received:
        rest = unpacker.decompress(b"", 64 * 1024)
        if not rest:
            raise zlib.error("it ends early")
        yield rest


def _timeout(message: str, *, maybe_charged: bool) -> ProviderError:
    return ProviderError("timeout", message, retryable=True, maybe_charged=maybe_charged)


def _unavailable(message: str, error: Exception, *, maybe_charged: bool) -> ProviderError:
    return ProviderError(
        "unavailable", f"{message} ({type(error).__name__})", retryable=True, maybe_charged=maybe_charged
    )


def _unreadable(message: str) -> ProviderError:
    return ProviderError("invalid_answer", message, retryable=False, maybe_charged=True)
