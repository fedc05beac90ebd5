"""What each may ask for: requests and the cost of GraphQL operations, by organization, token and address."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from redis.asyncio import Redis
from starlette.requests import HTTPConnection

from resolvers.context import Caller
from resolvers.errors import RateLimited
from schema.base.context import Spent
from service.limits.bucket import Bucket
from service.limits.counter import Counter, TooMany
from service.limits.policy import SECONDS, LimitSettings, Measure, Most, Subject
from service.limits.sockets import OpenSockets

CALLER = "caller"  # where a request's state has who was admitted
STATE = "limits"  # where a request's state has the buckets that it was counted in, for the headers of its answer
_NETWORK_BITS = 64  # of an IPv6 address: what one customer has in any case
_NOBODY = "unknown"


class Limits:
    """The limits of this process, counted with those of the others. `refused` is called for each refusal."""

    def __init__(
        self, settings: LimitSettings, redis: Callable[[], Redis], refused: Callable[[Measure, Subject], None]
    ) -> None:
        self._requests: Most = settings.limit_requests
        self._cost: Most = settings.limit_cost
        self._counter = Counter(redis)
        self._refused = refused
        self._sockets = OpenSockets(settings.limit_sockets, redis, refused)

    async def admit(self, connection: HTTPConnection, caller: Caller) -> None:
        """Count a request of a caller. Raises RateLimited."""
        connection.scope.setdefault("state", {})[CALLER] = caller
        await self._count(connection, self._buckets(Measure.REQUESTS, self._requests, connection, caller))

    async def admit_open(self, connection: HTTPConnection) -> None:
        """Count a request without a good token, by its address. Raises RateLimited."""
        found = self._counter.bucket(Measure.REQUESTS, Subject.OPEN, self._requests, address_of(connection))
        await self._count(connection, [] if found is None else [found])

    def meter(self, connection: HTTPConnection, caller: Caller) -> "CostMeter | None":
        """What counts the cost of a caller's operations; None where there is no limit."""
        buckets = self._buckets(Measure.COST, self._cost, connection, caller)
        return CostMeter(self, connection, buckets) if buckets else None

    def socket_of_address(self, connection: HTTPConnection) -> AbstractAsyncContextManager[None]:
        """Counts a socket or stream of the connection's address as long as it is open. Raises RateLimited."""
        return self._sockets.held([self._sockets.holder(Subject.ADDRESS, address_of(connection))])

    def socket_of_caller(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        """Counts a socket or stream of a caller as long as it is open. Raises RateLimited."""
        organization_id, holder = caller.organization_id, self._sockets.holder
        return self._sockets.held(
            [holder(Subject.ORGANIZATION, organization_id), holder(Subject.TOKEN, organization_id, caller.user)]
        )

    async def close(self) -> None:
        """The process ends."""
        await self._sockets.close()

    def _buckets(self, measure: Measure, most: Most, connection: HTTPConnection, caller: Caller) -> list[Bucket]:
        bucket, organization = self._counter.bucket, caller.organization_id
        found = (
            bucket(measure, Subject.ORGANIZATION, most, organization),
            bucket(measure, Subject.TOKEN, most, organization, caller.user),
            bucket(measure, Subject.ADDRESS, most, address_of(connection)),
        )
        return [each for each in found if each is not None]

    async def _count(self, connection: HTTPConnection, buckets: list[Bucket]) -> None:
        connection.scope.setdefault("state", {})[STATE] = buckets
        await self.take(buckets, 1.0)

    async def take(self, buckets: Sequence[Bucket], amount: float) -> None:
        """Take so much of each, or of none. Raises RateLimited."""
        try:
            await self._counter.take(buckets, amount)
        except TooMany as refusal:
            bucket = refusal.bucket
            self._refused(bucket.measure, bucket.subject)
            whose = "an address without a token" if bucket.subject is Subject.OPEN else f"one {bucket.subject}"
            text = f"at most {bucket.most:,} {_WORDS[bucket.measure]} of {whose} in {SECONDS} seconds"
            raise RateLimited(text, retry_after=max(1, math.ceil(refusal.seconds))) from None

    def now(self) -> float:
        """The moment, of the clock of the buckets."""
        return self._counter.now()


_WORDS = {Measure.REQUESTS: "requests", Measure.COST: "of cost of operations"}


@dataclass(slots=True)
class CostMeter:
    """Counts the cost of a caller's operations, those of one request or of one connection."""

    limits: Limits
    connection: HTTPConnection
    buckets: Sequence[Bucket]

    async def take(self, cost: int) -> Spent:
        """Take the cost of an operation. Raises RateLimited, whose `cost` says the same as Spent."""
        counted: list[Bucket] = self.connection.scope["state"].setdefault(STATE, [])
        if self.buckets[0] not in counted:
            counted.extend(self.buckets)
        try:
            await self.limits.take(self.buckets, cost)
        except RateLimited as refusal:
            refusal.details["cost"] = self._spent(cost).shown
            raise
        return self._spent(cost)

    def _spent(self, cost: int) -> Spent:
        now = self.limits.now()
        ends_first = min(self.buckets, key=lambda bucket: bucket.left(now))
        return Spent(cost, max(0, int(ends_first.left(now))), seconds_to_reset(ends_first, now))


def seconds_to_reset(bucket: Bucket, now: float) -> int:
    """How long it takes, in whole seconds, until all of the bucket may be used again."""
    return math.ceil(bucket.seconds_until(bucket.most, now))


def address_of(connection: HTTPConnection) -> str:
    """Whom an address belongs to: the address itself, or the network of an IPv6 address."""
    return _owner(connection.client.host) if connection.client else _NOBODY


@lru_cache(maxsize=4096)
def _owner(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), _NETWORK_BITS), strict=False))
