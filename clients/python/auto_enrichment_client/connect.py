"""The generated clients, set up for a service: its address and a token are all that they need."""

from collections.abc import Callable, Generator
from typing import Any

import httpx

from auto_enrichment_client.asynchronous import AsyncClient
from auto_enrichment_client.synchronous import Client
from auto_enrichment_client.waiting import WaitingAsyncClient, WaitingClient

TIMEOUT_SECONDS = 60.0


def connect(url: str, token: str | Callable[[], str], *, timeout: float | httpx.Timeout = TIMEOUT_SECONDS) -> Client:
    """A client of the service at `url` (`https://host`), which is closed as a context manager.

    `token` is a text, or is called for each request, so that a token that ended is replaced by what it returns then.
    `timeout`, in seconds, bounds each step of a request (connecting, sending, each wait for more of the answer), or is
    httpx's, with a bound for each; where it is over, the call raises `httpx.TimeoutException`. Where a limit is used up
    the calls wait as the service says, which `timeout` does not bound.
    """
    return Client(_graphql(url), http_client=_for_generated(WaitingClient(auth=_Bearer(token), timeout=timeout)))


def connect_async(
    url: str, token: str | Callable[[], str], *, timeout: float | httpx.Timeout = TIMEOUT_SECONDS
) -> AsyncClient:
    """The same for asyncio. A `token` that is called must not block."""
    http_client = WaitingAsyncClient(auth=_Bearer(token), timeout=timeout)
    return AsyncClient(_graphql(url), http_client=_for_generated(http_client))


def bearer(token: str) -> dict[str, str]:
    """The header, and the member of a socket's first message, that names the caller."""
    return {"Authorization": f"Bearer {token}"}


class _Bearer(httpx.Auth):
    """Names the caller in each request, also in one that is sent again after a wait."""

    def __init__(self, token: str | Callable[[], str]) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update(bearer(self._token if isinstance(self._token, str) else self._token()))
        yield request


def _graphql(url: str) -> str:
    return f"{url.rstrip('/')}/graphql"


def _for_generated(client: object) -> Any:
    """httpx's own client, which the generated ones take, but whose options they name more loosely than httpx does."""
    return client
