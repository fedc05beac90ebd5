"""How many frames a WebSocket may send, counted, and what becomes of one that does not read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from service.http import socket_connection
from tests.support.socket_client import served
from tests.support.waiting import PATIENCE_SECONDS, until

PING, PONG, TEXT = b"\x89\x80\0\0\0\0", b"\x8a\x80\0\0\0\0", b"\x81\x80\0\0\0\0"
PIECE_OF_TEXT, CONTINUED = b"\x01\x80\0\0\0\0", b"\x00\x80\0\0\0\0"
FLOOD = 50_000  # frames
MEBIBYTE = 1024 * 1024

_received: list[str] = []


async def _count(socket: WebSocket) -> None:
    await socket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            _received.append(await socket.receive_text())


async def _pour(socket: WebSocket) -> None:
    await socket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            await socket.send_text("x" * MEBIBYTE)


APP = Starlette(routes=[WebSocketRoute("/", _count), WebSocketRoute("/pour", _pour)])


@pytest.fixture
async def address() -> AsyncIterator[str]:
    _received.clear()
    async with served(APP) as port:
        yield f"ws://127.0.0.1:{port}"


@pytest.mark.parametrize("frames", [PING * FLOOD, PONG * FLOOD, TEXT * FLOOD, PIECE_OF_TEXT + CONTINUED * FLOOD])
async def test_a_flood_of_frames_ends_the_connection(address: str, frames: bytes) -> None:
    async with connect(address) as connection, asyncio.timeout(PATIENCE_SECONDS):
        with suppress(ConnectionError):
            connection.transport.write(frames)
        with suppress(ConnectionClosed):
            while True:
                await connection.recv()
    assert len(_received) < 2 * socket_connection.MOST_FRAMES


async def test_a_busy_client_is_not_ended(address: str) -> None:
    async with connect(address) as connection:
        for number in range(socket_connection.MOST_FRAMES // 2):
            await connection.send(str(number))
        await (await connection.ping())
        await until(lambda: len(_received) == socket_connection.MOST_FRAMES // 2)


async def test_frames_are_granted_again_with_time(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_connection, "MOST_FRAMES", 20)
    monkeypatch.setattr(socket_connection, "FRAMES_A_SECOND", 1_000_000.0)
    async with connect(address) as connection:
        for number in range(100):
            await connection.send(str(number))
            await asyncio.sleep(0.001)
        await until(lambda: len(_received) == 100)


async def test_a_client_that_does_not_read_is_dropped(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_connection, "UNREAD_SECONDS", 0.2)
    dropped = asyncio.Event()
    lost = socket_connection.SocketConnection.connection_lost

    def noted(self: socket_connection.SocketConnection, exc: Exception | None) -> None:
        dropped.set()
        lost(self, exc)

    monkeypatch.setattr(socket_connection.SocketConnection, "connection_lost", noted)
    async with connect(f"{address}/pour", max_size=None) as connection:
        connection.transport.pause_reading()
        await asyncio.wait_for(dropped.wait(), PATIENCE_SECONDS)
        connection.transport.abort()
