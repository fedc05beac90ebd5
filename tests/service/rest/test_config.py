"""`/config` over REST: read, merged, versioned, refused whole."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role
from tests.support.factories import StandIn, services
from tests.support.rest_client import Rest, fault_paths, problem_code

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def rest(redis: ArqRedis) -> Rest:
    return Rest(services(redis, StandIn(id="directory"), StandIn(id="signals")))


async def test_the_defaults_are_shown_with_their_version_as_etag(rest: Rest) -> None:
    response = await rest.get("/config", role=Role.VIEWER)
    assert response.status_code == 200
    assert response.headers["etag"] == '"1"'
    shown = response.json()
    assert shown["enabled"] is True
    assert shown["strategy"] == "waterfall"
    assert shown["fieldPolicies"]["account"] == {"default": "review", "fields": {}}
    assert [provider["id"] for provider in shown["providers"]] == ["directory", "signals"]
    assert (shown["version"], shown["updatedBy"]) == (1, None)
    assert shown["updatedAt"].endswith("Z")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_only_the_given_keys_change(rest: Rest, method: str) -> None:
    before = (await rest.get("/config")).json()
    changes = {"triggers": {"refreshAfterDays": 90}, "strategy": "CONSENSUS"}
    response = await rest(method, "/config", json=changes, role=Role.MANAGER)
    assert response.headers["etag"] == '"2"'
    after = response.json()
    assert after["triggers"] == {"onCreate": True, "onUpdate": True, "refreshAfterDays": 90}
    assert (after["strategy"], after["version"], after["updatedBy"]) == ("consensus", 2, "ann")
    changed = {"triggers", "strategy", "version", "updatedAt", "updatedBy"}
    assert {key: before[key] for key in before.keys() - changed} == {key: after[key] for key in after.keys() - changed}
    assert (await rest.get("/config")).json() == after


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_an_empty_change_changes_nothing(rest: Rest, method: str) -> None:
    before = (await rest.get("/config")).json()
    response = await rest(method, "/config", json={})
    assert (response.status_code, response.json()) == (200, before)


async def test_what_was_read_can_be_sent_back(rest: Rest) -> None:
    await rest("PATCH", "/config", json={"fieldPolicies": {"account": {"fields": {"industry": "tracked"}}}})
    shown = (await rest.get("/config")).json()
    response = await rest("PUT", "/config", json=shown)
    assert (response.status_code, response.json()) == (200, shown)


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', "*", '"7", "1"'])
async def test_a_current_if_match_is_honoured(rest: Rest, tag: str) -> None:
    response = await rest("PATCH", "/config", json={"cooldownHours": 1}, headers={"If-Match": tag})
    assert (response.status_code, response.json()["cooldownHours"]) == (200, 1)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("tag", ['"2"', 'W/"2"', '"0"', '"abc"', '"99999999999999999999"', '"2", "3"'])
async def test_a_stale_if_match_changes_nothing(rest: Rest, method: str, tag: str) -> None:
    response = await rest(method, "/config", json={"cooldownHours": 1}, headers={"If-Match": tag})
    assert (response.status_code, problem_code(response)) == (412, "VERSION_MISMATCH")
    assert (await rest.get("/config")).json()["cooldownHours"] == 24


async def test_a_malformed_if_match_is_a_bad_request(rest: Rest) -> None:
    response = await rest("PATCH", "/config", json={}, headers={"If-Match": "1"})
    assert (response.status_code, fault_paths(response)) == (400, ["If-Match"])


async def test_an_invalid_change_is_refused_whole_with_every_fault(rest: Rest) -> None:
    changes: dict[str, Any] = {
        "cooldownHours": -1,
        "enabled": "yes",
        "unknown": 1,
        "minConfidence": 0.9,
        "refresh": {"creditBudget": -1, "minFreshness": 1.5, "maxPerDay": 0, "perMonth": 1},
        "providers": [{"id": "nobody"}],
        "fieldPolicies": {"lead": {"fields": {"nothing": "tracked"}}},
    }
    response = await rest("PATCH", "/config", json=changes)
    assert (response.status_code, problem_code(response)) == (422, "VALIDATION_FAILED")
    paths = fault_paths(response)
    for path in ("cooldownHours", "enabled", "unknown", "fieldPolicies.lead.fields.nothing"):
        assert path in paths
    for key in ("creditBudget", "minFreshness", "maxPerDay", "perMonth"):
        assert f"refresh.{key}" in paths
    assert (await rest.get("/config")).json()["minConfidence"] == 0.6


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"", "application/json", 400, "BAD_REQUEST"),
        (b"{", "application/json", 400, "BAD_REQUEST"),
        (b'{"enabled": NaN}', "application/json", 400, "BAD_REQUEST"),
        (b'{"enabled": true, "enabled": false}', "application/json", 400, "BAD_REQUEST"),
        (b'{"a": ' * 100 + b"1" + b"}" * 100, "application/json", 400, "BAD_REQUEST"),
        (b'{"\xff": 1}', "application/json", 400, "BAD_REQUEST"),
        (b"[]", "application/json", 422, "VALIDATION_FAILED"),
        (b"null", "application/json", 422, "VALIDATION_FAILED"),
        (b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"enabled=true", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"x": "' + b"x" * 3000 + b'"}', "application/json", 413, "PAYLOAD_TOO_LARGE"),
    ],
    ids=lambda value: repr(value)[:30],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_body_that_cannot_be_read_is_refused(
    redis: ArqRedis, method: str, content: bytes, media_type: str, status: int, code: str
) -> None:
    rest = Rest(services(redis, StandIn()), max_body_bytes=2048)
    response = await rest(method, "/config", content=content, headers={"Content-Type": media_type})
    assert (response.status_code, problem_code(response)) == (status, code)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.USER])
async def test_only_a_manager_may_change_the_config(rest: Rest, role: Role) -> None:
    response = await rest("PATCH", "/config", json={"enabled": False}, role=role)
    assert (response.status_code, problem_code(response)) == (403, "FORBIDDEN")
    assert (await rest.get("/config")).json()["enabled"] is True


async def test_another_organization_has_a_config_of_its_own(rest: Rest) -> None:
    await rest("PATCH", "/config", json={"enabled": False})
    assert (await rest.get("/config", org="other")).json()["enabled"] is True
