"""The Python client against a running service: its calls, and the live feed over cuts and renewed tokens."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis
from auto_enrichment_client import (
    Client,
    FeedRefused,
    connect,
    connect_async,
    feed,
    live_events,
    live_events_blocking,
)
from auto_enrichment_client import synchronous as sync_types
from auto_enrichment_client.asynchronous import (
    AsyncClient,
    ConfigInput,
    EntityType,
    RecordInput,
    ResolutionAction,
    ResolutionInput,
)
from graphql import OperationDefinitionNode, OperationType, build_schema, parse, validate

from resolvers.context import Services
from tests.support.factories import StandIn, configure, context, send, services, work
from tests.support.rest_client import token
from tests.support.socket_client import running
from tests.support.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.usefixtures("db")

ACME = {"name": "Acme", "industry": "Software", "city": "Berlin"}


@pytest.fixture
async def here(redis: ArqRedis) -> AsyncIterator[tuple[Services, str]]:
    """The service, whose provider knows one company, and its address."""
    shared = services(redis, StandIn("paid", knows={"acme.com": ACME}))
    async with running(shared) as service:
        yield shared, service.address.replace("ws://", "http://").removesuffix("/graphql")


def test_the_documents_are_of_the_schema_and_each_has_a_call() -> None:
    folder = Path(feed.__file__).parent
    documents = parse((folder.parents[1] / "operations.graphql").read_text("utf-8"))
    schema = build_schema((Path(__file__).parents[2] / "schema" / "schema.graphql").read_text("utf-8"))
    assert validate(schema, documents) == []
    for definition in documents.definitions:
        if isinstance(definition, OperationDefinitionNode):
            assert definition.name is not None
            name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in definition.name.value)
            assert hasattr(AsyncClient, name[1:])
            assert hasattr(Client, name[1:]) or definition.operation is OperationType.SUBSCRIPTION


def account(external_id: str, **fields: Any) -> RecordInput:
    return RecordInput(entityType=EntityType.ACCOUNT, externalId=external_id, fields=fields)


async def test_every_route_of_the_contract_has_a_typed_call(here: tuple[Services, str]) -> None:
    shared, url = here
    async with connect_async(url, token()) as client:
        sent = (await client.upsert_records([account("A1", domain="acme.com", city="Hamburg")])).upsert_records
        assert (sent.created, sent.refused) == (1, 0)
        await work(shared)
        [listed] = (await client.list_jobs()).jobs.nodes
        job = (await client.get_job(listed.id)).job
        assert (job.status.value, job.record.external_id, job.steps[0].provider) == ("COMPLETED", "A1", "paid")
        record = (await client.get_record(EntityType.ACCOUNT, "A1")).record
        assert record.fields["industry"] == "Software"
        [conflict] = (await client.list_conflicts()).conflicts.nodes
        [candidate] = conflict.candidates
        decision = ResolutionInput(action=ResolutionAction.ACCEPT_CANDIDATE, candidateId=candidate.id)
        resolved = (await client.resolve_conflict(conflict.id, decision)).resolve_conflict
        assert (conflict.field, resolved.status.value) == ("address", "RESOLVED")
        config = (await client.get_config()).config
        changed = await client.update_config(ConfigInput(cooldownHours=5), config.version)
        assert (changed.update_config.cooldown_hours, changed.update_config.version) == (5, config.version + 1)
        assert (await client.pause_pipeline("maintenance")).pause_pipeline.paused
        assert (await client.get_pipeline()).pipeline.reason == "maintenance"
        assert not (await client.resume_pipeline()).resume_pipeline.paused
        assert (await client.get_stats(from_=datetime(2026, 1, 1, tzinfo=UTC))).stats.records == 1
        assert (await client.get_credits()).credits.reserved == 0
        await refused_in_its_state(client, job.id)


async def refused_in_its_state(client: AsyncClient, job_id: str) -> None:
    for call in (client.retry_job, client.cancel_job):
        with pytest.raises(Exception, match="completed"):
            await call(job_id)


async def test_the_synchronous_client_makes_the_same_calls(here: tuple[Services, str]) -> None:
    shared, url = here

    def calls() -> tuple[int, list[str]]:
        with connect(url, token()) as client:
            made = sync_types.RecordInput(
                entityType=sync_types.EntityType.ACCOUNT, externalId="A1", fields={"domain": "acme.com"}
            )
            sent = client.upsert_records([made]).upsert_records
            return sent.created, [job.record.external_id for job in client.list_jobs().jobs.nodes]

    assert await asyncio.to_thread(calls) == (1, ["A1"])
    await work(shared)


class Way:
    """An address that leads to a service, whose connections can all be cut; `to` another, or to none that runs."""

    def __init__(self, to: str) -> None:
        self.to, self.url = to, ""
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream, to_service = await asyncio.open_connection("127.0.0.1", int(self.to.rpartition(":")[2]))
        except OSError:
            writer.transport.abort()
            return
        self._open.update((writer, to_service))
        await asyncio.gather(_forward(reader, to_service), _forward(upstream, writer))
        self._open.difference_update((writer, to_service))

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def leading(to: str) -> AsyncIterator[Way]:
    way = Way(to)
    server = await asyncio.start_server(way.serve, "127.0.0.1", 0)
    way.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield way
    finally:
        way.cut()
        server.close()


@asynccontextmanager
async def listening(url: str, next_token: Callable[[], str] = token) -> AsyncIterator[list[Any]]:
    """What a feed from an address has brought so far."""
    came: list[Any] = []

    async def listen() -> None:
        async for event in live_events(url, next_token):
            came.append(event)

    task = asyncio.create_task(listen())
    try:
        yield came
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_feed_has_the_whole_log_in_order_over_cuts_and_ends_of_tokens(here: tuple[Services, str]) -> None:
    shared, url = here
    await configure(context(shared), triggers={"onCreate": False})
    tokens: list[str] = []

    def next_token() -> str:
        tokens.append(token(exp=int(time.time()) + 2) if len(tokens) == 1 else token())
        return tokens[-1]

    async with leading(url) as way, connect_async(url, token()) as client, listening(way.url, next_token) as came:
        for number in range(12):
            await client.upsert_records([account(f"A{number}", name=f"Company {number}")])
            if number == 3:
                await until(lambda: len(tokens) == 1 and bool(came))
                way.cut()
                await until(lambda: len(tokens) >= 3)  # the second one ended, and closed its connection
            elif number == 8:
                way.cut()
        await until(lambda: len(created(came)) >= 12)
    assert len(set(created(came))) == len(created(came)) == 12
    assert all(one.cursor != other.cursor for one, other in pairwise(came))
    assert len(tokens) >= 4


def created(came: list[Any]) -> list[str]:
    return [event.record_id for event in came if event.kind.value == "RECORD_CREATED"]


async def test_the_feed_goes_on_when_the_service_is_back(redis: ArqRedis) -> None:
    shared = services(redis)
    await configure(context(shared), triggers={"onCreate": False})
    await send(context(shared), "account", "A1", name="Company 1")
    async with AsyncExitStack() as stack:
        async with running(shared) as first:
            way = await stack.enter_async_context(leading(first.address.removesuffix("/graphql")))
            came = await stack.enter_async_context(listening(way.url))
            await until(lambda: len(created(came)) == 1)
        await send(context(shared), "account", "A2", name="Company 2")  # while nothing serves
        async with running(shared) as second:
            way.to = second.address.removesuffix("/graphql")
            await send(context(shared), "account", "A3", name="Company 3")
            await until(lambda: len(created(came)) >= 3)
    assert len(set(created(came))) == len(created(came)) == 3


async def test_the_feed_goes_on_after_a_cursor_also_without_asyncio(here: tuple[Services, str]) -> None:
    shared, url = here
    await configure(context(shared), triggers={"onCreate": False})
    async with connect_async(url, token()) as client:
        for number in range(3):
            await client.upsert_records([account(f"A{number}", name=f"Company {number}")])

    def first_records(after: str) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        events = live_events_blocking(url, token, after=after)
        for event in events:
            if event.kind.value == "RECORD_CREATED":
                found.append((event.cursor, event.record_id))
            if len(found) == 2:
                events.close()
                break
        return found

    async with asyncio.timeout(PATIENCE_SECONDS):
        first = await asyncio.to_thread(first_records, "0")
        second = await asyncio.to_thread(first_records, first[0][0])
    assert second[0] == first[1]
    assert second[1] not in first


async def test_a_feed_that_no_token_opens_ends_with_an_error(
    here: tuple[Services, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auto_enrichment_client.feed.FIRST_PAUSE_SECONDS", 0.01)
    with pytest.raises(FeedRefused) as refused:
        async for _ in live_events(here[1], lambda: "no token"):
            pass
    assert refused.value.code == "UNAUTHENTICATED"
