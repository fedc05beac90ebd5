"""Answers in the coding that the client likes best, and request bodies that come in one.

A small answer is sent as it is, and so is one with a strong `ETag`, which stands for these bytes, and a stream of
events, each of which is to be seen at once. What takes long to
pack is packed in a thread; where the threads are busy already the answer is sent as it is, so that packing never takes
more of the machine than they have.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resolvers.errors import BadRequest, PayloadTooLarge
from service.http.codings import CODINGS, Packer, Spoiled, TooLarge, accepted_coding, known_coding, pack, packer, unpack

SMALLEST = 1_000  # bytes of an answer that is packed
LONG = 64 * 1024  # bytes that take more than a millisecond, and are packed and unpacked beside the loop
MOST_THREADS = 2
_PACKABLE = ("application/json", "application/problem+json", "application/graphql-response+json", "image/svg+xml")
_STREAM = "text/event-stream"


class CompressionMiddleware:
    """Packs answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._threads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        coding = accepted_coding(_header(scope, b"accept-encoding")) if scope["type"] == "http" else None
        await self._app(scope, receive, send if coding is None else _Answer(self, coding, send).send)

    async def pack(self, coding: str, body: bytes) -> bytes | None:
        """The packed body; None where it is long and all threads are busy."""
        if len(body) < LONG:
            return pack(coding, body)
        if self._threads >= MOST_THREADS:
            return None
        self._threads += 1
        try:
            return await asyncio.to_thread(pack, coding, body)
        finally:
            self._threads -= 1


class _Answer:
    """One answer, whose beginning is held back until its first piece says whether it is packed."""

    def __init__(self, middleware: CompressionMiddleware, coding: str, send: Send) -> None:
        self._middleware = middleware
        self._coding = coding
        self._send = send
        self._start: Message | None = None
        self._packing: Packer | None = None  # of an answer in several pieces

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _may_be_packed(message):
            self._start = message
        elif message["type"] != "http.response.body":
            await self._send(message)
        elif self._start is not None:
            start, self._start = self._start, None
            await self._begin(start, message)
        elif self._packing is not None:
            await self._send(_next_piece(self._packing, message))
        else:
            await self._send(message)

    async def _begin(self, start: Message, first: Message) -> None:
        body: bytes = first.get("body", b"")
        headers = MutableHeaders(raw=list(start["headers"]))
        headers.add_vary_header("Accept-Encoding")
        if first.get("more_body", False):
            self._packing = packer(self._coding)
            first = _next_piece(self._packing, first)
            del headers["content-length"]
            headers["content-encoding"] = self._coding
        elif len(body) >= SMALLEST:
            packed = await self._middleware.pack(self._coding, body)
            if packed is not None and len(packed) < len(body):
                first = {**first, "body": packed}
                headers["content-length"] = str(len(packed))
                headers["content-encoding"] = self._coding
        await self._send({**start, "headers": headers.raw})
        await self._send(first)


def _may_be_packed(start: MutableMapping[str, Any]) -> bool:
    headers = {name.lower(): value for name, value in start.get("headers", ())}
    kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()
    is_text = kind in _PACKABLE or (kind.startswith("text/") and kind != _STREAM)
    is_plain = b"content-encoding" not in headers and headers.get(b"etag", b"W/").startswith(b"W/")
    return is_text and is_plain and start["status"] not in {204, 206, 304}


def _next_piece(packing: Packer, message: Message) -> Message:
    piece = packing.compress(message.get("body", b""))
    if not message.get("more_body", False):
        piece += packing.flush()
    return {**message, "body": piece}


class PackedBodyMiddleware:
    """Unpacks request bodies, of which the limit counts too once they are unpacked."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = _header(scope, b"content-encoding") if scope["type"] == "http" else ""
        if named.strip().lower() in {"", "identity"}:
            await self._app(scope, receive, send)
            return
        coding = known_coding(named)
        if coding is None:
            accepted = ", ".join(CODINGS)
            refusal = f"a body may come in one of the codings {accepted}"
            raise HTTPException(415, refusal, {"Accept-Encoding": accepted})
        headers = [header for header in scope["headers"] if header[0] not in {b"content-encoding", b"content-length"}]
        await self._app({**scope, "headers": headers}, self._unpacked(coding, receive), send)

    def _unpacked(self, coding: str, receive: Receive) -> Receive:
        given = False

        async def once() -> Message:
            nonlocal given
            if given:
                return await receive()
            packed = bytearray()
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return message
                packed += message.get("body", b"")
                if not message.get("more_body", False):
                    break
            given = True
            return {"type": "http.request", "body": await self._unpack(coding, bytes(packed)), "more_body": False}

        return once

    async def _unpack(self, coding: str, body: bytes) -> bytes:
        try:
            return await asyncio.to_thread(unpack, coding, body, self._max_bytes)
        except Spoiled as fault:
            raise BadRequest(f"the body is {fault}") from fault
        except TooLarge as fault:
            message = f"a request body may have {self._max_bytes} bytes at most once it is unpacked"
            raise PayloadTooLarge(message, maxBytes=self._max_bytes) from fault


def _header(scope: Scope, name: bytes) -> str:
    """A header of the request, empty where there is none; of several all, with commas."""
    return ", ".join(value.decode("latin-1") for known, value in scope["headers"] if known == name)
