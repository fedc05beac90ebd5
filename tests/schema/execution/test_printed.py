"""What the database prints is, to the byte, what is encoded of the same rows when they are read."""

import random
from typing import Any

import msgspec
import pytest
from arq.connections import ArqRedis
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from models.db.statements import execute, query
from resolvers.context import Caller, Role, Services
from schema.base.context import GraphQLContext
from service.http.json import dump
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import SCHEMA

pytestmark = pytest.mark.usefixtures("db")

TEXT = "\x01\b\t\n\f\r\x1f \x7f\x80\xe9\u2028\U0001f600 \\ / ',' \", \" '' ? $1 {}"
MOMENTS = (1_764_273_600_000_000, 1_764_273_600_123_456, 1_764_273_600_120_000, 1_764_273_600_000_001, 0, 10)
SHARES = (0.0, 1.0, 0.5, 0.1 + 0.2, 1 / 3, 0.0001, 0.987654321987654, 2 / 3)
PRINTED = """query Jobs($id: Boolean = true) { jobs(first: 20) { nodes { key: id id @include(if: $id) entityType trigger
    status priority progress runningStep attempts maxAttempts forced creditsUsed requestedBy createdAt startedAt
    finishedAt nextAttemptAt updatedAt fieldsUpdated error { message code: code retryable __typename } __typename
    steps { provider outcome skippedReason detail latencyMs creditsCharged fieldsFound askedAt
        error { code message retryable } }
    record { id externalId entityType completeness version lastEnrichedAt createdAt updatedAt } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }"""


@pytest.fixture
async def shared(redis: ArqRedis) -> Services:
    """A dozen jobs, the columns of which hold what is hard to print."""
    made = services(redis, StandIn(knows={"acme.com": {"industry": "Software"}}, price=2))
    for number in range(12):
        await send(context(made), "account", f"A{number}", name="Acme", domain="acme.com")
    await work(made)
    chance = random.Random(7)  # noqa: S311 (not for a secret)
    for row in await query("SELECT id, record_id FROM job"):
        await execute(
            "UPDATE job SET running_step = ?, requested_by = ?, priority = ?, created_at = ?, started_at = ?,"
            " finished_at = CASE WHEN finished_at IS NOT NULL THEN CAST(? AS BIGINT) END,"
            " next_attempt_at = CASE WHEN status = 'pending' THEN CAST(? AS BIGINT) END,"
            " error_code = ?, error_message = ?, error_retryable = ?, forced = ?"
            " WHERE id = ?",
            [
                chance.choice([None, "", TEXT]),
                chance.choice([None, TEXT]),
                chance.choice([-(2**31), 0, 2**31 - 1]),
                chance.choice([*MOMENTS, chance.randrange(2**50)]),
                chance.choice([None, *MOMENTS]),
                *(chance.choice(MOMENTS) for _ in range(2)),
                chance.choice([None, "no_data", "odd \\ ' code"]),
                chance.choice([None, TEXT]),
                chance.choice([None, True, False]),
                chance.choice([True, False]),
                row["id"],
            ],
        )
        await execute(
            "UPDATE record SET external_id = ?, completeness = ?, last_enriched_at = ? WHERE id = ?",
            [
                f"{row['id']}{TEXT}",
                chance.choice([*SHARES, 0.001 + chance.random() / 2]),
                chance.choice([None, *MOMENTS]),
                row["record_id"],
            ],
        )
    for row in await query("SELECT id FROM step"):
        await execute(
            "UPDATE step SET detail = ?, skipped_reason = ?, latency_ms = ?, error_code = ? WHERE id = ?",
            [
                chance.choice(["", TEXT]),
                chance.choice([None, TEXT]),
                chance.choice([None, 0, 2**31 - 1]),
                chance.choice([None, "timeout"]),
                row["id"],
            ],
        )
    return made


async def answer(shared: Services, text: str, *, printed: bool, **variables: Any) -> tuple[bytes, Any]:
    """The answer as it is sent, and the nodes of its list as they were before."""
    ctx = GraphQLContext(shared, Caller("acme", "ann", Role.ADMIN), takes_printed=printed)
    result = await SCHEMA.execute(text, variables, ctx)
    assert result.errors is None
    assert result.data is not None
    [page] = result.data.values()
    page = page.get("entries", page)
    return dump({"data": result.data}), page["nodes"]


async def both(shared: Services, text: str, **variables: Any) -> bool:
    """Whether the database prints the list, after the document was answered once; and it must not matter."""
    plain, _ = await answer(shared, text, printed=False, **variables)
    again, nodes = await answer(shared, text, printed=True, **variables)
    assert again.decode() == plain.decode()
    return isinstance(nodes, msgspec.Raw)


async def test_a_page_that_is_printed_is_the_page_that_is_read(shared: Services) -> None:
    assert await both(shared, PRINTED)
    assert await both(shared, PRINTED, id=False)
    assert await both(shared, PRINTED.replace("first: 20", "last: 5"))
    assert await both(
        shared, PRINTED.replace("first: 20", "first: 20, filter: {entityType: ACCOUNT, trigger: [RECORD_CREATED]}")
    )
    assert await both(shared, PRINTED.replace("first: 20", "first: 20, filter: {entityType: LEAD}")) is False  # none


def plain_fields(kind: str) -> list[str]:
    """The fields of a type that are selected alone, or of which one is: each without arguments."""
    found: list[str] = []
    declared = SCHEMA._schema.type_map[kind]
    assert isinstance(declared, GraphQLObjectType)
    for name, field in declared.fields.items():
        inner = get_named_type(field.type)
        if field.args:
            continue
        if is_leaf_type(inner):
            found.append(name)
        elif isinstance(inner, GraphQLObjectType):
            found += [
                f"{name} {{ {leaf} }}" for leaf, part in inner.fields.items() if is_leaf_type(get_named_type(part.type))
            ]
    return found


READ = {
    *(f"fieldOutcomes {{ {name} }}" for name in ("field", "reason", "provider", "confidence", "detail")),
    "fieldsVerified",
    *(name for name in plain_fields("Job") if name.startswith("counts {")),
    "record { displayName }",
    "record { fields }",
    "record { freshness }",
    *(f"conflicts {{ {name} }}" for name in plain_fields("Conflict") if "{" not in name),
}
"""What is made of a row rather than printed of it."""


async def test_every_field_of_a_job_is_printed_as_it_is_read(shared: Services) -> None:
    printed = {field for field in plain_fields("Job") if await both(shared, f"{{ jobs {{ nodes {{ {field} }} }} }}")}
    assert set(plain_fields("Job")) - printed == READ


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE record SET completeness = ?", [0.000012345]),
        ("UPDATE step SET fields_found = ?", ['["a\\", \\"b"]']),
        ("UPDATE job SET created_at = ?", [-1]),
    ],
)
async def test_what_cannot_be_printed_is_read(shared: Services, statement: str, values: list[Any]) -> None:
    assert await both(shared, PRINTED)
    await execute(statement, values)
    assert await both(shared, PRINTED) is False


@pytest.mark.parametrize(
    "text",
    [
        "{ records { nodes { id externalId entityType completeness version lastEnrichedAt createdAt updatedAt } } }",
        "{ credits { entries { nodes { id kind amount reservedChange provider jobId trigger note createdAt } } } }",
    ],
)
async def test_other_lists_are_printed_too(shared: Services, text: str) -> None:
    assert await both(shared, text)


async def test_edges_are_read(shared: Services) -> None:
    text = "{ jobs { nodes { id } edges { node { id status } } } }"
    assert await both(shared, text) is False


async def test_who_does_not_take_printed_lists_gets_none(shared: Services) -> None:
    assert await both(shared, PRINTED)
    _, nodes = await answer(shared, PRINTED, printed=False)
    assert isinstance(nodes, list)
