"""`/pause` and `/resume` over REST."""

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role
from tests.support.factories import StandIn, services
from tests.support.rest_client import Rest, fault_paths, problem_code

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def rest(redis: ArqRedis) -> Rest:
    return Rest(services(redis, StandIn()))


async def test_pausing_says_since_when_by_whom_and_why(rest: Rest) -> None:
    response = await rest.post("/pause", json={"reason": "import under way"}, role=Role.MANAGER)
    shown = response.json()
    assert (response.status_code, shown["paused"], shown["pausedBy"]) == (200, True, "ann")
    assert shown["reason"] == "import under way"
    assert shown["pausedAt"].endswith("Z")
    assert (shown["pending"], shown["inProgress"], shown["oldestPendingAt"]) == (0, 0, None)


async def test_pausing_twice_is_not_an_error_and_changes_nothing(rest: Rest) -> None:
    first = await rest.post("/pause", json={"reason": "first"})
    second = await rest.post("/pause", json={"reason": "second"})
    assert (second.status_code, second.json()) == (200, first.json())


async def test_resuming_twice_is_not_an_error(rest: Rest) -> None:
    await rest.post("/pause")
    for _ in range(2):
        response = await rest.post("/resume", role=Role.MANAGER)
        shown = response.json()
        assert (response.status_code, shown["paused"], shown["pausedAt"], shown["reason"]) == (200, False, None, None)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}])
@pytest.mark.parametrize("path", ["/pause", "/resume"])
async def test_no_body_is_needed(rest: Rest, path: str, headers: dict[str, str]) -> None:
    assert (await rest.post(path, headers=headers)).status_code == 200


@pytest.mark.parametrize("body", [{}, {"reason": None}])
async def test_the_reason_may_be_left_out(rest: Rest, body: dict[str, None]) -> None:
    response = await rest.post("/pause", json=body)
    assert (response.status_code, response.json()["reason"]) == (200, None)


@pytest.mark.parametrize("body", [{"reason": 1}, {"reason": "\0"}, {"reasn": "x"}, {"reason": "x" * 1001}])
async def test_a_reason_that_cannot_be_is_named(rest: Rest, body: dict[str, object]) -> None:
    response = await rest.post("/pause", json=body)
    assert (response.status_code, fault_paths(response)) == (422, list(body))
    assert (await rest.post("/resume")).json()["paused"] is False


async def test_a_malformed_body_pauses_nothing(rest: Rest) -> None:
    response = await rest.post("/pause", content=b"{", headers={"Content-Type": "application/json"})
    assert (response.status_code, problem_code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.USER])
@pytest.mark.parametrize("path", ["/pause", "/resume"])
async def test_only_a_manager_may_pause_and_resume(rest: Rest, path: str, role: Role) -> None:
    response = await rest.post(path, role=role)
    assert (response.status_code, problem_code(response)) == (403, "FORBIDDEN")


async def test_another_organization_is_not_paused(rest: Rest) -> None:
    await rest.post("/pause")
    assert (await rest.post("/resume", org="other")).json()["paused"] is False
    assert (await rest.post("/pause")).json()["paused"] is True
