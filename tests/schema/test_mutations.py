"""Doing over GraphQL: sending records, enriching, resolving, configuring, pausing, granting."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from providers.api import ProviderError
from resolvers.context import Role
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")


KNOWN = {"acme.com": {"industry": "Software", "city": "Berlin", "country": "France"}}


UPSERT = """mutation ($records: [RecordInput!]!) { upsertRecords(records: $records) {
    created changed unchanged refused
    results { index outcome folded record { externalId fields } job { id status trigger record { externalId } }
        refusedFields { field value reason } error { code message errors { path message } } } } }"""


def record(external_id: Any, **fields: Any) -> dict[str, Any]:
    return {"entityType": "ACCOUNT", "externalId": external_id, "fields": fields}


async def test_each_record_is_told_what_became_of_it(redis: ArqRedis) -> None:
    ask = Operations(services(redis, StandIn()), role=Role.USER)
    await ask(UPSERT, records=[record("same", name="Same"), record("more", name="More")])
    sent = [
        record("new", name="New", website="gitlab.com", foundedYear="in spring"),
        record("", name="Nameless"),
        record("same", name="Same"),
        record("more", name="More Ltd", city="Rome"),
    ]
    payload = (await ask(UPSERT, records=sent))["upsertRecords"]
    assert [result["index"] for result in payload["results"]] == [0, 1, 2, 3]
    assert [result["outcome"] for result in payload["results"]] == ["CREATED", "REFUSED", "UNCHANGED", "CHANGED"]
    assert [payload[key] for key in ("created", "changed", "unchanged", "refused")] == [1, 1, 1, 1]
    new, nameless, same, more = payload["results"]
    assert new["record"] == {"externalId": "new", "fields": {"name": "New", "website": "https://gitlab.com"}}
    assert (new["job"]["status"], new["job"]["trigger"], new["folded"]) == ("PENDING", "RECORD_CREATED", False)
    assert new["job"]["record"] == {"externalId": "new"}
    assert [(refused["field"], refused["value"]) for refused in new["refusedFields"]] == [("foundedYear", "in spring")]
    assert new["error"] is None
    assert (nameless["record"], nameless["job"]) == (None, None)
    assert nameless["error"]["code"] == "VALIDATION_FAILED"
    assert [fault["path"] for fault in nameless["error"]["errors"]] == ["records[1].externalId"]
    assert (same["job"]["trigger"], same["folded"]) == ("RECORD_CREATED", True)  # of the first request
    assert more["folded"] is True


async def test_records_may_be_written_into_the_query_itself(redis: ArqRedis) -> None:
    ask = Operations(services(redis))
    data = await ask(
        """mutation { upsertRecords(records: [{entityType: LEAD, externalId: 7, fields: {lastName: "Ng", age: 41,
            big: 123456789012345678901234567890, tags: ["a", null, 1.5, true], more: {x: {}}}}])
            { results { record { externalId fields } } } }"""
    )
    (result,) = data["upsertRecords"]["results"]
    assert result["record"]["externalId"] == "7"
    assert result["record"]["fields"] == {
        "lastName": "Ng",
        "age": 41,
        "big": 1.2345678901234568e29,
        "tags": ["a", None, 1.5, True],
        "more": {"x": {}},
    }


async def test_more_records_than_allowed_are_refused_together(redis: ArqRedis) -> None:
    refusal = await Operations(services(redis)).refusal(UPSERT, records=[record(str(n)) for n in range(1001)])
    assert (refusal["code"], refusal["errors"][0]["path"]) == ("VALIDATION_FAILED", "records")


async def test_a_record_that_is_not_of_the_form_is_a_bad_request(redis: ArqRedis) -> None:
    ask = Operations(services(redis))
    for wrong in ({"entityType": "ACCOUNT"}, {**record("1"), "extra": 1}, {**record("1"), "entityType": "PERSON"}):
        assert await ask.codes(UPSERT, records=[wrong]) == {"BAD_REQUEST"}


ENRICH = """mutation ($s: RecordSelection!, $force: Boolean) { enrichRecords(selection: $s, force: $force) {
    queued { trigger forced record { externalId } } folded { id } skipped { externalId reason }
    queuedCount foldedCount skippedCount } }"""


async def test_chosen_records_are_enriched_folded_or_skipped(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    await send(ctx, "account", "fresh", name="Fresh", domain="acme.com")
    await work(shared)
    waiting = await send(ctx, "account", "waits", name="Waits", domain="acme.com")
    ask = Operations(shared, role=Role.USER)
    chosen = {"entityType": "ACCOUNT", "externalIds": ["fresh", "waits", "none"]}
    payload = (await ask(ENRICH, s=chosen))["enrichRecords"]
    assert waiting.job is not None
    assert payload["folded"] == [{"id": waiting.job.id}]
    assert {item["externalId"]: item["reason"] for item in payload["skipped"]} == {
        "fresh": "cooldown",
        "none": "not_found",
    }
    assert [payload[key] for key in ("queuedCount", "foldedCount", "skippedCount")] == [0, 1, 2]
    forced = await ask(ENRICH, s={"entityType": "ACCOUNT", "filter": {"search": "fresh"}}, force=True)
    assert forced["enrichRecords"]["queued"] == [
        {"trigger": "MANUAL", "forced": True, "record": {"externalId": "fresh"}}
    ]


async def test_a_failed_job_is_retried_and_a_waiting_one_cancelled(redis: ArqRedis) -> None:
    failing = StandIn(fails=[ProviderError("bad_key", "no", retryable=False)])
    shared = services(redis, failing)
    ask = Operations(shared, role=Role.USER)
    sent = await send(context(shared), "account", "A1", name="Acme", domain="acme.com")
    assert sent.job is not None
    await work(shared)
    retry = "mutation ($id: ID!) { retryJob(id: $id) { id status error { code } } }"
    cancel = "mutation ($id: ID!) { cancelJob(id: $id) { id status finishedAt } }"
    assert (await ask(retry, id=sent.job.id))["retryJob"] == {"id": sent.job.id, "status": "PENDING", "error": None}
    refusal = await ask.refusal(retry, id=sent.job.id)
    assert (refusal["code"], refusal["state"]) == ("JOB_NOT_RETRYABLE", "pending")
    cancelled = (await ask(cancel, id=sent.job.id))["cancelJob"]
    assert (cancelled["status"], cancelled["finishedAt"] is None) == ("CANCELLED", False)
    refusal = await ask.refusal(cancel, id=sent.job.id)
    assert (refusal["code"], refusal["state"]) == ("JOB_NOT_CANCELLABLE", "cancelled")


async def open_conflict(redis: ArqRedis) -> tuple[Operations, str]:
    shared = services(redis, StandIn(knows=KNOWN))
    await send(context(shared), "account", "A1", name="Acme", domain="acme.com", country="Germany")
    await work(shared)
    ask = Operations(shared, role=Role.USER)
    (conflict,) = (await ask("{ conflicts { nodes { id } } }"))["conflicts"]["nodes"]
    return ask, conflict["id"]


RESOLVE = """mutation ($id: ID!, $r: ResolutionInput) { resolveConflict(id: $id, resolution: $r) {
    status record { fields }
    resolution { action candidateId value parts { field action value } note resolvedBy resolvedAt } } }"""


async def test_without_a_resolution_the_recommended_one_is_applied(redis: ArqRedis) -> None:
    ask, conflict_id = await open_conflict(redis)
    query = "query ($id: ID!) { conflict(id: $id) { recommended { id value } current { value } } }"
    conflict = (await ask(query, id=conflict_id))["conflict"]
    recommended = conflict["recommended"] or conflict["current"]
    resolved = (await ask(RESOLVE, id=conflict_id))["resolveConflict"]
    assert resolved["status"] == "RESOLVED"
    assert resolved["record"]["fields"]["country"] == recommended["value"]["country"]
    assert resolved["resolution"]["resolvedBy"] == "ann"


@pytest.mark.parametrize(
    ("resolution", "country"),
    [
        ({"action": "ACCEPT_CANDIDATE"}, "France"),
        ({"action": "ACCEPT_CANDIDATE", "candidateId": None, "value": None, "note": None}, "France"),
        ({"action": "KEEP_CURRENT", "note": "they moved"}, "Germany"),
        ({"action": "CUSTOM_VALUE", "value": {"country": "ITALY"}}, "Italy"),
        ({"action": "CUSTOM_VALUE", "value": "ITALY"}, "Italy"),  # of the only part that is disputed
    ],
)
async def test_a_reviewer_decides_as_they_like(redis: ArqRedis, resolution: dict[str, Any], country: str) -> None:
    ask, conflict_id = await open_conflict(redis)
    resolved = (await ask(RESOLVE, id=conflict_id, r=resolution))["resolveConflict"]
    assert resolved["record"]["fields"]["country"] == country
    assert resolved["resolution"]["action"] == resolution["action"]
    assert resolved["resolution"]["note"] == resolution.get("note")


@pytest.mark.parametrize(
    "resolution",
    [
        {"action": "CUSTOM_VALUE"},
        {"action": "CUSTOM_VALUE", "value": None},
        {"action": "CUSTOM_VALUE", "value": {"country": "Atlantis"}},
        {"action": "CUSTOM_VALUE", "value": {"name": "Acme"}},
        {"action": "KEEP_CURRENT", "value": "Italy"},
        {"action": "ACCEPT_CANDIDATE", "candidateId": "none"},
    ],
)
async def test_a_resolution_that_cannot_be_is_refused(redis: ArqRedis, resolution: dict[str, Any]) -> None:
    ask, conflict_id = await open_conflict(redis)
    assert await ask.code(RESOLVE, id=conflict_id, r=resolution) == "VALIDATION_FAILED"


async def test_a_second_resolution_is_refused_and_shows_the_first(redis: ArqRedis) -> None:
    ask, conflict_id = await open_conflict(redis)
    keep, accept = {"action": "KEEP_CURRENT"}, {"action": "ACCEPT_CANDIDATE"}
    first = await ask(RESOLVE, id=conflict_id, r=keep)
    assert await ask(RESOLVE, id=conflict_id, r=keep) == first
    assert await ask.code(RESOLVE, id=conflict_id, r=accept) == "CONFLICT_ALREADY_RESOLVED"


async def test_a_decision_is_taken_back_and_stays_known(redis: ArqRedis) -> None:
    ask, conflict_id = await open_conflict(redis)
    await ask(RESOLVE, id=conflict_id, r={"action": "ACCEPT_CANDIDATE", "note": "checked"})
    reopen = """mutation ($id: ID!) { reopenConflict(id: $id) {
        status resolvedAt record { fields } resolution { action }
        takenBack { resolution { action note resolvedBy value } resolutionId takenBackBy takenBackAt } } }"""
    first = (await ask(reopen, id=conflict_id))["reopenConflict"]
    assert (first["status"], first["resolvedAt"], first["resolution"]) == ("OPEN", None, None)
    assert first["record"]["fields"]["country"] == "Germany"
    [former] = first["takenBack"]
    assert (former["resolution"]["action"], former["resolution"]["note"]) == ("ACCEPT_CANDIDATE", "checked")
    assert (former["resolution"]["resolvedBy"], former["takenBackBy"], former["resolutionId"]) == ("ann", "ann", None)
    assert (await ask(reopen, id=conflict_id))["reopenConflict"] == first
    await ask("mutation ($id: ID!) { resolveConflict(id: $id) { id } }", id=conflict_id)
    await ask(
        "mutation ($r: [RecordInput!]!) { upsertRecords(records: $r) { changed } }",
        r=[record("A1", name="Acme", domain="acme.com", country="Italy")],
    )
    assert await ask.code(reopen, id=conflict_id) == "CONFLICT_NOT_REOPENABLE"


async def test_many_conflicts_are_resolved_each_with_its_own_outcome(redis: ArqRedis) -> None:
    ask, conflict_id = await open_conflict(redis)
    missing = "00000000-0000-7000-8000-000000000000"
    payload = await ask(
        """mutation ($ids: [ID!]!) { resolveConflicts(ids: $ids, resolution: {action: KEEP_CURRENT}) {
            resolved results { id conflict { status } error { code message errors { path } } } } }""",
        ids=[missing, conflict_id, "nonsense"],
    )
    assert payload["resolveConflicts"]["resolved"] == 1
    results = payload["resolveConflicts"]["results"]
    assert [result["id"] for result in results] == [missing, conflict_id, "nonsense"]
    assert [result["error"] and result["error"]["code"] for result in results] == ["NOT_FOUND", None, "BAD_REQUEST"]
    assert results[1]["conflict"] == {"status": "RESOLVED"}


async def test_a_decision_on_many_is_taken_back_by_its_id(redis: ArqRedis) -> None:
    ask, conflict_id = await open_conflict(redis)
    decide = """mutation ($ids: [ID!]!) { resolveConflicts(ids: $ids, resolution: {action: ACCEPT_CANDIDATE}) {
        resolutionId results { conflict { resolutionId } } } }"""
    undo = """mutation ($ids: [ID!], $filter: ConflictFilter, $id: ID) {
        undoResolutions(ids: $ids, filter: $filter, resolutionId: $id) {
            restored leftAlone remaining
            results { conflictId restored because conflict { status } error { code } } } }"""
    made = (await ask(decide, ids=[conflict_id]))["resolveConflicts"]
    assert made["results"] == [{"conflict": {"resolutionId": made["resolutionId"]}}]
    restored = {
        "conflictId": conflict_id,
        "restored": True,
        "because": None,
        "conflict": {"status": "OPEN"},
        "error": None,
    }
    assert (await ask(undo, id=made["resolutionId"]))["undoResolutions"] == {
        "restored": 1, "leftAlone": 0, "remaining": 0, "results": [restored],
    }  # fmt: skip
    stands = (await ask(undo, ids=["nonsense"]))["undoResolutions"]
    assert (stands["restored"], stands["leftAlone"], stands["results"][0]["error"]["code"]) == (0, 1, "BAD_REQUEST")
    assert stands["results"][0]["because"] == "id: not an id"
    twice = [conflict_id, conflict_id.upper()]
    decided = await ask("mutation ($ids: [ID!]!) { resolveConflicts(ids: $ids) { resolved } }", ids=twice)
    assert decided["resolveConflicts"]["resolved"] == 1
    once = (await ask(undo, ids=twice))["undoResolutions"]
    assert (once["restored"], once["leftAlone"], [result["restored"] for result in once["results"]]) == (
        1, 0, [True, True],
    )  # fmt: skip
    by_filter = await ask(undo, filter={"externalId": "A1", "status": ["RESOLVED"]})
    assert by_filter["undoResolutions"]["results"] == []
    assert await ask.code(undo) == "VALIDATION_FAILED"
    assert await ask.code(undo, ids=[], id=made["resolutionId"]) == "VALIDATION_FAILED"


async def test_pausing_and_resuming_may_be_repeated(redis: ArqRedis) -> None:
    ask = Operations(services(redis, StandIn()), role=Role.MANAGER)
    pause = "mutation ($why: String) { pausePipeline(reason: $why) { paused pausedAt pausedBy reason } }"
    first = (await ask(pause, why="import"))["pausePipeline"]
    assert (first["paused"], first["pausedBy"], first["reason"]) == (True, "ann", "import")
    assert (await ask(pause))["pausePipeline"] == first
    assert (await ask("{ pipeline { paused pausedAt pausedBy reason } }"))["pipeline"] == first
    resume = "mutation { resumePipeline { paused pausedAt pausedBy reason } }"
    running = {"paused": False, "pausedAt": None, "pausedBy": None, "reason": None}
    assert (await ask(resume))["resumePipeline"] == running
    assert (await ask(resume))["resumePipeline"] == running


async def test_credits_are_granted_once_for_each_key(redis: ArqRedis) -> None:
    ask = Operations(services(redis), role=Role.ADMIN)
    grant = """mutation ($n: Int!, $key: String!) { grantCredits(amount: $n, note: "thanks", idempotencyKey: $key) {
        balance entries { nodes { kind amount note actor } } } }"""
    thanks = {"kind": "GRANT", "amount": 50, "note": "thanks", "actor": "ann"}
    for _ in range(2):
        granted = (await ask(grant, n=50, key="k1"))["grantCredits"]
        assert granted["balance"] == 1050
        assert granted["entries"]["nodes"].count(thanks) == 1
    assert (await ask(grant, n=50, key="k2"))["grantCredits"]["balance"] == 1100
    assert await ask.code(grant, n=-5, key="k3") == "VALIDATION_FAILED"
