"""Fixtures for calls to providers over real HTTP: one stand-in server a run, and a client that is patient or not."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from providers.http.client import ClientLimits, HttpClient
from tests.support.standin_server import StandInServer, standin_server

MAX_BYTES = 128 * 1024
PATIENT = ClientLimits(connect_seconds=30, read_seconds=30, whole_seconds=30, look_up_seconds=60, max_bytes=MAX_BYTES)
HASTY = ClientLimits(connect_seconds=30, read_seconds=0.2, whole_seconds=0.4, max_bytes=MAX_BYTES)
SHORT = ClientLimits(connect_seconds=30, read_seconds=0.8, whole_seconds=1.0, look_up_seconds=1.5, max_bytes=MAX_BYTES)
"""For servers that answer one request and are silent at the next: what they answer arrives on a busy machine too."""

_MODES_WITHOUT_AN_END = frozenset({"hang", "drip"})


@dataclass(frozen=True)
class OneKey:
    """The same key for everybody."""

    key: str = "TEST_KEY"

    async def key_of(self, organization_id: str, provider_id: str) -> str | None:
        return self.key


@pytest.fixture(scope="session")
def shared_server() -> Iterator[StandInServer]:
    with standin_server() as server:
        yield server


@pytest.fixture
def server(shared_server: StandInServer) -> StandInServer:
    """A provider's server without calls and without a script."""
    shared_server.reset()
    return shared_server


@pytest.fixture
def http_limits(request: pytest.FixtureRequest) -> ClientLimits:
    """Out of patience at once with a hostile server (a test's `mode`) that never ends its reply; else never."""
    mode = request.node.callspec.params.get("mode") if hasattr(request.node, "callspec") else None
    return HASTY if mode in _MODES_WITHOUT_AN_END else PATIENT


@pytest.fixture
async def transport(http_limits: ClientLimits) -> AsyncIterator[HttpClient]:
    """A client of providers."""
    client = HttpClient(development=True, limits=http_limits, user_agent="auto-enrichment/test")
    yield client
    await client.close()
