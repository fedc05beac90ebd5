"""`/conflicts` over REST: what waits for a person, and the decision on it."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from models.record import Record
from resolvers.context import Role, Services
from tests.support.factories import StandIn, context, send, services, work
from tests.support.rest_client import Rest, fault_paths, problem_code

pytestmark = pytest.mark.usefixtures("db")

UNKNOWN = "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10"
METHODS = ("POST", "PUT")


@pytest.fixture
def shared(redis: ArqRedis) -> Services:
    told = {"city": "Berlin", "country": "Germany"}
    return services(redis, StandIn(knows={"acme.com": told, "bolt.com": told}))


@pytest.fixture
def rest(shared: Services) -> Rest:
    return Rest(shared)


async def raise_conflicts(shared: Services) -> None:
    """Two open ones: the city of A1, and of L1."""
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com", city="Paris", country="Germany")
    await work(shared)
    await send(ctx, "lead", "L1", companyDomain="bolt.com", city="Rome", country="Germany")
    await work(shared)


async def open_conflict(rest: Rest, shared: Services) -> dict[str, Any]:
    await raise_conflicts(shared)
    found: dict[str, Any] = (await rest.get("/conflicts?entityType=account")).json()[0]
    return found


async def city(external_id: str = "A1") -> Any:
    return (await Record.get(external_id=external_id)).fields["city"]


async def test_open_conflicts_are_listed_newest_first_with_all_that_is_needed_to_decide(
    rest: Rest, shared: Services
) -> None:
    await raise_conflicts(shared)
    response = await rest.get("/conflicts", role=Role.VIEWER)
    assert response.status_code == 200
    assert [conflict["externalId"] for conflict in response.json()] == ["L1", "A1"]
    conflict = response.json()[1]
    assert (conflict["field"], conflict["reason"], conflict["status"]) == ("address", "existing_differs", "open")
    here, there = {"city": "Paris", "country": "Germany"}, {"city": "Berlin", "country": "Germany"}
    assert (conflict["unit"], conflict["current"]["value"], conflict["current"]["source"]) == ("address", here, "crm")
    (candidate,) = conflict["candidates"]
    assert (candidate["value"], candidate["provider"], candidate["confidence"]) == (there, "standin", 0.9)
    parts = {part["field"]: part for part in conflict["parts"]}
    assert (parts["city"]["current"]["value"], parts["city"]["candidates"][0]["value"]) == ("Paris", "Berlin")
    assert parts["country"]["current"]["value"] == parts["country"]["candidates"][0]["value"] == "Germany"
    recommended = parts["city"]["candidates"][0] if conflict["recommended"] else None
    assert parts["city"]["recommended"] == recommended
    assert conflict["recommended"] in (None, candidate)
    assert (conflict["entityType"], conflict["resolution"]) == ("account", None)
    job = (await rest.get(f"/jobs/{conflict['jobId']}")).json()
    assert (job["recordId"], job["conflicts"]) == (conflict["recordId"], [conflict])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["A1"]),
        ("?status=open", ["A1"]),
        ("?status=RESOLVED", ["L1"]),
        ("?status=open,resolved", ["L1", "A1"]),
        ("?status=all", ["L1", "A1"]),
        ("?status=superseded", []),
        ("?status=all&entityType=lead", ["L1"]),
        ("?status=all&entityType=Account,LEAD", ["L1", "A1"]),
        ("?status=all&entityType=account,contact", ["A1"]),
        ("?status=all&entityType=all", ["L1", "A1"]),
    ],
)
async def test_status_and_entity_type_narrow_the_list(
    rest: Rest, shared: Services, query: str, found: list[str]
) -> None:
    await raise_conflicts(shared)
    newest = (await rest.get("/conflicts")).json()[0]
    await rest.post(f"/conflicts/{newest['id']}/resolve")
    response = await rest.get(f"/conflicts{query}")
    assert (response.status_code, [conflict["externalId"] for conflict in response.json()]) == (200, found)


@pytest.mark.parametrize("entity_types", ["", "&entityType=account,lead"])
async def test_link_leads_to_the_next_page(rest: Rest, shared: Services, entity_types: str) -> None:
    await raise_conflicts(shared)
    first = await rest.get(f"/conflicts?limit=1{entity_types}")
    assert [conflict["externalId"] for conflict in first.json()] == ["L1"]
    address = first.headers["link"].removeprefix("<http://test").removesuffix('>; rel="next"')
    second = await rest.get(address)
    assert [conflict["externalId"] for conflict in second.json()] == ["A1"]
    assert "link" not in second.headers


@pytest.mark.parametrize(
    ("query", "path"),
    [("status=", "status"), ("status=closed", "status"), ("entityType=x", "entityType"), ("cursor=x", "cursor")],
)
async def test_a_bad_parameter_is_named(rest: Rest, query: str, path: str) -> None:
    response = await rest.get(f"/conflicts?{query}")
    assert (response.status_code, fault_paths(response)) == (400, [path])


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"content": b""},
        {"content": b"", "headers": {"Content-Type": "application/json"}},
        {"content": b" \n", "headers": {"Content-Type": "text/plain"}},
        {"json": {}},
    ],
)
async def test_without_a_decision_the_recommendation_is_applied(
    rest: Rest, shared: Services, sent: dict[str, Any]
) -> None:
    conflict = await open_conflict(rest, shared)
    response = await rest.post(f"/conflicts/{conflict['id']}/resolve", role=Role.USER, **sent)
    assert response.status_code == 200
    shown = response.json()
    recommended = conflict["recommended"]
    assert shown["status"] == "resolved"
    assert shown["resolution"]["action"] == ("accept_candidate" if recommended else "keep_current")
    assert shown["resolution"]["resolvedBy"] == "ann"
    assert await city() == (recommended["value"]["city"] if recommended else "Paris")


async def test_an_empty_object_by_put_applies_the_recommendation_too(rest: Rest, shared: Services) -> None:
    conflict = await open_conflict(rest, shared)
    response = await rest("PUT", f"/conflicts/{conflict['id']}/resolve", json={})
    assert (response.status_code, response.json()["status"]) == (200, "resolved")


@pytest.mark.parametrize("method", METHODS)
async def test_a_candidate_is_accepted(rest: Rest, shared: Services, method: str) -> None:
    conflict = await open_conflict(rest, shared)
    candidate = conflict["candidates"][0]["id"]
    body = {"action": "ACCEPT_CANDIDATE", "candidateId": candidate, "note": "seen on their site", "value": None}
    response = await rest(method, f"/conflicts/{conflict['id']}/resolve", json=body)
    resolution = response.json()["resolution"]
    assert (resolution["action"], resolution["candidateId"]) == ("accept_candidate", candidate)
    assert (resolution["value"], resolution["note"]) == (conflict["candidates"][0]["value"], "seen on their site")
    part = conflict["parts"][0]["candidates"][0]["id"]
    accepted = {"field": "city", "action": "accept_candidate", "candidateId": part, "value": "Berlin"}
    assert resolution["parts"] == [accepted]
    assert await city() == "Berlin"


@pytest.mark.parametrize("method", METHODS)
async def test_the_current_value_is_kept(rest: Rest, shared: Services, method: str) -> None:
    conflict = await open_conflict(rest, shared)
    response = await rest(method, f"/conflicts/{conflict['id']}/resolve", json={"action": "keep_current"})
    resolution = response.json()["resolution"]
    assert (resolution["value"], await city()) == ({"city": "Paris", "country": "Germany"}, "Paris")
    kept = {"field": "city", "action": "keep_current", "candidateId": None, "value": "Paris"}
    assert resolution["parts"] == [kept]


@pytest.mark.parametrize("value", [{"city": "  Lyon "}, "  Lyon "])
@pytest.mark.parametrize("method", METHODS)
async def test_another_value_is_set_in_its_canonical_form(
    rest: Rest, shared: Services, method: str, value: Any
) -> None:
    conflict = await open_conflict(rest, shared)
    body = {"action": "custom_value", "value": value}
    response = await rest(method, f"/conflicts/{conflict['id']}/resolve", json=body)
    assert (response.json()["resolution"]["value"], await city()) == ({"city": "Lyon"}, "Lyon")


@pytest.mark.parametrize("method", METHODS)
async def test_an_address_is_decided_part_by_part(rest: Rest, shared: Services, method: str) -> None:
    conflict = await open_conflict(rest, shared)
    parts = [
        {"field": "city", "action": "ACCEPT_CANDIDATE", "candidateId": conflict["parts"][0]["candidates"][0]["id"]},
        {"field": "street", "action": "custom_value", "value": "Unter den Linden 1"},
    ]
    body = {"parts": parts, "note": "called them"}
    response = await rest(method, f"/conflicts/{conflict['id']}/resolve", json=body)
    resolution = response.json()["resolution"]
    assert (resolution["action"], resolution["candidateId"], resolution["note"]) == (
        "custom_value",
        None,
        "called them",
    )
    assert resolution["value"] == {"street": "Unter den Linden 1", "city": "Berlin"}
    assert [part["action"] for part in resolution["parts"]] == ["custom_value", "accept_candidate"]
    assert (await Record.get(external_id="A1")).fields["street"] == "Unter den Linden 1"
    assert await city() == "Berlin"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"action": "delete"}, "action"),
        ({"action": 1}, "action"),
        ({"note": "no action"}, "action"),
        ({"action": "accept_candidate", "candidateId": UNKNOWN}, "candidateId"),
        ({"action": "accept_candidate", "candidateId": 7}, "candidateId"),
        ({"action": "keep_current", "value": "x"}, "value"),
        ({"action": "custom_value"}, "value"),
        ({"action": "custom_value", "value": None}, "value"),
        ({"action": "custom_value", "value": "n/a"}, "value"),
        ({"action": "keep_current", "note": ["x"]}, "note"),
        ({"action": "keep_current", "note": "\0"}, "note"),
        ({"action": "keep_current", "note": "x" * 2001}, "note"),
        ({"action": "keep_current", "reason": "x"}, "reason"),
        ({"action": "custom_value", "value": {"name": "Acme"}}, "value.name"),
        ({"action": "custom_value", "value": {"city": "n/a"}}, "value.city"),
        ({"action": "custom_value", "value": {}}, "value"),
        ({"action": "custom_value", "value": ["Lyon"]}, "value"),
        ({"parts": "city"}, "parts"),
        ({"parts": []}, "parts"),
        ({"parts": [{"field": "city", "action": "keep_current"}], "action": "keep_current"}, "parts"),
        ({"parts": [{"action": "keep_current"}]}, "parts[0].field"),
        ({"parts": [{"field": "name", "action": "keep_current"}]}, "parts[0].field"),
        ({"parts": [{"field": "city", "action": "keep_current"}] * 2}, "parts[1].field"),
        ({"parts": [{"field": "city", "action": "delete"}]}, "parts[0].action"),
        ({"parts": [{"field": "city", "action": "keep_current", "reason": "x"}]}, "parts[0].reason"),
        ({"parts": [{"field": "city", "action": "custom_value"}]}, "parts[0].value"),
        ({"parts": [{"field": "city", "action": "accept_candidate", "candidateId": UNKNOWN}]}, "parts[0].candidateId"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
async def test_a_decision_that_cannot_be_decides_nothing(
    rest: Rest, shared: Services, method: str, body: dict[str, Any], path: str
) -> None:
    conflict = await open_conflict(rest, shared)
    response = await rest(method, f"/conflicts/{conflict['id']}/resolve", json=body)
    assert (response.status_code, problem_code(response), fault_paths(response)) == (422, "VALIDATION_FAILED", [path])
    [after] = (await rest.get("/conflicts?entityType=account")).json()
    assert {**after, "ageSeconds": 0} == {**conflict, "ageSeconds": 0}


@pytest.mark.parametrize(
    ("method", "content", "media_type", "status"),
    [
        ("POST", b"{", "application/json", 400),
        ("POST", b"[]", "application/json", 422),
        ("POST", b"null", "application/json", 422),
        ("POST", b"action=keep_current", "application/x-www-form-urlencoded", 415),
        ("PUT", b"", "application/json", 400),
        ("PUT", b"{}", "text/plain", 415),
        ("PUT", b'{"action": "keep_current", "action": "custom_value"}', "application/json", 400),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(
    rest: Rest, method: str, content: bytes, media_type: str, status: int
) -> None:
    headers = {"Content-Type": media_type}
    response = await rest(method, f"/conflicts/{UNKNOWN}/resolve", content=content, headers=headers)
    assert response.status_code == status


async def test_a_second_decision_is_refused_and_shows_the_first(rest: Rest, shared: Services) -> None:
    conflict = await open_conflict(rest, shared)
    path = f"/conflicts/{conflict['id']}/resolve"
    first = await rest("PUT", path, json={"action": "keep_current"})
    assert (await rest("PUT", path, json={"action": "keep_current"})).json() == first.json()

    second = await rest("PUT", path, json={"action": "custom_value", "value": {"city": "Lyon"}})

    assert (second.status_code, problem_code(second)) == (409, "CONFLICT_ALREADY_RESOLVED")
    assert second.json()["state"] == "resolved"
    assert second.json()["resolution"] == first.json()["resolution"]
    assert await city() == "Paris"


@pytest.mark.parametrize("method", METHODS)
async def test_an_id_that_is_not_there_is_not_found_and_a_bad_one_is_refused(rest: Rest, method: str) -> None:
    missing = await rest(method, f"/conflicts/{UNKNOWN}/resolve", json={})
    assert (missing.status_code, problem_code(missing)) == (404, "NOT_FOUND")
    bad = await rest(method, "/conflicts/1/resolve", json={})
    assert (bad.status_code, fault_paths(bad)) == (400, ["id"])


async def test_another_organization_neither_sees_nor_decides(rest: Rest, shared: Services) -> None:
    conflict = await open_conflict(rest, shared)
    assert (await rest.get("/conflicts?status=all", org="other")).json() == []
    assert (await rest.post(f"/conflicts/{conflict['id']}/resolve", org="other")).status_code == 404


@pytest.mark.parametrize("method", METHODS)
async def test_a_viewer_may_not_decide(rest: Rest, method: str) -> None:
    response = await rest(method, f"/conflicts/{UNKNOWN}/resolve", json={}, role=Role.VIEWER)
    assert (response.status_code, problem_code(response)) == (403, "FORBIDDEN")


async def test_a_decision_is_taken_back(rest: Rest, shared: Services) -> None:
    conflict = await open_conflict(rest, shared)
    refused = await rest.post(f"/conflicts/{conflict['id']}/reopen")
    assert (refused.status_code, problem_code(refused), refused.json()["state"]) == (
        409, "CONFLICT_NOT_REOPENABLE", "open",
    )  # fmt: skip
    await rest("PUT", f"/conflicts/{conflict['id']}/resolve", json={"action": "accept_candidate"})
    assert await city() == "Berlin"
    reopened = (await rest.post(f"/conflicts/{conflict['id']}/reopen")).json()
    [taken_back] = reopened["takenBack"]
    assert (taken_back["resolution"]["action"], taken_back["takenBackBy"], taken_back["resolutionId"]) == (
        "accept_candidate", "ann", None,
    )  # fmt: skip
    changed: dict[str, Any] = {"takenBack": [], "updatedAt": None, "ageSeconds": 0}
    assert {**reopened, **changed} == {**conflict, **changed}
    assert await city() == "Paris"


@pytest.mark.parametrize(("role", "org", "status"), [(Role.VIEWER, "acme", 403), (Role.USER, "other", 404)])
async def test_who_may_not_take_back(rest: Rest, shared: Services, role: Role, org: str, status: int) -> None:
    conflict = await open_conflict(rest, shared)
    await rest.post(f"/conflicts/{conflict['id']}/resolve")
    assert (await rest.post(f"/conflicts/{conflict['id']}/reopen", role=role, org=org)).status_code == status
    assert (await rest.get("/conflicts?entityType=account")).json() == []


async def test_a_body_that_reopen_does_not_know_is_refused(rest: Rest, shared: Services) -> None:
    conflict = await open_conflict(rest, shared)
    await rest.post(f"/conflicts/{conflict['id']}/resolve")
    refused = await rest.post(f"/conflicts/{conflict['id']}/reopen", json={"note": "by mistake"})
    assert (refused.status_code, fault_paths(refused)) == (422, ["note"])
    assert (await rest.get("/conflicts?entityType=account")).json() == []
    assert (await rest.post(f"/conflicts/{conflict['id']}/reopen", json={})).status_code == 200


async def test_conflicts_are_found_by_their_records_and_listed_oldest_first(rest: Rest, shared: Services) -> None:
    await raise_conflicts(shared)
    for query, found in (("search=a1", ["A1"]), ("search=nobody", []), ("orderBy=created_at_asc", ["A1", "L1"])):
        response = await rest.get(f"/conflicts?{query}")
        assert (response.status_code, [conflict["externalId"] for conflict in response.json()]) == (200, found)
    assert fault_paths(await rest.get("/conflicts?search=%00")) == ["search"]
