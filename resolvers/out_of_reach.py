"""Whether the database or Redis stood in the way: such a fault passes, and is nobody's but ours."""

import sqlite3

import asyncpg
import redis.exceptions

# Busy, locked, I/O error, full and cannot open: the file is out of reach, not the statement wrong.
_SQLITE_OUT_OF_REACH = frozenset({5, 6, 10, 13, 14})
_OUT_OF_REACH = (
    OSError,  # also refused connections, timeouts and tortoise's DBConnectionError
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.OutOfMemoryError,  # it is full, and takes no writes
    redis.exceptions.ReadOnlyError,  # it has become a replica, while another takes its place
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.InternalClientError,  # what it says where a connection ends in the midst, or a server is still starting
)


def is_out_of_reach(error: BaseException) -> bool:
    """Whether the database or Redis could not be reached, as against a defect in a statement."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _OUT_OF_REACH):
            return True
        if isinstance(seen, sqlite3.OperationalError):
            return getattr(seen, "sqlite_errorcode", 0) & 0xFF in _SQLITE_OUT_OF_REACH
        if isinstance(seen, asyncpg.InterfaceError) and "closed" in str(seen):
            return True
        wrapped = seen.args[0] if seen.args else None
        seen = wrapped if isinstance(wrapped, BaseException) else seen.__cause__
    return False
