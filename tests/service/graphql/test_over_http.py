"""What stock clients of GraphQL over HTTP send: media types, queries by GET, documents by their ids."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from service.graphql import documents
from service.settings import BadSettings
from tests.service.graphql.test_http import Client
from tests.support.factories import StandIn, services
from tests.support.rest_client import rest_app, token
from tests.support.socket_client import client_of, running

pytestmark = pytest.mark.usefixtures("db")

JSON, RESPONSE = "application/json", "application/graphql-response+json"
PAUSED = "{pipeline{paused}}"
NOT_PAUSED = {"data": {"pipeline": {"paused": False}}}


@pytest.fixture
async def http(redis: ArqRedis) -> AsyncIterator[httpx.AsyncClient]:
    app = rest_app(services(redis, StandIn()))
    headers = {"Authorization": f"Bearer {token()}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as http:
        yield http


@pytest.mark.parametrize(
    ("accept", "query", "status", "media_type"),
    [
        (RESPONSE, PAUSED, 200, RESPONSE),
        (RESPONSE, "{nope}", 400, RESPONSE),
        (RESPONSE, "{pipeline{", 400, RESPONSE),
        (f"{RESPONSE}, {JSON};q=0.9", PAUSED, 200, RESPONSE),
        (f"{JSON};q=0.9, {RESPONSE}", PAUSED, 200, RESPONSE),
        (f"{RESPONSE};q=0.1, {JSON}", "{nope}", 200, JSON),
        (f"{RESPONSE}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed", PAUSED, 200, RESPONSE),
        (f"text/event-stream, {RESPONSE}; charset=utf-8", PAUSED, 200, RESPONSE),
        (RESPONSE.upper(), PAUSED, 200, RESPONSE),
        (JSON, "{nope}", 200, JSON),
        ("*/*", "{nope}", 200, JSON),
        ("application/*", PAUSED, 200, JSON),
        ("", PAUSED, 200, JSON),
        ("application/xml", PAUSED, 406, JSON),
        (f"{JSON};q=0, {RESPONSE};q=0", PAUSED, 406, JSON),
        (f"{JSON};q=nonsense", PAUSED, 200, JSON),
    ],
)
async def test_an_answer_has_the_media_type_that_was_asked_for(
    http: httpx.AsyncClient, accept: str, query: str, status: int, media_type: str
) -> None:
    answer = await http.post("/graphql", json={"query": query}, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (status, media_type)


async def test_an_executed_operation_is_200_whatever_became_of_it_and_bad_variables_are_400(
    http: httpx.AsyncClient,
) -> None:
    headers = {"Accept": RESPONSE}
    unknown = {"query": '{ record(entityType: LEAD, externalId: "x") { id } }'}
    answer = await http.post("/graphql", json=unknown, headers=headers)
    assert (answer.status_code, "data" in answer.json()) == (200, True)
    wrong = {"query": "query ($n: Int) { jobs(first: $n) { nodes { id } } }", "variables": {"n": "many"}}
    answer = await http.post("/graphql", json=wrong, headers=headers)
    assert (answer.status_code, "data" in answer.json()) == (400, False)
    answer = await http.post("/graphql", json=wrong)
    assert answer.status_code == 200


async def test_a_refused_request_has_the_media_type_too(http: httpx.AsyncClient) -> None:
    headers = {"Accept": RESPONSE, "Authorization": "Bearer nonsense"}
    answer = await http.post("/graphql", json={"query": PAUSED}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (401, RESPONSE)


async def test_queries_run_by_get(http: httpx.AsyncClient) -> None:
    query = "query A { pipeline { paused } } query B($n: Int) { jobs(first: $n) { nodes { id } } }"
    sent = {"query": query, "operationName": "B", "variables": '{"n": 1}', "extensions": "{}"}
    answer = await http.get("/graphql", params=sent, headers={"Accept": JSON})
    assert (answer.status_code, answer.json()) == (200, {"data": {"jobs": {"nodes": []}}})
    answer = await http.get("/graphql", params={"query": PAUSED})  # what curl accepts
    assert answer.json() == NOT_PAUSED


async def test_what_changes_something_does_not_run_by_get(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql", params={"query": "mutation { pausePipeline { paused } }"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await http.post("/graphql", json={"query": PAUSED})).json() == NOT_PAUSED
    answer = await http.get("/graphql", params={"query": "subscription { pipelineChanged { paused } }"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "sent",
    [
        "query={pipeline{paused}}&query={config{version}}",
        "query={pipeline{paused}}&variables={",
        "query={pipeline{paused}}&variables=[]",
        "query={pipeline{paused}}&variables=" + "[" * 100 + "]" * 100,
        "query=",
        "extensions={}",
        "query={pipeline{paused}}&extensions=7",
    ],
)
async def test_what_is_no_operation_of_a_get_is_a_bad_request(http: httpx.AsyncClient, sent: str) -> None:
    answer = await http.get(f"/graphql?{sent}", headers={"Accept": JSON})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


def _persisted(document: str) -> dict[str, Any]:
    digest = sha256(document.encode()).hexdigest()
    return {"persistedQuery": {"version": 1, "sha256Hash": digest}}


async def test_a_document_is_sent_once_and_then_named_by_its_hash(http: httpx.AsyncClient) -> None:
    named = {"extensions": _persisted(PAUSED)}
    answer = await http.post("/graphql", json=named)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["message"]) == (200, "PersistedQueryNotFound")
    assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert (await http.post("/graphql", json={**named, "query": PAUSED})).json() == NOT_PAUSED
    assert (await http.post("/graphql", json=named)).json() == NOT_PAUSED
    by_get = await http.get("/graphql", params={"extensions": json.dumps(_persisted(PAUSED))})
    assert by_get.json() == NOT_PAUSED


@pytest.mark.parametrize(
    "persisted",
    [
        {"version": 1, "sha256Hash": "0" * 64},
        {"version": 2, "sha256Hash": sha256(PAUSED.encode()).hexdigest()},
        {"version": 1, "sha256Hash": "short"},
        {"version": 1},
        [],
    ],
)
async def test_a_document_is_not_kept_under_what_is_not_its_hash(http: httpx.AsyncClient, persisted: Any) -> None:
    sent = {"query": PAUSED, "extensions": {"persistedQuery": persisted}}
    assert (await http.post("/graphql", json=sent)).status_code == 400


async def test_so_many_documents_are_kept_the_newest_and_no_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_KEPT", 2)
    kept = documents.Documents()
    texts = [f"{{ a{n} }}" for n in range(3)]
    for text in [*texts, "#" * (documents.MOST_CHARACTERS + 1)]:
        kept.find(text, None, _persisted(text)["persistedQuery"])
    assert kept.find(None, None, _persisted(texts[2])["persistedQuery"]) == texts[2]
    for text in (texts[0], "#" * (documents.MOST_CHARACTERS + 1)):
        with pytest.raises(documents.PersistedQueryNotFound):
            kept.find(None, None, _persisted(text)["persistedQuery"])


@pytest.mark.parametrize(
    "listed",
    [
        {"paused-1": PAUSED},
        {
            "format": "apollo-persisted-query-manifest",
            "version": 1,
            "operations": [{"id": "paused-1", "name": "P", "type": "query", "body": PAUSED}],
        },
    ],
)
async def test_only_the_documents_of_a_list_are_answered(redis: ArqRedis, tmp_path: Path, listed: Any) -> None:
    file = tmp_path / "documents.json"
    file.write_text(json.dumps(listed))
    shared = services(redis, StandIn())
    app = rest_app(shared, allowed_documents=file)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        client = Client(http)
        for sent in ({"query": PAUSED}, {"documentId": "paused-1"}, {"extensions": _persisted(PAUSED)}):
            assert (await client.post(sent)).json() == NOT_PAUSED
        for sent in ({"query": "{config{version}}"}, {"documentId": "other"}, {"extensions": _persisted("{a}")}):
            refused = await client.post(sent)
            assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    async with running(shared, allowed_documents=file) as service, client_of(service) as socket:
        await socket.begin()
        await socket.start("1", "{config{version}}")
        answer = await socket.receive()
        assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
        await socket.start("2", PAUSED)
        assert (await socket.receive())["payload"] == NOT_PAUSED


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"a": 7}', '{"operations": [{"id": "a"}]}', '{"operations": [7]}'])
async def test_a_list_that_cannot_be_used_is_refused_at_the_start(redis: ArqRedis, tmp_path: Path, text: str) -> None:
    file = tmp_path / "documents.json"
    file.write_text(text)
    with pytest.raises(BadSettings, match="ALLOWED_DOCUMENTS"):
        rest_app(services(redis, StandIn()), allowed_documents=file)
    with pytest.raises(BadSettings, match="cannot be read"):
        rest_app(services(redis, StandIn()), allowed_documents=tmp_path / "none.json")
