"""Every error has a code, and what is unexpected shows nothing of itself."""

from datetime import datetime
from typing import Any

import pytest
import structlog
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from resolvers.context import Role
from resolvers.out_of_reach import is_out_of_reach
from schema.root import ApiSchema
from tests.support.factories import services
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")

SECRET = "could not connect to postgres://ann:hunter2@db.internal/prod"


def broken(redis: ArqRedis, error: Exception) -> Operations:
    """Operations whose clock fails, in the middle of whatever needs the time."""

    def now() -> datetime:
        raise error

    return Operations(services(redis, now=now), schema=ApiSchema(is_out_of_reach=is_out_of_reach))


@pytest.fixture
def ask(redis: ArqRedis) -> Operations:
    return Operations(services(redis))


@pytest.mark.parametrize("query", ["{ pipeline { paused } }", "mutation { resumePipeline { paused } }"])
async def test_an_unexpected_error_is_logged_and_says_only_that_it_happened(redis: ArqRedis, query: str) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-1")
    with capture_logs() as logs:
        (error,) = await broken(redis, RuntimeError(SECRET)).errors(query)
    structlog.contextvars.clear_contextvars()
    assert error.message == "Internal error."
    assert error.extensions == {"code": "INTERNAL", "requestId": "r-1"}
    assert error.original_error is None
    assert [entry["event"] for entry in logs] == ["unexpected error"]
    assert SECRET in str(logs[0]["exc_info"])


async def test_a_subscription_hides_them_as_well(redis: ArqRedis) -> None:
    ask = broken(redis, RuntimeError(SECRET))
    with capture_logs():
        async with ask.watch("subscription { pipelineChanged { paused } }") as results:
            (error,) = (await anext(results)).errors
    assert (error.message, error.extensions["code"]) == ("Internal error.", "INTERNAL")


async def test_a_store_out_of_reach_is_not_a_defect(redis: ArqRedis) -> None:
    with capture_logs():
        refusal = await broken(redis, ConnectionRefusedError(SECRET)).refusal("{ pipeline { paused } }")
    assert refusal["code"] == "UNAVAILABLE"
    assert refusal["retryAfter"] > 0
    assert "hunter2" not in refusal["message"]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ jobs ", {}),
        ("{ nope }", {}),
        ("{ jobs { nodes } }", {}),
        ("query ($id: ID!) { job(id: $id) { id } }", {}),
        ("query ($n: Int) { jobs(first: $n) { nodes { id } } }", {"n": "many"}),
        ("query ($f: JobFilter) { jobs(filter: $f) { nodes { id } } }", {"f": {"status": ["DONE"]}}),
        ("query ($f: JobFilter) { jobs(filter: $f) { nodes { id } } }", {"f": {"createdAfter": "yesterday"}}),
        (
            "query ($f: JobFilter) { jobs(filter: $f) { nodes { id } } }",
            {"f": {"createdAfter": "0001-01-01T00:00+14:00"}},
        ),
        ("{ jobs(filter: {createdAfter: 7}) { nodes { id } } }", {}),
        ("{ job(id: 7) { id } }", {}),
        ('{ jobs(after: "nonsense") { nodes { id } } }', {}),
        ("{ jobs(first: 0) { nodes { id } } }", {}),
        ("{ jobs(first: 201) { nodes { id } } }", {}),
        ("{ jobs(last: -1) { nodes { id } } }", {}),
        ("{ jobs(first: 1, last: 1) { nodes { id } } }", {}),
        (
            'mutation { upsertRecords(records: {entityType: LEAD, externalId: "1", fields: {n: 1e999}}) { created } }',
            {},
        ),
    ],
)
async def test_what_the_client_got_wrong_is_a_bad_request(
    ask: Operations, query: str, variables: dict[str, Any]
) -> None:
    assert await ask.codes(query, **variables) == {"BAD_REQUEST"}


@pytest.mark.parametrize(
    ("query", "given"),
    [
        ("query ($x: ID!) { record(entityType: LEAD, externalId: $x) { id } }", "a\0b"),
        ("query ($x: RecordFilter) { records(filter: $x) { nodes { id } } }", {"search": "a\0b"}),
        ("query ($x: RecordFilter) { records(filter: $x) { nodes { id } } }", {"externalIds": ["a", "a\0b"]}),
        ("query ($x: [ID!]) { records(filter: {externalIds: $x}) { nodes { id } } }", "a\0b"),
        ("query ($x: ConflictFilter) { conflicts(filter: $x) { nodes { id } } }", {"provider": "\0"}),
        ("mutation ($x: String) { pausePipeline(reason: $x) { paused } }", "\0"),
        ("mutation ($x: String = null) { pausePipeline(reason: $x) { paused } }", "\0"),
        ('mutation { pausePipeline(reason: "\\u0000") { paused } }', None),
        ('mutation { pausePipeline(reason: "\\u{0}") { paused } }', None),
        ('mutation { pausePipeline(reason: """a\0b""") { paused } }', None),
    ],
)
async def test_a_text_that_no_database_can_hold_is_refused(ask: Operations, query: str, given: Any) -> None:
    assert await ask.codes(query, x=given) == {"BAD_REQUEST"}


async def test_a_record_with_such_a_text_is_refused_alone(ask: Operations) -> None:
    query = "mutation ($r: [RecordInput!]!) { upsertRecords(records: $r) { results { outcome error { code } } } }"
    sent = [
        {"entityType": "LEAD", "externalId": external_id, "fields": fields}
        for external_id, fields in (("a\0", {}), ("b", {"lastName": "\0"}), ("c", {"lastName": "Ng"}))
    ]
    results = (await ask(query, r=sent))["upsertRecords"]["results"]
    assert [result["outcome"] for result in results] == ["REFUSED", "REFUSED", "CREATED"]


async def test_json_nested_without_end_is_refused(ask: Operations) -> None:
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    query = "mutation ($r: [RecordInput!]!) { upsertRecords(records: $r) { created } }"
    record = {"entityType": "LEAD", "externalId": "1", "fields": {"deep": deep}}
    assert await ask.code(query, r=[record]) == "BAD_REQUEST"


async def test_an_operation_that_is_refused_says_why_and_where(ask: Operations) -> None:
    refusal = await ask.refusal('{ job(id: "nonsense") { id } }')
    assert refusal["errors"] == [{"path": "id", "message": "not a UUID"}]


async def test_what_is_missing_is_not_found(ask: Operations) -> None:
    missing = '"00000000-0000-7000-8000-000000000000"'
    for query in (
        f"{{ job(id: {missing}) {{ id }} }}",
        f"{{ conflict(id: {missing}) {{ id }} }}",
        '{ record(entityType: LEAD, externalId: "none") { id } }',
        f"mutation {{ retryJob(id: {missing}) {{ id }} }}",
        f"mutation {{ cancelJob(id: {missing}) {{ id }} }}",
        f"mutation {{ resolveConflict(id: {missing}) {{ id }} }}",
        f"mutation {{ reopenConflict(id: {missing}) {{ id }} }}",
    ):
        assert await ask.code(query) == "NOT_FOUND", query


MUTATIONS = {
    Role.USER: (
        "upsertRecords(records: []) { created }",
        "enrichRecords(selection: {entityType: LEAD}) { queuedCount }",
        'retryJob(id: "00000000-0000-7000-8000-000000000000") { id }',
        'cancelJob(id: "00000000-0000-7000-8000-000000000000") { id }',
        'resolveConflict(id: "00000000-0000-7000-8000-000000000000") { id }',
        "resolveConflicts(ids: []) { resolved }",
        'reopenConflict(id: "00000000-0000-7000-8000-000000000000") { id }',
        "undoResolutions(ids: []) { restored }",
    ),
    Role.MANAGER: (
        "pausePipeline { paused }",
        "resumePipeline { paused }",
        "updateConfig(input: {}) { version }",
    ),
    Role.ADMIN: ('grantCredits(amount: 1, idempotencyKey: "k") { balance }',),
}


@pytest.mark.parametrize(("needed", "field"), [(role, field) for role, fields in MUTATIONS.items() for field in fields])
async def test_each_mutation_needs_its_role(redis: ArqRedis, needed: Role, field: str) -> None:
    shared = services(redis)
    for role in Role:
        codes = await Operations(shared, role=role).codes(f"mutation {{ {field} }}")
        assert ("FORBIDDEN" in codes) is not role.covers(needed), role


async def test_who_is_not_known_may_do_nothing(redis: ArqRedis) -> None:
    assert await Operations(services(redis), role=None).code("{ config { version } }") == "UNAUTHENTICATED"
