"""Every route of REST, as every role and as another organization, by what openapi.json says of them.

A route that is not in tests/service/access/declared.py fails, whether it is described or not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis
from starlette.routing import BaseRoute

from resolvers.context import Role
from service.rest.operation import PREFIX
from tests.service.access.declared import OPEN, ROUTES
from tests.service.access.documents import UNKNOWN_ID, Texts, smallest_json
from tests.service.access.graphql_checks import known_texts
from tests.service.access.organizations import OTHER, OWN, fill, rows_of, shared_services, traces
from tests.support.factories import StandIn, services
from tests.support.rest_client import DESCRIPTION, Rest, problem_code, rest_app

pytestmark = pytest.mark.usefixtures("db")

# The routes that show an organization something that would tell of it; the others answer sums and refusals.
SHOW = {
    "GET /jobs/{id}/undo",
    *("GET /undos", "GET /undos/{id}", "GET /undos/{id}/lines"),
    *("GET /webhook-endpoints", "GET /webhook-endpoints/{id}", "GET /webhook-endpoints/{id}/deliveries"),
    "GET /webhook-deliveries/{id}",
    *("GET /audit", "GET /config", "GET /conflicts", "GET /conflicts/{id}", "GET /credits", "GET /events", "GET /jobs"),
    *("GET /jobs/{id}", "GET /records", "GET /records/{entityType}/{externalId}"),
    "GET /records/{entityType}/{externalId}/explain",
    "GET /records/{entityType}/{externalId}/explanations",
}


@dataclass
class RouteCall:
    """A method of a path with the smallest valid parameters and body."""

    route: str  # `GET /jobs/{id}`
    path: str
    sent: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, rest: Rest, **options: Any) -> httpx.Response:
        method = self.route.partition(" ")[0]
        return await rest(method, self.path, **self.sent, **options)


def calls(texts: Texts = known_texts) -> Iterator[RouteCall]:
    for full_path, methods in DESCRIPTION["paths"].items():
        for method, described in methods.items():
            path, params = full_path.removeprefix(PREFIX), {}
            for parameter in described.get("parameters", ()):
                name = parameter["name"]
                if not parameter.get("required"):
                    continue
                given = smallest_json(parameter["schema"], DESCRIPTION, name, texts)
                if parameter["in"] == "path":
                    path = path.replace(f"{{{name}}}", str(given))
                elif parameter["in"] == "query":
                    params[name] = given
            sent: dict[str, Any] = {"params": params}
            if "requestBody" in described:
                schema = described["requestBody"]["content"]["application/json"]["schema"]
                sent["json"] = smallest_json(schema, DESCRIPTION, "", texts)
            yield RouteCall(f"{method.upper()} {full_path.removeprefix(PREFIX)}", path, sent)


def served(routes: list[BaseRoute]) -> set[str]:
    return {str(getattr(route, "path", route)) for route in routes}


def test_every_route_is_declared_with_the_role_that_it_needs(redis: ArqRedis) -> None:
    assert {call.route for call in calls()} == ROUTES.keys()
    declared = {PREFIX + route.partition(" ")[2] for route in ROUTES}
    assert served(rest_app(services(redis, StandIn())).routes) == declared | OPEN


def test_whoever_may_only_read_changes_nothing() -> None:
    reading = {"POST /estimate"}
    changing = {route for route in ROUTES if not route.startswith("GET ")} - reading
    assert {route for route in changing if ROUTES[route] is Role.VIEWER} == set()


async def test_each_role_is_let_in_where_it_is_declared(redis: ArqRedis) -> None:
    shared = shared_services(redis)
    rest = Rest(shared)
    stranger = httpx.AsyncClient(transport=httpx.ASGITransport(rest.app), base_url="http://test")
    for call in calls():
        method = call.route.partition(" ")[0]
        assert problem_code(await stranger.request(method, PREFIX + call.path, **call.sent)) == "UNAUTHENTICATED"
        for role in Role:
            answer = await call(rest, role=role, org=OWN)
            assert (answer.status_code == 403) != role.covers(ROUTES[call.route]), (call, role, answer.text)
            assert answer.status_code < 500, (call, role, answer.text)


async def test_another_organization_is_neither_seen_nor_changed(redis: ArqRedis) -> None:
    shared = shared_services(redis)
    rest = Rest(shared)
    await fill(shared, OWN)
    reading = [call for call in calls() if call.route.startswith("GET ") or call.route == "POST /estimate"]
    before = {call.route: await answered(call, rest, OWN) for call in reading}
    await fill(shared, OTHER)
    of_other = await traces()
    rows = await rows_of(OTHER)
    shown = set()
    # What changes something comes last.
    for call in sorted(calls(), key=lambda call: call.route not in before):
        for sample in of_other.samples if UNKNOWN_ID in f"{call}" else [UNKNOWN_ID]:
            asked = with_id(call, sample)
            answer = await answered(asked, rest, OWN)
            assert not of_other.found_in(answer, sent=sample), (asked, answer)
            assert answer.replace(sample, UNKNOWN_ID) == before.get(call.route, answer.replace(sample, UNKNOWN_ID))
            if call.route in before and of_other.found_in(await answered(asked, rest, OTHER), sent=sample):
                shown.add(call.route)
        assert await rows_of(OTHER) == rows, call
    assert shown == SHOW


async def answered(call: RouteCall, rest: Rest, org: str) -> str:
    answer = await call(rest, org=org)
    body = "" if answer.status_code >= 400 else answer.text  # a refusal names its request
    return f"{answer.status_code} {body}"


def with_id(call: RouteCall, sample: str) -> RouteCall:
    return next(
        made
        for made in calls(lambda name: sample if known_texts(name) == UNKNOWN_ID else known_texts(name))
        if made.route == call.route
    )
