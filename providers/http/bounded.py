"""Connections whose replies are bounded in reads, in interim responses and in the bytes around their body.

aiohttp bounds single lines of a head. It takes any number of interim responses (1xx), chunks of one byte, trailers and
extensions of chunks, each of which costs its loop more than it costs who sends it.
"""

import asyncio
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

STEP_BYTES = 16 * 1024  # that are parsed between two looks at the bounds
MOST_INTERIM = 16  # interim responses before a reply
MOST_AROUND = 64 * 1024  # bytes of a reply that are not its body: heads, frames of chunks, trailers
MOST_READS = 4_000  # pieces in which a reply arrives; two megabytes are 1,400 packets
SMALL_BYTES = 64  # of a piece that costs more to read than it brings
MOST_SMALL = 1_000  # such pieces


class ReplyTooLong(aiohttp.ClientPayloadError):
    """A reply of which there is more around its body, or in more pieces, than any honest one needs."""


class BoundedReply(ResponseHandler):
    """One connection. A reply that goes beyond a bound ends it, and fails with ReplyTooLong."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._received = self._reads = self._small = self._interim = 0
        self._ended = False

    def set_response_params(self, **params: Any) -> None:
        """A new request: its reply is counted from here."""
        self._received = self._reads = self._small = self._interim = 0
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """What one read brought, parsed step by step, so that a bound is noticed before all of it is parsed."""
        self._reads += bool(data)
        self._small += 0 < len(data) < SMALL_BYTES
        for start in range(0, len(data) or 1, STEP_BYTES):
            if self._ended:
                return
            step = data[start : start + STEP_BYTES]
            self._received += len(step)
            super().data_received(step)
            self._check()

    def _check(self) -> None:
        if self._reads > MOST_READS:
            self._end(f"more than {MOST_READS} pieces")
        elif self._small > MOST_SMALL:
            self._end(f"more than {MOST_SMALL} pieces of less than {SMALL_BYTES} bytes")
        # While its reader is behind, aiohttp holds back what it has not parsed, so that nobody knows yet what it is.
        elif not self._reading_paused and self._received - self._of_body() > MOST_AROUND:
            self._end(f"more than {MOST_AROUND} bytes around the body")

    def feed_data(self, data: Any, size: int = 0) -> None:
        """One head that aiohttp has parsed."""
        if 100 <= data[0].code < 200 and data[0].code != 101:
            self._interim += 1
            if self._interim == MOST_INTERIM + 1:
                self._end(f"more than {MOST_INTERIM} interim responses")
            if self._interim > MOST_INTERIM:
                return
        super().feed_data(data, size)

    def _of_body(self) -> int:
        return 0 if self._payload is None else getattr(self._payload, "total_bytes", 0)

    def _end(self, fault: str) -> None:
        self._ended = True
        error = ReplyTooLong(fault)
        payload, transport = self._payload, self.transport
        self.set_exception(error)
        if payload is not None and not payload.is_eof():
            payload.set_exception(error)
        if transport is not None:
            transport.abort()


def bounded_connector(**options: Any) -> aiohttp.TCPConnector:
    """A connector whose connections are bounded."""
    connector = aiohttp.TCPConnector(**options)
    connector._factory = partial(_bounded, loop=asyncio.get_running_loop())
    return connector


def _bounded(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return BoundedReply(loop)
