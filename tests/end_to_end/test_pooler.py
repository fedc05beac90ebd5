"""The whole service behind PgBouncer in transaction mode, where each transaction may be in another session.

The API and the workers have a role each, so that what the API may see has to travel with each of its transactions.
"""

import asyncio
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from benchmarks.postgres import as_server_user
from benchmarks.servers import free_port
from faults.service import Service, token
from faults.stores import PostgresServer, RedisServer
from service.records.senders import PATH
from tests.support.processes import command
from tests.support.waiting import PATIENCE_SECONDS, until
from tests.support.whole_service import NO_TLS

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(300)]

ORGANIZATIONS = ("acme", "globex", "initech")
RECORDS = 40  # of each
SESSIONS = 4  # of PostgreSQL, for all processes of a role together
ROLES = API, WORKER = "auto_enrichment_api", "auto_enrichment_worker"


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
async def pooler(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[str]:
    """The address of the database behind the pooler."""
    port, settings = free_port(), tmp_path / "pgbouncer.ini"
    (tmp_path / "users.txt").write_text("".join(f'"{role}" ""\n' for role in ("postgres", *ROLES)))
    settings.write_text(
        f"[databases]\npostgres = host=127.0.0.1 port={postgres.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n"
        f"auth_file = {tmp_path / 'users.txt'}\npool_mode = transaction\ndefault_pool_size = {SESSIONS}\n"
    )
    process = await create_subprocess_exec(*as_server_user("pgbouncer", settings), stderr=DEVNULL)
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    async def answers() -> bool:
        try:
            await (await asyncpg.connect(url)).close()
        except OSError:
            return False
        return True

    try:
        await until(answers)
        yield url
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
async def service(postgres: PostgresServer, pooler: str, tmp_path: Path) -> AsyncIterator[Service]:
    redis = RedisServer(tmp_path)
    await redis.start()
    for prepares in ("migrate", "roles"):
        done = await asyncio.to_thread(
            command, prepares, data_dir=tmp_path / "data", AUTO_ENRICHMENT_DATABASE_URL=postgres.url
        )
        assert done.returncode == 0, done.stderr
    by_role = {role: pooler.replace("postgres@", f"{role}@") for role in ROLES}
    settings = {"DATABASE_URL": by_role[WORKER], "DATABASE_POOLER": "yes", "REDIS_URL": redis.url}
    running = Service(tmp_path, settings, servers=1, workers=2, of_servers={"DATABASE_URL": by_role[API]})
    try:
        await running.start_migrated()
        yield running
    finally:
        running.stop()
        await redis.kill()


async def test_records_of_several_organizations_are_enriched_and_the_books_are_right(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.urls[0], timeout=PATIENCE_SECONDS, verify=NO_TLS) as client:

        async def enriched(organization: str) -> None:
            headers = {"Authorization": f"Bearer {token(organization)}"}

            async def ask(query: str) -> dict[str, Any]:
                answer = (await client.post("/graphql", headers=headers, json={"query": query})).json()
                assert "errors" not in answer, answer
                data: dict[str, Any] = answer["data"]
                return data

            for half in range(2):
                records = [
                    {"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"{organization}{n}.example"}}
                    for n in range(half, RECORDS, 2)
                ]
                sent = await client.post(PATH, headers=headers, json={"records": records})
                assert sent.is_success, sent.text

            async def all_ended() -> bool:
                shown = (await ask("{ pipeline { pending inProgress } }"))["pipeline"]
                return bool(shown["pending"] == shown["inProgress"] == 0)

            await until(all_ended)
            found = await ask("{ jobs { totalCount } verifyLedger(whole: true) { addsUp } verifyAudit { intact } }")
            assert found == {
                "jobs": {"totalCount": RECORDS},
                "verifyLedger": {"addsUp": True},
                "verifyAudit": {"intact": True},
            }

        await asyncio.gather(*map(enriched, ORGANIZATIONS))


def test_migrations_are_refused_behind_the_pooler(tmp_path: Path) -> None:
    refused = command("migrate", data_dir=tmp_path / "data", AUTO_ENRICHMENT_DATABASE_POOLER="yes")
    assert refused.returncode == 2
    assert "needs PostgreSQL itself" in refused.stderr
