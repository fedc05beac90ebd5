"""What a page of another origin may send and read: of every answer, refusals of all layers included."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from models.db.columns import new_id
from resolvers.context import Role
from service.app import create_app
from service.auth.shared_secret import development_token
from service.http import http_connection
from service.http.cross_origin import READ_HEADERS, SENT_HEADERS, readable_by_pages
from service.http.http_connection import HEAD_BYTES
from service.installation_settings import load_settings
from service.runtime import Runtime
from tests.support.socket_client import served
from tests.support.waiting import PATIENCE_SECONDS

PAGE, OTHER = "https://crm.example", "https://evil.example"
CONFIG = "/v1/auto-enrichment/config"
LIMIT = 4096


@pytest.fixture
async def client(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole application, from a page that may call it."""
    settings = load_settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        redis_url=redis_url,
        jwt_secret="a-secret-of-more-than-thirty-two-bytes",
        max_body_bytes=LIMIT,
        allowed_origins=PAGE,
    )
    token = development_token(settings, organization_id=new_id(), role=Role.USER, user="ann", ttl_seconds=60)
    async with Runtime(settings) as runtime:
        transport = httpx.ASGITransport(create_app(runtime))
        headers = {"Authorization": f"Bearer {token}", "Origin": PAGE}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as opened:
            yield opened


async def test_only_named_origins_may_call_from_a_browser(client: httpx.AsyncClient) -> None:
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,if-match"}
    good = await client.options(CONFIG, headers=asked)
    assert good.headers["Access-Control-Allow-Origin"] == PAGE
    bad = await client.options(CONFIG, headers={"Origin": OTHER, **asked})
    assert "Access-Control-Allow-Origin" not in bad.headers


@pytest.mark.parametrize("name", SENT_HEADERS)
async def test_a_preflight_may_ask_for_each_header_that_clients_send(client: httpx.AsyncClient, name: str) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": name.lower()}
    answer = await client.options("/graphql", headers=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", CONFIG, b"", 200),
        ("GET", f"{CONFIG}?wish=1", b"", 400),
        ("POST", "/graphql", b"{", 400),
        ("GET", "/nowhere", b"", 404),
        ("DELETE", CONFIG, b"", 405),
        ("POST", "/graphql", b" " * (LIMIT + 1), 413),
        ("POST", "/v1/auto-enrichment/records", b" " * (LIMIT + 1), 413),
    ],
)
async def test_a_page_may_read_every_answer(
    client: httpx.AsyncClient, method: str, path: str, body: bytes, status: int
) -> None:
    sent = {"content-type": "application/json"} if body else {}
    answer = await client.request(method, path, content=body, headers=sent)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Expose-Headers"] == ", ".join(READ_HEADERS)
    assert "Origin" in answer.headers["Vary"]


async def _head_of_answer(port: int, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()


async def test_a_page_may_read_what_is_refused_before_it_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    long = b"GET / HTTP/1.1\r\nOrigin: %s\r\nX: " + b"a" * HEAD_BYTES + b"\r\n\r\n"
    async with served(Starlette(), allowed_origins=(PAGE, "https://app.example")) as port:
        mine = await _head_of_answer(port, long % PAGE.encode())
        assert b" 431 " in mine
        assert b"access-control-allow-origin: https://crm.example\r\n" in mine
        assert b"access-control-allow-origin" not in await _head_of_answer(port, long % OTHER.encode())
    monkeypatch.setattr(http_connection, "MOST_CONNECTIONS", 0)
    async with served(Starlette(), allowed_origins=(PAGE,)) as port:
        full = await _head_of_answer(port, b"")
        assert b" 503 " in full
        assert b"access-control-allow-origin: https://crm.example\r\n" in full


def test_an_origin_that_was_not_read_is_guessed_only_where_one_page_may_call() -> None:
    def named(origins: tuple[str, ...], *headers: tuple[bytes, bytes]) -> bytes | None:
        return dict(readable_by_pages(origins, headers)).get(b"access-control-allow-origin")

    assert named(()) is None
    assert named(("*",)) == b"*"
    assert named((PAGE, OTHER)) is None
    assert named((PAGE,), (b"origin", OTHER.encode())) is None
    assert named((PAGE,), (b"Origin", PAGE.encode())) == PAGE.encode()
