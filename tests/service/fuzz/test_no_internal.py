"""No input makes an error of ours: values at and beyond every bound, in every argument of both doors.

In the suite a few values for each part of each argument, by a seed that stays; `make fuzz` goes on for as long as it is
told, with all that the seed brings. Every call takes the way of a request, from its bytes to the bytes of its answer.
"""

import json
import random
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from arq.connections import ArqRedis
from msgspec import to_builtins

from resolvers.refused_value import MESSAGE
from service.http.problem import KINDS
from service.rest.operation import PREFIX
from service.rest.routes import OPERATIONS
from tests.service.access.documents import Call, calls_of
from tests.service.access.graphql_checks import known_texts
from tests.service.access.organizations import OWN, fill, shared_services
from tests.service.fuzz.boundaries import DIGITS, boundary_calls
from tests.service.fuzz.broken import VALUES, broken_body
from tests.support.fuzzing import FUZZ_SECONDS, SEED
from tests.support.graphql_client import SCHEMA
from tests.support.rest_client import rest_app, token

pytestmark = pytest.mark.usefixtures("db")

GRAPHQL_CALLS, REST_CALLS = 250, 300  # in the suite


@pytest.fixture
async def client(redis: ArqRedis) -> httpx.AsyncClient:
    """An ADMIN of an organization that has data of every kind."""
    shared = shared_services(redis)
    await fill(shared, OWN)
    headers = {"Authorization": f"Bearer {token(org=OWN)}", "Content-Type": "application/json"}
    transport = httpx.ASGITransport(rest_app(shared))
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


def calls() -> list[Call]:
    """Each field with all its arguments, once for each set of them. Subscriptions have the same types."""
    made = calls_of(SCHEMA._schema, known_texts, every=True)
    chosen = {(call.field, tuple(call.variables)): call for call in made if "Subscription" not in call.field}
    return list(chosen.values())


async def ask(client: httpx.AsyncClient, document: str, variables: Mapping[str, Any]) -> set[str]:
    """The codes of a GraphQL answer."""
    body = json.dumps({"query": document, "variables": variables})
    answer = await client.post("/graphql", content=body.encode("utf-8", "surrogatepass"))
    assert answer.status_code < 500, (document, body[:2_000], answer.text[:500])
    return {error["extensions"]["code"] for error in answer.json().get("errors", ())}


async def test_graphql_refuses_odd_values_as_the_callers_own(client: httpx.AsyncClient) -> None:
    chance = random.Random(SEED)  # noqa: S311 # for tests
    until = time.monotonic() + FUZZ_SECONDS / 3
    while True:
        drawn = list(boundary_calls(SCHEMA._schema, calls(), chance, 4 if FUZZ_SECONDS else 1))
        for call in chance.sample(drawn, len(drawn) if FUZZ_SECONDS else min(len(drawn), GRAPHQL_CALLS)):
            codes = await ask(client, call.document, call.variables)
            assert not codes & {"INTERNAL", "UNAVAILABLE"}, (call.field, str(call.variables)[:2_000])
            if FUZZ_SECONDS and time.monotonic() > until:
                return
        if not FUZZ_SECONDS:
            return


async def test_rest_refuses_odd_values_and_broken_bodies_as_the_callers_own(client: httpx.AsyncClient) -> None:
    chance = random.Random(SEED)  # noqa: S311 # for tests
    until = time.monotonic() + FUZZ_SECONDS / 3
    done = 0
    while done < REST_CALLS or time.monotonic() < until:
        done += 1
        operation = chance.choice(OPERATIONS)
        if operation.id == "listEvents":
            continue  # it waits for what happens, where it is asked to
        path = operation.path
        for name in ("id", "entityType", "externalId", "endpointId"):
            path = path.replace(
                f"{{{name}}}", quote(str(_value(chance, name))[:4_000], safe="", errors="ignore") or "-"
            )
        names = [parameter.name for parameter in operation.parameters if parameter.index == "query"]
        query = {name: str(_value(chance, name))[:4_000] for name in names if chance.random() < 0.7}
        query = {name: text.encode("utf-8", "ignore").decode() for name, text in query.items()}
        content = b""
        if operation.body is not None:
            content = broken_body(to_builtins(chance.choice(list(operation.body.examples.values()))), chance)
        answer = await client.request(operation.method, PREFIX + path, params=query, content=content)
        said = (operation.id, path[:300], str(query)[:600], content[:2_000], answer.text[:500])
        assert answer.status_code < 500, said


def _value(chance: random.Random, name: str) -> Any:
    return known_texts(name) if chance.random() < 0.3 else chance.choice(VALUES)


@pytest.mark.parametrize(
    "query",
    [
        "{ jobs(first: %s) { nodes { id } } }",
        "{ records(filter: {completenessBelow: %s}) { nodes { id } } }",
        "{ records(filter: {completenessBelow: 1e%s}) { nodes { id } } }",
        "{ job(id: %s) { id } }",
        """mutation { upsertRecords(records: [{entityType: LEAD, externalId: "1", fields: {a: %s}}]) {
          results { index } } }""",
    ],
)
async def test_a_number_of_thousands_of_digits_is_refused(client: httpx.AsyncClient, query: str) -> None:
    assert await ask(client, query % ("9" * DIGITS), {}) <= {"BAD_REQUEST"}
    assert await ask(client, query % ("-" + "9" * DIGITS), {}) <= {"BAD_REQUEST"}


async def test_the_history_of_a_field_that_cannot_be_is_counted_or_refused(client: httpx.AsyncClient) -> None:
    query = """query ($f: String) { record(entityType: ACCOUNT, externalId: "S1") {
        history(field: $f) { totalCount totalCountIsExact nodes { field } } } }"""
    for name in ("", "no such field", "x" * 99_000, "\0", "9" * DIGITS, "%"):
        assert await ask(client, query, {"f": name}) <= {"BAD_REQUEST", "VALIDATION_FAILED"}


async def test_what_the_checks_let_through_and_the_store_refuses_is_the_callers_own(client: httpx.AsyncClient) -> None:
    query = "query ($from: DateTime, $to: DateTime) { credits(from: $from, to: $to) { balance } }"
    assert await ask(client, query, {"from": "2026-01-01", "to": "0001-01-01"}) == {"BAD_REQUEST"}
    answer = await client.get(f"{PREFIX}/credits", params={"from": "9999-12-31", "to": "2026-01-01"})
    assert answer.status_code == KINDS["BAD_REQUEST"].status or answer.json()["detail"] == MESSAGE
