"""Who may call the REST routes, with which methods, and what everyone is told who may not."""

import time
from datetime import datetime
from typing import Any

import httpx
import jwt
import pytest
from arq.connections import ArqRedis

from models.db import statements
from resolvers.context import Role
from service.rest.operation import PREFIX, RestOperation
from service.rest.routes import OPERATIONS
from tests.support.factories import StandIn, services
from tests.support.rest_client import SECRET, Rest, problem_code, rest_app, token

pytestmark = pytest.mark.usefixtures("db")

PATHS = sorted({operation.path for operation in OPERATIONS})
UNKNOWN = "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10"
CLAIMS = {"sub": "ann", "organizationId": "acme", "role": "ADMIN"}


@pytest.fixture
def client(redis: ArqRedis) -> httpx.AsyncClient:
    """A client without a token."""
    transport = httpx.ASGITransport(rest_app(services(redis, StandIn())))
    return httpx.AsyncClient(transport=transport, base_url="http://test" + PREFIX)


def address(operation: RestOperation) -> str:
    return operation.path.replace("{id}", UNKNOWN)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
async def test_nothing_is_answered_without_a_token(client: httpx.AsyncClient, operation: RestOperation) -> None:
    # A body that cannot be read: who may not ask is not told about it.
    response = await client.request(operation.method, address(operation), content=b"{")
    assert (response.status_code, problem_code(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == 'Bearer realm="auto-enrichment"'


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x.y.z",
        "Basic YW5uOnNlY3JldA==",
        token(),
        f"Bearer {token()}x",
        f"Bearer {token(exp=int(time.time()) - 60)}",
        f"Bearer {token(exp=None)}",
        f"Bearer {token(organizationId=None)}",
        f"Bearer {token(sub=None)}",
        f"Bearer {jwt.encode({**CLAIMS, 'exp': 9999999999}, '', algorithm='none')}",
        f"Bearer {jwt.encode({**CLAIMS, 'exp': 9999999999}, 'another secret, long enough for HS256', 'HS256')}",
        f"Bearer {jwt.encode({**CLAIMS, 'exp': 9999999999}, SECRET * 2, 'HS512')}",
    ],
    ids=lambda value: value[:24],
)
async def test_a_bad_token_is_refused_as_such(client: httpx.AsyncClient, authorization: str) -> None:
    response = await client.get("/config", headers={"Authorization": authorization})
    assert (response.status_code, problem_code(response)) == (401, "UNAUTHENTICATED")
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_two_tokens_are_one_too_many(client: httpx.AsyncClient) -> None:
    headers = [("Authorization", f"Bearer {token()}"), ("Authorization", f"Bearer {token(org='other')}")]
    assert (await client.get("/config", headers=headers)).status_code == 401


async def test_the_scheme_is_read_in_any_case(client: httpx.AsyncClient) -> None:
    assert (await client.get("/config", headers={"Authorization": f"bearer {token()}"})).status_code == 200


async def test_a_token_without_a_known_role_may_only_read(client: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {token(role='OWNER')}"}
    assert (await client.get("/config", headers=headers)).status_code == 200
    assert (await client.post("/pause", headers=headers)).status_code == 403


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
@pytest.mark.parametrize("role", list(Role))
async def test_each_role_may_do_what_is_described(redis: ArqRedis, operation: RestOperation, role: Role) -> None:
    rest = Rest(services(redis, StandIn()))
    sent: dict[str, Any] = {"json": {"records": []} if operation.path == "/records" else {}}
    if operation.method == "GET":
        sent = {}
    query = {"entityType": "all", "status": "all"} if operation.id == "listJobs" else None
    response = await rest(operation.method, address(operation), role=role, params=query, **sent)
    assert (response.status_code == 403) == (not role.covers(operation.role))


@pytest.mark.parametrize("path", PATHS)
async def test_a_wrong_method_is_told_the_right_ones(redis: ArqRedis, path: str) -> None:
    methods = {operation.method for operation in OPERATIONS if operation.path == path} | {"OPTIONS"}
    if "GET" in methods:
        methods.add("HEAD")
    rest = Rest(services(redis, StandIn()))
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
        response = await rest(method, path.replace("{id}", UNKNOWN))
        assert (response.status_code, problem_code(response)) == (405, "METHOD_NOT_ALLOWED")
        assert response.headers["allow"] == ", ".join(sorted(methods))


@pytest.mark.parametrize("path", PATHS)
async def test_options_names_the_methods_without_a_token(client: httpx.AsyncClient, path: str) -> None:
    response = await client.options(path.replace("{id}", UNKNOWN))
    assert (response.status_code, response.content) == (204, b"")
    methods = {operation.method for operation in OPERATIONS if operation.path == path}
    assert methods < set(response.headers["allow"].split(", "))


async def test_head_answers_as_get_without_the_body(redis: ArqRedis) -> None:
    rest = Rest(services(redis, StandIn()))
    got, head = await rest.get("/config"), await rest("HEAD", "/config")
    assert head.status_code == 200
    for name in ("etag", "content-type", "content-length"):
        assert head.headers[name] == got.headers[name]
    assert (await rest("HEAD", "/jobs")).status_code == 400


async def test_a_path_that_is_not_served_is_a_problem(redis: ArqRedis) -> None:
    rest = Rest(services(redis, StandIn()))
    for path in ("/nothing", "/jobs//retry", "", "/v1", "/v1/auto-enrichment/jobs/1/2/3"):
        response = await rest.get(path)
        assert (response.status_code, problem_code(response)) == (404, "NOT_FOUND"), path


async def test_every_answer_names_its_request(redis: ArqRedis) -> None:
    rest = Rest(services(redis, StandIn()))
    good = await rest.get("/config", headers={"X-Request-Id": "crm-17"})
    assert good.headers["x-request-id"] == "crm-17"
    refused = await rest.get("/jobs")
    assert refused.headers["x-request-id"] == refused.json()["requestId"]


async def test_a_defect_shows_nothing_of_itself(redis: ArqRedis) -> None:
    rest = Rest(services(redis, StandIn()))
    await statements.execute("ALTER TABLE organization RENAME TO elsewhere")
    try:
        response = await rest.get("/config")
    finally:
        await statements.execute("ALTER TABLE elsewhere RENAME TO organization")
    assert (response.status_code, problem_code(response)) == (500, "INTERNAL")
    assert "organization" not in response.text


async def test_a_store_out_of_reach_is_unavailable_for_a_while(redis: ArqRedis) -> None:
    def out_of_reach() -> datetime:
        raise ConnectionRefusedError(111, "Connect call failed ('10.0.0.7', 5432)")

    rest = Rest(services(redis, StandIn(), now=out_of_reach))
    response = await rest.get("/config")
    assert (response.status_code, problem_code(response)) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"] == "5"
    assert "10.0.0.7" not in response.text
