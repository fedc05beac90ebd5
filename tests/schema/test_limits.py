"""What one operation may ask for, counted before any of it runs."""

import time
from typing import Any

import pytest
from arq.connections import ArqRedis
from graphql import get_introspection_query, parse

from resolvers.errors import QueryTooComplex
from schema.checks.documents import KEPT, LONGEST_KEPT, Documents
from schema.checks.limits import Limits, cost_within, weigh
from schema.root import ApiSchema
from tests.support.factories import services
from tests.support.graphql_client import SCHEMA, Operations

CORE = SCHEMA._schema
LIMITS = Limits()
SECONDS_OF_WORK = 3  # of this process, however busy the machine


@pytest.fixture
def ask(redis: ArqRedis) -> Operations:
    return Operations(services(redis))


def cost(query: str, **variables: Any) -> int:
    (operation,) = weigh(CORE, parse(query), LIMITS).values()
    return operation.selection.cost({**operation.defaults, **variables})


def nested(levels: int) -> str:
    return "{ job(id: 1) {" + "conflicts { job {" * levels + "id" + "} }" * levels + "} }"


def test_cost_is_about_the_number_of_values_in_the_answer() -> None:
    small, large = (
        cost("{ jobs(first: 10) { nodes { id status } } }"),
        cost("{ jobs(first: 200) { nodes { id status } } }"),
    )
    assert 10 * 2 <= small <= 10 * 10
    assert 200 * 2 <= large <= 200 * 10


@pytest.mark.parametrize(
    "field",
    [
        "estimateEnrichment(selection: {entityType: LEAD}) { eligible }",
        "previewEnrichment(selection: {entityType: LEAD}) { eligible }",
        "simulateConfig(input: {}) { decisions }",
        "verifyLedger { entries }",
    ],
)
def test_what_reads_a_whole_selection_fits_a_few_times_into_an_operation(field: str) -> None:
    few, many = ("{" + " ".join(f"a{n}: {field}" for n in range(times)) + "}" for times in (4, 6))
    assert cost(few) <= LIMITS.cost < cost(many)


def test_cost_multiplies_where_lists_are_nested() -> None:
    assert cost("{ records(first: 100) { nodes { jobs(first: 200) { nodes { id } } } } }") > 100 * 200


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query ($n: Int) { jobs(first: $n) { nodes { id } } }", {"n": 150}),
        ("query ($n: Int = 150) { jobs(first: $n) { nodes { id } } }", {}),
        ("query ($n: Int) { jobs(first: null, last: $n) { nodes { id } } }", {"n": 150}),
        ("query ($a: Int, $n: Int) { jobs(first: $a, last: $n) { nodes { id } } }", {"a": None, "n": 150}),
        ("{ jobs(last: 150) { nodes { id } } }", {}),
        ("{ jobs(first: 99999999999999999999) { nodes { id } } }", {}),
        ("query ($ids: [ID!]!) { resolveConflicts(ids: $ids) { results { id } } }", {"ids": ["x"] * 150}),
        ("mutation { upsertRecords(records: [%s]) { results { index } } }" % ("{}," * 150), {}),
        ("mutation ($s: X) { enrichRecords(selection: $s) { queued { id } } }", {"s": {"externalIds": ["x"] * 150}}),
        ("mutation ($s: X) { enrichRecords(selection: $s) { queued { id } } }", {"s": {"entityType": "LEAD"}}),
    ],
)
def test_cost_knows_how_many_are_asked_for(query: str, variables: dict[str, Any]) -> None:
    if "resolveConflicts" in query:
        query = query.replace("query", "mutation")
    assert 150 <= cost(query, **variables) <= 200 * 10


@pytest.mark.parametrize("variables", [{}, {"n": None}, {"n": "many"}])
def test_without_a_number_the_default_counts(variables: dict[str, Any]) -> None:
    query = "query ($n: Int) { jobs(first: $n) { nodes { id } } }"
    assert cost(query, **variables) == cost(query, n=20)


def test_counting_a_whole_list_costs_more_than_reading_a_page() -> None:
    assert cost("{ jobs(first: 1) { totalCount } }") > cost("{ jobs(first: 5) { nodes { id } } }")


async def test_an_answer_that_would_be_too_large_is_refused_before_it_is_begun(ask: Operations) -> None:
    query = "query ($n: Int) { records(first: $n) { nodes { jobs(first: $n) { nodes { id } } } } }"
    refusal = await ask.refusal(query, n=200)
    assert refusal["code"] == "QUERY_TOO_COMPLEX"
    assert refusal["limit"] == LIMITS.cost
    assert "first" in refusal["message"]


@pytest.mark.parametrize(
    "query",
    [
        nested(LIMITS.depth),
        "{ job(id: 1) { ...a } } fragment a on Job {" + "conflicts { job {" * 7 + "id" + "} }" * 7 + "}",
        "{" + " ".join(f"a{number}: config {{ version }}" for number in range(LIMITS.aliases + 1)) + "}",
        "{ ...a ...a ...a ...a } fragment a on Query {"
        + " ".join(f"a{number}: config {{ version }}" for number in range(10))
        + "}",
        "{ config { " + "version " * (LIMITS.fields + 1) + "} }",
        "{ __schema { types { " + "name " * (LIMITS.fields + 1) + "} } }",
        "{ config { version } }" + " # nothing\n" * (LIMITS.tokens + 1),
        "{ jobs(filter: {status: [" + "FAILED " * LIMITS.tokens + "]}) { nodes { id } } }",
        "{ a " * 3000,
        "{ a(b: " + "[" * 3000 + "]" * 3000 + ") }",
        "{ " + " ".join(f"a{number}: __schema {{ types {{ name }} }}" for number in range(10)) + "}",
    ],
)
async def test_too_much_of_anything_is_refused(ask: Operations, query: str) -> None:
    started = time.process_time()
    assert await ask.code(query) == "QUERY_TOO_COMPLEX"
    assert time.process_time() - started < SECONDS_OF_WORK


async def test_an_operation_at_the_limits_is_not_refused(ask: Operations) -> None:
    aliases = " ".join(f"a{number}: __typename" for number in range(LIMITS.aliases))
    await ask("{" + aliases + "}")
    await ask("{ __typename " + "# nothing\n" * 100 + "}")
    await ask(get_introspection_query(input_value_deprecation=True))


def test_fragments_that_fan_out_are_weighed_in_no_time() -> None:
    fragments = [f"fragment f{n} on Job {{ conflicts {{ job {{ ...f{n + 1} ...f{n + 1} }} }} }}" for n in range(5)]
    fragments.append("fragment f5 on Job { id }")
    wide = [f"fragment g{n} on Config {{ ...g{n + 1} ...g{n + 1} }}" for n in range(60)]
    wide.append("fragment g60 on Config { version }")
    started = time.process_time()
    (operation,) = weigh(
        CORE, parse("{ config { ...g0 } job(id: 1) { ...f0 } }" + " ".join(fragments + wide)), LIMITS
    ).values()
    with pytest.raises(QueryTooComplex):
        cost_within(operation, None, LIMITS)
    assert time.process_time() - started < SECONDS_OF_WORK


async def test_fragments_in_a_circle_are_a_mistake_of_the_query(ask: Operations) -> None:
    circle = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"
    assert await ask.codes(circle) == {"BAD_REQUEST"}


@pytest.mark.parametrize(
    "query", ["{ ...nowhere }", "{ ...a } fragment a on Nothing { id }", "{ nope(first: 3) { x { y } } }"]
)
async def test_what_does_not_exist_is_weighed_and_then_refused(ask: Operations, query: str) -> None:
    assert await ask.codes(query) == {"BAD_REQUEST"}


async def test_introspection_can_be_switched_off(redis: ArqRedis) -> None:
    closed = Operations(services(redis), schema=ApiSchema(introspection=False))
    for query in ("{ __schema { types { name } } }", '{ __type(name: "Job") { name } }'):
        assert await closed.codes(query) == {"BAD_REQUEST"}
    assert await closed("{ __typename }") == {"__typename": "Query"}


def test_a_document_is_read_once() -> None:
    documents = Documents(limits=LIMITS, introspection=True)
    query = "{ config { version } }"
    assert documents.read(CORE, query) is documents.read(CORE, str(query))


def test_documents_that_hold_values_are_not_kept() -> None:
    documents = Documents(limits=LIMITS, introspection=True)
    query = '{ config { version } } # "' + "x" * LONGEST_KEPT
    assert documents.read(CORE, query) is not documents.read(CORE, query)


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    documents = Documents(limits=LIMITS, introspection=True)
    first, used = "{ config { version } } # first", "{ config { version } } # used"
    kept, still_used = documents.read(CORE, first), documents.read(CORE, used)
    for number in range(KEPT // 8_000 + 2):
        documents.read(CORE, f"{{ config {{ version }} }} # {number:08000}")
        assert documents.read(CORE, used) is still_used
    assert documents.read(CORE, first) is not kept


def test_the_documents_of_one_schema_share_their_rules() -> None:
    """A rule made anew for each call would never be found in a cache."""
    documents = Documents(limits=LIMITS, introspection=False)
    assert documents.read(CORE, "{ __schema { types { name } } }").errors
    assert documents.read(CORE, "{ __schema { types { name } } }").errors
