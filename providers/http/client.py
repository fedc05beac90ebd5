"""Requests to providers that end: bounded in time and size, to the provider's host alone, over checked TLS.

Built on httpx's connections without its client: no cookies that one organization's call could leave to another's, no
log lines with addresses (a key may stand in one), no settings taken from the environment.
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
_REFUSAL_SECONDS = 2.0  # for what is written under a refusal, whose status tells the most
_PACKED = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long (seconds) and how much (bytes, unpacked) a reply may take, and how many calls run at once."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0  # between two pieces of a reply
    whole_seconds: float = 20.0  # of one request
    look_up_seconds: float = 34.0  # of all requests of one look-up, less than a worker waits for it
    most_bytes: int = 2 * 1024 * 1024
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
        patience: Patience | None = None,
        user_agent: str = "auto-enrichment",
        ca_file: Path | None = None,
    ) -> None:
        self.development = development
        self.patience = patience or Patience()
        self._user_agent = user_agent
        self._pools: dict[str, httpx.AsyncHTTPTransport] = {}
        self._tls: ssl.SSLContext | None = None if ca_file is None else _tls(ca_file)

    async def send(self, provider_id: str, request: Request, *, within: float = math.inf) -> Reply:
        """The reply, whatever its status, `within` so many seconds or the usual ones, if those are fewer.

        Raises ProviderError as `providers.http.adapter.Http.send` says. A refusal whose body does not come is a reply
        without one: what it said by its status must not end as a call that may have been charged.
        """
        seconds, heard = min(within, self.patience.whole_seconds), _Heard()
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(self._pool(provider_id), _prepared(request, self._user_agent), heard)
        except TimeoutError:
            if heard.refusal is not None:
                return heard.refusal
            raise _timeout(f"no whole reply within {seconds:g} s", maybe_charged=True) from None
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            raise _timeout("no connection in time", maybe_charged=False) from None
        except httpx.TimeoutException:
            raise _timeout(f"no reply for {self.patience.read_seconds:g} s", maybe_charged=True) from None
        except (httpx.ConnectError, httpx.UnsupportedProtocol) as error:
            raise _unavailable("it cannot be connected to", error, maybe_charged=False) from None
        except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError):
            # Its text would show the header or address that is at fault, which may be the key.
            raise ProviderError("rejected", "the request cannot be written as HTTP", retryable=False) from None
        except httpx.HTTPError as error:
            raise _unavailable("the connection broke", error, maybe_charged=True) from None

    async def close(self) -> None:
        """Close every connection. The transport may be used again afterwards."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    def _pool(self, provider_id: str) -> httpx.AsyncHTTPTransport:
        pool = self._pools.get(provider_id)
        if pool is None:
            if self._tls is None:
                self._tls = _tls()
            limits = httpx.Limits(
                max_connections=self.patience.connections,
                max_keepalive_connections=self.patience.connections,
                keepalive_expiry=30.0,
            )
            pool = httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=limits)
            self._pools[provider_id] = pool
        return pool

    async def _follow(self, pool: httpx.AsyncHTTPTransport, request: httpx.Request, heard: "_Heard") -> Reply:
        home = _origin(request.url)
        for _ in range(_MOST_REDIRECTS + 1):
            heard.refusal = None
            reply = await self._one(pool, request, heard)
            target = reply.headers.get("location")
            if reply.status not in _REDIRECTS or target is None:
                return reply
            request = _redirected(request, target, home)
        raise _misled(f"it redirects more than {_MOST_REDIRECTS} times")

    async def _one(self, pool: httpx.AsyncHTTPTransport, request: httpx.Request, heard: "_Heard") -> Reply:
        patience = self.patience
        request.extensions["timeout"] = {
            "connect": patience.connect_seconds,
            "read": patience.read_seconds,
            "write": patience.read_seconds,
            "pool": patience.connect_seconds,
        }
        response = await pool.handle_async_request(request)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            told = Reply(response.status_code, headers, b"")
            if request.method == "HEAD":
                return told
            if told.status < 300:
                return replace(told, body=await self._body(response, headers))
            heard.refusal = told
            return await self._with_what_comes(told, response)
        finally:
            await response.aclose()

    async def _body(self, response: httpx.Response, headers: Mapping[str, str]) -> bytes:
        """The body of an answer. One that cannot be read was counted, maybe, all the same."""
        most = self.patience.most_bytes
        body = bytearray()
        try:
            async for piece in _unpacked(response.aiter_raw(), headers.get("content-encoding", ""), most):
                body += piece
                if len(body) > most:
                    raise _unreadable(f"the reply is larger than {most} bytes")
        except zlib.error:
            raise _unreadable("the reply cannot be unpacked") from None
        return bytes(body)

    async def _with_what_comes(self, told: Reply, response: httpx.Response) -> Reply:
        """A refusal with as much of its body as comes soon and can be read."""
        body = bytearray()
        pieces = _unpacked(response.aiter_raw(), told.headers.get("content-encoding", ""), self.patience.most_bytes)
        with suppress(TimeoutError, httpx.HTTPError, zlib.error):
            async with asyncio.timeout(_REFUSAL_SECONDS):
                async for piece in pieces:
                    body += piece
                    if len(body) > self.patience.most_bytes:
                        break
        return replace(told, body=bytes(body))


def _tls(ca_file: Path | None = None) -> ssl.SSLContext:
    """What checks the certificates of servers; nothing switches it off."""
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
class _Heard:
    """What is known of a reply before it is whole: that it is a refusal."""

    refusal: Reply | None = None


async def _unpacked(raw: AsyncIterator[bytes], encoding: str, most: int) -> AsyncIterator[bytes]:
    """The pieces of a body, unpacked bit by bit: a small one may stand for gigabytes.

    Raises zlib.error for an encoding that was not asked for, a body that ends early, or one of more than `most` bytes
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
    taken = 0
    async for piece in raw:
        taken += len(piece)
        if taken > most:
            raise zlib.error("too much")
        rest = piece
        while rest and not unpacker.eof:
            yield unpacker.decompress(rest, 64 * 1024)
            rest = unpacker.unconsumed_tail
    # What is still inside the unpacker is at most one window, which cannot be a bomb.
    while not unpacker.eof and taken:
        held = unpacker.decompress(b"", 64 * 1024)
        if not held:
            raise zlib.error("it ends early")
        yield held


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
        # Said here: further down the value, which may be the key, would be written to a log of faults.
        raise ProviderError("rejected", "the request cannot be written as HTTP", retryable=False)
    headers.update(request.headers)
    url = httpx.URL(request.base.rstrip("/") + request.path)
    if request.params:
        url = url.copy_merge_params(request.params)
    return httpx.Request(request.method, url, headers=headers, content=content)


def _is_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip()


def _redirected(request: httpx.Request, target: str, home: tuple[str, str, int | None]) -> httpx.Request:
    """The next request of a redirect. Only what changes nothing is repeated, and only where the key is known."""
    if request.method not in {"GET", "HEAD"}:
        raise _misled(f"it redirects a {request.method}")
    try:
        url = request.url.join(target)
    except httpx.InvalidURL:
        raise _misled("it redirects to nowhere") from None
    if _origin(url) != home:
        raise _misled("it redirects to another host")
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


def _misled(message: str) -> ProviderError:
    return ProviderError("invalid_answer", message, retryable=False)
