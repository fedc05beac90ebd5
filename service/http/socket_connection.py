"""One client's WebSocket: how many frames it may send in a time, and how long it may leave unread what it is sent.

A frame costs the loop some ten microseconds whatever is in it, and a client without a token can send them without
pause. uvicorn and websockets bound the size of a message, not the number of frames.

A message to many is written to each connection directly (`write_text`): an application finds its own under CONNECTION
in the extensions of its scope. The way of ASGI costs more than the message itself.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

MOST_FRAMES = 2_000  # at once
FRAMES_A_SECOND = 200.0
UNREAD_SECONDS = 60.0  # for which what was sent may wait for its reader
CONNECTION = "auto_enrichment.connection"
_TEXT = 0x81  # a text message in one frame
_PIECE = 4 * 1024  # bytes that the parser is given at once: some hundred of the smallest frames


class SocketConnection(WebSocketsSansIOProtocol):
    """uvicorn's, within bounds: closed with 1008 over its frames, and dropped where it does not read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._frames_left = float(MOST_FRAMES)
        self._counted_at = self.loop.time()
        self._unread: asyncio.TimerHandle | None = None
        self.when_writable: set[Callable[[], None]] = set()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[CONNECTION] = self

    def write_text(self, content: bytes) -> bool:
        """Send a text message, in UTF-8, now. False: it is not sent, because the client is behind in reading or leaves.

        `when_writable` are called once it has read.
        """
        if not self.writable.is_set() or self.close_sent or self.disconnected or self.transport.is_closing():
            return False
        self.transport.write(_head(len(content)) + content)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + _PIECE])

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting_for_reader()
        for continue_writing in list(self.when_writable):
            continue_writing()

    def handle_text(self, event: Frame) -> None:
        if self._may_send():
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        if self._may_send():
            super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        if self._may_send():
            super().handle_cont(event)

    def handle_ping(self) -> None:
        if self._may_send():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if self._may_send():
            super().handle_pong(event)

    def _may_send(self) -> bool:
        """Count a frame. False, and the connection is closed, where they are too many."""
        now = self.loop.time()
        self._frames_left = min(self._frames_left + (now - self._counted_at) * FRAMES_A_SECOND, float(MOST_FRAMES)) - 1
        self._counted_at = now
        if self._frames_left >= 0:
            return True
        if not self.transport.is_closing():
            self.queue.put_nowait({"type": "websocket.disconnect", "code": int(CloseCode.POLICY_VIOLATION)})
            self.conn.fail(CloseCode.POLICY_VIOLATION, "too many messages")
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.transport.close()
        return False

    def _stop_waiting_for_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def _head(length: int) -> bytes:
    """What comes before a text message of so many bytes (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((_TEXT, length))
    if length < 1 << 16:
        return bytes((_TEXT, 126)) + length.to_bytes(2)
    return bytes((_TEXT, 127)) + length.to_bytes(8)
