"""`/resolutions/undo` over REST: many decisions are taken back, each with its outcome."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role, Services
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import Operations
from tests.support.rest_client import Rest, fault_paths, problem_code

pytestmark = pytest.mark.usefixtures("db")

UNKNOWN = "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10"
PATH = "/resolutions/undo"


@pytest.fixture
def shared(redis: ArqRedis) -> Services:
    return services(redis, StandIn(knows={"acme.com": {"industry": "Software"}, "bolt.com": {"industry": "Banking"}}))


@pytest.fixture
def rest(shared: Services) -> Rest:
    return Rest(shared)


async def decided(rest: Rest, shared: Services) -> list[str]:
    """The ids of two conflicts that are resolved, the older first."""
    ctx = context(shared)
    for external_id, domain in (("A1", "acme.com"), ("A2", "bolt.com")):
        await send(ctx, "account", external_id, domain=domain, industry="Mining")
        await work(shared)
    ids = [conflict["id"] for conflict in (await rest.get("/conflicts")).json()]
    for conflict_id in ids:
        await rest("PUT", f"/conflicts/{conflict_id}/resolve", json={"action": "accept_candidate"})
    return ids[::-1]


async def test_by_ids_each_has_its_outcome(rest: Rest, shared: Services) -> None:
    first, second = await decided(rest, shared)
    response = await rest.post(PATH, json={"ids": [second, UNKNOWN, first, second]})
    answer = response.json()
    assert (response.status_code, answer["restored"], answer["leftAlone"], answer["remaining"]) == (200, 2, 1, 0)
    assert [(result["conflictId"], result["restored"]) for result in answer["results"]] == [
        (second, True), (UNKNOWN, False), (first, True), (second, True),
    ]  # fmt: skip
    missing = answer["results"][1]
    assert (missing["error"]["code"], missing["because"], missing["conflict"]) == (
        "NOT_FOUND", missing["error"]["message"], None,
    )  # fmt: skip
    assert sorted(answer["results"][0]["conflict"]) == sorted((await rest.get("/conflicts")).json()[0])
    assert [conflict["status"] for conflict in (await rest.get("/conflicts")).json()] == ["open", "open"]


async def test_by_a_filter(rest: Rest, shared: Services) -> None:
    first, _ = await decided(rest, shared)
    wanted = {"entityType": "Account", "externalId": "A1", "field": "industry", "reason": ["existing_differs"]}
    period = {"createdAfter": "2020-01-01", "createdBefore": "2100-01-01T00:00:00+02:00", "provider": "standin"}
    answer = (await rest.post(PATH, json={"filter": wanted | period})).json()
    assert [(result["conflictId"], result["restored"]) for result in answer["results"]] == [(first, True)]
    none = (await rest.post(PATH, json={"filter": {"createdBefore": "2020-01-01"}})).json()
    assert (none["results"], none["remaining"]) == ([], 0)


async def test_by_a_resolution(rest: Rest, shared: Services) -> None:
    ids = await decided(rest, shared)
    await rest.post(PATH, json={"ids": ids})
    decided_many = await Operations(shared)(
        "mutation($ids: [ID!]!) { resolveConflicts(ids: $ids) { resolutionId resolved } }", ids=ids
    )
    assert decided_many["resolveConflicts"]["resolved"] == 2
    resolution_id = decided_many["resolveConflicts"]["resolutionId"]
    assert (await rest.post(PATH, json={"resolutionId": resolution_id})).json()["restored"] == 2
    missing = await rest.post(PATH, json={"resolutionId": UNKNOWN})
    assert (missing.status_code, problem_code(missing)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, [""]),
        ({"ids": [UNKNOWN], "resolutionId": UNKNOWN}, [""]),
        ({"ids": "all"}, ["ids"]),
        ({"ids": [1]}, ["ids"]),
        ({"all": True}, ["all"]),
        ({"filter": []}, ["filter"]),
        ({"filter": {"status": ["open"]}}, ["filter.status"]),
        ({"filter": {"entityType": "planet"}}, ["filter.entityType"]),
        ({"filter": {"reason": ["whim"]}}, ["filter.reason"]),
        ({"filter": {"createdAfter": "yesterday"}}, ["filter.createdAfter"]),
    ],
)
async def test_what_cannot_be_read_is_named(rest: Rest, body: Any, paths: list[str]) -> None:
    refused = await rest.post(PATH, json=body)
    assert (refused.status_code, fault_paths(refused)) == (422, paths)


async def test_a_viewer_may_not_and_another_organization_finds_nothing(rest: Rest, shared: Services) -> None:
    ids = await decided(rest, shared)
    assert (await rest.post(PATH, json={"ids": ids}, role=Role.VIEWER)).status_code == 403
    assert (await rest.post(PATH, json={"ids": ids}, org="other")).json()["restored"] == 0
    assert (await rest.get("/conflicts")).json() == []
