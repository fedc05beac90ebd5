"""Limits as clients see them, over REST, GraphQL and sockets."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis
from starlette.applications import Starlette
from websockets.exceptions import InvalidStatus

from service.limits.limits import _owner
from tests.support.factories import StandIn, services
from tests.support.rest_client import rest_app, token
from tests.support.socket_client import RunningService, client_of, running

pytestmark = pytest.mark.usefixtures("db")

CONFIG, PAUSED = "/v1/auto-enrichment/config", "{ pipeline { paused } }"


def client(app: Starlette, address: str = "192.0.2.1", bearer: str | None = None) -> httpx.AsyncClient:
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    transport = httpx.ASGITransport(app, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


async def statuses(http: httpx.AsyncClient, path: str, number: int) -> list[int]:
    return [(await http.get(path)).status_code for _ in range(number)]


def app_with(redis: ArqRedis, **settings: Any) -> Starlette:
    return rest_app(services(redis, StandIn()), **settings)


async def test_a_user_over_a_limit_is_told_and_nobody_else_is(redis: ArqRedis) -> None:
    app = app_with(redis, limit_requests="token=2")
    async with client(app, bearer=token()) as ann, client(app, bearer=token(user="bob")) as bob:
        assert await statuses(ann, CONFIG, 2) == [200, 200]
        refused = await ann.get(CONFIG)
        assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
        assert 1 <= int(refused.headers["Retry-After"]) == refused.json()["retryAfter"] <= 60
        assert refused.headers["RateLimit-Limit"] == "2"
        assert refused.headers["RateLimit-Remaining"] == "0"
        assert '"requests-token";r=0;t=' in refused.headers["RateLimit"]
        async with client(app, bearer=token(jti="another")) as renewed:
            assert await statuses(renewed, CONFIG, 1) == [429]
        assert await statuses(bob, CONFIG, 1) == [200]


@pytest.mark.parametrize(
    ("limit", "others", "allowed"),
    [
        ("organization=2", {"bearer": token(org="globex")}, 200),
        ("organization=2", {"bearer": token(user="bob")}, 429),
        ("address=2", {"address": "192.0.2.2", "bearer": token()}, 200),
        ("address=2", {"bearer": token(org="globex")}, 429),
    ],
)
async def test_organizations_and_addresses_have_limits_too(
    redis: ArqRedis, limit: str, others: dict[str, str], allowed: int
) -> None:
    app = app_with(redis, limit_requests=limit)
    async with client(app, bearer=token()) as ann, client(app, **others) as other:
        assert await statuses(ann, CONFIG, 3) == [200, 200, 429]
        assert await statuses(other, CONFIG, 1) == [allowed]


@pytest.mark.parametrize("path", ["/", "/readyz", "/metrics", "/v1/docs", "/v1/openapi.json", "/static/docs/docs.css"])
async def test_what_is_open_is_limited_by_address(redis: ArqRedis, path: str) -> None:
    app = app_with(redis, limit_requests="open=2")
    async with client(app) as stranger, client(app, "192.0.2.2") as other, client(app, bearer=token()) as ann:
        assert 429 not in await statuses(stranger, path, 2)
        assert await statuses(stranger, path, 1) == [429]
        assert await statuses(other, path, 1) != [429]
        assert await statuses(stranger, "/healthz", 1) == [200]  # else the process would be taken for dead
        assert await statuses(ann, CONFIG, 1) == [200]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (CONFIG, {}, 401),
        (CONFIG, {"Authorization": "Bearer nonsense"}, 401),
        ("/graphql?query={a}", {"Authorization": "Bearer nonsense", "Accept": "application/json"}, 401),
        ("/graphql", {"Accept": "text/html"}, 200),
        (f"{CONFIG}/nothing", {"Authorization": "Bearer nonsense"}, 404),
    ],
)
async def test_what_comes_without_a_good_token_is_limited_by_address(
    redis: ArqRedis, path: str, headers: dict[str, str], status: int
) -> None:
    app = app_with(redis, limit_requests="open=2")
    async with client(app) as stranger:
        stranger.headers.update(headers)
        assert await statuses(stranger, path, 3) == [status, status, 429]


async def test_graphql_answers_say_what_they_cost(redis: ArqRedis) -> None:
    app = app_with(redis, limit_cost="token=100")
    async with client(app, bearer=token()) as ann:
        # The first goes the library's way, the second is executed at once.
        for left in (98, 96):
            answer = await ann.post("/graphql", json={"query": PAUSED})
            assert answer.json()["data"] == {"pipeline": {"paused": False}}
            assert answer.json()["extensions"]["cost"] == {
                "requested": 2,
                "remaining": left,
                "reset": 60 - left * 3 // 5,
            }
        assert '"cost-token";q=100;w=60' in answer.headers["RateLimit-Policy"]
        assert answer.headers["RateLimit-Limit"] == "100"


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_operations_that_cost_too_much_are_refused(redis: ArqRedis, accept: str) -> None:
    app = app_with(redis, limit_cost="token=100,organization=1000")
    query = {"query": "{ jobs(first: 4) { nodes { id } totalCount } }"}
    async with client(app, bearer=token()) as ann, client(app, bearer=token(user="bob")) as bob:
        ann.headers["Accept"] = accept
        assert (await ann.post("/graphql", json=query)).status_code == 200
        for _ in range(2):
            refused = await ann.post("/graphql", json=query)
            assert refused.status_code == 429
            assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
            assert refused.json()["errors"][0]["extensions"]["cost"]["requested"] > 60
            assert int(refused.headers["Retry-After"]) == refused.json()["errors"][0]["extensions"]["retryAfter"]
        refused = await ann.post("/graphql", json={"query": "{ jobs(first: 5) { nodes { id } totalCount } }"})
        assert refused.status_code == 429  # also where the document is new
        assert (await bob.post("/graphql", json=query)).status_code == 200


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_of_ipv6_is_its_network(host: str, owner: str) -> None:
    assert _owner(host) == owner


@pytest.fixture
async def narrow(redis: ArqRedis) -> AsyncIterator[RunningService]:
    async with running(services(redis, StandIn()), limit_requests="open=3,token=3", limit_cost="token=100") as service:
        yield service


async def test_a_socket_is_counted_as_it_begins_and_with_each_operation(narrow: RunningService) -> None:
    async with client_of(narrow) as ann:
        await ann.begin()
        await ann.start("1", PAUSED)
        answer = await ann.receive()
        assert answer["payload"]["extensions"]["cost"]["remaining"] == 98
        assert (await ann.receive())["type"] == "complete"
        await ann.start("2", "subscription { jobEvents { job { id } } }")
        await ann.start("3", "{ jobs(first: 200) { nodes { id } } }")
        refused = await ann.receive()
        assert (refused["id"], refused["payload"][0]["extensions"]["code"]) == ("3", "RATE_LIMITED")
        await ann.start("4", PAUSED)
        refused = await ann.receive()
        assert (refused["id"], refused["payload"][0]["extensions"]["code"]) == ("4", "RATE_LIMITED")
    for _ in range(2):
        async with client_of(narrow):
            pass
    with pytest.raises(InvalidStatus) as denied:
        async with client_of(narrow):
            pass
    assert denied.value.response.status_code == 429
    assert int(denied.value.response.headers["Retry-After"]) > 0


async def test_a_subscription_that_is_shared_costs_each_who_listens(redis: ArqRedis) -> None:
    async with (
        running(services(redis, StandIn()), limit_cost="token=12") as service,
        client_of(service) as ann,
        client_of(service) as again,
    ):
        for socket in (ann, again):
            await socket.begin()
        await ann.start("1", "subscription { jobEvents { job { id } } }")
        await ann.start("2", PAUSED)
        await ann.receive()
        await again.start("1", "subscription { jobEvents { job { id } } }")
        refused = await again.receive()
        assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
