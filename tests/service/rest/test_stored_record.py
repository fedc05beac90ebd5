"""Records, their values and their explanation over REST; what else has a twin in GraphQL."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role
from tests.support.factories import StandIn, context, send, services, work
from tests.support.rest_client import Rest, fault_paths, problem_code

pytestmark = pytest.mark.usefixtures("db")

UNKNOWN = "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10"
RECORD = "/records/account/A%2F1"


@pytest.fixture
def shared(redis: ArqRedis) -> Any:
    return services(redis, StandIn(knows={"acme.com": {"industry": "Software", "city": "Berlin"}}))


@pytest.fixture
def rest(shared: Any) -> Rest:
    return Rest(shared)


async def _enriched(shared: Any) -> None:
    await send(context(shared), "account", "A/1", name="Acme", domain="acme.com", phone="call us")
    await work(shared)


async def test_records_are_listed_newest_first_page_by_page(rest: Rest, shared: Any) -> None:
    await _enriched(shared)
    await send(context(shared), "lead", "L1", email="ann@acme.com")
    first = await rest.get("/records?limit=1", role=Role.VIEWER)
    assert [record["externalId"] for record in first.json()] == ["L1"]
    assert 'rel="next"' in first.headers["link"]
    assert [record["entityType"] for record in (await rest.get("/records?entityType=Account")).json()] == ["account"]
    assert [record["externalId"] for record in (await rest.get("/records?search=acme")).json()] == ["L1", "A/1"]
    assert (await rest.get("/records", org="other")).json() == []
    refused = await rest.get("/records?entityType=lead,account")
    assert fault_paths(refused) == ["entityType"]
    assert problem_code(await rest.get(f"/records?search={'a' * 201}")) == "VALIDATION_FAILED"


async def test_a_record_is_shown_with_its_values_and_what_they_were(rest: Rest, shared: Any) -> None:
    await _enriched(shared)
    shown = (await rest.get(RECORD, role=Role.VIEWER)).json()
    assert (shown["externalId"], shown["fields"]["industry"]) == ("A/1", "Software")
    values = {value["field"]: value for value in shown["provenance"]}
    assert (values["industry"]["source"], values["domain"]["source"]) == ("standin", "crm")
    assert values["industry"]["freshness"] > 0
    assert [value["field"] for value in shown["unreadable"]] == ["phone"]
    assert "history" not in shown
    history = (await rest.get(f"{RECORD}?history=true")).json()["history"]
    assert {value["field"] for value in history} >= {"industry", "domain", "name"}
    assert problem_code(await rest.get("/records/account/A2")) == "NOT_FOUND"
    assert problem_code(await rest.get(RECORD, org="other")) == "NOT_FOUND"
    assert problem_code(await rest.get("/records/company/A2")) == "BAD_REQUEST"


async def test_a_value_is_explained(rest: Rest, shared: Any) -> None:
    await _enriched(shared)
    explained = (await rest.get(f"{RECORD}/explain?field=industry")).json()
    assert (explained["value"], explained["source"]) == ("Software", "standin")
    assert explained["text"] == " ".join(explained["sentences"])
    assert [proposal["held"] for proposal in explained["proposals"]] == [True]
    empty = (await rest.get(f"{RECORD}/explain?field=country")).json()
    assert (empty["value"], empty["source"]) == (None, None)
    assert fault_paths(await rest.get(f"{RECORD}/explain")) == ["field"]
    assert problem_code(await rest.get(f"{RECORD}/explain?field=nope")) == "VALIDATION_FAILED"


async def test_a_job_is_cancelled(rest: Rest, shared: Any) -> None:
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    (job,) = (await rest.get("/jobs?entityType=all&status=all")).json()
    assert problem_code(await rest.post(f"/jobs/{job['id']}/cancel", role=Role.VIEWER)) == "FORBIDDEN"
    assert (await rest.post(f"/jobs/{job['id']}/cancel", role=Role.USER)).json()["status"] == "cancelled"
    await _enriched(shared)
    newest = (await rest.get("/jobs?entityType=all&status=completed,partial")).json()[0]
    assert problem_code(await rest.post(f"/jobs/{newest['id']}/cancel")) == "JOB_NOT_CANCELLABLE"
    assert problem_code(await rest.post(f"/jobs/{UNKNOWN}/cancel")) == "NOT_FOUND"


async def test_a_conflict_is_shown_and_many_are_resolved_at_once(rest: Rest, shared: Any) -> None:
    for number in (1, 2):
        await send(context(shared), "account", f"A{number}", domain="acme.com", industry="Banking")
    await work(shared)
    ids = [conflict["id"] for conflict in (await rest.get("/conflicts")).json()]
    assert len(ids) == 2
    assert (await rest.get(f"/conflicts/{ids[0]}", role=Role.VIEWER)).json()["id"] == ids[0]
    assert problem_code(await rest.get(f"/conflicts/{ids[0]}", org="other")) == "NOT_FOUND"

    sent = {"ids": [*ids, UNKNOWN], "resolution": {"action": "keep_current"}}
    assert problem_code(await rest.post("/conflicts/resolve", json=sent, role=Role.VIEWER)) == "FORBIDDEN"
    answer = (await rest.post("/conflicts/resolve", json=sent, role=Role.USER)).json()
    assert (answer["resolved"], [result["error"] is None for result in answer["results"]]) == (2, [True, True, False])
    undone = await rest.post("/resolutions/undo", json={"resolutionId": answer["resolutionId"]})
    assert undone.json()["restored"] == 2
    for wrong in ({}, {"ids": "a"}, {"ids": ids, "resolution": 7}, {"ids": ids, "resolution": {"action": "nope"}}):
        assert problem_code(await rest.post("/conflicts/resolve", json=wrong)) == "VALIDATION_FAILED"


async def test_providers_and_the_audit_log_are_listed(rest: Rest) -> None:
    (provider,) = (await rest.get("/providers", role=Role.VIEWER)).json()
    assert (provider["id"], provider["enabled"], provider["state"]) == ("standin", True, "closed")
    await rest.post("/pause", json={"reason": "a look"})
    (line,) = (await rest.get("/audit?action=pipeline", role=Role.VIEWER)).json()
    assert (line["action"], line["actor"], line["number"]) == ("pipeline.paused", "ann", 1)
    assert (await rest.get("/audit?actor=bob")).json() == []
    assert (await rest.get("/audit?from=2020-01-01&to=2020-02-01")).json() == []


async def test_enriching_is_estimated(rest: Rest, shared: Any) -> None:
    await send(context(shared), "account", "A1", domain="acme.com")
    await send(context(shared), "account", "A2", domain="beta.com")
    sent = {"entityType": "ACCOUNT", "externalIds": ["A1", "A3"], "force": True}
    estimate = (await rest.post("/estimate", json=sent, role=Role.VIEWER)).json()
    assert estimate["minimum"] <= estimate["expected"] <= estimate["maximum"]
    assert [part["provider"] for part in estimate["byProvider"]] == ["standin"]
    assert estimate["ineligible"] == [{"reason": "not_found", "records": 1}]
    for wrong in (
        {},
        {"entityType": "x"},
        {"entityType": "lead", "externalIds": [1]},
        {"entityType": "lead", "force": 1},
    ):
        assert problem_code(await rest.post("/estimate", json=wrong)) == "VALIDATION_FAILED"
    for ids, path in ((["A1", "x" * 256], "externalIds[1]"), (["\0"], "externalIds[0]"), (["x"] * 5001, "externalIds")):
        refused = await rest.post("/estimate", json={"entityType": "account", "externalIds": ids})
        assert problem_code(refused) == "VALIDATION_FAILED"
        assert [fault["path"] for fault in refused.json()["errors"]] == [path]
        assert "selection" not in refused.json()["detail"]
