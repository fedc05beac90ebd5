"""The log over GraphQL: read page by page, followed from a cursor, and by subscriptions without a field for one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.db.columns import to_micros
from models.db.statements import execute
from models.job.transitions import claim
from resolvers.context import Role, Services
from resolvers.credit.api import grant_credits
from resolvers.erasure.api import erase_record
from resolvers.events.publisher import announce
from resolvers.job.api import cancel_job
from resolvers.pipeline import pause_pipeline, resume_pipeline
from tests.support.factories import StandIn, configure, context, send, services, work
from tests.support.graphql_client import Operations
from tests.support.log import settled
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("db")

KNOWN = {"acme.com": {"industry": "Software", "country": "France"}}
PAGE = """query ($after: String, $first: Int, $kinds: [EventKind!], $types: [EntityType!]) {
  events(after: $after, first: $first, kinds: $kinds, entityTypes: $types) {
    nodes { cursor kind fields jobStatus record { externalId } job { status } conflict { field } }
    pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
async def shared(redis: ArqRedis) -> AsyncIterator[Services]:
    shared = services(redis, StandIn(knows=KNOWN))
    await shared.events.start()
    yield shared
    assert shared.events.watching == 0
    await shared.events.stop()


@pytest.fixture
def ask(shared: Services) -> Operations:
    return Operations(shared, role=Role.VIEWER)


async def some_past(shared: Services) -> None:
    ctx = context(shared)
    await configure(ctx, minConfidence=0.5)
    await send(ctx, "account", "A1", domain="acme.com", country="Germany")
    await work(shared)
    await pause_pipeline(ctx)


async def everything(ask: Operations, **wanted: Any) -> list[dict[str, Any]]:
    """All events, by pages of two."""
    await settled()
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await ask(PAGE, after=after, first=2, **wanted))["events"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def taken(ask: Operations, number: int, query: str, **variables: Any) -> list[Any]:
    """The next so many results of a subscription, each without an error."""
    results: list[Any] = []
    async with asyncio.timeout(PATIENCE_SECONDS), ask.watch(query, **variables) as stream:
        async for result in stream:
            assert not result.errors, result.errors
            results.append(result)
            if len(results) == number:
                return results
    raise AssertionError("it ended")


async def test_pages_give_the_log_in_order_with_what_it_is_about(shared: Services, ask: Operations) -> None:
    await some_past(shared)
    events = [event for event in await everything(ask) if event["kind"] != "CREDITS_GRANTED"]
    assert [event["kind"] for event in events] == [
        "CONFIG_CHANGED",
        "RECORD_CREATED",
        "JOB_CREATED",
        "RECORD_ENRICHED",
        "CONFLICT_RAISED",
        "JOB_ENDED",
        "PIPELINE_PAUSED",
    ]
    assert {event["record"]["externalId"] for event in events if event["record"]} == {"A1"}
    assert events[5]["job"] == {"status": "COMPLETED"}
    assert events[4]["conflict"] == {"field": "address"}


async def test_a_filter_finds_events_that_stand_in_rows_of_another_kind(shared: Services, ask: Operations) -> None:
    await some_past(shared)
    for kind in ("JOB_CREATED", "RECORD_ENRICHED", "CONFLICT_RAISED", "PIPELINE_PAUSED"):
        assert [event["kind"] for event in await everything(ask, kinds=[kind])] == [kind]
    assert await everything(ask, types=["LEAD"]) == []


async def test_who_reads_then_follows_from_the_end_misses_nothing(shared: Services, ask: Operations) -> None:
    await some_past(shared)
    await settled()  # a transaction of anybody holds the end back, so that nothing is missed
    end = (await ask("{ eventCursor }"))["eventCursor"]
    await resume_pipeline(context(shared))
    query = "subscription ($a: String) { events(after: $a) { kind cursor } }"
    [result] = await taken(ask, 1, query, a=end)
    assert result.data["events"]["kind"] == "PIPELINE_RESUMED"
    await settled()
    assert (await ask(PAGE, after=result.data["events"]["cursor"]))["events"]["nodes"] == []


@pytest.mark.parametrize(
    ("field", "kinds"),
    [
        ("recordChanged", ["RECORD_CREATED", "RECORD_ENRICHED"]),
        ("conflictChanged", ["CONFLICT_RAISED"]),
        ("configChanged", ["CONFIG_CHANGED"]),
    ],
)
async def test_each_noun_has_its_own_subscription(
    shared: Services, ask: Operations, field: str, kinds: list[str]
) -> None:
    await some_past(shared)
    query = f'subscription {{ {field}(after: "0") {{ kind cursor }} }}'
    results = await taken(ask, len(kinds), query)
    assert [result.data[field]["kind"] for result in results] == kinds


async def test_jobs_are_told_from_a_cursor_with_what_happened(shared: Services, ask: Operations) -> None:
    await some_past(shared)
    query = "subscription ($a: String) { jobEvents(after: $a) { kind cursor job { status } } }"
    created, ended = (result.data["jobEvents"] for result in await taken(ask, 2, query, a="0"))
    assert (created["kind"], ended["kind"]) == ("CREATED", "ENDED")
    [again] = await taken(ask, 1, query, a=created["cursor"])
    assert again.data["jobEvents"] == ended


async def test_what_has_no_field_for_it_says_its_cursor_in_the_message(shared: Services, ask: Operations) -> None:
    await some_past(shared)
    by_kind = {event["kind"]: event["cursor"] for event in await everything(ask)}
    [raised] = await taken(ask, 1, 'subscription { conflictRaised(after: "0") { field } }')
    assert raised.extensions == {"cursor": by_kind["CONFLICT_RAISED"]}
    [paused] = await taken(ask, 1, 'subscription { pipelineChanged(after: "0") { paused } }')
    assert (paused.data["pipelineChanged"], paused.extensions) == (
        {"paused": True},
        {"cursor": by_kind["PIPELINE_PAUSED"]},
    )
    [now] = await taken(ask, 1, "subscription { pipelineChanged { paused } }")
    assert not now.extensions  # the state as it is, which is no event


async def test_alerts_that_were_raised_meanwhile_are_told(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN, price=5, remote=True))
    await configure(context(shared), credits={"monthlyLimit": 10, "alertThresholds": [0.4]})
    await send(context(shared), "account", "A1", domain="acme.com")
    await work(shared)
    [told] = await taken(Operations(shared), 1, 'subscription { creditsChanged(after: "0") { threshold } }')
    assert told.data["creditsChanged"] == [{"threshold": 0.4}]
    assert "cursor" in told.extensions


async def test_a_state_that_equals_the_one_before_is_not_sent(shared: Services, ask: Operations) -> None:
    sent = await send(context(shared), "account", "A1", domain="acme.com")
    assert sent.job is not None
    query = "subscription ($id: ID!) { jobProgress(jobId: $id) { status progress } }"
    async with asyncio.timeout(PATIENCE_SECONDS), ask.watch(query, id=sent.job.id) as stream:
        seen = [(await anext(stream)).data["jobProgress"]]
        await execute("UPDATE job SET updated_at = ? WHERE id = ?", [to_micros(shared.now()), sent.job.id])
        await announce(shared.redis, "acme", jobs=[sent.job.id])
        [claimed] = await claim("acme", shared.now(), 1)
        await announce(shared.redis, "acme", jobs=[claimed.id])
        seen.append((await anext(stream)).data["jobProgress"])
        await cancel_job(context(shared), claimed.id)
        seen += [result.data["jobProgress"] async for result in stream]
    assert [state["status"] for state in seen] == ["PENDING", "IN_PROGRESS", "CANCELLED"]


async def test_an_erased_record_is_named_by_its_id_alone_and_its_certificate_to_admins(
    shared: Services, ask: Operations
) -> None:
    await some_past(shared)
    await erase_record(context(shared), EntityType.ACCOUNT, "A1", reason=None)
    await settled()
    query = "{ events(kinds: [RECORD_ERASED]) { nodes { recordId certificateId record { id } } } }"
    [viewer] = (await ask(query))["events"]["nodes"]
    [admin] = (await Operations(shared)(query))["events"]["nodes"]
    assert (viewer["certificateId"], viewer["record"]) == (None, None)
    assert admin["certificateId"] is not None
    about = await everything(ask, types=["ACCOUNT"])
    assert [event["kind"] for event in about] == ["RECORD_ERASED"]


async def test_another_organization_has_a_log_of_its_own(shared: Services, ask: Operations) -> None:
    await some_past(shared)
    await grant_credits(context(shared, org="next door"), amount=1, note=None, idempotency_key="k")
    await settled("next door")
    kinds = [event["kind"] for event in await everything(Operations(shared, org="next door"))]
    assert set(kinds) == {"CREDITS_GRANTED"}


async def test_a_cursor_that_is_none_or_expired_is_refused(shared: Services, ask: Operations) -> None:
    assert await ask.code(PAGE, after="x") == "BAD_REQUEST"
    refusal = await ask.refusal(PAGE, after="999999999999-0-1")
    assert (refusal["code"], refusal["startOver"]) == ("CURSOR_EXPIRED", "0")
    async with ask.watch('subscription { jobEvents(after: "999999999999-0-1") { cursor } }') as stream:
        [error] = (await anext(stream)).errors
    assert error.extensions["code"] == "CURSOR_EXPIRED"
