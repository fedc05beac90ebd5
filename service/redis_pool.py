"""Connections to Redis: they keep jobs as JSON instead of pickle, and try again while a server restarts.

One server by its address, in clear or by TLS, or the one that sentinels name as the master at the moment.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import orjson
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection, to_bool
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
# A refused connection reaches the retry as OSError; without it in the list it is not tried again.
_TRY_AGAIN_ON: list[type[Exception]] = [RedisConnectionError, RedisTimeoutError, OSError]


SENTINEL_SCHEMES = {"redis+sentinel", "rediss+sentinel"}
TLS_SCHEMES = {"rediss", "rediss+sentinel"}
_SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True)
class RedisAccess:
    """How Redis is reached besides its address: PEM files for TLS, and the password of sentinels."""

    ca_file: Path | None = None  # None: the system's authorities
    cert_file: Path | None = None
    key_file: Path | None = None
    sentinel_password: str | None = field(default=None, repr=False)

    def of_tls(self, url: str) -> dict[str, Any]:
        """What a connection by TLS needs. The certificate must name the server, unless the address `url` says not."""
        files = {"ssl_ca_certs": self.ca_file, "ssl_certfile": self.cert_file, "ssl_keyfile": self.key_file}
        given = {name: str(path) for name, path in files.items() if path is not None}
        return {"ssl_check_hostname": _checks_name(url), **given}


def _checks_name(url: str) -> bool:
    """Whether a certificate must name the server; without a check of the certificate itself it cannot."""
    query = dict(parse_qsl(urlsplit(url).query))
    return query.get("ssl_cert_reqs") != "none" and to_bool(query.get("ssl_check_hostname", "true")) is not False


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


class _OfSentinel(_Sending, SentinelManagedConnection): ...


class _TlsOfSentinel(_Sending, SentinelManagedSSLConnection): ...


class _SentinelPool(SentinelConnectionPool):
    """Connections to the master. Closed, it closes those to the sentinels too."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


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


def sentinels_of(url: str) -> tuple[list[tuple[str, int]], str]:
    """The sentinels that `redis+sentinel://…` names, and the name under which they know the master. Or ValueError."""
    parts = urlsplit(url)
    hosts = [each for each in parts.netloc.rpartition("@")[2].split(",") if each]
    service = parse_qs(parts.query).get("service", [])
    if not hosts or len(service) != 1:
        raise ValueError("should name the sentinels and the service: redis+sentinel://host:26379,…/0?service=mymaster")
    return [_host_and_port(each) for each in hosts], service[0]


def _host_and_port(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if parts.hostname is None:
        raise ValueError("a sentinel is a host, or host:port")
    return parts.hostname, parts.port or _SENTINEL_PORT


def redis_at(url: str | None, *, tries: int, access: RedisAccess = RedisAccess()) -> ArqRedis:
    """A client of the Redis at `url`; without one, of the stand-in in this process.

    A command that finds no server is tried `tries` times more, with growing pauses of at most a second.
    """
    if url is None:
        from service.embedded.redis_stand_in import in_process_pool  # noqa: PLC0415 -- big, and seldom needed

        pool: ConnectionPool = in_process_pool()
    else:
        patient: dict[str, Any] = {
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": ANSWER_SECONDS,
            "retry": Retry(ExponentialBackoff(cap=1.0, base=0.05), tries),
            "retry_on_error": _TRY_AGAIN_ON,
        }
        scheme = urlsplit(url).scheme
        if scheme in TLS_SCHEMES:
            patient |= access.of_tls(url)
        if scheme in SENTINEL_SCHEMES:
            pool = _by_sentinels(url, patient, access)
        else:
            pool = ConnectionPool.from_url(url, **patient)
            pool.connection_class = _CANCELLABLE[pool.connection_class]
    return ArqRedis(pool, job_serializer=dump_job, job_deserializer=load_job)


def _by_sentinels(url: str, patient: dict[str, Any], access: RedisAccess) -> ConnectionPool:
    """Connections to the master, for which the sentinels are asked at each new one."""
    parts = urlsplit(url)
    sentinels, service = sentinels_of(url)
    tls = parts.scheme in TLS_SCHEMES
    of_sentinel: dict[str, Any] = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": CONNECT_SECONDS}
    of_sentinel |= {"ssl": True, **access.of_tls(url)} if tls else {}
    of_sentinel |= {"password": access.sentinel_password} if access.sentinel_password else {}
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    who = {"username": unquote(user) or None, "password": unquote(password) or None}
    return _SentinelPool(  # type: ignore[no-untyped-call] # redis-py has no types here
        service,
        Sentinel(sentinels, sentinel_kwargs=of_sentinel),  # type: ignore[no-untyped-call] # likewise
        connection_class=_TlsOfSentinel if tls else _OfSentinel,
        db=int(parts.path.strip("/") or 0),
        **who,
        **patient,
    )


async def check_redis(redis: ArqRedis) -> None:
    """Raises RedisOutOfReach, with a reason that holds no password."""
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        raise RedisOutOfReach(type(error).__name__) from error
