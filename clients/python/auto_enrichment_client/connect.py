"""The generated clients, set up for a service: its address and a token are all that they need."""

from typing import Any

from auto_enrichment_client.asynchronous import AsyncClient
from auto_enrichment_client.synchronous import Client
from auto_enrichment_client.waiting import WaitingAsyncClient, WaitingClient


def connect(url: str, token: str) -> Client:
    """A client of the service at `url` (`https://host`), which is closed as a context manager.

    Where a limit is used up its calls wait as the service says.
    """
    headers = bearer(token)
    return Client(f"{url.rstrip('/')}/graphql", headers, _for_generated(WaitingClient(headers=headers)))


def connect_async(url: str, token: str) -> AsyncClient:
    """The same for asyncio."""
    headers = bearer(token)
    return AsyncClient(f"{url.rstrip('/')}/graphql", headers, _for_generated(WaitingAsyncClient(headers=headers)))


def bearer(token: str) -> dict[str, str]:
    """The header, and the member of a socket's first message, that names the caller."""
    return {"Authorization": f"Bearer {token}"}


def _for_generated(client: object) -> Any:
    """httpx's own client, which the generated ones take, but whose options they name more loosely than httpx does."""
    return client
