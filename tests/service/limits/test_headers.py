"""What is left is said of the limit that ends first."""

import pytest
from redis.asyncio import Redis
from starlette.requests import HTTPConnection

from resolvers.context import Caller, Role
from service.installation_settings import load_settings
from service.limits.bucket import Bucket
from service.limits.headers import rate_limit_headers
from service.limits.limits import Limits
from service.limits.policy import Measure, Subject


def bucket(measure: Measure, subject: Subject, most: int, left: float) -> Bucket:
    return Bucket("key", measure, subject, most, most / 60, left, at=0.0)


def test_of_several_limits_of_requests_the_one_with_least_is_named() -> None:
    organization = bucket(Measure.REQUESTS, Subject.ORGANIZATION, 300_000, 240_000)
    token = bucket(Measure.REQUESTS, Subject.TOKEN, 150_000, 130_000)  # of which a greater part is left
    cost = bucket(Measure.COST, Subject.TOKEN, 1_000, 500)
    said = dict(rate_limit_headers([organization, token, cost], 0.0))
    assert said[b"ratelimit"] == b'"requests-token";r=130000;t=8, "cost-token";r=500;t=30'
    assert (said[b"ratelimit-limit"], said[b"ratelimit-remaining"]) == (b"1000", b"500")
    assert dict(rate_limit_headers([organization, token], 0.0))[b"ratelimit-remaining"] == b"130000"
    assert rate_limit_headers([], 0.0) == []


async def test_an_operation_says_what_is_left_of_the_limit_that_ends_first(redis: Redis) -> None:
    chosen = load_settings(limit_cost="organization=1000,token=500,address=none")
    limits = Limits(chosen, lambda: redis, lambda *_: None)
    connection = HTTPConnection({"type": "http", "state": {}, "client": ("10.0.0.1", 1), "headers": []})
    meter = limits.meter(connection, Caller("acme", "ann", Role.VIEWER))
    assert meter is not None
    spent = await meter.take(20)
    assert spent.remaining == pytest.approx(480, abs=1)
