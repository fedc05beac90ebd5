"""The account in whose name the requests of one look-up go out, within their time."""

import time
from collections.abc import Mapping
from typing import Any, Protocol

from providers.api import BeforeSend, ProviderError
from providers.http.adapter import Limit, Reply
from providers.http.request import Request


class Sender(Protocol):
    """The provider that sends them."""

    def base(self, name: str) -> str: ...

    def limit_of(self, base: str, path: str) -> Limit: ...

    async def send(
        self, account: str, request: Request, limit: Limit, deadline: float, before_send: BeforeSend | None
    ) -> Reply: ...


class Account:
    """The `Http` of one look-up, until the `deadline` of the monotonic clock."""

    __slots__ = ("_before_send", "_deadline", "_key", "_provider", "credits_left", "last_reply", "name")

    def __init__(self, provider: Sender, name: str, key: str, deadline: float, before_send: BeforeSend | None) -> None:
        self._before_send = before_send
        self._provider = provider
        self._key = key
        self._deadline = deadline
        self.last_reply: Reply | None = None
        self.name = name
        self.credits_left: float | None = None

    @property
    def key(self) -> str:
        return self._key

    @property
    def was_served(self) -> bool:
        """Whether the last reply was one of success."""
        return self.last_reply is not None and self.last_reply.is_success

    async def send(
        self,
        method: str,
        path: str,
        *,
        base: str = "",
        params: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        request = Request(method, self._provider.base(base), path, params, json, form, headers or {})
        limit = self._provider.limit_of(base, path)
        reply = await self._provider.send(self.name, request, limit, self._deadline, self._before_send)
        self.last_reply = reply
        return reply

    def note_credits(self, left: float | None) -> None:
        if left is not None:
            self.credits_left = left


def left_until(deadline: float) -> float:
    """Seconds that are left. Raises ProviderError when the look-up's time is over; the request was not sent then."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise ProviderError("timeout", "the requests of this look-up took too long", retryable=True)
    return left
