"""The generated clients, set up for a service: its address and a token are all that they need."""

from auto_enrichment_client.asynchronous import AsyncClient
from auto_enrichment_client.synchronous import Client


def connect(url: str, token: str) -> Client:
    """A client of the service at `url` (`https://host`), which is closed as a context manager."""
    return Client(f"{url.rstrip('/')}/graphql", headers=bearer(token))


def connect_async(url: str, token: str) -> AsyncClient:
    """The same for asyncio."""
    return AsyncClient(f"{url.rstrip('/')}/graphql", headers=bearer(token))


def bearer(token: str) -> dict[str, str]:
    """The header, and the member of a socket's first message, that names the caller."""
    return {"Authorization": f"Bearer {token}"}
