"""A message goes to an address that was checked as its connection was opened, and nothing of the answer is followed."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from models.webhook.kinds import WebhookFault
from resolvers.webhook.rules import WebhookRules
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.webhook_receiver import HERE, Receiver, receiver
from workers.webhook import connections as connections_module
from workers.webhook.connections import Connections
from workers.webhook.sent import Sent


@pytest.fixture
async def at() -> AsyncIterator[Receiver]:
    async with receiver() as at:
        yield at


@pytest.fixture
async def connections() -> AsyncIterator[Connections]:
    opened = Connections(WebhookRules(allowed=HERE))
    yield opened
    await opened.close()


@pytest.fixture
async def public() -> AsyncIterator[Connections]:
    """Connections of an installation that names no network of its own."""
    opened = Connections(WebhookRules())
    yield opened
    await opened.close()


async def post(connections: Connections, url: str) -> Sent:
    return await connections.send(url, {"webhook-id": "evt_1"}, b'{"kind":"webhook.test"}')


async def test_a_message_arrives_whole(connections: Connections, at: Receiver) -> None:
    assert await post(connections, at.url) == Sent(200, None)
    [got] = at.received
    assert (got.body, got.id, got.headers["content-type"]) == (b'{"kind":"webhook.test"}', "evt_1", "application/json")
    assert "accept-encoding" not in got.headers


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1", "0x7f000001", "2130706433", "0"])
async def test_loopback_is_refused_however_it_is_written(
    public: Connections, at: Receiver, host: str, scheme: str
) -> None:
    port = at.url.split(":")[2]
    sent = await post(public, f"{scheme}://{host}:{port}")
    assert sent.fault in {WebhookFault.ADDRESS_REFUSED, WebhookFault.CONNECTION}  # some spellings are no names
    assert at.received == []


async def test_a_name_is_looked_at_where_it_is_connected_to(
    public: Connections, at: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first answer was a public address, for who asked before; what it answers now is connected to, and counts."""
    port = int(at.url.split(":")[2].split("/")[0])
    answers = iter(["93.184.216.34", "127.0.0.1", "::ffff:127.0.0.1"])

    def rebinding(*_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert socket.getaddrinfo("hooks.example.com", port)[0][4][0] == "93.184.216.34"
    assert (await post(public, f"https://hooks.example.com:{port}/")).fault is WebhookFault.ADDRESS_REFUSED
    assert (await post(public, f"https://other.example.com:{port}/")).fault is WebhookFault.ADDRESS_REFUSED
    assert at.received == []


async def test_no_redirect_is_followed(connections: Connections, at: Receiver) -> None:
    at.answer = lambda _: web.Response(status=302, headers={"Location": at.url})
    assert await post(connections, at.url) == Sent(302, WebhookFault.REDIRECT)
    assert len(at.received) == 1


async def test_what_an_endpoint_asks_for_is_taken_along(connections: Connections, at: Receiver) -> None:
    at.answer = lambda _: web.Response(status=503, headers={"Retry-After": "120"})
    assert await post(connections, at.url) == Sent(503, WebhookFault.STATUS, 120.0)
    at.answer = lambda _: web.Response(status=503, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    assert await post(connections, at.url) == Sent(503, WebhookFault.STATUS)


async def test_an_answer_is_read_to_a_bound_and_not_unpacked(connections: Connections, at: Receiver) -> None:
    at.answer = lambda _: web.Response(body=b"x" * 200_000)
    assert await post(connections, at.url) == Sent(200, WebhookFault.ANSWER_TOO_LARGE)
    at.answer = lambda _: web.Response(body=b"no gzip at all", headers={"Content-Encoding": "gzip"})
    assert await post(connections, at.url) == Sent(200, None)


async def test_an_endpoint_that_never_answers_costs_bounded_time(
    connections: Connections, at: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections_module, "WHOLE_SECONDS", 0.2)
    never = asyncio.Event()

    async def hang(_: object) -> web.Response:
        await never.wait()
        return web.Response()

    at.answer = hang
    assert await post(connections, at.url) == Sent(None, WebhookFault.TIMEOUT)
    never.set()


async def test_what_speaks_no_tls_is_told_apart_from_what_is_not_there(connections: Connections, at: Receiver) -> None:
    assert (await post(connections, at.url.replace("http:", "https:"))).fault is WebhookFault.CERTIFICATE
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert (await post(connections, f"http://127.0.0.1:{port}/")).fault is WebhookFault.CONNECTION


async def test_a_name_whose_server_hangs_keeps_one_thread_and_nobody_else(
    connections: Connections, at: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answered = threading.Event()
    look_up = socket.getaddrinfo

    def hanging(host: str, *rest: Any) -> Any:
        asked.append(host)
        if host == "hangs.example":
            answered.wait(PATIENCE_SECONDS)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return look_up("127.0.0.1", *rest)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    monkeypatch.setattr(connections_module, "LOOK_UP_SECONDS", 0.05)
    port = at.url.split(":")[2]
    try:
        for _ in range(2):
            tries = [post(connections, f"http://hangs.example:{port}") for _ in range(3)]
            assert await asyncio.gather(*tries) == [Sent(None, WebhookFault.TIMEOUT)] * 3
        assert asked == ["hangs.example"]
        monkeypatch.setattr(connections_module, "LOOK_UP_SECONDS", PATIENCE_SECONDS)
        assert await post(connections, f"http://answers.example:{port}") == Sent(200, None)
    finally:
        answered.set()
