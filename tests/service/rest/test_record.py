"""`POST /records`: records come in over REST, each with an outcome of its own."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from models.record import Record
from resolvers.context import Role
from tests.support.factories import StandIn, services
from tests.support.rest_client import Rest, fault_paths, problem_code

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def rest(redis: ArqRedis) -> Rest:
    return Rest(services(redis, StandIn()))


def account(external_id: Any, **fields: Any) -> dict[str, Any]:
    return {"entityType": "account", "externalId": external_id, "fields": fields}


async def test_a_new_record_is_created_and_its_job_named(rest: Rest) -> None:
    response = await rest.post("/records", json={"records": [account("A1", name="Acme")]}, role=Role.USER)
    assert response.status_code == 200
    (result,) = response.json()["results"]
    assert (result["index"], result["outcome"], result["folded"]) == (0, "created", False)
    assert (result["externalId"], result["entityType"], result["error"]) == ("A1", "account", None)
    job = (await rest.get(f"/jobs/{result['jobId']}")).json()
    assert (job["recordId"], job["externalId"], job["trigger"]) == (result["recordId"], "A1", "record_created")


async def test_every_record_has_its_outcome_in_order(rest: Rest) -> None:
    sent = {"records": [account("A1", name="Acme"), account("A2", name="Bolt")]}
    first = (await rest.post("/records", json=sent)).json()["results"]
    records: list[Any] = [
        account("A1", name="Acme"),
        account("A2", name="Bolt", domain="bolt.com"),
        account("", name="No id"),
        {"entityType": "company", "externalId": 7, "fields": {}},
        "not a record",
        account("A3", name="Cog", website="asdf"),
    ]
    answer = (await rest.post("/records", json={"records": records})).json()
    results = answer["results"]
    assert [result["index"] for result in results] == list(range(6))
    assert [result["outcome"] for result in results] == [
        "unchanged",
        "changed",
        "refused",
        "refused",
        "refused",
        "created",
    ]
    assert (results[0]["jobId"], results[1]["folded"]) == (first[0]["jobId"], True)
    assert {key: answer[key] for key in ("created", "changed", "unchanged", "refused")} == {
        "created": 1,
        "changed": 1,
        "unchanged": 1,
        "refused": 3,
    }


async def test_a_refused_record_is_named_and_says_why(rest: Rest) -> None:
    bad = {"entityType": "company", "externalId": 7, "fields": {}}
    (result,) = (await rest.post("/records", json={"records": [bad]})).json()["results"]
    assert (result["externalId"], result["entityType"]) == ("7", "company")
    assert (result["recordId"], result["jobId"], result["error"]["code"]) == (None, None, "VALIDATION_FAILED")
    assert [fault["path"] for fault in result["error"]["errors"]] == ["records[0].entityType"]


async def test_a_refused_value_is_shown_with_its_reason(rest: Rest) -> None:
    (result,) = (await rest.post("/records", json={"records": [account("A1", name="Acme", website="asdf")]})).json()[
        "results"
    ]
    (refused,) = result["refusedFields"]
    assert (refused["field"], refused["value"]) == ("website", "asdf")
    assert refused["reason"]


async def test_no_records_are_no_error(rest: Rest) -> None:
    response = await rest.post("/records", json={"records": []})
    assert (response.status_code, response.json()["results"]) == (200, [])


async def test_a_thousand_records_are_taken_and_one_more_is_not(rest: Rest) -> None:
    records = [account(f"A{number}", name=f"Company {number}") for number in range(1001)]
    response = await rest.post("/records", json={"records": records})
    assert (response.status_code, fault_paths(response)) == (422, ["records"])
    assert await Record.all().count() == 0
    response = await rest.post("/records", json={"records": records[:1000]})
    assert (response.status_code, response.json()["created"]) == (200, 1000)


@pytest.mark.parametrize(
    ("body", "paths"),
    [({}, ["records"]), ({"records": None}, ["records"]), ({"records": {}}, ["records"]), ({"rows": []}, ["rows"])],
)
async def test_a_body_without_a_list_of_records_is_not_valid(
    rest: Rest, body: dict[str, Any], paths: list[str]
) -> None:
    response = await rest.post("/records", json=body)
    assert (response.status_code, fault_paths(response)) == (422, paths)


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"", "application/json", 400),
        (b'{"records": [', "application/json", 400),
        (b'{"records": ' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", 400),
        (b'{"records": []}', "text/csv", 415),
        (b'{"records": ["' + b"x" * 5000 + b'"]}', "application/json", 413),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_a_body_that_cannot_be_read_is_refused(
    redis: ArqRedis, content: bytes, media_type: str, status: int
) -> None:
    rest = Rest(services(redis, StandIn()), max_body_bytes=12_000 if status == 400 else 4096)
    response = await rest.post("/records", content=content, headers={"Content-Type": media_type})
    assert response.status_code == status
    assert problem_code(response)


async def test_an_oversized_body_without_a_length_is_refused(redis: ArqRedis) -> None:
    async def chunks() -> Any:
        for _ in range(64):
            yield b" " * 1024

    rest = Rest(services(redis, StandIn()), max_body_bytes=4096)
    response = await rest.post("/records", content=chunks(), headers={"Content-Type": "application/json"})
    assert (response.status_code, problem_code(response)) == (413, "PAYLOAD_TOO_LARGE")


async def test_unknown_fields_of_any_kind_survive_the_way(rest: Rest) -> None:
    odd = {"nested": {"a": [1, 2.5, None, True]}, "long": "é" * 100, "big": 2**60, "Weird Name": "x"}
    response = await rest.post("/records", json={"records": [account("A1", name="Acme", **odd)]})
    assert response.json()["created"] == 1
    assert (await Record.get()).fields == {"name": "Acme", **odd}


async def test_a_viewer_may_not_send_records(rest: Rest) -> None:
    response = await rest.post("/records", json={"records": []}, role=Role.VIEWER)
    assert (response.status_code, problem_code(response)) == (403, "FORBIDDEN")


async def test_the_same_external_id_of_two_organizations_is_two_records(rest: Rest) -> None:
    for org in ("acme", "other"):
        response = await rest.post("/records", json={"records": [account("A1", name="Acme")]}, org=org)
        assert response.json()["created"] == 1
