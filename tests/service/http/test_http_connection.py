"""What a client may send before it is understood, and how long it may take: counted in bytes and connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.http import http_connection
from service.http.http_connection import HEAD_BYTES
from tests.support.socket_client import served
from tests.support.waiting import PATIENCE_SECONDS

LONG = 4_000_000  # bytes
STREAM_BYTES = 20_000_000


async def _length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _big(_: Request) -> Response:
    return Response(b"x" * STREAM_BYTES)


APP = Starlette(routes=[Route("/", _length, methods=["GET", "POST"]), Route("/big", _big)])


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with served(APP) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield reader, writer
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return (await reader.readline()).strip()


async def _end(reader: asyncio.StreamReader) -> None:
    """Wait until the server has ended the connection."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            return


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * LONG, b"414"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * LONG, b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * (LONG // 6), b"431"),
        (b"\r\n" * (LONG // 2), b"431"),
        (b"a" * LONG, b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * (HEAD_BYTES + 10) + b"\r\n\r\n", b"431"),
        (b"GET /" + b"a" * (HEAD_BYTES + 10) + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\nX: " + b"a" * HEAD_BYTES + b"\r\n\r\n" + b"b" * 9, b"431"),
    ],
)
async def test_a_head_without_end_is_refused_and_the_refusal_can_be_read(sent: bytes, status: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(sent)
        assert status in await _answer(reader)


async def test_no_more_of_a_head_is_parsed_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = 0
    feed = HttpToolsProtocol.data_received

    def counted(self: HttpToolsProtocol, data: bytes) -> None:
        nonlocal parsed
        parsed += len(data)
        feed(self, data)

    monkeypatch.setattr(HttpToolsProtocol, "data_received", counted)
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"a" * LONG)
        await _answer(reader)
    assert parsed < 2 * HEAD_BYTES


async def test_a_head_within_the_bound_and_a_long_body_are_taken() -> None:
    async with connected() as (reader, writer):
        for _ in range(3):
            head = b"POST / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * (HEAD_BYTES - 1000)
            writer.write(head + b"\r\nContent-Length: %d\r\n\r\n" % LONG + b"b" * LONG)
            assert b"200" in await _answer(reader)
            assert (await reader.readuntil(b"%d" % LONG)).endswith(b"%d" % LONG)


async def test_many_requests_at_once_are_each_measured_by_themselves() -> None:
    async with connected() as (reader, writer):
        request = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1000 + b"\r\n\r\n"
        for _ in range(2 * HEAD_BYTES // 1000):
            writer.write(request)
        for _ in range(2 * HEAD_BYTES // 1000):
            assert b"200" in await _answer(reader)
            await reader.readuntil(b"\r\n\r\n0")


async def test_a_connection_that_says_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "HEAD_SECONDS", 0.05)
    async with connected() as (reader, _):
        await _end(reader)


async def test_a_head_that_drips_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "HEAD_SECONDS", 0.2)
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX: a")
        assert b"408" in await _answer(reader)


async def test_a_second_head_that_drips_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n0")
        monkeypatch.setattr(http_connection, "HEAD_SECONDS", 0.2)
        writer.write(b"\r\nGE")
        assert b"408" in await _answer(reader)


async def test_a_body_that_drips_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "BODY_SECONDS", 0.1)
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nab")
        await _end(reader)


async def test_an_answer_that_nobody_reads_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "ANSWER_SECONDS", 0.2)
    dropped = asyncio.Event()
    lost = http_connection.HttpConnection.connection_lost

    def noted(self: http_connection.HttpConnection, exc: Exception | None) -> None:
        dropped.set()
        lost(self, exc)

    monkeypatch.setattr(http_connection.HttpConnection, "connection_lost", noted)
    async with connected() as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined] # of the transport that sockets have
        writer.write(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await dropped.wait()


async def test_so_many_may_be_connected_and_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "MOST_CONNECTIONS", 2)
    async with served(APP) as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        assert b"503" in await _answer(opened[2][0])
        opened[0][1].write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200" in await _answer(opened[0][0])
        for _, writer in opened:
            writer.close()
