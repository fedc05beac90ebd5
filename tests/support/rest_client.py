"""A client of the REST routes that holds every answer against `openapi.json`."""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx
import jsonschema_rs
import jwt
from pydantic import SecretStr
from starlette.applications import Starlette

from resolvers.context import Role, Services
from service.app import create_app
from service.auth.tokens import Authenticator
from service.http.problem import MEDIA_TYPE
from service.rest.description.openapi import describe
from service.rest.operation import PREFIX
from service.rest.routes import OPERATIONS
from service.runtime import Runtime
from service.settings import Settings

SECRET = "a secret of the tests, long enough for HS256"
DESCRIPTION = describe(OPERATIONS, "0")


class StartedRuntime(Runtime):
    """A runtime over services that a test has made."""

    def __init__(self, shared: Services, settings: Settings) -> None:
        super().__init__(settings)
        self._services = shared
        self._authenticator = Authenticator(shared=[SECRET])


def rest_app(shared: Services, **settings: Any) -> Starlette:
    """The application; the cost of operations is counted, and stands in answers, where `limit_cost` is given."""
    chosen = {"limit_cost": "none", **settings}
    return create_app(StartedRuntime(shared, Settings(jwt_secret=SecretStr(SECRET), **chosen)))


def token(role: Role | str = Role.ADMIN, org: str = "acme", user: str = "ann", **claims: Any) -> str:
    payload = {"sub": user, "organizationId": org, "role": str(role), "exp": int(time.time()) + 600, **claims}
    return jwt.encode({name: value for name, value in payload.items() if value is not None}, SECRET, "HS256")


class Rest:
    """Calls the routes of these services. `answer` is checked: its status and body must be described."""

    def __init__(self, shared: Services, *, app: Starlette | None = None, **settings: Any) -> None:
        self.app = app or rest_app(shared, **settings)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        role: Role = Role.ADMIN,
        org: str = "acme",
        headers: Mapping[str, str] | None = None,
        **sent: Any,
    ) -> httpx.Response:
        authorization = {"Authorization": f"Bearer {token(role, org)}"}
        response = await self._client.request(
            method,
            path if path.startswith("/v1") else PREFIX + path,
            headers={**authorization, **(headers or {})},
            **sent,
        )
        check_described(response)
        return response

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self("POST", path, **options)


def problem_code(response: httpx.Response) -> str:
    """The code of a refusal."""
    assert response.headers["content-type"] == MEDIA_TYPE, response.text
    code: str = response.json()["code"]
    return code


def fault_paths(response: httpx.Response) -> list[str]:
    return [fault["path"] for fault in response.json()["errors"]]


def check_described(response: httpx.Response) -> None:
    """Fails unless the description has this answer: status, media type, headers and every key of the body."""
    request = response.request
    operation = _operation(request.method, request.url.raw_path.decode().partition("?")[0])
    if operation is None:
        return
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{request.method} {request.url.path}: {response.status_code} is not described"
    if response.status_code == 304:
        assert response.content == b""
        return
    media_type = response.headers["content-type"]
    assert media_type in described["content"]
    if response.is_success:
        needed = {name.lower() for name in described["headers"]} - {"link"}
        assert needed <= set(response.headers)
    schema = described["content"][media_type]["schema"]
    faults = [
        f"{error.instance_path}: {error.message}" for error in _validator(repr(schema)).iter_errors(response.json())
    ]
    assert not faults, faults


def _operation(method: str, path: str) -> Mapping[str, Any] | None:
    parts = path.split("/")
    plainest_first = sorted(DESCRIPTION["paths"].items(), key=lambda item: item[0].count("{"))
    for described, methods in plainest_first:
        pattern = described.split("/")
        fits = len(pattern) == len(parts) and all(
            expected == part or expected.startswith("{") for expected, part in zip(pattern, parts, strict=True)
        )
        if fits:
            found: Mapping[str, Any] | None = methods.get(method.lower())
            return found
    return None


@cache
def _validator(schema_text: str) -> jsonschema_rs.Draft202012Validator:
    schema = next(schema for schema in _answer_schemas() if repr(schema) == schema_text)
    closed = {name: _closed(name, it) for name, it in DESCRIPTION["components"]["schemas"].items()}
    return jsonschema_rs.Draft202012Validator({**schema, "components": {"schemas": closed}}, validate_formats=True)


def _answer_schemas() -> list[dict[str, Any]]:
    return [
        content["schema"]
        for methods in DESCRIPTION["paths"].values()
        for operation in methods.values()
        for response in operation["responses"].values()
        for content in response.get("content", {}).values()
    ]


def _closed(name: str, schema: Any) -> Any:
    """The schema without room for keys that it does not describe. Problems may have members of their own."""
    if isinstance(schema, list):
        return [_closed(name, part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {key: _closed(name, part) for key, part in schema.items()}
    if name != "Problem" and isinstance(closed.get("properties"), dict) and closed.get("type") == "object":
        closed["additionalProperties"] = False
    return closed
