"""The Python client waits as a limit says, and sends the request again, with a token that is good then."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any, cast

import httpx
import pytest
from auto_enrichment_client import connect, connect_async, live_events
from auto_enrichment_client.waiting import MOST_SECONDS, WaitingAsyncClient, WaitingClient, pause_of

from tests.support.waiting import until


class Service:
    """Answers so many requests with 429, and those after them with 200."""

    def __init__(self, refusals: int, retry_after: str = "0") -> None:
        self.bodies: list[bytes] = []
        self._refusals = refusals
        self._retry_after = retry_after

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.content)
        refused = len(self.bodies) <= self._refusals
        return httpx.Response(429 if refused else 200, headers={"Retry-After": self._retry_after})


def test_a_refused_request_is_sent_again_as_it_was() -> None:
    service = Service(2)
    with WaitingClient(transport=httpx.MockTransport(service)) as client:
        assert client.post("http://test/graphql", json={"query": "{a}"}).status_code == 200
    assert service.bodies == [b'{"query":"{a}"}'] * 3


async def test_so_it_is_for_asyncio() -> None:
    service = Service(2)
    async with WaitingAsyncClient(transport=httpx.MockTransport(service)) as client:
        assert (await client.post("http://test/graphql", json={"query": "{a}"})).status_code == 200
    assert service.bodies == [b'{"query":"{a}"}'] * 3


def test_nobody_waits_for_longer_than_the_bound() -> None:
    service = Service(9, retry_after=str(int(MOST_SECONDS) + 1))
    with WaitingClient(transport=httpx.MockTransport(service)) as client:
        assert client.get("http://test/").status_code == 429
    assert len(service.bodies) == 1


@pytest.mark.parametrize(
    ("status", "headers", "pause"),
    [(429, {"Retry-After": "7"}, 7.0), (429, {}, 5.0), (429, {"Retry-After": "soon"}, 5.0), (503, {}, None)],
)
def test_the_pause_is_as_the_service_says(status: int, headers: dict[str, str], pause: float | None) -> None:
    assert pause_of(status, headers) == pause


def test_the_clients_that_are_set_up_wait() -> None:
    with connect("http://test", "token") as client:
        assert isinstance(client.http_client, WaitingClient)
    assert isinstance(asyncio.run(_async_http_client()), WaitingAsyncClient)


async def _async_http_client(**options: Any) -> Any:
    async with connect_async("http://test", "token", **options) as client:
        return client.http_client


def test_the_clients_that_are_set_up_give_an_answer_a_minute_or_as_long_as_wanted() -> None:
    for options, seconds in (({}, 60.0), ({"timeout": 7.0}, 7.0)):
        with connect("http://test", "token", **options) as client:
            assert cast("httpx.Client", client.http_client).timeout == httpx.Timeout(seconds)
        assert asyncio.run(_async_http_client(**options)).timeout == httpx.Timeout(seconds)


PIPELINE = {"id": "pipeline", "paused": False, "pending": 0, "inProgress": 0} | dict.fromkeys(
    ("pausedAt", "pausedBy", "reason", "oldestPendingAt")
)


class LimitedOnce(BaseHTTPRequestHandler):
    """Refuses the first request, and answers those after it with a pipeline; keeps who called."""

    protocol_version = "HTTP/1.1"
    callers: list[str | None]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.callers.append(self.headers["Authorization"])
        body = json.dumps({"data": {"pipeline": PIPELINE}}).encode()
        self.send_response(429 if len(self.callers) == 1 else 200)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def limited_once() -> Iterator[tuple[str, list[str | None]]]:
    """The address of such a service, and who called it."""
    callers: list[str | None] = []
    handler = type("Handler", (LimitedOnce,), {"callers": callers})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", callers
        finally:
            server.shutdown()
            thread.join()


TOKENS = ["Bearer 1", "Bearer 2", "Bearer 3"]


def numbered() -> Callable[[], str]:
    numbers = count(1)
    return lambda: str(next(numbers))


@pytest.mark.parametrize(("token", "named"), [("a", ["Bearer a"] * 3), (None, TOKENS)])
def test_a_token_is_a_text_or_taken_anew_for_each_request(token: str | None, named: list[str]) -> None:
    with limited_once() as (url, callers), connect(url, token or numbered()) as client:
        client.get_pipeline()
        client.get_pipeline()
    assert callers == named


async def test_so_it_is_for_the_client_for_asyncio() -> None:
    with limited_once() as (url, callers):
        async with connect_async(url, numbered()) as client:
            await client.get_pipeline()
            await client.get_pipeline()
    assert callers == TOKENS


async def test_the_feed_waits_for_no_longer_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auto_enrichment_client.feed.MOST_SECONDS", 0.01)
    connections = 0

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        first = asyncio.ensure_future(anext(live_events(url, lambda: "token")))
        await until(lambda: connections >= 3)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
