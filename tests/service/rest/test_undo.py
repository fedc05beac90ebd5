"""`/undos`, `/preview` and `/simulate`: what enrichment would write, or would have, and what it wrote put back."""

from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role, Services
from tests.support.factories import StandIn, context, send, services, work
from tests.support.rest_client import Rest, problem_code

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def shared(redis: ArqRedis) -> Services:
    return services(redis, StandIn(knows={"acme.com": {"industry": "Software"}}))


@pytest.fixture
def rest(shared: Services) -> Rest:
    return Rest(shared)


async def enriched(shared: Services) -> str:
    """The id of a job that wrote the industry of an account."""
    sent = await send(context(shared), "account", "A1", name="Acme", domain="acme.com")
    assert sent.job is not None
    await work(shared)
    return sent.job.id


async def industry(rest: Rest) -> Any:
    return (await rest.get("/records/account/A1")).json()["fields"].get("industry")


async def test_a_job_is_undone_as_previewed_and_that_is_taken_back(shared: Services, rest: Rest) -> None:
    path = f"/jobs/{await enriched(shared)}/undo"
    assert await industry(rest) == "Software"
    would = (await rest("GET", path, role=Role.MANAGER)).json()
    [line] = [line for line in would["lines"] if line["field"] == "industry"]
    assert (line["outcome"], line["current"], line["restored"]) == ("restored", "Software", None)
    assert await industry(rest) == "Software"
    undone = (await rest("POST", path, role=Role.MANAGER)).json()
    assert (undone["kind"], undone["restored"], undone["complete"]) == ("job", would["restored"], True)
    assert await industry(rest) is None
    lines = (await rest.get(f"/undos/{undone['id']}/lines")).json()
    assert {(line["externalId"], line["outcome"]) for line in lines} == {("A1", "restored")}
    reverted = (await rest("POST", f"/undos/{undone['id']}/revert", role=Role.MANAGER)).json()
    assert (reverted["kind"], reverted["undoes"]) == ("undo", undone["id"])
    assert await industry(rest) == "Software"
    assert [one["id"] for one in (await rest.get("/undos")).json()] == [reverted["id"], undone["id"]]
    assert (await rest.get(f"/undos/{undone['id']}")).json() == undone


async def test_what_a_scope_names_is_undone(shared: Services, rest: Rest) -> None:
    await enriched(shared)
    later = (shared.now() + timedelta(days=1)).isoformat()
    of_others = {"field": "industry", "from": later}
    nothing = (await rest("POST", "/undos/preview", role=Role.MANAGER, json=of_others)).json()
    assert (nothing["restored"], nothing["lines"]) == (0, [])
    scope = {"field": "industry", "entityType": "ACCOUNT", "externalIds": ["A1"]}
    undone = (await rest("POST", "/undos", role=Role.MANAGER, json=scope)).json()
    assert (undone["field"], undone["entityType"], undone["restored"]) == ("industry", "account", 1)
    assert await industry(rest) is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ""),
        ({"wish": 1}, "wish"),
        ({"field": "nothing"}, "field"),
        ({"from": "yesterday"}, "from"),
        ({"allowAgain": "yes"}, "allowAgain"),
        ({"externalIds": ["A1"]}, "entityType"),
        ({"entityType": "account", "externalIds": "A1"}, "externalIds"),
    ],
)
async def test_a_scope_that_cannot_be_is_refused_by_its_path(rest: Rest, body: dict[str, Any], path: str) -> None:
    answer = await rest("POST", "/undos", role=Role.MANAGER, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, path)


async def test_a_job_that_has_not_ended_cannot_be_undone(shared: Services, rest: Rest) -> None:
    sent = await send(context(shared), "account", "A1", name="Acme", domain="acme.com")
    assert sent.job is not None
    answer = await rest("POST", f"/jobs/{sent.job.id}/undo", role=Role.MANAGER)
    assert (answer.status_code, problem_code(answer)) == (409, "JOB_NOT_UNDOABLE")


async def test_a_preview_says_whom_one_would_ask_and_writes_nothing(shared: Services, rest: Rest) -> None:
    await send(context(shared), "account", "A1", name="Acme", domain="acme.com")
    body = {"entityType": "account", "externalIds": ["A1", "A2"], "force": True}
    shown = (await rest("POST", "/preview", json=body)).json()
    assert (shown["recordCount"], shown["written"]) == (1, 0)
    assert [(one["externalId"], bool(one["calls"])) for one in shown["records"]] == [("A1", True)]
    assert [one["externalId"] for one in shown["skipped"]] == ["A2"]
    assert await industry(rest) is None
    refused = await rest("POST", "/preview", json={"entityType": "thing"})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "entityType")


async def test_a_change_of_the_rules_is_simulated_over_the_past(shared: Services, rest: Rest) -> None:
    await enriched(shared)
    same = (await rest("POST", "/simulate", json={})).json()
    assert (same["jobs"], same["differenceCount"], same["actual"]) == (1, 0, same["simulated"])
    never = {"fieldPolicies": {"account": {"fields": {"industry": "never"}}}}
    other = (await rest("POST", "/simulate", json=never)).json()
    [difference] = other["differences"]
    assert (difference["externalId"], difference["field"], other["differenceCount"]) == ("A1", "industry", 1)
    assert (difference["actual"]["reason"], difference["actual"]["value"]) == ("written", "Software")
    none = await rest("POST", "/simulate", json=never, params={"to": "2020-01-01"})
    assert none.json()["jobs"] == 0
    refused = await rest("POST", "/simulate", json={"wish": 1})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "wish")
