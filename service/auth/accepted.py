"""Tokens that were found good: their signatures are not checked again at each request."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from resolvers.context import Caller
from service.auth.jwks import SigningKey

MOST_REMEMBERED = 1_000


@dataclass(slots=True)
class AcceptedToken:
    """Who calls with a token, and the key that signed it; None: a shared secret, which the process keeps for life.

    `good_until` (by the clock that only goes forward) needs no look whether it was revoked; `looking` is one.
    """

    caller: Caller
    key: SigningKey | None
    good_until: float = 0.0
    looking: asyncio.Task[bool] | None = None


class AcceptedTokens:
    """The tokens that came last and were good. What was refused is not remembered: it may be good later."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._known: OrderedDict[str, AcceptedToken] = OrderedDict()

    def get(self, token: str) -> AcceptedToken | None:
        """What is known of a token, whatever its time: that it has not expired is for the caller to check."""
        known = self._known.get(token)
        if known is not None:
            self._known.move_to_end(token)
        return known

    def add(self, token: str, accepted: AcceptedToken) -> None:
        self._known[token] = accepted
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def drop(self, token: str) -> None:
        self._known.pop(token, None)
