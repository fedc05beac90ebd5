"""The stand-in where no Redis server runs: its commands on this process's memory, gone at its end."""

import arq.worker
import fakeredis
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool

_SERVER = fakeredis.FakeServer()


async def _log_nothing(*_: object) -> None:
    """Replaces arq's greeting, which calls INFO: the stand-in does not have that command."""


def in_process_pool() -> ConnectionPool:
    """Connections to the memory that all of this process share."""
    arq.worker.log_redis_info = _log_nothing  # type: ignore[attr-defined,assignment] # no setting turns it off
    return ConnectionPool(
        connection_class=fakeredis.FakeAsyncRedisConnection,
        server=_SERVER,
        version=(7,),
        server_type="redis",
        client_class=ArqRedis,
        lua_modules=None,
    )
