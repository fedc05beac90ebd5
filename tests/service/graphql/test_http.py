"""GraphQL over HTTP: what a request must be, what it is answered, and the page for browsers."""

import gzip
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from resolvers.context import Role
from schema.root import ApiSchema
from service.app import STATIC_DIR
from tests.support.factories import StandIn, services
from tests.support.rest_client import rest_app, token

pytestmark = pytest.mark.usefixtures("db")

CONFIG = {"query": "{ config { version } }"}


class Client:
    """Posts to /graphql as an admin by default."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def post(self, body: Any = None, *, headers: dict[str, str] | None = None, **sent: Any) -> httpx.Response:
        sent = sent or {"json": body}
        authorization = {"Authorization": f"Bearer {token()}"}
        return await self.http.post("/graphql", headers=authorization | (headers or {}), **sent)


@pytest.fixture
async def http(redis: ArqRedis) -> AsyncIterator[httpx.AsyncClient]:
    app = rest_app(services(redis, StandIn()), max_body_bytes=20_000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        yield http


@pytest.fixture
def client(http: httpx.AsyncClient) -> Client:
    return Client(http)


def code_of(response: httpx.Response) -> str:
    """The code of a refused request, which has errors and nothing else."""
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert list(body) == ["errors"], body
    (error,) = body["errors"]
    assert error["message"]
    code: str = error["extensions"]["code"]
    return code


async def test_an_operation_is_answered(client: Client) -> None:
    response = await client.post({**CONFIG, "variables": None, "operationName": None, "extensions": {}})
    assert (response.status_code, response.json()) == (200, {"data": {"config": {"version": 1}}})
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]


async def test_variables_and_the_name_of_an_operation_are_used(client: Client) -> None:
    query = "query A { config { version } } query B($n: Int) { jobs(first: $n) { nodes { id } } }"
    response = await client.post({"query": query, "operationName": "B", "variables": {"n": 1}})
    assert response.json() == {"data": {"jobs": {"nodes": []}}}


@pytest.mark.parametrize(
    ("body", "code", "data"),
    [
        ({"query": "{ config { "}, "BAD_REQUEST", False),
        ({"query": "{ nope }"}, "BAD_REQUEST", False),
        ({"query": "query A { config { version } } query B { config { version } }"}, "BAD_REQUEST", False),
        ({"query": "{ jobs(first: 500) { nodes { id } } }"}, "BAD_REQUEST", True),
        ({"query": '{ record(entityType: LEAD, externalId: "x") { id } }'}, "NOT_FOUND", True),
        ({"query": "{ a " * 20}, "BAD_REQUEST", False),
    ],
)
async def test_errors_of_graphql_are_answered_with_200(
    client: Client, body: dict[str, str], code: str, data: bool
) -> None:
    response = await client.post(body)
    answer = response.json()
    assert response.status_code == 200
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert ("data" in answer) is data  # none where it was refused before it ran


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'[{"query": "{ config { version } }"}]',
        b'"query"',
        b"null",
        b"{}",
        b'{"query": ""}',
        b'{"query": null}',
        b'{"query": 7}',
        b'{"query": "{ config { version } }", "variables": []}',
        b'{"query": "{ config { version } }", "variables": "{}"}',
        b'{"query": "{ config { version } }", "operationName": 7}',
        b'{"query": "{ config { version } }", "extensions": 7}',
        b'{"query": "{ config { version } }", "operationName": "Nowhere"}',
        b'{"query": "fragment A on Query { config { version } }"}',
        b'{"query": "subscription { pipelineChanged { paused } }"}',
        b'{"query": "\xff"}',
        b'{"query": "{ config { version } }", "variables": {"deep": ' + b"[" * 100 + b"]" * 100 + b"}}",
        gzip.compress(b'{"query": "{ config { version } }"}', mtime=0),
    ],
)
async def test_what_is_no_operation_is_a_bad_request(client: Client, content: bytes) -> None:
    response = await client.post(content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/vnd.api+json",
        "",
        None,
    ],
)
async def test_only_json_is_accepted(client: Client, media_type: str | None) -> None:
    """A form of a foreign page can send others, or none, without asking."""
    headers = {} if media_type is None else {"Content-Type": media_type}
    response = await client.post(content=b'{"query": "{ __typename }"}', headers=headers)
    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_json_may_name_its_encoding(client: Client) -> None:
    headers = {"Content-Type": "Application/JSON; charset=UTF-8"}
    assert (await client.post(content=b'{"query": "{ __typename }"}', headers=headers)).status_code == 200
    headers = {"Content-Type": "application/json; charset=utf-16"}
    assert (await client.post(content=b"{}", headers=headers)).status_code == 415


async def test_a_body_over_the_limit_is_refused(client: Client) -> None:
    response = await client.post({"query": "{ __typename } # " + "x" * 30_000})
    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    response = await client.post(content=endless(), headers={"Content-Type": "application/json"})
    assert (response.status_code, code_of(response)) == (413, "PAYLOAD_TOO_LARGE")


async def test_without_a_token_nothing_is_answered(http: httpx.AsyncClient) -> None:
    response = await http.post("/graphql", json=CONFIG)
    assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer nonsense",
        "Bearer ",
        "Basic YW5uOnNlY3JldA==",
        token(),
        f"Bearer {token(exp=1)}",
        f"Bearer {token(sub=None)}",
    ],
)
async def test_a_bad_token_is_refused(http: httpx.AsyncClient, authorization: str) -> None:
    response = await http.post("/graphql", json=CONFIG, headers={"Authorization": authorization})
    assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
    assert "www-authenticate" in response.headers


async def test_a_bad_token_is_refused_before_the_body_is_looked_at(http: httpx.AsyncClient) -> None:
    assert (await http.post("/graphql", content=b"{", headers={"Content-Type": "text/plain"})).status_code == 401


async def test_the_role_of_the_token_counts(client: Client) -> None:
    viewer = {"Authorization": f"Bearer {token(Role.VIEWER)}"}
    response = await client.post({"query": "mutation { pausePipeline { paused } }"}, headers=viewer)
    assert response.status_code == 200
    assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS"])
async def test_other_methods_are_not_allowed(http: httpx.AsyncClient, method: str) -> None:
    response = await http.request(method, "/graphql")
    assert response.status_code == 405
    assert {"GET", "POST"} <= set(response.headers["allow"].split(", "))


async def test_a_browser_gets_graphiql_without_a_token(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql", headers={"Accept": "text/html"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "'unsafe-eval'" not in response.headers["content-security-policy"]
    assert "GraphiQL" in response.text
    linked = await http.get("/graphql?query={config{version}}", headers={"Accept": "text/html,*/*;q=0.8"})
    assert "GraphiQL" in linked.text
    assert (await http.get("/graphql", headers={"Accept": "application/json"})).status_code == 401


class Links(HTMLParser):
    """Everything that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        link = given.get("src") or given.get("href")
        if link and not link.startswith("data:"):
            self.found.append(link)
        self.inline += tag == "style" or (tag == "script" and "src" not in given)


async def test_graphiql_loads_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    links = Links()
    links.feed((await http.get("/graphql")).text)
    assert links.inline == 0
    assert len(links.found) >= 8
    for link in links.found:
        response = await http.get(link)
        assert (link[0], link[:2] == "//", response.status_code) == ("/", False, 200)
        if link.endswith(".css"):
            assert not re.findall(r"url\(\s*['\"]?(?!data:|#)|@import", response.text)
    assert "http" not in (STATIC_DIR / "graphiql" / "page.js").read_text("utf-8").replace('"https:"', "")


def test_the_documents_that_graphiql_offers_are_in_order() -> None:
    schema = ApiSchema()
    text = (STATIC_DIR / "graphiql" / "documents.js").read_text("utf-8")
    offered = re.findall(r"`([^`]+)`", text)
    assert len(offered) == 3
    for document in offered:
        assert schema.documents.read(schema._schema, document).errors == []


async def test_graphiql_keeps_nothing_on_the_disk(http: httpx.AsyncClient) -> None:
    page = (await http.get("/static/graphiql/page.js")).text
    assert "storage," in page  # its own, in memory, is handed to GraphiQL
    assert re.findall(r"localStorage\.(\w+)", page) == ["removeItem"]


async def test_introspection_is_for_development(redis: ArqRedis) -> None:
    app = rest_app(services(redis), introspection=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        response = await Client(http).post({"query": "{ __schema { queryType { name } } }"})
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
        assert (await Client(http).post({"query": "{ __typename }"})).json() == {"data": {"__typename": "Query"}}
