"""GraphQL operations are counted by names of a closed list."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from service.graphql import counted
from tests.support.factories import StandIn, context, send, services
from tests.support.rest_client import rest_app, token
from tests.support.socket_client import client_of, running, watched_by
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("db")

PAUSED = "{ pipeline { paused } }"


async def measured(redis: ArqRedis, *documents: str, **settings: Any) -> dict[str, float]:
    """What `/metrics` says of the operations after these."""
    app = rest_app(services(redis, StandIn()), **settings)
    headers = {"Authorization": f"Bearer {token()}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t", headers=headers) as http:
        for document in documents:
            await http.post("/graphql", json={"query": document})
        text = (await http.get("/metrics")).text
    lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith("auto_enrichment_graphql_")]
    return {name.removeprefix("auto_enrichment_graphql_"): float(value) for name, _, value in lines}


def operations(operation: str, kind: str, outcome: str) -> str:
    return f'operations_total{{kind="{kind}",operation="{operation}",outcome="{outcome}"}}'


async def test_operations_are_counted_by_name_and_outcome(redis: ArqRedis) -> None:
    found = await measured(
        redis,
        f"query Paused {PAUSED}",
        f"query Paused {PAUSED}",
        PAUSED,
        'query Missing { job(id: "none") { id } }',
        "query Wrong { nothing }",
    )
    assert found[operations("Paused", "query", "ok")] == 2
    assert found[operations("anonymous", "query", "ok")] == 1
    assert found[operations("Missing", "query", "errors")] == 1
    assert found[operations("other", "other", "refused")] == 1
    assert found['operation_seconds_count{operation="Paused"}'] == 2


async def test_what_is_too_complex_and_what_costs_too_much_is_counted(redis: ArqRedis) -> None:
    big = "query Big { jobs(first: 200) { nodes { conflicts { candidates { value job: __typename } } } } }"
    dear = "query Dear { records(first: 200) { nodes { jobs(first: 200) { nodes { steps { provider } } } } } }"
    found = await measured(redis, dear, big, limit_cost="token=1")
    assert found["too_complex_total"] == 1
    assert found[operations("other", "query", "refused")] >= 1


async def test_names_beyond_so_many_are_one(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted, "MOST_NAMES", 2)
    found = await measured(redis, *(f"query Q{number} {PAUSED}" for number in range(5)))
    assert found[operations("Q0", "query", "ok")] == found[operations("Q1", "query", "ok")] == 1
    assert found[operations("other", "query", "ok")] == 3


async def test_with_a_list_of_documents_their_names_are_known(redis: ArqRedis, tmp_path: Path) -> None:
    listed = tmp_path / "documents.json"
    listed.write_text(json.dumps({"1": f"query Paused {PAUSED}"}))
    found = await measured(redis, f"query Paused {PAUSED}", f"query Other {PAUSED}", allowed_documents=listed)
    assert [name for name in found if name.startswith("operations_total")] == [operations("Paused", "query", "ok")]


async def test_a_subscription_is_counted_as_it_starts_and_the_lag_of_its_events(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    await shared.events.start()
    async with running(shared) as service:
        lags: list[float] = []
        shared.events.when_read = lambda at: lags.append((shared.now() - at).total_seconds())
        async with client_of(service) as client:
            await client.begin()
            await client.start("1", "subscription Watch { events { kind } }")
            await watched_by(shared, 1)
            await send(context(shared), "account", "A1", name="Acme")
            await client.receive()
            await until(lambda: lags)
        url = service.address.replace("ws://", "http://").removesuffix("/graphql")
        async with httpx.AsyncClient(base_url=url) as http:
            assert operations("Watch", "subscription", "started") in (await http.get("/metrics")).text
    await shared.events.stop()
