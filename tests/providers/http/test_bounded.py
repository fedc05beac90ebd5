"""Hostile replies over real sockets: each ends by what it has around its body or in pieces, beside an innocent task."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp.client_proto import ResponseHandler

from providers.api import ProviderError
from providers.http import bounded
from providers.http.client import HttpClient
from providers.http.request import Request

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Request]:
    """A server that answers one request by `answer`; the request for it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(ConnectionError):  # which is how the client ends it
            await answer(writer)
        writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listening:
        yield Request("GET", f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", "/")


def flood(head: bytes, piece: bytes, *, times: int, end: bytes = b"") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _ in range(times):
            writer.write(piece * 1000)
            await writer.drain()
        writer.write(end)
        await writer.drain()

    return answer


def dripping(pieces: int, size: int = 1) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"content-length: %d\r\n\r\n" % (pieces * size))
        for _ in range(pieces):
            writer.write(b" " * size)
            await writer.drain()
            await asyncio.sleep(0)

    return answer


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of each step in which replies are parsed."""
    parsed: list[int] = []
    before = ResponseHandler.data_received

    def data_received(self: ResponseHandler, data: bytes) -> None:
        if data:
            parsed.append(len(data))
        before(self, data)

    monkeypatch.setattr(ResponseHandler, "data_received", data_received)
    return parsed


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (flood(CHUNKED, b"1\r\nx\r\n", times=300), "around the body"),
        (flood(CHUNKED + b"1;", b"a=b;", times=500), "around the body"),
        (flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n", times=50), "16 interim responses"),
        (flood(b"", b"HTTP/1.1 103 Early Hints\r\na: " + b"x" * 8000 + b"\r\n\r\n", times=1), "around the body"),
        (flood(OK, b"a: " + b"x" * 20_000 + b"\r\n", times=1), "around the body"),
    ],
    ids=["one-byte chunks", "extensions of a chunk", "interim responses", "large interim heads", "a large head"],
)
async def test_what_stands_around_a_body_is_bounded_and_parsed_in_small_steps(
    transport: HttpClient, steps: list[int], answer: Answer, named: str
) -> None:
    async with serving(answer) as request:
        with pytest.raises(ProviderError) as refusal:
            await transport.send("acme", request)
    assert (refusal.value.code, refusal.value.retryable, refusal.value.maybe_charged) == ("invalid_answer", False, True)
    assert named in refusal.value.message
    assert max(steps) <= bounded.STEP_BYTES
    assert sum(steps) <= bounded.MOST_AROUND + 256 * 1024 + bounded.STEP_BYTES  # with one read of the loop


async def test_a_reply_in_too_many_pieces_ends_though_it_is_small(transport: HttpClient, steps: list[int]) -> None:
    async with serving(dripping(60_000)) as request:
        with pytest.raises(ProviderError) as refusal:
            await transport.send("acme", request)
    assert "1000 pieces of less than 64 bytes" in refusal.value.message
    assert len(steps) <= bounded.MOST_SMALL + 100


async def test_a_reply_in_too_many_pieces_ends_whatever_their_size(transport: HttpClient) -> None:
    async with serving(dripping(30_000, bounded.SMALL_BYTES)) as request:
        with pytest.raises(ProviderError) as refusal:
            await transport.send("acme", request)
    assert refusal.value.code == "invalid_answer"


async def test_others_go_on_beside_a_hostile_reply(transport: HttpClient) -> None:
    """An innocent task gets its turn between the pieces of a flood: counted in turns, not in time."""
    turns = 0

    async def innocent() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(innocent())
    async with serving(dripping(60_000)) as request:
        with pytest.raises(ProviderError):
            await transport.send("acme", request)
    beside.cancel()
    assert turns > bounded.MOST_SMALL / 4


async def test_an_honest_reply_in_many_chunks_with_interim_responses_is_read(transport: HttpClient) -> None:
    body = json.dumps({"pages": ["x" * 50] * 6_000}).encode()
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part) for part in (body[n : n + 100] for n in range(0, len(body), 100))
    )
    head = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 3 + CHUNKED

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head + chunks + b"0\r\n\r\n")
        await writer.drain()

    roomy = HttpClient(development=True)
    async with serving(answer) as request:
        reply = await roomy.send("acme", request)
    await roomy.close()
    assert reply.body == body


async def test_a_kept_connection_counts_each_reply_by_itself(transport: HttpClient) -> None:
    head = OK + b"a: " + b"x" * 20_000 + b"\r\ncontent-length: 2\r\n\r\n{}"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(6):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
        writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listening:
        request = Request("GET", f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", "/")
        for _ in range(6):
            assert (await transport.send("acme", request)).json() == {}
