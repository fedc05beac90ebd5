"""Under the API's role a statement that forgets its organization finds nothing, and writes nothing, of another."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from enrichment.enums import EntityType
from models.db.acting import across_organizations, acting_for, bind_to, is_bound
from models.db.columns import new_id
from models.db.connection import close, connect
from models.db.copying import add_encoded, add_rows
from models.db.migrate import migrate
from models.db.row_security import (
    CannotSeparate,
    Roles,
    connect_by_role,
    protect_new_tables,
    read_roles,
    separate,
    tables_without_policies,
)
from models.db.statements import execute, query
from models.db.transaction import Transaction, unit_of_work
from models.organization import add_organization
from models.record.row import RecordRow
from service.installation_settings import load_settings
from service.runtime import CannotStart, Runtime
from tests.support.stores import create_database

pytestmark = pytest.mark.postgresql

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TENANTS = ("acme", "o'brien")
PASSWORD = "of the tests"
HOLE = "SELECT organization_id FROM record"  # names no organization


def row(organization_id: str, external_id: str = "1") -> RecordRow:
    return RecordRow(
        id=new_id(),
        organization_id=organization_id,
        entity_type=EntityType.LEAD,
        external_id=external_id,
        fields={"name": "Ünï\t\\N", "n": [1, None]},
        received={},
        raw_values=None,
        unreadable={},
        search_text="ünï",
        completeness=0.5,
        version=1,
        last_enriched_at=None,
        refreshed_at=None,
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.fixture(scope="module")
def separated(migrated_url: str) -> Iterator[tuple[str, Roles]]:
    """A database with records of two organizations, whose roles are kept apart: its address, and the roles."""
    url = asyncio.run(create_database(migrated_url, "roles"))
    name = urlsplit(url).path.removeprefix("/")
    roles = Roles(f"{name}_api", f"{name}_worker")
    asyncio.run(prepare(url, roles))
    yield url, roles
    asyncio.run(clear(url, roles))


async def prepare(url: str, roles: Roles) -> None:
    await connect(url)
    try:
        await migrate()
        await separate(roles)
        for role in (roles.api, roles.worker):
            await execute(f"ALTER ROLE \"{role}\" PASSWORD '{PASSWORD}'")
        for organization_id in TENANTS:
            await add_organization(organization_id, {}, NOW)
            await unit_of_work(add_rows)([row(organization_id)])
    finally:
        await close()


async def clear(url: str, roles: Roles) -> None:
    await connect(url)
    try:
        await execute(f'DROP OWNED BY "{roles.api}", "{roles.worker}"')
        await execute(f'DROP ROLE "{roles.api}", "{roles.worker}"')
    finally:
        await close()


@pytest.fixture
async def owner(separated: tuple[str, Roles]) -> AsyncIterator[Roles]:
    """The process connected as the owner of the tables; the roles."""
    url, roles = separated
    await connect_by_role(url, pool=4, behind_pooler=False)
    try:
        yield roles
    finally:
        await close()


def address(url: str, role: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{PASSWORD.replace(' ', '%20')}@{place}").geturl()


@pytest.fixture(params=[False, True], ids=["direct", "behind a pooler"])
async def bound(separated: tuple[str, Roles], request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """The process connected as the API."""
    url, roles = separated
    await connect_by_role(address(url, roles.api), pool=4, behind_pooler=request.param)
    try:
        yield
    finally:
        await close()
        bind_to(None)


async def organizations_seen() -> list[str]:
    """What the planted hole finds: outside a transaction, with parameters and without, and in one."""
    found = [
        await query(HOLE),
        await query(f"{HOLE} WHERE version > ? ORDER BY 1", [0]),
        await unit_of_work(_hole)(),
    ]
    assert found[0] == found[1] == found[2]
    return [str(each["organization_id"]) for each in found[0]]


async def _hole(tx: Transaction) -> list[dict[str, str]]:
    return await query(f"{HOLE} ORDER BY 1", using=tx)


@pytest.mark.usefixtures("bound")
async def test_a_statement_without_its_organization_finds_the_rows_of_who_asks() -> None:
    assert is_bound()
    for organization_id in (*TENANTS, "nobody"):
        with acting_for(organization_id):
            assert await organizations_seen() == ([organization_id] if organization_id in TENANTS else [])
        assert await organizations_seen() == []


@pytest.mark.usefixtures("bound")
async def test_nothing_is_written_into_another_organization() -> None:
    with acting_for("acme"):
        await unit_of_work(add_rows)([row("acme", new_id())])
        await unit_of_work(add_encoded)(RecordRow, [])
        with pytest.raises(Exception, match="row-level security"):
            await unit_of_work(add_rows)([row("o'brien", "2")])
        assert await execute("UPDATE record SET version = version + 1 WHERE organization_id = ?", ["o'brien"]) == 0
        assert await execute("UPDATE record SET version = version + 1") > 0  # sent as text
        assert await execute("DELETE FROM record WHERE organization_id <> 'acme'") == 0


@pytest.mark.usefixtures("bound")
async def test_the_services_own_work_sees_all_organizations() -> None:
    with acting_for("acme"), across_organizations():
        assert {row["organization_id"] for row in await query(HOLE)} == set(TENANTS)
        assert {row["organization_id"] for row in await unit_of_work(_hole)()} == set(TENANTS)
    with acting_for("acme"):
        assert set(await organizations_seen()) == {"acme"}


@pytest.mark.usefixtures("bound")
async def test_the_rows_of_migrations_can_be_read_and_not_changed() -> None:
    assert await query("SELECT name FROM schema_migration")
    with pytest.raises(Exception, match="permission denied"):
        await execute("DELETE FROM schema_migration")


async def test_every_table_with_organizations_has_policies_and_a_new_one_gets_them(owner: Roles) -> None:
    assert not is_bound()
    assert await read_roles() == owner
    assert await tables_without_policies() == []
    await execute("CREATE TABLE new_noun (id VARCHAR(36) PRIMARY KEY, organization_id VARCHAR(128) NOT NULL)")
    assert await tables_without_policies() == ["new_noun"]
    await protect_new_tables()
    assert await tables_without_policies() == []
    await execute("DROP TABLE new_noun")


@pytest.mark.parametrize("attribute", ["BYPASSRLS", "NOBYPASSRLS"])
async def test_the_role_of_workers_reads_and_writes_rows_of_all_organizations(
    separated: tuple[str, Roles], owner: Roles, attribute: str
) -> None:
    await execute(f'ALTER ROLE "{owner.worker}" {attribute}')
    await close()
    await connect_by_role(address(separated[0], owner.worker), pool=4, behind_pooler=False)
    await unit_of_work(add_rows)([row(organization_id, new_id()) for organization_id in TENANTS])
    assert {row["organization_id"] for row in await query(HOLE)} == set(TENANTS)


async def test_roles_are_kept_apart_once(owner: Roles) -> None:
    assert await separate(owner) == []
    with pytest.raises(CannotSeparate):
        await separate(Roles("other", owner.worker))


async def test_a_worker_refuses_the_role_of_the_api(
    separated: tuple[str, Roles], redis_url: str, tmp_path: Path
) -> None:
    url, roles = separated
    settings = load_settings(data_dir=tmp_path, database_url=address(url, roles.api), redis_url=redis_url)
    with pytest.raises(CannotStart, match="the worker's role"):
        async with Runtime(settings, worker=True):
            pass
    bind_to(None)
