"""Sessions of a bound role: what each transaction may see travels with its first message, and costs no round trip.

A transaction that is begun has the setting after BEGIN, in one query. A statement by itself is a transaction of
its own, which ends with the driver's Sync; so the setting is executed before it as messages of the same transaction,
sent together with it. The setting ends with the transaction, so that it stands in no session that a pool, or
PgBouncer in transaction mode, hands to somebody else.

asyncpg has no call that sends a second statement with one, so its transport is wrapped. It takes the answers that
come besides (ParseComplete, BindComplete, CommandComplete, CloseComplete) for its statement's own, of which
only the last counts; `tests/models/db/test_row_security.py` fails where a version of asyncpg does not.
"""

from asyncio import Transport
from collections.abc import Iterable
from typing import Any

import asyncpg
from asyncpg import protocol

from models.db.acting import CLOSE, PARSE, acting

_BIND = ord("B")


class Session(asyncpg.Connection):  # type: ignore[misc] # asyncpg comes without types
    """A session of the pool. No statement of ours leaves anything behind in it: what holds is for a transaction.

    asyncpg would clear it after every use, with four statements and a round trip. A transaction that was left open
    is still rolled back.
    """

    def get_reset_query(self) -> str:
        return ""


class BoundSession(Session):
    """A session whose transactions begin with what their task acts for."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 -- as asyncpg has it
        # Without arguments it is sent as text, which may have several statements.
        if not args and (found := acting()) is not None and not self.is_in_transaction():
            query = query + found.begin if query.startswith("BEGIN") else found.begin + query
        status: str = await super().execute(query, *args, timeout=timeout)
        return status


class _BoundTransport:
    """Sends what the task acts for before a statement outside a transaction; all else as it comes."""

    def __init__(self, transport: Transport, owner: protocol.Protocol, *, prepares: bool) -> None:
        """`prepares`: the session is this connection's own, and its statements stay prepared."""
        self._transport = transport
        self._owner = owner
        self._prepares = prepares
        self._prepared = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: memoryview) -> None:
        before = self._before(data)
        self._transport.write(before + data if before else data)

    def writelines(self, parts: Iterable[memoryview]) -> None:
        self.write(memoryview(b"".join(parts)))

    def _before(self, data: memoryview) -> bytes:
        if data[0] != _BIND or self._owner.is_in_transaction() or (found := acting()) is None:
            return b""
        if not self._prepares:
            return PARSE + found.bind + CLOSE
        parse, self._prepared = b"" if self._prepared else PARSE, True
        return parse + found.bind


class _OwnProtocol(protocol.Protocol):  # type: ignore[misc] # asyncpg comes without types
    """The protocol of a session that stays this connection's own."""

    _prepares = True

    def connection_made(self, transport: Transport) -> None:
        super().connection_made(_BoundTransport(transport, self, prepares=self._prepares))


class _PooledProtocol(_OwnProtocol):
    """The protocol where each transaction may be in another session."""

    _prepares = False


_AS_IT_COMES = protocol.Protocol


def use_bound_sessions(*, bound: bool, behind_pooler: bool) -> None:
    """Have asyncpg make the connections from now on as a bound role needs them, or as they come."""
    protocol.Protocol = (_PooledProtocol if behind_pooler else _OwnProtocol) if bound else _AS_IT_COMES
