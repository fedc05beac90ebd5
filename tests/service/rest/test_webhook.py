"""Webhooks over REST: the same operations as over GraphQL."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from arq.connections import ArqRedis
from standardwebhooks.webhooks import Webhook

from models.idempotency import IdempotentAnswer
from resolvers.context import Role, Services
from tests.support.factories import Clock, StandIn, context, send, services
from tests.support.log import settled
from tests.support.rest_client import Rest, fault_paths, problem_code
from tests.support.webhook_receiver import Receiver, receiver, send_all, sending, with_webhooks

pytestmark = pytest.mark.usefixtures("db")

ENDPOINTS = "/webhook-endpoints"
PUBLIC = {"url": "https://hooks.example.com/in"}


@pytest.fixture
def shared(redis: ArqRedis) -> Services:
    return with_webhooks(services(redis, StandIn(), now=Clock()))


@pytest.fixture
def rest(shared: Services) -> Rest:
    return Rest(shared)


@pytest.fixture
async def at() -> AsyncIterator[Receiver]:
    async with receiver() as at:
        yield at


async def work_off(shared: Services) -> None:
    await settled()
    async with sending(shared) as sender:
        await send_all(sender)


async def created(rest: Rest, **body: Any) -> Any:
    response = await rest.post(ENDPOINTS, json=PUBLIC | body)
    assert response.status_code == 201, response.text
    return response.json()


async def test_an_endpoint_is_made_shown_changed_paused_and_removed(rest: Rest) -> None:
    made = await created(rest, kinds=["Record.Enriched"], entityTypes=["LEAD"], description="CRM")
    endpoint = made["endpoint"]
    assert (endpoint["kinds"], endpoint["entityTypes"]) == (["record.enriched"], ["lead"])
    assert (await rest.get(ENDPOINTS)).json() == [endpoint]
    path = f"{ENDPOINTS}/{endpoint['id']}"
    changed = (await rest("PATCH", path, json={"kinds": [], "description": ""})).json()
    assert changed == endpoint | {"kinds": [], "description": None}
    assert (await rest.get(path)).json() == changed
    paused = (await rest.post(f"{path}/pause")).json()
    assert (paused["status"], paused["pausedBecause"]) == ("paused", "by_user")
    assert problem_code(await rest.post(f"{path}/test")) == "STATE_CONFLICT"
    assert (await rest.post(f"{path}/resume")).json() == changed
    rotated = (await rest.post(f"{path}/rotate", json={"overlapHours": 0})).json()
    assert rotated["secret"] != made["secret"] and rotated["endpoint"]["previousSecretUntil"] is not None
    assert (await rest.post(f"{path}/rotate")).status_code == 200
    assert (await rest("DELETE", path)).json()["id"] == endpoint["id"]
    assert problem_code(await rest.get(path)) == problem_code(await rest("DELETE", path)) == "NOT_FOUND"


async def test_deliveries_are_read_and_sent_again(shared: Services, rest: Rest, at: Receiver) -> None:
    at.answer = lambda _: 500
    made = await created(rest, url=at.url, kinds=["record.created", "job.created"])
    path = f"{ENDPOINTS}/{made['endpoint']['id']}"
    await send(context(shared), "account", "A1", domain="acme.com")
    await work_off(shared)
    listed = await rest.get(f"{path}/deliveries", params={"limit": 1})
    assert 'rel="next"' in listed.headers["link"]
    assert [one["kind"] for one in listed.json()] == ["job.created"]
    [first] = [one for one in (await rest.get(f"{path}/deliveries")).json() if one["kind"] == "record.created"]
    assert (first["status"], first["attempts"][0]["status"]) == ("pending", 500)
    assert (await rest.get(f"{path}/deliveries", params={"status": "set_aside"})).json() == []
    assert problem_code(await rest.get(f"{path}/deliveries", params={"status": "lost"})) == "BAD_REQUEST"
    at.answer = lambda _: 200
    again = await rest.post(f"/webhook-deliveries/{first['id']}/redeliver")
    assert (again.status_code, again.json()["messageId"]) == (202, first["messageId"])
    await work_off(shared)
    assert (await rest.get(f"/webhook-deliveries/{first['id']}")).json()["status"] == "delivered"
    Webhook(made["secret"]).verify(at.received[-1].body, at.received[-1].headers)
    assert (await rest.post(f"{path}/test")).json()["kind"] == "webhook.test"
    at.received.clear()
    assert (await rest.post(f"{path}/replay", json={"after": "0"})).json()["cursor"] == "0"
    await work_off(shared)
    assert sorted(at.kinds) == ["job.created", "record.created", "webhook.test"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"url": "https://10.0.0.1/"}, "url"),
        ({}, "url"),
        ({"url": 7}, "url"),
        (PUBLIC | {"kinds": ["record.created", "record.lost"]}, "kinds[1]"),
        (PUBLIC | {"kinds": "all"}, "kinds"),
        (PUBLIC | {"entityTypes": [None]}, "entityTypes[0]"),
        (PUBLIC | {"description": "x" * 501}, "description"),
        (PUBLIC | {"secret": "mine"}, "secret"),
    ],
)
async def test_faults_of_an_endpoint_are_named(rest: Rest, body: Any, path: str) -> None:
    refused = await rest.post(ENDPOINTS, json=body)
    assert (refused.status_code, fault_paths(refused)) == (422, [path])


async def test_faults_of_a_rotation_and_a_replay_are_named(rest: Rest) -> None:
    path = f"{ENDPOINTS}/{(await created(rest))['endpoint']['id']}"
    for hours in (169, -1, "8", True):
        assert fault_paths(await rest.post(f"{path}/rotate", json={"overlapHours": hours})) == ["overlapHours"]
    assert fault_paths(await rest.post(f"{path}/replay", json={})) == ["after"]
    assert problem_code(await rest.post(f"{path}/replay", json={"after": "x"})) == "BAD_REQUEST"


async def test_a_secret_is_not_kept_for_an_idempotency_key(rest: Rest) -> None:
    key = {"Idempotency-Key": "once"}
    first = (await rest.post(ENDPOINTS, json=PUBLIC, headers=key)).json()
    again = await rest.post(ENDPOINTS, json=PUBLIC, headers=key)
    assert again.json() == first | {"secret": None} and again.status_code == 201
    assert [first["secret"] in kept.body for kept in await IdempotentAnswer.all()] == [False]
    assert len((await rest.get(ENDPOINTS)).json()) == 1


@pytest.mark.parametrize("options", [{"role": Role.MANAGER}, {"org": "other"}], ids=["manager", "other organization"])
async def test_nobody_but_an_admin_of_the_organization_sees_or_moves_anything(
    shared: Services, rest: Rest, at: Receiver, options: dict[str, Any]
) -> None:
    path = f"{ENDPOINTS}/{(await created(rest, url=at.url))['endpoint']['id']}"
    await send(context(shared), "account", "A1", domain="acme.com")
    await work_off(shared)
    delivery = f"/webhook-deliveries/{(await rest.get(f'{path}/deliveries')).json()[0]['id']}"
    code = "FORBIDDEN" if "role" in options else "NOT_FOUND"
    for method, where, body in (
        ("GET", path, None),
        ("PATCH", path, {"kinds": []}),
        ("DELETE", path, None),
        ("POST", f"{path}/pause", None),
        ("POST", f"{path}/resume", None),
        ("POST", f"{path}/rotate", None),
        ("POST", f"{path}/test", None),
        ("POST", f"{path}/replay", {"after": "0"}),
        ("GET", f"{path}/deliveries", None),
        ("GET", delivery, None),
        ("POST", f"{delivery}/redeliver", None),
    ):
        assert problem_code(await rest(method, where, json=body, **options)) == code, where
