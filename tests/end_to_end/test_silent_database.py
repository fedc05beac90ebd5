"""A database that keeps its connections and answers nobody: every request is answered all the same."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from faults.service import Service, token
from faults.stores import PostgresServer, RedisServer
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.whole_service import NO_TLS

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(300)]

RECORDS = {"records": [{"entityType": "account", "externalId": "A1", "fields": {"domain": "acme.example"}}]}
UPSERT = """mutation { upsertRecords(
  records: [{entityType: ACCOUNT, externalId: "A1", fields: {domain: "acme.example"}}]) { results { outcome } } }"""


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[PostgresServer]:
    for passed_through in (tmp_path, *tmp_path.parents[:3]):
        passed_through.chmod(0o711)  # by the user of PostgreSQL
    server = PostgresServer(tmp_path / "postgres")
    await server.create()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    redis = RedisServer(tmp_path)
    await redis.start()
    service = Service(tmp_path, {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url}, servers=1, workers=0)
    try:
        await service.start()
        headers = {"Authorization": f"Bearer {token('acme')}"}
        async with httpx.AsyncClient(
            base_url=service.urls[0], headers=headers, timeout=PATIENCE_SECONDS, verify=NO_TLS
        ) as connected:
            yield connected
    finally:
        postgres.answer_again()
        service.stop()
        await redis.kill()


async def test_while_the_database_is_silent_every_request_is_told_to_come_again(
    postgres: PostgresServer, client: httpx.AsyncClient
) -> None:
    first = await client.post("/v1/auto-enrichment/records", json=RECORDS)
    assert first.is_success, first.text
    postgres.stop_answering()
    for answer in (
        await client.post("/v1/auto-enrichment/records", json=RECORDS),
        await client.get("/v1/auto-enrichment/jobs?status=all&entityType=all"),
        await client.post("/graphql", json={"query": UPSERT}),
    ):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), answer.text
        assert "UNAVAILABLE" in answer.text
    postgres.answer_again()
    again = await client.post("/v1/auto-enrichment/records", json=RECORDS)
    assert again.is_success, again.text
