"""Erasing over REST: any external id can be named, and what is refused is told."""

from typing import Any
from urllib.parse import quote

import pytest
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from models.record import Record
from resolvers.context import Role
from tests.support.factories import StandIn, context, send, services
from tests.support.rest_client import Rest, fault_paths, problem_code

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def rest(redis: ArqRedis) -> Rest:
    return Rest(services(redis, StandIn()))


async def given(redis: ArqRedis, external_id: str, **fields: Any) -> None:
    await send(context(services(redis, StandIn())), "lead", external_id, **fields)


@pytest.mark.parametrize("external_id", ["L-1", "a/b c", "50%/2F", "?x=1#y", "ID über 7", ".."])
async def test_a_record_with_any_external_id_is_erased(rest: Rest, redis: ArqRedis, external_id: str) -> None:
    await given(redis, external_id, lastName="Doe", email="joe@acme.com")
    await given(redis, "other", lastName="Doe", linkedinUrl="linkedin.com/in/x", email="joe@acme.com")
    path = f"/records/LEAD/{quote(external_id, safe='').replace('.', '%2E')}"

    erased = await rest("DELETE", path, params={"reason": "Art. 17 GDPR"})

    assert erased.status_code == 200, erased.text
    told = erased.json()
    assert (told["entityType"], told["reason"], told["by"]) == ("lead", "Art. 17 GDPR", "ann")
    assert {"where": "record", "count": 1} in told["removed"]
    assert told["others"] == [{"entityType": "lead", "externalId": "other"}]
    assert [record.external_id for record in await Record.all()] == ["other"]
    assert problem_code(await rest("DELETE", path)) == "NOT_FOUND"


async def test_what_is_refused(rest: Rest, redis: ArqRedis) -> None:
    await given(redis, "L-1", lastName="Doe", email="joe@acme.com")
    assert problem_code(await rest("DELETE", "/records/lead/L-1", role=Role.MANAGER)) == "FORBIDDEN"
    assert problem_code(await rest("DELETE", "/records/lead/L-1", org="next door")) == "NOT_FOUND"
    bad = await rest("DELETE", "/records/company/L-1")
    assert (bad.status_code, fault_paths(bad)) == (400, ["entityType"])
    bad = await rest("DELETE", "/records/lead/L-1", params={"blockDomain": "perhaps"})
    assert (bad.status_code, fault_paths(bad)) == (400, ["blockDomain"])
    told = await rest("DELETE", "/records/lead/L-1", params={"reason": "joe@acme.com asked"})
    assert (told.status_code, fault_paths(told)) == (422, ["reason"])
    too_long = await rest("DELETE", f"/records/lead/{'x' * 256}")
    assert (too_long.status_code, fault_paths(too_long)) == (422, ["externalId"])
    assert (await rest("GET", "/records/lead/L-1")).status_code == 200
    assert await Record.all().count() == 1


async def test_no_log_line_names_the_record(rest: Rest, redis: ArqRedis) -> None:
    await given(redis, "L-QUETZAL", lastName="Doe")
    with capture_logs() as logs:
        for path in ("/records/lead/L-QUETZAL", "/records/nobody/L-QUETZAL", "/nowhere/L-QUETZAL", "/jobs/L-QUETZAL"):
            await rest("DELETE", path)
            await rest.get(path)
    assert len(logs) >= 8
    assert "QUETZAL" not in str(logs)
