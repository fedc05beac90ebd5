"""Real stores for every test: a fresh database and an empty Redis.

By default SQLite in a temporary folder and a redis-server of our own. AUTO_ENRICHMENT_TEST_DATABASE_URL and
AUTO_ENRICHMENT_TEST_REDIS_URL point the same suite at PostgreSQL and another Redis; both are emptied. `--stores`
leaves out the tests that touch neither: what they find does not depend on the stores.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis as blocking_redis
from arq.connections import ArqRedis

from models.db import connection, statements
from models.db.migrate import migrate
from service.embedded.redis import server_programs, socket_url
from service.redis_pool import redis_at


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stores", action="store_true", help="only the tests that touch the database or Redis")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--stores"):
        return
    touching = [item for item in items if {"migrated_url", "redis_url"} & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=[item for item in items if item not in touching])
    items[:] = touching


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis for the whole run."""
    given = os.environ.get("AUTO_ENRICHMENT_TEST_REDIS_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="ae-redis-"))
    socket = folder / "redis.sock"
    program = next(server_programs(None))
    server = subprocess.Popen(
        [str(program), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = socket_url(socket)
    try:
        _wait_for(url)
        yield url
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with blocking_redis.Redis.from_url(url) as client:
                client.ping()
                return
        except blocking_redis.ConnectionError:
            time.sleep(0.02)
    raise RuntimeError(f"no Redis at {url}")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[ArqRedis]:
    """An empty Redis."""
    client = redis_at(redis_url, tries=3)
    await client.flushall()
    yield client
    await client.aclose(close_connection_pool=True)


@pytest.fixture(scope="session")
def migrated_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with the newest schema: PostgreSQL, or a SQLite file to copy."""
    given = os.environ.get("AUTO_ENRICHMENT_TEST_DATABASE_URL")
    url = given or f"sqlite://{tmp_path_factory.mktemp('database') / 'template.db'}"

    async def prepare() -> None:
        await connection.connect(url)
        try:
            await migrate()
        finally:
            await connection.close()

    asyncio.run(prepare())
    return url


@pytest.fixture
def database_url(migrated_url: str, tmp_path: Path) -> str:
    """The URL of a database for one test."""
    if not migrated_url.startswith("sqlite"):
        return migrated_url
    copy = tmp_path / "test.db"
    shutil.copy(migrated_url.removeprefix("sqlite://"), copy)
    return f"sqlite://{copy}?synchronous=OFF"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[str]:
    """An open, empty database."""
    await connection.connect(database_url)
    try:
        if connection.dialect() == "postgresql":
            await statements.execute("TRUNCATE organization, installation_secret CASCADE")
        yield database_url
    finally:
        await connection.close()
