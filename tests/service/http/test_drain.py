"""An API process that ends loses no request: of kept connections, nor of those that were just begun."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from resolvers.context import Caller, Role
from service.http.drain import begin_no_more
from service.http.event_stream import stream
from service.http.server import Server, build_server, listen
from service.installation_settings import load_settings
from service.settings import DRAIN_SECONDS, Environment, Settings
from tests.support.waiting import until

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LONG = 600  # seconds: never reached


async def _without_end() -> AsyncGenerator[bytes]:
    yield b"begun"
    await asyncio.Event().wait()


async def _stream(_: Request) -> Response:
    return stream(Caller("acme", "ann", Role.VIEWER), _without_end())


async def _hello(_: Request) -> Response:
    return PlainTextResponse("hello")


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[tuple[Server, int, asyncio.Task[None]]]:
    chosen = Settings(port=0, **settings)
    listening = listen(chosen)
    server = build_server(Starlette(routes=[Route("/", _hello), Route("/stream", _stream)]), chosen)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    try:
        yield server, listening.getsockname()[1], task
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


async def _ask(reader: StreamReader, writer: StreamWriter) -> bytes:
    writer.write(ASK)
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(len("hello"))


async def test_a_kept_connection_has_one_more_answer_that_says_it_is_the_last() -> None:
    async with serving(drain_seconds=LONG) as (server, port, task):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert b"connection: close" not in await _ask(reader, writer)
        begun = await asyncio.open_connection("127.0.0.1", port)
        server.should_exit = True
        await until(lambda: not any(each.is_serving() for each in server.servers))
        for kept in ((reader, writer), begun):
            assert b"connection: close" in await _ask(*kept)
            assert await kept[0].read() == b""
            kept[1].close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await task  # nobody is connected: no need to wait longer


@pytest.mark.parametrize("drain_seconds", [0, LONG])
async def test_a_stream_ends_when_its_process_does(drain_seconds: int) -> None:
    async with serving(drain_seconds=drain_seconds, shutdown_seconds=LONG) as (server, port, task):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK.replace(b"GET /", b"GET /stream"))
        await reader.readuntil(b"begun")
        server.should_exit = True
        assert (await reader.read()).endswith(b"0\r\n\r\n")  # whole, and not broken off
        writer.close()
        await task


async def test_a_second_signal_ends_the_wait() -> None:
    async with serving(drain_seconds=LONG) as (server, port, task):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        server.should_exit = True
        await until(lambda: not any(each.is_serving() for each in server.servers))
        server.force_exit = True
        await task
        writer.close()
        assert await reader.read() == b""


def test_what_was_begun_before_arrives_and_nothing_is_begun_after() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.socket() as late,
        socket.create_connection(listening.getsockname()) as early,
    ):
        begin_no_more([listening])
        late.setblocking(False)
        late.connect_ex(listening.getsockname())
        early.sendall(b"x")
        accepted, address = listening.accept()
        with accepted:
            assert address == early.getsockname()
            assert accepted.recv(1) == b"x"
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_only_production_waits_unless_told() -> None:
    chosen = load_settings()
    assert chosen.seconds_to_drain == 0
    assert chosen.model_copy(update={"environment": Environment.PRODUCTION}).seconds_to_drain == DRAIN_SECONDS
    assert load_settings(drain_seconds=9).seconds_to_drain == 9
