"""The recipes of docs/recipes.md that use the Python client, run as they stand there against a running service."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import pytest
from arq.connections import ArqRedis
from auto_enrichment_client import connect
from auto_enrichment_client.asynchronous import EntityType, JobStatus, RecordInput

from enrichment import enums
from models.job import Job
from resolvers.context import Services
from resolvers.erasure.api import erase_record
from tests.support.factories import StandIn, context, send, services, work
from tests.support.recipes import recipe
from tests.support.rest_client import token
from tests.support.socket_client import running
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
async def here(redis: ArqRedis) -> AsyncIterator[tuple[Services, str]]:
    """The service, whose provider knows one company, and its address."""
    shared = services(redis, StandIn("paid", knows={"acme.com": {"name": "Acme", "industry": "Software"}}))
    async with running(shared) as service:
        yield shared, service.address.replace("ws://", "http://").removesuffix("/graphql")


def account(external_id: str, **fields: Any) -> RecordInput:
    return RecordInput(entityType=EntityType.ACCOUNT, externalId=external_id, fields=fields)


async def test_records_are_sent_and_their_ends_waited_for(here: tuple[Services, str]) -> None:
    shared, url = here
    send_and_wait = recipe("send_and_wait.py").send_and_wait
    records = [account("A1", domain="acme.com"), account("A2", name="Nobody Knows Inc")]
    sending = asyncio.create_task(send_and_wait(url, token(), records))
    await until(lambda: Job.all().count())
    await work(shared)
    assert await sending == {"A1": JobStatus.COMPLETED, "A2": JobStatus.COMPLETED}
    assert await send_and_wait(url, token(), records) == {}


async def test_conflicts_are_settled_in_bulk_and_that_is_taken_back(here: tuple[Services, str]) -> None:
    shared, url = here
    for number in range(3):
        await send(context(shared), "account", f"A{number}", domain="acme.com", name="Acne")
    await work(shared)
    settle = recipe("settle.py")

    def run() -> tuple[int, list[int], int]:
        with connect(url, token()) as client:
            decided = settle.settle(client, "name")
            left = len(client.list_conflicts().conflicts.nodes)
            restored = settle.take_back(client, decided)
            return len(decided), [left, len(client.list_conflicts().conflicts.nodes)], restored

    assert await asyncio.to_thread(run) == (1, [0, 3], 3)


async def test_all_changes_are_copied_into_a_warehouse(here: tuple[Services, str]) -> None:
    shared, url = here
    ctx = context(shared)
    copy_changes = recipe("warehouse.py").copy_changes

    def run(warehouse: sqlite3.Connection) -> tuple[int, dict[str, str | None]]:
        with connect(url, token()) as client:
            changes = copy_changes(client, warehouse)
        rows = warehouse.execute("SELECT external_id, fields ->> 'industry' FROM record").fetchall()
        return changes, dict(rows)

    warehouse = sqlite3.connect(":memory:", check_same_thread=False)
    await send(ctx, "account", "A1", domain="acme.com")
    await send(ctx, "account", "A2", name="Company 2")
    assert await asyncio.to_thread(run, warehouse) == (2, {"A1": None, "A2": None})
    assert await asyncio.to_thread(run, warehouse) == (0, {"A1": None, "A2": None})
    await work(shared)
    await erase_record(ctx, enums.EntityType.ACCOUNT, "A2")
    changes, rows = await asyncio.to_thread(run, warehouse)
    assert rows == {"A1": "Software"}
    assert changes >= 2
