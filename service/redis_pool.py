"""Connections to Redis: they keep jobs as JSON instead of pickle, and try again while a server restarts."""

from typing import Any

import orjson
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
# A refused connection reaches the retry as OSError; without it in the list it is not tried again.
_TRY_AGAIN_ON: list[type[Exception]] = [RedisConnectionError, RedisTimeoutError, OSError]


class RedisOutOfReach(Exception):
    """Redis did not answer at the start."""


class _Sending(AbstractConnection):
    """Waits for answers no longer than its `socket_timeout`, but sends without one.

    For sending, the client would use `asyncio.wait_for`, which before Python 3.12 can swallow the
    cancellation of a task that is being stopped.
    """

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        answer_within, self.socket_timeout = self.socket_timeout, None
        try:
            await super().send_packed_command(command, check_health)
        finally:
            self.socket_timeout = answer_within


class _Tcp(_Sending, Connection): ...


class _Tls(_Sending, SSLConnection): ...


class _Unix(_Sending, UnixDomainSocketConnection): ...


_CANCELLABLE: dict[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
}


def dump_job(value: dict[str, Any]) -> bytes:
    """What arq stores: JSON, so that who may write to Redis cannot make us run code.

    Of an exception, which arq stores for a function that this version does not have, only the type is kept.
    """
    return orjson.dumps(value, default=_type_name)


def _type_name(value: Any) -> str:
    if isinstance(value, BaseException):
        return type(value).__name__
    raise TypeError(f"a {type(value).__name__} cannot be queued")


def load_job(data: bytes) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(data)
    return value


def redis_at(url: str | None, *, tries: int) -> ArqRedis:
    """A client of the Redis at `url`; without one, of the stand-in in this process.

    A command that finds no server is tried `tries` times more, with growing pauses of at most a second.
    """
    if url is None:
        from service.embedded.redis_stand_in import in_process_pool  # noqa: PLC0415 -- big, and seldom needed

        pool: ConnectionPool = in_process_pool()
    else:
        pool = ConnectionPool.from_url(
            url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), tries),
            retry_on_error=_TRY_AGAIN_ON,
        )
        pool.connection_class = _CANCELLABLE[pool.connection_class]
    return ArqRedis(pool, job_serializer=dump_job, job_deserializer=load_job)


async def check_redis(redis: ArqRedis) -> None:
    """Raises RedisOutOfReach, with a reason that holds no password."""
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        raise RedisOutOfReach(type(error).__name__) from error
