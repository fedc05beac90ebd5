"""Generated calls, good and bad, against a served application: nothing answers outside its description."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from structlog.testing import capture_logs

from models.db import connection
from models.db.columns import new_id
from service.app import create_app
from service.http.server import address_of, build_server, listen
from service.installation_settings import settings_class
from service.rest.operation import PREFIX
from service.rest.routes import OPERATIONS
from service.runtime import Runtime
from service.settings import Settings
from tests.support.fuzzing import SEED
from tests.support.rest_client import SECRET, token
from tests.support.stores import empty_postgresql
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.xdist_group("generated calls")  # one worker makes what they share

EXAMPLES = settings().max_examples // 3  # of each kind, for each operation
UNKNOWN = "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10"
ORGANIZATION = f"generated-{new_id()}"  # the database may hold what an earlier run left
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
RECORDS = [
    {"entityType": "account", "externalId": "A1", "fields": {"domain": "microsoft.com", "city": "Rome"}},
    {"entityType": "lead", "externalId": "L1", "fields": {"email": "ann.lee@gmail.com", "phone": "+4930901820"}},
]


class Served:
    """The whole application in a thread of its own, with a worker inside."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listening = listen(settings)
        self.address = address_of(self._listening)
        self._server: Any = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        async with Runtime(self._settings, worker=True) as runtime:
            self._server = build_server(create_app(runtime), self._settings)
            await self._server.serve(sockets=[self._listening])

    def __enter__(self) -> "Served":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(PATIENCE_SECONDS)
        self._listening.close()
        assert not self._thread.is_alive(), "the application did not stop"


@pytest.fixture(scope="module")
def served(
    migrated_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[str]]]:
    """The address of the application, and ids of a job and, if any, a conflict."""
    folder: Path = tmp_path_factory.mktemp("served")
    database_url = migrated_url
    if migrated_url.startswith("sqlite"):
        copy = shutil.copy(migrated_url.removeprefix("sqlite://"), folder)
        database_url = f"sqlite://{copy}"
    else:
        asyncio.run(_emptied(database_url))  # another test's keys are sealed with what this server does not know
    chosen: dict[str, Any] = {
        "port": 0,
        "data_dir": folder,
        "database_url": SecretStr(database_url),
        "redis_url": SecretStr(redis_url),
        "jwt_secret": SecretStr(SECRET),
    }
    with capture_logs(), Served(settings_class()(**chosen)) as running:
        with httpx.Client(base_url=running.address + PREFIX, headers=_headers()) as client:
            ids = _fill(client)
        yield running.address, ids


async def _emptied(database_url: str) -> None:
    await connection.connect(database_url)
    try:
        await empty_postgresql()
    finally:
        await connection.close()


def _headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {token(org=ORGANIZATION)}"}


def _fill(client: httpx.Client) -> list[str]:
    results = client.post("/records", json={"records": RECORDS}).json()["results"]
    jobs = [result["jobId"] for result in results]
    wait_until(lambda: all(client.get(f"/jobs/{job}").json()["finishedAt"] for job in jobs))
    conflicts = [conflict["id"] for conflict in client.get("/conflicts").json()]
    return [*jobs, *conflicts, UNKNOWN]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("described", OPERATIONS, ids=lambda operation: operation.id)
def test_generated_calls_are_answered_as_described(
    served: tuple[str, list[str]], described: Any, mode: GenerationMode
) -> None:
    address, ids = served
    schema = schemathesis.openapi.from_url(f"{address}/v1/openapi.json")
    operation = schema[described.full_path][described.method]

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), known=st.sampled_from(ids), is_known=st.booleans())
    def call(case: schemathesis.Case[Any], known: str, is_known: bool) -> None:
        if is_known and "{id}" in described.path:
            case.path_parameters = {"id": known}
        case.call_and_validate(headers=_headers(), checks=CHECKS)

    call()
