"""Real stores for every test: an empty database with the newest schema, and an empty Redis.

By default SQLite in a temporary folder and a redis-server of our own, one of each for every worker of a parallel run.
AUTO_ENRICHMENT_TEST_DATABASE_URL names a PostgreSQL database: it is emptied, and a parallel run makes one beside it
for each worker (`…_gw0`). AUTO_ENRICHMENT_TEST_REDIS_SERVER names the redis-server program to start;
AUTO_ENRICHMENT_TEST_REDIS_URL a running Redis, which is emptied and cannot serve a parallel run. `--stores` leaves out
the tests that touch neither store, and those that are marked `either_store`: what they find does not depend on which
stores there are.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import redis as blocking_redis
from arq.connections import ArqRedis
from tortoise.apps import Apps
from tortoise.exceptions import OperationalError

from models.db import connection, statements
from models.db.distribute import distribute
from models.db.migrate import migrate
from service.embedded.redis import server_programs, socket_url
from service.redis_pool import redis_at
from tests.support.waiting import wait_until

DATABASE_URL = "AUTO_ENRICHMENT_TEST_DATABASE_URL"
PARTITIONS = "AUTO_ENRICHMENT_TEST_PARTITIONS"  # of each table of a tenant, on an empty PostgreSQL
REDIS_URL = "AUTO_ENRICHMENT_TEST_REDIS_URL"
REDIS_SERVER = "AUTO_ENRICHMENT_TEST_REDIS_SERVER"
MAIN = "master"  # what pytest-xdist calls a run without workers


_prepare_models = Apps._build_initial_querysets
_prepared: tuple[type, ...] = ()


def _prepare_models_unless_they_are(apps: Apps) -> None:
    """Prepare the models for the kind of database that is connected to, unless they are from the time before."""
    global _prepared
    models = tuple(apps.get_models_iterable())
    kinds = (*models, *(type(model._meta.db) for model in models))
    if kinds != _prepared:
        _prepare_models(apps)
        _prepared = kinds


# Anew for every test it would be a hundredth of a second each.
pytest.MonkeyPatch().setattr(Apps, "_build_initial_querysets", _prepare_models_unless_they_are)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stores", action="store_true", help="only the tests that touch the database or Redis")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (chosen if _is_chosen(item, only_stores=config.getoption("--stores")) else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = chosen


def _is_chosen(item: pytest.Item, *, only_stores: bool) -> bool:
    if item.get_closest_marker("postgresql") is not None and DATABASE_URL not in os.environ:
        return False
    if only_stores and item.get_closest_marker("either_store") is not None:
        return False
    return not only_stores or not {"migrated_url", "redis_url"}.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def redis_url(worker_id: str) -> Iterator[str]:
    """A Redis for the whole run of this worker."""
    given = os.environ.get(REDIS_URL)
    if given and worker_id != MAIN:
        # The databases of one Redis share their channels: a worker would hear the notices of the others.
        pytest.exit(f"one Redis ({REDIS_URL}) cannot serve several workers: name its program with {REDIS_SERVER}", 4)
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="ae-redis-"))
    socket = folder / "redis.sock"
    chosen = os.environ.get(REDIS_SERVER)
    server = subprocess.Popen(
        [
            str(server_programs(Path(chosen) if chosen else None)[-1]),  # the oldest that is to work
            *("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)),
        ],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = socket_url(socket)
    try:
        wait_until(lambda: _answers(url), f"no Redis at {url}")
        yield url
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        with blocking_redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except blocking_redis.ConnectionError:
        return False


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[ArqRedis]:
    """An empty Redis."""
    client = redis_at(redis_url, tries=3)
    await client.flushall()
    yield client
    await client.aclose(close_connection_pool=True)


@pytest.fixture(scope="session")
def migrated_url(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with the newest schema: PostgreSQL, or a SQLite file to copy."""
    given = os.environ.get(DATABASE_URL)

    async def prepare() -> str:
        if given is None:
            url = f"sqlite://{tmp_path_factory.mktemp('database') / 'template.db'}"
        else:
            url = given if worker_id == MAIN else await create_database(given, worker_id)
        await connection.connect(url)
        try:
            await migrate()
            if partitions := os.environ.get(PARTITIONS):
                await distribute(int(partitions))
        finally:
            await connection.close()
        return url

    return asyncio.run(prepare())


async def create_database(url: str, suffix: str) -> str:
    """Make an empty PostgreSQL database beside the one at `url`, named after it. Returns its URL."""
    parts = urlsplit(url)
    name = f"{parts.path.removeprefix('/')}_{suffix}"
    server = await asyncpg.connect(url)
    try:
        await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await server.execute(f'CREATE DATABASE "{name}"')
    finally:
        await server.close()
    return parts._replace(path=f"/{name}").geturl()


@pytest.fixture
async def new_database(migrated_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """An open database without any schema."""
    if migrated_url.startswith("sqlite"):
        url = f"sqlite://{tmp_path / 'new.db'}?synchronous=OFF"
    else:
        url = await create_database(migrated_url, "new")
    await connection.connect(url)
    try:
        yield url
    finally:
        await connection.close()


# Deleting what a test has left takes a tenth of the time of TRUNCATE, which makes every table and index anew. Without
# triggers: tables that only grow refuse it, and no order of the tables has to be kept.
_DELETE_EVERYTHING = """DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables
    WHERE schemaname = current_schema() AND NOT starts_with(tablename, 'schema_migration') LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
END $$"""


async def empty_postgresql() -> None:
    """Delete all rows of the database that is connected to."""
    try:
        await statements.execute(_DELETE_EVERYTHING)
    except OperationalError:  # only a superuser may leave out triggers
        await statements.execute("TRUNCATE organization, installation_choice, installation_secret CASCADE")


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
            await empty_postgresql()
        yield database_url
    finally:
        await connection.close()
