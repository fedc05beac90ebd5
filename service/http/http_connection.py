"""One client's HTTP connection: how much it may send before it is understood, and how long it may take.

uvicorn reads a request line and headers of any length, for as long as a client likes, and keeps what nobody reads.
"""

import asyncio
import resource
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from service.http.cross_origin import readable_by_pages

HEAD_BYTES = 64 * 1024  # of a request line and its headers, in all
HEAD_SECONDS = 15.0  # for a head, from the connection's beginning or its first byte
BODY_SECONDS = 120.0  # for a body
ANSWER_SECONDS = 60.0  # for which an answer may wait for its reader
MOST_CONNECTIONS = 5_000
_PIECE = 16 * 1024  # bytes that the parser is given at once
_AROUND = 4  # bytes beside a header's name and value
_LINGER_SECONDS = 2.0  # for which what comes after a refusal is thrown away, so that the client can read it
_FILES_SPARED = 4  # one part in so many of the files that a process may open is for other things than connections


class HttpConnection(HttpToolsProtocol):
    """uvicorn's, within bounds: 414 or 431 over HEAD_BYTES, 408 after HEAD_SECONDS, 503 over the connections.

    `allowed_origins`: pages that may read these refusals.
    """

    allowed_origins: tuple[str, ...] = ()
    is_leaving = False  # the process: each connection ends with its next answer

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self._in_head = True  # of a request, or before it
        self._begun = False  # a request, of which not all has come
        self._turned = False  # a head or a body was completed by the piece being read
        self._head_bytes = 0
        self._refused = False
        self._is_too_long = False  # the head that is complete
        self._clock: asyncio.TimerHandle | None = None  # runs while a head or a body is waited for
        self._unread: asyncio.TimerHandle | None = None  # runs while an answer waits for its reader

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._clock = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            if self._refused or self.transport.is_closing():
                return
            piece = data[start : start + _PIECE]
            self._turned = False
            super().data_received(piece)
            if self.transport.get_protocol() is not self:  # a WebSocket from here on
                self._stop_clock()
                return
            self._measure(len(piece))

    def on_message_begin(self) -> None:
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._turned = False, True
        if len(self.url) + sum(len(name) + len(value) + _AROUND for name, value in self.headers) > HEAD_BYTES:
            self._is_too_long = True
            raise ValueError("the head is over its bound")  # which stops the parser
        super().on_headers_complete()
        if self.is_leaving:
            self.end_with_answer()

    def end_with_answer(self) -> None:
        """Let the answer to the request under way, if it has not begun, be the connection's last, and say so."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_started:
            cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        if self._is_too_long:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def on_message_complete(self) -> None:
        self._in_head, self._turned, self._begun = True, True, False
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting_for_reader()

    def _measure(self, received: int) -> None:
        """Count what was read of a head that is not complete, and see that a clock runs for what is waited for."""
        if self._refused:
            return
        if self._turned:
            self._head_bytes = 0
            self._stop_clock()
        elif self._in_head:
            self._head_bytes += received
            if self._head_bytes > HEAD_BYTES:
                self._refuse_head()
                return
        if self._clock is None and (self._begun or not self._turned):
            self._clock = self.loop.call_later(HEAD_SECONDS if self._in_head else BODY_SECONDS, self._too_slow)

    def _too_slow(self) -> None:
        if self._in_head and self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.abort()

    def _refuse_head(self) -> None:
        is_line = len(self.url) > HEAD_BYTES - 2 * _PIECE
        self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG if is_line else HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer, and throw away for a while what is still sent: a connection that is cut takes the answer with it."""
        self._refused = True
        self._stop_clock()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self.transport.abort()  # another request of this connection is being answered
            return
        text = status.phrase.encode()
        head = b"content-type: text/plain; charset=utf-8\r\nretry-after: 5\r\nconnection: close\r\n"
        pages = readable_by_pages(self.allowed_origins, self.headers)
        head += b"".join(b"%s: %s\r\n" % header for header in pages)
        length = f"content-length: {len(text)}\r\n\r\n".encode()
        self.transport.write(STATUS_LINE[status] + head + length + text)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._clock = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _stop_waiting_for_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def most_connections() -> int:
    """How many clients may be connected at once: MOST_CONNECTIONS, and fewer where the process may open few files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, files - files // _FILES_SPARED)
