"""The Python client waits as a limit says, and sends the request again."""

import asyncio

import httpx
import pytest
from auto_enrichment_client import connect, connect_async
from auto_enrichment_client.waiting import MOST_SECONDS, WaitingAsyncClient, WaitingClient, pause_of


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
        assert client.http_client.headers["Authorization"] == "Bearer token"
    assert isinstance(asyncio.run(_async_http_client()), WaitingAsyncClient)


async def _async_http_client() -> object:
    async with connect_async("http://test", "token") as client:
        return client.http_client
