"""Objects by their ids alone, and ids by which clients can keep them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis
from graphql import GraphQLObjectType

from resolvers.context import Role, Services
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import SCHEMA, Operations
from tests.support.statements import counted_statements
from tests.support.webhook_receiver import with_webhooks

pytestmark = pytest.mark.usefixtures("db")

DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
WITH_IDS = {
    name: kind
    for name, kind in SCHEMA._schema.type_map.items()
    if isinstance(kind, GraphQLObjectType) and "id" in kind.fields
}
NODES = {name for name, kind in WITH_IDS.items() if kind.interfaces}
SHARED = set(re.findall(r'"(\w+)"', re.search(r"const shared = \[(.*?)\]", DOCS, re.DOTALL)[1]))  # type: ignore[index]  # it is there


@pytest.fixture
async def shared(redis: ArqRedis) -> Services:
    """An account with a conflict, an undo, a ledger, an entry of the suppression list and a certificate."""
    made = with_webhooks(
        services(redis, StandIn(knows={"acme.com": {"industry": "Software", "country": "France"}}, price=2))
    )
    ask = Operations(made)
    await send(context(made), "account", "A1", domain="acme.com", country="Germany")
    await send(context(made), "account", "A2", domain="bit.com")
    await work(made)
    await ask('mutation { createWebhookEndpoint(url: "https://hooks.example.com/") { secret } }')
    await ask('mutation { suppress(emails: ["a@x.com"]) { added } }')
    await ask('mutation { eraseRecord(entityType: ACCOUNT, externalId: "A2") { id } }')
    job = (await ask("{ jobs { nodes { id } } }"))["jobs"]["nodes"][0]["id"]
    await ask("mutation($id: ID!) { undoJob(id: $id) { id } }", id=job)
    return made


EVERYTHING = """{ config { __typename id providers { __typename id } } pipeline { __typename id }
    stats { __typename id } credits { __typename id entries { nodes { __typename id } } }
    records { nodes { __typename id } } jobs { nodes { __typename id } } undos { nodes { __typename id } }
    conflicts(filter: {status: [OPEN, RESOLVED, SUPERSEDED]}) { nodes { __typename id candidates { __typename id } } }
    providers { __typename id } suppressions { nodes { __typename id } } erasures { nodes { __typename id } }
    webhookEndpoints { __typename id } }"""


# A suggestion takes many decisions; a delivery is of an endpoint (tests/schema/webhook).
TESTED_ELSEWHERE = {"RuleSuggestion", "WebhookDelivery"}


def with_ids(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of an answer that has an id."""
    if isinstance(value, list):
        for item in value:
            yield from with_ids(item)
    elif isinstance(value, dict):
        if "id" in value:
            yield value
        yield from with_ids(list(value.values()))


async def test_every_node_is_found_by_its_id_alone(shared: Services) -> None:
    ask = Operations(shared)
    shown = [item for item in with_ids(await ask(EVERYTHING)) if item["__typename"] in NODES]
    assert {item["__typename"] for item in shown} == NODES - TESTED_ELSEWHERE
    ids = [item["id"] for item in shown]
    found = (await ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids))["nodes"]
    assert [(item["__typename"], item["id"]) for item in found] == [(item["__typename"], item["id"]) for item in shown]


async def test_fragments_on_nodes_show_what_the_types_own_fields_show(shared: Services) -> None:
    ask = Operations(shared)
    fields = "status progress steps { provider outcome } record { id fields provenance { field } }"
    [job, *_] = (await ask(f"{{ jobs {{ nodes {{ id {fields} }} }} }}"))["jobs"]["nodes"]
    text = f"query($id: ID!) {{ node(id: $id) {{ id ... on Job {{ {fields} }} ... on Record {{ externalId }} }} }}"
    assert (await ask(text, id=job["id"]))["node"] == job
    assert (await ask(text, id=job["record"]["id"]))["node"] == {"id": job["record"]["id"], "externalId": "A1"}


async def test_a_miss_is_null_and_empties_no_page(shared: Services) -> None:
    ask, stranger = Operations(shared), Operations(shared, org="other")
    known = (await ask("{ records { nodes { id } } }"))["records"]["nodes"][0]["id"]
    ids = [known, "00000000-0000-7000-8000-000000000000", "00000000-0000-5000-8000-000000000000", "?", "x@acme"]
    ids += ["config@acme", "config@other", "stats(yesterday,)@acme", "stats(2026-02-01,2026-01-01)@acme", known]
    text = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert [node and node["id"] for node in (await ask(text, ids=ids))["nodes"]] == [
        known,
        *[None] * 4,
        "config@acme",
        *[None] * 3,
        known,
    ]
    assert (await stranger("query($id: ID!) { node(id: $id) { id } }", id=known))["node"] is None
    assert await ask.code(text, ids=[known] * 201) == "VALIDATION_FAILED"


async def test_what_only_admins_read_is_not_there_for_others(shared: Services) -> None:
    data = await Operations(shared)("{ suppressions { nodes { id } } erasures { nodes { id } } }")
    ids = [item["id"] for item in with_ids(data)]
    text = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert (await Operations(shared, role=Role.MANAGER)(text, ids=ids))["nodes"] == [None, None]
    assert all((await Operations(shared)(text, ids=ids))["nodes"])
    assert await Operations(shared, role=None).code(text, ids=ids) == "UNAUTHENTICATED"


async def test_nodes_take_one_statement_and_one_for_each_kind(
    shared: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Operations(shared)
    data = await ask("{ jobs { nodes { id } } records { nodes { id } } }")
    ids = [item["id"] for item in with_ids(data)] * 3
    with counted_statements(monkeypatch) as statements:
        await ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids)
    assert len(statements.texts) == 3, statements.texts


async def test_a_fragment_on_nodes_is_weighed(shared: Services) -> None:
    deep = "jobs(first: 200) { nodes { record { jobs(first: 200) { nodes { id } } } } }"
    assert await Operations(shared).code(f'{{ node(id: "x") {{ ... on Record {{ {deep} }} }} }}') == "QUERY_TOO_COMPLEX"


async def test_what_an_organization_has_one_of_keeps_its_id(shared: Services) -> None:
    ask = Operations(shared)
    shown = await ask("{ config { id } pipeline { id } credits { id } stats { id } }")
    changed = await ask(
        """mutation { updateConfig(input: {cooldownHours: 3}) { id } pausePipeline { id }
            grantCredits(amount: 1, idempotencyKey: "k") { id } }"""
    )
    assert changed == {
        "updateConfig": shown["config"],
        "pausePipeline": shown["pipeline"],
        "grantCredits": shown["credits"],
    }
    period = 'from: "2026-01-01T01:00:00+01:00"'
    of_period = await ask(f"{{ stats({period}) {{ id }} credits({period}) {{ id periodStart }} }}")
    assert of_period["stats"]["id"] == "stats(2026-01-01T00:00:00Z,)@acme" != shown["stats"]["id"]
    text = "query($id: ID!) { node(id: $id) { id ... on CreditUsage { periodStart } } }"
    assert (await ask(text, id=of_period["credits"]["id"]))["node"] == of_period["credits"]
    assert len({shown[name]["id"] for name in shown}) == 4


async def test_no_two_objects_have_the_same_key(shared: Services) -> None:
    """By the function that docs/api.md gives for caches that keep by `id` alone."""
    ask = Operations(shared)
    [conflict] = (await ask("{ conflicts(filter: {status: [OPEN, SUPERSEDED]}) { nodes { id } } }"))["conflicts"][
        "nodes"
    ]
    text = "mutation($ids: [ID!]!) { resolveConflicts(ids: $ids) { results { __typename id } } }"
    resolved = await ask(text, ids=[conflict["id"]])
    types: dict[str, set[str]] = {}
    for item in (*with_ids(await ask(EVERYTHING)), *with_ids(resolved)):
        key = f"{item['__typename']}:{item['id']}" if item["__typename"] in SHARED else item["id"]
        types.setdefault(key, set()).add(item["__typename"])
    assert not {key: names for key, names in types.items() if len(names) > 1}


def test_every_type_with_an_id_is_a_node_or_is_listed() -> None:
    assert WITH_IDS.keys() - NODES >= SHARED
    assert WITH_IDS.keys() - NODES - SHARED == {"Candidate"}  # an id of its own, found with its conflict
    for name in WITH_IDS:
        assert f"`{name}`" in DOCS or name in SHARED, name
