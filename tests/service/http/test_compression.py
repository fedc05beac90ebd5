"""Which answers are packed, what they then say of themselves, and that packed requests are read within the limit."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from resolvers.errors import OperationError
from service.app import answer_http_error
from service.http.codings import ZSTD, pack
from service.http.compression import LONG, MOST_THREADS, SMALLEST, CompressionMiddleware, PackedBodyMiddleware
from service.http.errors import answer_problem
from service.http.middleware import BodyLimitMiddleware, ProblemMiddleware

LIMIT = 10_000
TEXT = b"0123456789" * SMALLEST


async def _answer(request: Request) -> Response:
    size = int(request.query_params.get("size", SMALLEST))
    kind = request.query_params.get("type", "application/json")
    headers = {"ETag": request.query_params["tag"]} if "tag" in request.query_params else {}
    return Response((TEXT * (size // len(TEXT) + 1))[:size], headers=headers, media_type=kind)


async def _pieces(request: Request) -> Response:
    async def content() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield TEXT

    return StreamingResponse(content(), media_type=request.query_params["type"])


async def _echo(request: Request) -> Response:
    return Response(await request.body(), headers={"Sent": request.headers.get("content-encoding", "plain")})


def _app() -> Starlette:
    return Starlette(
        routes=[Route("/", _answer), Route("/pieces", _pieces), Route("/echo", _echo, methods=["POST"])],
        middleware=[
            Middleware(CompressionMiddleware),
            Middleware(ProblemMiddleware),
            Middleware(BodyLimitMiddleware, max_bytes=LIMIT),
            Middleware(PackedBodyMiddleware, max_bytes=LIMIT),
        ],
        exception_handlers={OperationError: answer_problem, Exception: answer_http_error},
    )


@asynccontextmanager
async def _client(accepted: str = "gzip") -> AsyncIterator[httpx.AsyncClient]:
    transport, headers = httpx.ASGITransport(_app()), {"Accept-Encoding": accepted}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


async def test_an_answer_comes_in_the_coding_that_is_liked_best() -> None:
    async with _client("gzip, zstd;q=0.5") as client:
        answer = await client.get("/", params={"tag": 'W/"3"'})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) < SMALLEST
    assert answer.content == TEXT[:SMALLEST]


@pytest.mark.parametrize(
    "query",
    [f"size={SMALLEST - 1}", 'tag="3"', "type=image/png", "type=text/event-stream", "type=application/octet-stream"],
)
async def test_what_gains_nothing_is_sent_as_it_is(query: str) -> None:
    async with _client() as client:
        answer = await client.get(f"/?{query}")
    assert "content-encoding" not in answer.headers


async def test_who_accepts_no_coding_gets_none() -> None:
    async with _client("identity") as client:
        answer = await client.get("/")
    assert "content-encoding" not in answer.headers


async def test_an_answer_in_pieces_is_packed_piece_by_piece_and_events_are_not() -> None:
    async with _client() as client:
        text = await client.get("/pieces?type=text/plain")
        events = await client.get("/pieces?type=text/event-stream")
    assert (text.headers["content-encoding"], text.content) == ("gzip", TEXT * 3)
    assert ("content-encoding" in events.headers, events.content) == (False, TEXT * 3)


async def test_long_answers_are_packed_in_threads_and_sent_as_they_are_where_all_are_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release, begun = asyncio.Event(), 0

    async def thread(*_: object) -> bytes:
        nonlocal begun
        begun += 1
        await release.wait()
        return b"packed"

    middleware = CompressionMiddleware(_app())
    monkeypatch.setattr(asyncio, "to_thread", thread)
    busy = [asyncio.create_task(middleware.pack("gzip", bytes(LONG))) for _ in range(MOST_THREADS)]
    await asyncio.sleep(0)
    assert await middleware.pack("gzip", bytes(LONG)) is None
    assert await middleware.pack("gzip", bytes(LONG - 1)) is not None
    release.set()
    assert await asyncio.gather(*busy) == [b"packed"] * MOST_THREADS
    assert await middleware.pack("gzip", bytes(LONG)) == b"packed"
    assert begun == MOST_THREADS + 1


@pytest.mark.parametrize("coding", ["gzip", "zstd", "X-GZIP"])
async def test_a_packed_request_is_read(coding: str) -> None:
    packed = pack(ZSTD, TEXT) if coding == "zstd" else gzip.compress(TEXT)
    async with _client() as client:
        answer = await client.post("/echo", content=packed, headers={"Content-Encoding": coding})
    assert (answer.content, answer.headers["sent"]) == (TEXT, "plain")


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("br", b"what", 415),
        ("gzip, gzip", gzip.compress(gzip.compress(b"what")), 415),
        ("gzip", b"what", 400),
        ("gzip", gzip.compress(bytes(LIMIT + 1)), 413),
        ("zstd", pack(ZSTD, bytes(200_000_000)), 413),
    ],
    ids=["unknown", "twice", "spoiled", "large", "very large"],
)
async def test_a_packed_request_that_cannot_be_taken_is_refused(coding: str, body: bytes, status: int) -> None:
    async with _client() as client:
        answer = await client.post("/echo", content=body, headers={"Content-Encoding": coding})
    assert answer.status_code == status
    assert answer.json()["code"] in {"UNSUPPORTED_MEDIA_TYPE", "BAD_REQUEST", "PAYLOAD_TOO_LARGE"}
    if status == 415:
        assert answer.headers["accept-encoding"] == "zstd, gzip"
