"""Requests to providers that end: bounded in time, size and pieces, to the provider's host alone, over checked TLS.

What sends them is in `providers.http.connections`, which a worker imports at its start, and else the first of them.
"""

import math
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi

from providers.http.adapter import Reply
from providers.http.request import Request

if TYPE_CHECKING:
    from providers.http.connections import Connections


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Bounds of calls: seconds to wait, bytes of a reply once unpacked, and connections at a time."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0  # between two pieces of a reply
    whole_seconds: float = 20.0  # for one request
    look_up_seconds: float = 34.0  # for all requests of one look-up; a worker waits longer
    max_bytes: int = 2 * 1024 * 1024
    connections: int = 100  # of one provider, in one process


class HttpClient:
    """The connections of one process, a pool for each provider.

    The certificates of `ca_file` (PEM) are trusted beside the usual ones. Raises ValueError, in words for an operator,
    where it holds none.
    """

    def __init__(
        self,
        *,
        development: bool = False,
        limits: ClientLimits | None = None,
        user_agent: str = "auto-enrichment",
        ca_file: Path | None = None,
    ) -> None:
        self.development = development
        self.limits = limits or ClientLimits()
        self._user_agent = user_agent
        self._tls: ssl.SSLContext | None = None if ca_file is None else tls_context(ca_file)
        self._connections: Connections | None = None

    def send(self, provider_id: str, request: Request, *, within: float = math.inf) -> Coroutine[Any, Any, Reply]:
        """The reply, whatever its status, at most `within` seconds from now and never later than `whole_seconds`.

        Raises ProviderError as `providers.http.adapter.Http.send` says. A refusal whose body does not arrive is a reply
        without a body: its status is known, so the call does not count as one that may have been charged.
        """
        return self._opened().send(provider_id, request, within)

    async def close(self) -> None:
        """Close every connection. The client may be used again afterwards."""
        connections, self._connections = self._connections, None
        if connections is not None:
            await connections.close()

    def prepare(self) -> None:
        """Load what the first request needs, a tenth of a second's work. May be called in a thread of its own."""
        # A process that asks nobody, or has not yet, starts sooner without aiohttp.
        from providers.http import connections  # noqa: F401, PLC0415

        if self._tls is None:
            self._tls = tls_context()

    def _opened(self) -> "Connections":
        if self._connections is None:
            from providers.http.connections import Connections  # noqa: PLC0415

            self.prepare()
            assert self._tls is not None  # prepared
            self._connections = Connections(self.limits, self._user_agent, self._tls)
        return self._connections


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """The context that checks the certificates of servers; nothing switches it off."""
    checks = ssl.create_default_context(cafile=certifi.where())
    checks.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        try:
            checks.load_verify_locations(cafile=ca_file)
        except ssl.SSLError:
            raise ValueError(f"{ca_file} holds no certificate in PEM form") from None
        except OSError as error:
            raise ValueError(f"{ca_file} cannot be read ({error.strerror or type(error).__name__})") from None
    return checks
