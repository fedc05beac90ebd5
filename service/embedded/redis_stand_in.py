"""The stand-in where no Redis server runs: its commands on this process's memory, gone at its end."""

import fakeredis
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool

_SERVER = fakeredis.FakeServer()


def in_process_pool() -> ConnectionPool:
    """Connections to the memory that all of this process share."""
    return ConnectionPool(
        connection_class=fakeredis.FakeAsyncRedisConnection,
        server=_SERVER,
        version=(7,),
        server_type="redis",
        client_class=ArqRedis,
        lua_modules=None,
    )
