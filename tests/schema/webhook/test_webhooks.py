"""Endpoints of webhooks over GraphQL: managed by admins, and seen by nobody else."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role, Services
from tests.support.factories import Clock, StandIn, context, send, services
from tests.support.graphql_client import Operations
from tests.support.log import settled
from tests.support.webhook_receiver import Receiver, receiver, send_all, sending, with_webhooks

pytestmark = pytest.mark.usefixtures("db")

CREATE = """mutation ($url: String!, $kinds: [EventKind!], $entityTypes: [EntityType!]) {
    createWebhookEndpoint(url: $url, description: "CRM", kinds: $kinds, entityTypes: $entityTypes) { secret
        endpoint { id url description kinds entityTypes status pausedBecause cursor createdBy
            previousSecretUntil } } }"""
DELIVERIES = """query ($id: ID!, $status: WebhookDeliveryStatus) { webhookDeliveries(endpointId: $id, status: $status) {
    totalCount nodes { id messageId kind status recordId cursor dueAt endedAt
        attempts { at status fault milliseconds } } } }"""
ONE = "mutation ($id: ID!) { %s(id: $id) { id } }"


@pytest.fixture
def shared(redis: ArqRedis) -> Services:
    return with_webhooks(services(redis, StandIn(), now=Clock()))


@pytest.fixture
def ask(shared: Services) -> Operations:
    return Operations(shared)


@pytest.fixture
async def at() -> AsyncIterator[Receiver]:
    async with receiver() as at:
        yield at


async def created(ask: Operations, url: str, **chosen: Any) -> Any:
    return (await ask(CREATE, url=url, **chosen))["createWebhookEndpoint"]


async def work_off(shared: Services) -> None:
    await settled()
    async with sending(shared) as sender:
        await send_all(sender)


async def test_an_endpoint_is_made_shown_changed_paused_and_removed(ask: Operations) -> None:
    made = await created(ask, "https://hooks.example.com/in", kinds=["RECORD_ENRICHED"], entityTypes=["LEAD"])
    endpoint = made["endpoint"]
    assert made["secret"].startswith("whsec_")
    assert endpoint | {"cursor": "", "id": ""} == {
        "id": "",
        "url": "https://hooks.example.com/in",
        "description": "CRM",
        "kinds": ["RECORD_ENRICHED"],
        "entityTypes": ["LEAD"],
        "status": "ACTIVE",
        "pausedBecause": None,
        "cursor": "",
        "createdBy": "ann",
        "previousSecretUntil": None,
    }
    id = endpoint["id"]
    changed = (
        await ask(
            'mutation ($id: ID!) { updateWebhookEndpoint(id: $id, kinds: [], description: "") { kinds description'
            " entityTypes } }",
            id=id,
        )
    )["updateWebhookEndpoint"]
    assert changed == {"kinds": [], "description": None, "entityTypes": ["LEAD"]}
    paused = await ask("mutation ($id: ID!) { pauseWebhookEndpoint(id: $id) { status pausedBecause pausedAt } }", id=id)
    assert (paused["pauseWebhookEndpoint"]["status"], paused["pauseWebhookEndpoint"]["pausedBecause"]) == (
        "PAUSED",
        "BY_USER",
    )
    assert await ask.code(ONE % "testWebhookEndpoint", id=id) == "STATE_CONFLICT"
    resumed = await ask("mutation ($id: ID!) { resumeWebhookEndpoint(id: $id) { status pausedAt } }", id=id)
    assert resumed["resumeWebhookEndpoint"] == {"status": "ACTIVE", "pausedAt": None}
    rotated = await ask(
        "mutation ($id: ID!) { rotateWebhookSecret(id: $id, overlapHours: 1) { secret"
        " endpoint { previousSecretUntil } } }",
        id=id,
    )
    assert rotated["rotateWebhookSecret"]["secret"] != made["secret"]
    assert rotated["rotateWebhookSecret"]["endpoint"]["previousSecretUntil"] is not None
    assert await ask("mutation ($id: ID!) { deleteWebhookEndpoint(id: $id) }", id=id) == {"deleteWebhookEndpoint": True}
    assert await ask("{ webhookEndpoints { id } }") == {"webhookEndpoints": []}
    actions = [line["action"] for line in (await ask("{ audit { nodes { action } } }"))["audit"]["nodes"]]
    assert [action.removeprefix("webhook_endpoint.") for action in reversed(actions)] == [
        "created",
        "changed",
        "paused",
        "resumed",
        "secret_rotated",
        "deleted",
    ]


async def test_deliveries_are_listed_with_their_attempts_and_sent_again(
    shared: Services, ask: Operations, at: Receiver
) -> None:
    at.answer = lambda _: 500
    id = (await created(ask, at.url, kinds=["RECORD_CREATED", "JOB_CREATED"]))["endpoint"]["id"]
    await send(context(shared), "account", "A1", domain="acme.com")
    await work_off(shared)
    page = (await ask(DELIVERIES, id=id))["webhookDeliveries"]
    waiting, first = page["nodes"]
    assert page["totalCount"] == 2
    assert (first["kind"], first["status"], waiting["kind"], waiting["attempts"]) == (
        "RECORD_CREATED",
        "PENDING",
        "JOB_CREATED",
        [],
    )
    [attempt] = first["attempts"]
    assert (attempt["status"], attempt["fault"]) == (500, "STATUS") and attempt["at"] is not None
    at.answer = lambda _: 200
    again = await ask("mutation ($id: ID!) { redeliverWebhook(id: $id) { id status messageId } }", id=first["id"])
    assert again["redeliverWebhook"]["messageId"] == first["messageId"] == at.received[0].id
    await work_off(shared)
    done = (await ask(DELIVERIES, id=id, status="DELIVERED"))["webhookDeliveries"]
    assert done["totalCount"] == 2 and len(done["nodes"][1]["attempts"]) == 2
    found = await ask(
        "query ($id: ID!) { node(id: $id) { __typename ... on WebhookDelivery { messageId } } }", id=first["id"]
    )
    assert found["node"] == {"__typename": "WebhookDelivery", "messageId": first["messageId"]}
    tested = await ask("mutation ($id: ID!) { testWebhookEndpoint(id: $id) { id kind status } }", id=id)
    assert tested["testWebhookEndpoint"] | {"id": ""} == {"id": "", "kind": "WEBHOOK_TEST", "status": "PENDING"}
    replayed = await ask('mutation ($id: ID!) { replayWebhookEndpoint(id: $id, after: "0") { cursor } }', id=id)
    assert replayed["replayWebhookEndpoint"]["cursor"] == "0"
    shown = await ask("query ($id: ID!) { webhookDelivery(id: $id) { status } }", id=first["id"])
    assert shown["webhookDelivery"]["status"] == "DELIVERED"


async def test_faults_of_an_endpoint_are_named(ask: Operations) -> None:
    for url in ("https://10.0.0.1/", "ftp://x.example/", "nothing"):
        refusal = await ask.refusal(CREATE, url=url)
        assert [fault["path"] for fault in refusal["errors"]] == ["url"]
    id = (await created(ask, "https://hooks.example.com/"))["endpoint"]["id"]
    over = "mutation ($id: ID!) { rotateWebhookSecret(id: $id, overlapHours: 169) { secret } }"
    assert (await ask.refusal(over, id=id))["errors"][0]["path"] == "overlapHours"
    bad = 'mutation ($id: ID!) { replayWebhookEndpoint(id: $id, after: "x") { id } }'
    assert await ask.code(bad, id=id) == "BAD_REQUEST"


async def test_an_organization_has_twenty_endpoints_at_most(ask: Operations) -> None:
    for number in range(20):
        await created(ask, f"https://hooks.example.com/{number}")
    assert await ask.code(CREATE, url="https://hooks.example.com/20") == "STATE_CONFLICT"


async def test_without_an_encryption_key_there_are_no_endpoints(shared: Services, ask: Operations) -> None:
    shared.secret_box = None
    assert await ask.code(CREATE, url="https://hooks.example.com/") == "UNAVAILABLE"


@pytest.mark.parametrize("stranger", ["manager", "other organization"])
async def test_nobody_but_an_admin_of_the_organization_sees_or_moves_anything(
    shared: Services, ask: Operations, at: Receiver, stranger: str
) -> None:
    id = (await created(ask, at.url))["endpoint"]["id"]
    await send(context(shared), "account", "A1", domain="acme.com")
    await work_off(shared)
    delivery = (await ask(DELIVERIES, id=id))["webhookDeliveries"]["nodes"][0]["id"]
    if stranger == "manager":
        other, code = Operations(shared, role=Role.MANAGER), "FORBIDDEN"
        assert await other.code("{ webhookEndpoints { id } }") == await other.code(CREATE, url=at.url) == "FORBIDDEN"
    else:
        other, code = Operations(shared, org="other"), "NOT_FOUND"
        assert await other("{ webhookEndpoints { id } }") == {"webhookEndpoints": []}
    assert await other("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[id, delivery]) == {
        "nodes": [None, None]
    }
    for name in (
        "updateWebhookEndpoint",
        "pauseWebhookEndpoint",
        "resumeWebhookEndpoint",
        "testWebhookEndpoint",
    ):
        assert await other.code(ONE % name, id=id) == code
    assert await other.code("query ($id: ID!) { webhookEndpoint(id: $id) { id } }", id=id) == code
    assert await other.code("mutation ($id: ID!) { rotateWebhookSecret(id: $id) { secret } }", id=id) == code
    assert await other.code('mutation ($id: ID!) { replayWebhookEndpoint(id: $id, after: "0") { id } }', id=id) == code
    assert await other.code("mutation ($id: ID!) { deleteWebhookEndpoint(id: $id) }", id=id) == code
    assert await other.code(DELIVERIES, id=id) == code
    assert await other.code("query ($id: ID!) { webhookDelivery(id: $id) { id } }", id=delivery) == code
    assert await other.code(ONE % "redeliverWebhook", id=delivery) == code
