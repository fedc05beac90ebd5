"""One client's place among those who listen to a subscription: what it is still to be sent, within bounds.

A message is encoded once for all who listen, and each client is sent these bytes with the id of its operation around
them. A client that reads slowly keeps references to messages, never copies: the latest one where each state takes the
place of the one before, else so many, after which it is sent away with the cursor from which it can go on.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from graphql import GraphQLFormattedError
from strawberry.subscriptions.protocols.graphql_transport_ws.types import CompleteMessage, ErrorMessage

from resolvers.errors import OperationError
from service.http.json import dump
from service.http.socket_connection import SocketConnection

MOST_WAITING = 256  # messages of one listener


class TooSlow(OperationError):
    """A client did not read what it was sent. `cursor`: of the last event that it was sent, if it has any."""

    code = "TOO_SLOW"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a subscription ends for a client: with these errors, or because there is no more."""

    errors: Sequence[GraphQLFormattedError] = ()

    def message(self, operation_id: str) -> CompleteMessage | ErrorMessage:
        """The last message of an operation."""
        if self.errors:
            return {"type": "error", "id": operation_id, "payload": list(self.errors)}
        return {"type": "complete", "id": operation_id}


COMPLETE = Ending()


class Listener(ABC):
    """One client. `latest_only`: each message takes the place of the one before."""

    def __init__(self, *, latest_only: bool) -> None:
        self.waiting: deque[tuple[bytes, str | None]] = deque()  # payloads, with the cursors of their events
        self.ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._latest_only = latest_only
        self._cursor: str | None = None

    def give(self, payload: bytes, cursor: str | None) -> None:
        """Send a message, or keep it until the client takes it. `cursor`: of the event that it is about."""
        if self.ending.done():
            return
        if self._latest_only:
            self.waiting.clear()
        elif len(self.waiting) >= MOST_WAITING:
            refusal = TooSlow("you have not read what was sent; go on after the cursor", cursor=self._cursor)
            self.end(Ending([{"message": refusal.message, "extensions": refusal.extensions}]))
            return
        self.waiting.append((payload, cursor))
        self._cursor = cursor or self._cursor
        self.hand_over()

    def end(self, ending: Ending) -> None:
        """Nothing comes any more but what waits, and this."""
        if not self.ending.done():
            self.ending.set_result(ending)

    @abstractmethod
    def hand_over(self) -> None:
        """Give the client of what waits whatever it takes now."""


class SocketListener(Listener):
    """An operation of a WebSocket, which is written to directly."""

    def __init__(self, connection: SocketConnection, operation_id: str, *, latest_only: bool) -> None:
        super().__init__(latest_only=latest_only)
        self._connection = connection
        self._before = b'{"id":%b,"type":"next","payload":' % dump(operation_id)
        self._emptied = asyncio.Event()

    def hand_over(self) -> None:
        while self.waiting:
            if not self._connection.write_text(b"%b%b}" % (self._before, self.waiting[0][0])):
                self._connection.when_writable.add(self.hand_over)
                return
            self.waiting.popleft()
        self._connection.when_writable.discard(self.hand_over)
        self._emptied.set()

    async def all_taken(self) -> None:
        """Wait until nothing waits."""
        while self.waiting:
            self._emptied.clear()
            await self._emptied.wait()

    def leave(self) -> None:
        """Forget what waits."""
        self.waiting.clear()
        self._connection.when_writable.discard(self.hand_over)
