"""Sentences of the contract, each tried from outside: over REST and GraphQL, as a client of SalesOS would."""

import re
import time
from collections.abc import Mapping
from typing import Any

import httpx
import jwt
import pytest
from arq.connections import ArqRedis

from resolvers.context import Role, Services
from tests.support.factories import Clock, StandIn, services, work
from tests.support.rest_client import SECRET, Rest, fault_paths, problem_code, token

pytestmark = pytest.mark.usefixtures("db")

ACME = {"city": "Oakland", "phone": "+12025550164"}
CODE_WORD = re.compile(r"\b[a-z]+_[a-z_]+\b")


class Outside:
    """A client of the whole application; providers answer as they are told."""

    def __init__(self, redis: ArqRedis, *providers: StandIn, clock: Clock | None = None) -> None:
        self.shared: Services = services(redis, *providers, now=clock or Clock())
        self.rest = Rest(self.shared)
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(self.rest.app), base_url="http://test")

    async def graphql(
        self, query: str, headers: Mapping[str, str] | None = None, role: Any = Role.ADMIN, **variables: Any
    ) -> dict[str, Any]:
        answer = await self._http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {token(role)}", **(headers or {})},
        )
        body: dict[str, Any] = answer.json()
        return body

    async def send(self, *records: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        sent = [{"entityType": "account", "externalId": name, "fields": fields} for name, fields in records]
        results: list[dict[str, Any]] = (await self.rest.post("/records", json={"records": sent})).json()["results"]
        return results


def codes(body: Mapping[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in body.get("errors", [])]


async def test_a_version_in_the_body_is_an_expected_version(redis: ArqRedis) -> None:
    outside = Outside(redis, StandIn())
    for method in ("PUT", "PATCH"):
        read = (await outside.rest.get("/config")).json()
        await outside.rest("PATCH", "/config", json={"cooldownHours": read["cooldownHours"] + 1})
        stale = await outside.rest(method, "/config", json={**read, "maxAttempts": 7})
        assert (stale.status_code, problem_code(stale)) == (412, "VERSION_MISMATCH")
        now = (await outside.rest.get("/config")).json()
        assert (now["cooldownHours"], now["maxAttempts"]) == (read["cooldownHours"] + 1, read["maxAttempts"])
        assert (await outside.rest(method, "/config", json={**now, "maxAttempts": 5})).status_code == 200
    wrong = await outside.rest("PATCH", "/config", json={"version": "two", "minConfidence": 7})
    assert sorted(fault_paths(wrong)) == ["minConfidence", "version"]


async def test_every_fault_is_named_by_its_path_and_an_unknown_provider_is_a_fault(redis: ArqRedis) -> None:
    outside = Outside(redis, StandIn())
    wrong = {
        "minConfidence": 7,
        "providers": [{"id": "bogus", "dailyLimit": -1}, {"id": "standin"}, {"id": "standin"}],
        "rules": [{"entityType": "account", "field": "salary", "provider": "nobody", "action": "accept"}],
        "backoff": {"initialSeconds": 100, "maxSeconds": 10},
        "fieldPolicies": {"account": {"fields": {"nonsense": "review"}}},
    }
    paths = {
        *("minConfidence", "providers[0].id", "providers[0].dailyLimit", "providers[2].id", "rules[0].field"),
        *("rules[0].provider", "backoff.initialSeconds", "fieldPolicies.account.fields.nonsense"),
    }
    for method in ("PUT", "PATCH"):
        refused = await outside.rest(method, "/config", json=wrong)
        assert (refused.status_code, set(fault_paths(refused))) == (422, paths)
    body = await outside.graphql(
        'mutation { updateConfig(input: {minConfidence: 7, providers: [{id: "bogus"}]}) { version } }'
    )
    faults = body["errors"][0]["extensions"]["errors"]
    assert {fault["path"] for fault in faults} == {"minConfidence", "providers[0].id"}


async def test_a_cursor_of_another_list_is_a_bad_request(redis: ArqRedis) -> None:
    outside = Outside(redis, StandIn(knows={"acme.com": {**ACME, "city": "Berlin"}}))
    await outside.send(("A1", {"domain": "acme.com", "city": "Oakland"}), ("A2", {"name": "B"}), ("A3", {"name": "C"}))
    await work(outside.shared)
    lists = {
        "jobs": "{ jobs(first: 1) { pageInfo { endCursor } } }",
        "its jobs": '{ record(entityType: ACCOUNT, externalId: "A1") { jobs(first: 1) { pageInfo { endCursor } } } }',
        "records": "{ records(first: 1) { pageInfo { endCursor } } }",
        "conflicts": "{ conflicts(first: 1) { pageInfo { endCursor } } }",
        "history": '{ record(entityType: ACCOUNT, externalId: "A1") { history(first: 1) { pageInfo { endCursor } } } }',
        "entries": "{ credits { entries(first: 1) { pageInfo { endCursor } } } }",
        "audit": "{ audit(first: 1) { pageInfo { endCursor } } }",
    }
    await outside.rest("PATCH", "/config", json={"cooldownHours": 1})
    cursors = {name: _cursor(await outside.graphql(query)) for name, query in lists.items()}
    assert None not in cursors.values()
    for name, query in lists.items():
        for other, cursor in cursors.items():
            body = await outside.graphql(query.replace("first: 1", f'first: 1, after: "{cursor}"'))
            assert codes(body) == ([] if name == other else ["BAD_REQUEST"]), (name, other)
    for path, own in (("/jobs?entityType=all&status=all", "jobs"), ("/conflicts?status=all", "conflicts")):
        for other, cursor in cursors.items():
            answer = await outside.rest.get(f"{path}&cursor={cursor}")
            assert answer.status_code == (200 if other == own else 400), (path, other)
            assert other == own or fault_paths(answer) == ["cursor"]


def _cursor(body: dict[str, Any]) -> str | None:
    found = re.search(r"'endCursor': '([^']+)'", str(body["data"]))
    return None if found is None else found[1]


async def test_backward_paging_works_with_the_usual_four_variables_and_only_last_given(redis: ArqRedis) -> None:
    outside = Outside(redis)
    await outside.send(*((f"A{number}", {"name": f"Acme {number}"}) for number in range(5)))
    query = """query ($first: Int, $after: String, $last: Int, $before: String) {
        records(first: $first, after: $after, last: $last, before: $before) {
            nodes { externalId } pageInfo { startCursor } } }"""
    for given in ({"last": 2}, {"last": 2, "first": None}, {"last": 2, "first": None, "after": None, "before": None}):
        page = (await outside.graphql(query, **given))["data"]["records"]
        assert [node["externalId"] for node in page["nodes"]] == ["A1", "A0"]
    before = await outside.graphql(query, last=2, before=page["pageInfo"]["startCursor"])
    assert [node["externalId"] for node in before["data"]["records"]["nodes"]] == ["A3", "A2"]
    assert len((await outside.graphql(query))["data"]["records"]["nodes"]) == 5
    assert codes(await outside.graphql(query, first=1, last=1)) == ["BAD_REQUEST"]


@pytest.mark.parametrize("path", ["/config?x=1", "/jobs?entityType=all&status=all&page=2", "/stats?since=2026-01-01"])
async def test_rest_refuses_unknown_query_parameters(redis: ArqRedis, path: str) -> None:
    refused = await Outside(redis).rest.get(path)
    assert (refused.status_code, problem_code(refused)) == (400, "BAD_REQUEST")
    assert fault_paths(refused) == [re.findall(r"[?&](\w+)=", path)[-1]]


async def test_a_trailing_slash_is_served(redis: ArqRedis) -> None:
    outside = Outside(redis)
    assert (await outside.rest.get("/config/")).status_code == 200
    assert (await outside.rest.post("/records/", json={"records": []})).status_code == 200
    await outside.send(("A/", {"name": "Acme"}))
    erased = await outside.rest("DELETE", "/records/account/A%2F")
    assert erased.status_code == 200


async def test_x_organization_id_must_match_the_token(redis: ArqRedis) -> None:
    outside = Outside(redis)
    for named, status in (("acme", 200), (" acme ", 200), ("", 200), ("rivals", 403), ("ACME", 403)):
        answer = await outside.rest.get("/config", headers={"X-Organization-ID": named})
        assert answer.status_code == status, named
    assert problem_code(answer) == "FORBIDDEN"
    body = await outside.graphql("{ pipeline { paused } }", headers={"X-Organization-ID": "rivals"})
    assert codes(body) == ["FORBIDDEN"]


@pytest.mark.parametrize("role", ["Admin", ["ADMIN"], ["viewer", "Admin"]])
async def test_roles_are_read_in_any_case_and_of_a_list_the_strongest(redis: ArqRedis, role: Any) -> None:
    outside = Outside(redis)
    claims = {"sub": "ann", "organizationId": "acme", "role": role, "exp": time.time() + 600}
    headers = {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"}
    body = await outside.graphql("mutation { pausePipeline { paused } }", headers=headers)
    assert body["data"]["pausePipeline"]["paused"] is True


async def test_if_none_match_gives_304(redis: ArqRedis) -> None:
    outside = Outside(redis, StandIn())
    tag = (await outside.rest.get("/config")).headers["etag"]
    for known in (tag, f"W/{tag}", f'"77", {tag}', "*"):
        answer = await outside.rest.get("/config", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    await outside.rest("PATCH", "/config", json={"cooldownHours": 1})
    assert (await outside.rest.get("/config", headers={"If-None-Match": tag})).status_code == 200


async def test_records_sent_again_after_a_lost_answer_name_the_job_that_the_first_started(redis: ArqRedis) -> None:
    outside = Outside(redis, StandIn(knows={"acme.com": ACME}))
    [first] = await outside.send(("A1", {"domain": "acme.com"}))
    [waiting] = await outside.send(("A1", {"domain": "acme.com"}))
    await work(outside.shared)
    [ended] = await outside.send(("A1", {"domain": "acme.com"}))
    assert [again["jobId"] for again in (waiting, ended)] == [first["jobId"]] * 2
    assert [again["outcome"] for again in (waiting, ended)] == ["unchanged"] * 2


async def test_crossing_a_threshold_notifies_again_after_the_limit_was_changed_and_reached(redis: ArqRedis) -> None:
    knows = {f"acme{number}.com": ACME for number in range(9)}
    outside = Outside(redis, StandIn(id="paid", price=1, knows=knows))

    async def alerts() -> list[tuple[float, int]]:
        shown = (await outside.rest.get("/credits")).json()["alerts"]
        return [(alert["threshold"], alert["most"]) for alert in shown]

    async def spend(number: int) -> None:
        await outside.send((f"A{number}", {"domain": f"acme{number}.com"}))
        await work(outside.shared)

    await outside.rest("PATCH", "/config", json={"credits": {"monthlyLimit": 2, "alertThresholds": [1.0]}})
    await spend(0)
    await spend(1)
    assert await alerts() == [(1.0, 2)]
    await outside.rest("PATCH", "/config", json={"credits": {"monthlyLimit": 3}})
    assert await alerts() == [(1.0, 2)]
    await spend(2)
    assert await alerts() == [(1.0, 3)]
    await outside.rest("PATCH", "/config", json={"credits": {"monthlyLimit": 1}})
    assert await alerts() == [(1.0, 1)]


@pytest.mark.parametrize(("size", "asked"), [(2, 2), (3, 3)])
async def test_consensus_asks_at_most_its_size(redis: ArqRedis, size: int, asked: int) -> None:
    silent = [StandIn(id=name) for name in ("one", "two", "three")]
    outside = Outside(redis, *silent)
    await outside.rest("PATCH", "/config", json={"strategy": "consensus", "consensusSize": size})
    await outside.send(("A1", {"domain": "acme.com"}))
    await work(outside.shared)
    assert sum(len(provider.asked) for provider in silent) == asked


async def test_completeness_is_the_share_of_enrichable_fields_and_type_is_none(redis: ArqRedis) -> None:
    outside = Outside(redis)
    await outside.send(("A1", {"name": "Acme"}), ("A2", {"name": "Acme", "type": "Customer"}))
    body = await outside.graphql("{ records { nodes { completeness } } }")
    assert len({node["completeness"] for node in body["data"]["records"]["nodes"]}) == 1


async def test_no_code_word_reaches_a_reader(redis: ArqRedis) -> None:
    first = StandIn(id="first_source", knows={"acme.com": {"city": ("Oakland", 0.7)}})
    second = StandIn(id="second_source", price=3, knows={"acme.com": ACME})
    outside = Outside(redis, first, second)
    await outside.rest("PATCH", "/config", json={"credits": {"perRecordMax": 1}, "strategy": "consensus"})
    await outside.send(("A1", {"domain": "acme.com", "city": "Berlin"}), ("A2", {"tags": ["a"]}))
    await work(outside.shared)
    await outside.rest("PATCH", "/config", json={"credits": {"perRecordMax": None}})
    await outside.graphql("mutation { enrichRecords(selection: {entityType: ACCOUNT}, force: true) { queued { id } } }")
    await work(outside.shared)
    texts: list[str] = []
    for external_id in ("A1", "A2"):
        for field in ("city", "phone", "industry", "type"):
            body = await outside.graphql(
                "query ($id: ID!, $field: String!) { explain(entityType: ACCOUNT, externalId: $id, field: $field)"
                " { text } }",
                id=external_id,
                field=field,
            )
            texts.append(body["data"]["explain"]["text"])
    for job in (await outside.rest.get("/jobs?entityType=all&status=all")).json():
        texts += [step["detail"] for step in job["steps"]]
        texts += [outcome["detail"] or "" for outcome in job["fieldOutcomes"]]
        texts.append(job["error"]["message"] if job["error"] else "")
    conflicts = (await outside.rest.get("/conflicts")).json()
    texts += [conflict["recommendedBecause"] for conflict in conflicts]
    assert [text for text in texts if CODE_WORD.search(text)] == []
    assert any("First_Source" in text for text in texts)  # the name that the provider declares
