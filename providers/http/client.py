"""Requests to providers that end: bounded in time and size, to the provider's host alone, over checked TLS.

Built on httpx's connections without its client: no cookies that one organization's call could leave to another's, no
log lines with addresses (a key may stand in one), no settings received from the environment.
"""

import asyncio
import math
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson

from providers.api import ProviderError
from providers.http.adapter import Reply

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_REFUSAL_SECONDS = 2.0  # for the body of a refusal, whose status says the most
_PACKED = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Bounds of calls: seconds to wait, bytes of a reply once unpacked, and connections at a time."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0  # between two pieces of a reply
    whole_seconds: float = 20.0  # for one request
    look_up_seconds: float = 34.0  # for all requests of one look-up; a worker waits longer
    max_bytes: int = 2 * 1024 * 1024
    connections: int = 100  # of one provider, in one process


@dataclass(frozen=True, slots=True)
class Request:
    """One request. What may hold a key is left out of its text form."""

    method: str
    base: str
    path: str
    params: Mapping[str, str] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class HttpClient:
    """The connections of one process, a pool for each provider.

    The certificates of `ca_file` (PEM) are trusted beside the usual ones. Raises ValueError, in words for an operator,
    where it holds none.
    """

    def __init__(
        self,
        *,
        development: bool = False,
        limits: ClientLimits | None = None,
        user_agent: str = "auto-enrichment",
        ca_file: Path | None = None,
    ) -> None:
        self.development = development
        self.limits = limits or ClientLimits()
        self._user_agent = user_agent
        self._pools: dict[str, httpx.AsyncHTTPTransport] = {}
        self._tls: ssl.SSLContext | None = None if ca_file is None else _tls(ca_file)

    async def send(self, provider_id: str, request: Request, *, within: float = math.inf) -> Reply:
        """The reply, whatever its status, at most `within` seconds from now and never later than `whole_seconds`.

        Raises ProviderError as `providers.http.adapter.Http.send` says. A refusal whose body does not arrive is a reply
        without a body: its status is known, so the call does not count as one that may have been charged.
        """
        seconds, partial = min(within, self.limits.whole_seconds), _PartialReply()
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(self._pool(provider_id), _prepared(request, self._user_agent), partial)
        except TimeoutError:
            if partial.refusal is not None:
                return partial.refusal
            raise _timeout(f"no whole reply within {seconds:g} s", maybe_charged=True) from None
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            raise _timeout("no connection in time", maybe_charged=False) from None
        except httpx.TimeoutException:
            raise _timeout(f"no reply for {self.limits.read_seconds:g} s", maybe_charged=True) from None
        except (httpx.ConnectError, httpx.UnsupportedProtocol) as error:
            raise _unavailable("it cannot be connected to", error, maybe_charged=False) from None
        except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError):
            # Its text would show the header or address that is at fault, which may be the key.
            raise ProviderError("rejected", "the request cannot be written as HTTP", retryable=False) from None
        except httpx.HTTPError as error:
            raise _unavailable("the connection broke", error, maybe_charged=True) from None

    async def close(self) -> None:
        """Close every connection. The client may be used again afterwards."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    def _pool(self, provider_id: str) -> httpx.AsyncHTTPTransport:
        pool = self._pools.get(provider_id)
        if pool is None:
            if self._tls is None:
                self._tls = _tls()
            pool_limits = httpx.Limits(
                max_connections=self.limits.connections,
                max_keepalive_connections=self.limits.connections,
                keepalive_expiry=30.0,
            )
            pool = httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=pool_limits)
            self._pools[provider_id] = pool
        return pool

    async def _follow(self, pool: httpx.AsyncHTTPTransport, request: httpx.Request, partial: "_PartialReply") -> Reply:
        home = _origin(request.url)
        for _ in range(_MOST_REDIRECTS + 1):
            partial.refusal = None
            reply = await self._exchange(pool, request, partial)
            target = reply.headers.get("location")
            if reply.status not in _REDIRECTS or target is None:
                return reply
            request = _redirected(request, target, home)
        raise _bad_redirect(f"it redirects more than {_MOST_REDIRECTS} times")

    async def _exchange(
        self, pool: httpx.AsyncHTTPTransport, request: httpx.Request, partial: "_PartialReply"
    ) -> Reply:
        limits = self.limits
        request.extensions["timeout"] = {
            "connect": limits.connect_seconds,
            "read": limits.read_seconds,
            "write": limits.read_seconds,
            "pool": limits.connect_seconds,
        }
        response = await pool.handle_async_request(request)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            head = Reply(response.status_code, headers, b"")
            if request.method == "HEAD":
                return head
            if head.status < 300:
                return replace(head, body=await self._body(response, headers))
            partial.refusal = head
            return await self._with_refusal_body(head, response)
        finally:
            await response.aclose()

    async def _body(self, response: httpx.Response, headers: Mapping[str, str]) -> bytes:
        """The body of an answer. Raises ProviderError, `maybe_charged`, for one that cannot be read."""
        max_bytes = self.limits.max_bytes
        body = bytearray()
        try:
            async for piece in _unpacked(response.aiter_raw(), headers.get("content-encoding", ""), max_bytes):
                body += piece
                if len(body) > max_bytes:
                    raise _unreadable(f"the reply is larger than {max_bytes} bytes")
        except zlib.error:
            raise _unreadable("the reply cannot be unpacked") from None
        return bytes(body)

    async def _with_refusal_body(self, head: Reply, response: httpx.Response) -> Reply:
        """The refusal with as much of its body as arrives within two seconds and can be read."""
        body = bytearray()
        pieces = _unpacked(response.aiter_raw(), head.headers.get("content-encoding", ""), self.limits.max_bytes)
        with suppress(TimeoutError, httpx.HTTPError, zlib.error):
            async with asyncio.timeout(_REFUSAL_SECONDS):
                async for piece in pieces:
                    body += piece
                    if len(body) > self.limits.max_bytes:
                        break
        return replace(head, body=bytes(body))


def _tls(ca_file: Path | None = None) -> ssl.SSLContext:
    """The context that checks the certificates of servers; nothing switches it off."""
    checks = httpx.create_ssl_context(verify=True, trust_env=False)
    if ca_file is not None:
        try:
            checks.load_verify_locations(cafile=ca_file)
        except ssl.SSLError:
            raise ValueError(f"{ca_file} holds no certificate in PEM form") from None
        except OSError as error:
            raise ValueError(f"{ca_file} cannot be read ({error.strerror or type(error).__name__})") from None
    return checks


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


def _prepared(request: Request, user_agent: str) -> httpx.Request:
    if request.path and not request.path.startswith("/"):
        raise ProviderError("rejected", "the path of a request begins with /", retryable=False)
    headers = httpx.Headers({"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"})
    content: bytes | None = None
    if request.json is not None:
        content = orjson.dumps(request.json)
        headers["Content-Type"] = "application/json"
    elif request.form is not None:
        content = urlencode(request.form).encode("ascii")
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if not all(_is_header(value) for value in request.headers.values()):
        # Checked here: httpx would put the value, which may be the key, into its error.
        raise ProviderError("rejected", "the request cannot be written as HTTP", retryable=False)
    headers.update(request.headers)
    url = httpx.URL(request.base.rstrip("/") + request.path)
    if request.params:
        url = url.copy_merge_params(request.params)
    return httpx.Request(request.method, url, headers=headers, content=content)


def _is_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip()


def _redirected(request: httpx.Request, target: str, home: tuple[str, str, int | None]) -> httpx.Request:
    """The request that a redirect asks for. Only GET and HEAD follow one, and only to the same host."""
    if request.method not in {"GET", "HEAD"}:
        raise _bad_redirect(f"it redirects a {request.method}")
    try:
        url = request.url.join(target)
    except httpx.InvalidURL:
        raise _bad_redirect("it redirects to nowhere") from None
    if _origin(url) != home:
        raise _bad_redirect("it redirects to another host")
    kept = {name: value for name, value in request.headers.items() if name != "host"}
    return httpx.Request(request.method, url, headers=kept)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _timeout(message: str, *, maybe_charged: bool) -> ProviderError:
    return ProviderError("timeout", message, retryable=True, maybe_charged=maybe_charged)


def _unavailable(message: str, error: Exception, *, maybe_charged: bool) -> ProviderError:
    return ProviderError(
        "unavailable", f"{message} ({type(error).__name__})", retryable=True, maybe_charged=maybe_charged
    )


def _unreadable(message: str) -> ProviderError:
    return ProviderError("invalid_answer", message, retryable=False, maybe_charged=True)


def _bad_redirect(message: str) -> ProviderError:
    return ProviderError("invalid_answer", message, retryable=False)
