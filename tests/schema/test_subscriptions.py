"""Watching over GraphQL: the state at once, then each change, then the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from arq.connections import ArqRedis

from models.db.statements import execute
from providers.api import Question
from resolvers.context import Role, Services
from resolvers.job.api import cancel_job
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.record.api import UpsertOutcome
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import Operations
from tests.support.waiting import PATIENCE_SECONDS, until
from workers.job.runner import JobRunner

pytestmark = pytest.mark.usefixtures("db")

KNOWN = {"acme.com": {"industry": "Software", "country": "France"}}
PROGRESS = """subscription ($id: ID!) { jobProgress(jobId: $id) {
    id status progress runningStep steps { provider outcome } fieldsUpdated conflicts { field } } }"""
EVENTS = "subscription ($f: JobFilter) { jobEvents(filter: $f) { at job { id status record { externalId } } } }"


@pytest.fixture
async def shared(redis: ArqRedis) -> AsyncIterator[Services]:
    shared = services(redis, StandIn(knows=KNOWN))
    await shared.events.start()
    yield shared
    assert shared.events.watching == 0  # whoever stops watching leaves nothing behind
    await shared.events.stop()


@pytest.fixture
def ask(shared: Services) -> Operations:
    return Operations(shared, role=Role.VIEWER)


async def account(shared: Services, external_id: str = "A1", **fields: Any) -> UpsertOutcome:
    return await send(context(shared), "account", external_id, **{"name": "Acme", "domain": "acme.com", **fields})


async def following(results: AsyncIterator[Any], field: str, *, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
    """The next result of a subscription, which must have come without an error."""
    async with asyncio.timeout(seconds):
        result = await anext(results)
    assert not result.errors, result.errors
    shown: dict[str, Any] = result.data[field]
    return shown


@asynccontextmanager
async def listening(ask: Operations, query: str, **variables: Any) -> AsyncIterator[asyncio.Queue[Any]]:
    """A subscription that has begun, whose results come into a queue."""
    heard: asyncio.Queue[Any] = asyncio.Queue()

    async def listen() -> None:
        async with ask.watch(query, **variables) as results:
            async for result in results:
                assert not result.errors, result.errors
                await heard.put(result.data)

    before = ask.shared.events.watching
    task = asyncio.create_task(listen())
    await until(lambda: ask.shared.events.watching != before)
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_job_is_watched_from_pending_to_its_end(shared: Services, ask: Operations) -> None:
    sent = await account(shared, country="Germany")
    assert sent.job is not None
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE_SECONDS), ask.watch(PROGRESS, id=sent.job.id) as results:
        async for result in results:
            assert not result.errors, result.errors
            seen.append(result.data["jobProgress"])
            if len(seen) == 1:
                worker = asyncio.create_task(work(shared))
    await worker
    assert seen[0]["status"] == "PENDING"
    assert seen[-1]["status"] == "COMPLETED"
    assert seen[-1]["progress"] == 100
    assert seen[-1]["steps"] == [{"provider": "standin", "outcome": "MATCH"}]
    assert seen[-1]["conflicts"] == [{"field": "address"}]
    progress = [job["progress"] for job in seen]
    assert progress == sorted(progress)


async def test_the_steps_of_a_slow_job_come_before_its_end(redis: ArqRedis) -> None:
    answer = asyncio.Event()

    async def hold(_: Question) -> None:
        await answer.wait()

    quick, slow = StandIn("quick", knows={"acme.com": {"industry": "Software"}}), StandIn("slow", on_ask=hold)
    shared = services(redis, quick, slow)
    await shared.events.start()
    ask, runner = Operations(shared, role=Role.VIEWER), JobRunner(shared)
    runner.start()
    try:
        sent = await account(shared)
        assert sent.job is not None
        async with ask.watch(PROGRESS, id=sent.job.id) as results:
            assert (await following(results, "jobProgress"))["steps"] == []
            run = asyncio.create_task(runner.work())
            while (job := await following(results, "jobProgress"))["runningStep"] != "slow":
                pass
            listed = await ask("{ jobs { nodes { status steps { provider outcome fieldsFound } } } }")
            answer.set()
            while (end := await following(results, "jobProgress"))["status"] == "IN_PROGRESS":
                pass
            await run
    finally:
        answer.set()
        await runner.stop(1)
        await shared.events.stop()
    ended = {"provider": "quick", "outcome": "MATCH"}
    assert (job["status"], job["steps"]) == ("IN_PROGRESS", [ended])
    assert listed["jobs"]["nodes"] == [{"status": "IN_PROGRESS", "steps": [{**ended, "fieldsFound": ["industry"]}]}]
    assert end["steps"] == [ended, {"provider": "slow", "outcome": "NO_MATCH"}]


async def test_a_job_that_has_ended_is_shown_once(shared: Services, ask: Operations) -> None:
    sent = await account(shared)
    assert sent.job is not None
    await cancel_job(context(shared), sent.job.id)
    async with asyncio.timeout(PATIENCE_SECONDS), ask.watch(PROGRESS, id=sent.job.id) as results:
        assert [result.data["jobProgress"]["status"] async for result in results] == ["CANCELLED"]


async def test_a_change_whose_notice_was_lost_is_seen_all_the_same(
    shared: Services, ask: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.job.watch.REREAD_SECONDS", 0.1)
    sent = await account(shared)
    assert sent.job is not None
    async with ask.watch(PROGRESS, id=sent.job.id) as results:
        await following(results, "jobProgress")
        await execute("UPDATE job SET running_step = 'standin', updated_at = updated_at + 1")
        assert (await following(results, "jobProgress"))["runningStep"] == "standin"


@pytest.mark.parametrize(
    ("org", "job_id", "code"),
    [
        ("acme", "00000000-0000-7000-8000-000000000000", "NOT_FOUND"),
        ("acme", "nonsense", "BAD_REQUEST"),
        ("other", None, "NOT_FOUND"),
    ],
)
async def test_a_job_that_is_not_yours_is_not_found(shared: Services, org: str, job_id: str | None, code: str) -> None:
    sent = await account(shared)
    assert sent.job is not None
    async with Operations(shared, org=org).watch(PROGRESS, id=job_id or sent.job.id) as results:
        (result,) = [result async for result in results]
    assert [error.extensions["code"] for error in result.errors] == [code]


async def test_all_jobs_of_the_organization_are_watched(shared: Services, ask: Operations) -> None:
    async with listening(ask, EVENTS) as heard, listening(Operations(shared, org="other"), EVENTS) as elsewhere:
        await account(shared)
        await work(shared)
        statuses: list[str] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "COMPLETED" not in statuses:
                event = (await heard.get())["jobEvents"]
                assert event["job"]["record"] == {"externalId": "A1"}
                assert event["at"].endswith("Z")
                statuses.append(event["job"]["status"])
        assert elsewhere.empty()


async def test_events_are_filtered(shared: Services, ask: Operations) -> None:
    async with (
        listening(ask, EVENTS, f={"status": ["CANCELLED"]}) as cancelled,
        listening(ask, EVENTS, f={"externalId": "A2"}) as second,
        listening(ask, EVENTS, f={"entityTypes": ["LEAD"]}) as leads,
    ):
        first = await account(shared)
        await account(shared, "A2")
        assert first.job is not None
        await cancel_job(context(shared), first.job.id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await cancelled.get())["jobEvents"]["job"]["id"] == first.job.id
            assert (await second.get())["jobEvents"]["job"]["record"] == {"externalId": "A2"}
        assert cancelled.empty()
        assert leads.empty()


async def test_many_changes_at_once_are_all_told(shared: Services, ask: Operations) -> None:
    async with listening(ask, EVENTS, f={"status": ["CANCELLED"]}) as heard:
        ids = {sent.job.id for number in range(50) if (sent := await account(shared, f"A{number}")).job}
        for job_id in ids:
            await cancel_job(context(shared), job_id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert {(await heard.get())["jobEvents"]["job"]["id"] for _ in ids} == ids


async def test_conflicts_are_told_when_they_are_raised(shared: Services, ask: Operations) -> None:
    query = "subscription ($t: EntityType) { conflictRaised(entityType: $t) { field status record { externalId } } }"
    async with listening(ask, query) as heard, listening(ask, query, t="LEAD") as leads:
        await account(shared, country="Germany")
        await work(shared)
        async with asyncio.timeout(PATIENCE_SECONDS):
            raised = (await heard.get())["conflictRaised"]
        assert raised == {"field": "address", "status": "OPEN", "record": {"externalId": "A1"}}
        assert (heard.empty(), leads.empty()) == (True, True)


async def test_the_pipeline_is_shown_at_once_and_after_each_change(shared: Services, ask: Operations) -> None:
    ctx = context(shared)
    async with ask.watch("subscription { pipelineChanged { paused reason } }") as results:
        assert await following(results, "pipelineChanged") == {"paused": False, "reason": None}
        await pause_pipeline(ctx, reason="import")
        assert await following(results, "pipelineChanged") == {"paused": True, "reason": "import"}
        await resume_pipeline(ctx)
        assert await following(results, "pipelineChanged") == {"paused": False, "reason": None}


async def test_a_subscription_sees_the_present_in_nested_fields_too(shared: Services, ask: Operations) -> None:
    """What a watcher looked up for one event is not what it is told with the next."""
    sent = await account(shared)
    assert sent.job is not None
    query = "subscription ($id: ID!) { jobProgress(jobId: $id) { status record { provenance { field source } } } }"
    async with ask.watch(query, id=sent.job.id) as results:
        first = await following(results, "jobProgress")
        await work(shared)
        last = first
        while last["status"] != "COMPLETED":
            last = await following(results, "jobProgress")
    assert {value["source"] for value in first["record"]["provenance"]} == {"crm"}
    assert {value["source"] for value in last["record"]["provenance"]} == {"crm", "standin"}


@pytest.mark.parametrize("field", ["jobEvents { at }", "conflictRaised { id }", "pipelineChanged { paused }"])
async def test_who_ends_a_subscription_watches_no_more(shared: Services, ask: Operations, field: str) -> None:
    async with ask.watch(f"subscription {{ {field} }}") as results:
        waiting = asyncio.ensure_future(anext(results))
        await until(lambda: shared.events.watching == 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert shared.events.watching == 0  # at once, not when the collector comes by


async def test_who_ends_the_watch_of_a_job_watches_no_more(shared: Services, ask: Operations) -> None:
    sent = await account(shared)
    assert sent.job is not None
    async with ask.watch(PROGRESS, id=sent.job.id) as results:
        await following(results, "jobProgress")
        assert shared.events.watching == 1
    assert shared.events.watching == 0


async def test_watching_needs_somebody(shared: Services) -> None:
    nobody = Operations(shared, role=None)
    async with nobody.watch("subscription { pipelineChanged { paused } }") as results:
        (result,) = [result async for result in results]
    assert [error.extensions["code"] for error in result.errors] == ["UNAUTHENTICATED"]
