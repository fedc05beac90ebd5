"""A document that came before is executed at once, and is answered or refused as one that is new."""

import json
from typing import Any

import pytest
from arq.connections import ArqRedis
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from resolvers.context import Caller, Role, Services
from schema.base.context import GraphQLContext
from schema.root import ApiSchema
from tests.support.factories import StandIn, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

OVER_POST = frozenset({OperationType.QUERY, OperationType.MUTATION})


class Counted(ApiSchema):
    """Counts the operations that went the library's way."""

    by_library = 0

    def _create_execution_context(self, *args: Any, **kwargs: Any) -> Any:
        self.by_library += 1
        return super()._create_execution_context(*args, **kwargs)


@pytest.fixture
async def shared(redis: ArqRedis) -> Services:
    made = services(redis, StandIn(knows={"acme.com": {"industry": "Software"}}))
    await send(context(made), "account", "A1", name="Acme", domain="acme.com")
    await work(made)
    return made


async def ask(
    schema: ApiSchema, shared: Services, text: str, variables: dict[str, Any] | None = None, name: str | None = None
) -> tuple[type, str, list[Any]]:
    ctx = GraphQLContext(shared, Caller("acme", "ann", Role.ADMIN))
    result = await schema.execute(text, variables, ctx, operation_name=name, allowed_operation_types=OVER_POST)
    errors = [json.dumps(error.formatted, default=str, sort_keys=True) for error in result.errors or ()]
    return type(result), json.dumps(result.data), errors


PAGE = "query P($n: Int) { jobs(first: $n) { nodes { id status record { externalId } } totalCount } }"
TWO = "query A { jobs { nodes { id } } } query B { records { nodes { externalId } } }"


@pytest.mark.parametrize(
    ("text", "variables", "name"),
    [
        ("{ jobs { nodes { id status } } }", None, None),
        (PAGE, {"n": 1}, None),
        (PAGE, {"n": 1}, "P"),
        (TWO, None, "B"),
        ("{ jobs(first: 0) { nodes { id } } records { nodes { externalId } } }", None, None),
        ('{ job(id: "none") { id } }', None, None),
    ],
)
async def test_a_kept_document_is_executed_at_once_with_the_same_answer(
    shared: Services, text: str, variables: dict[str, Any] | None, name: str | None
) -> None:
    schema = Counted()
    new = await ask(schema, shared, text, variables, name)
    assert schema.by_library == 1
    assert await ask(schema, shared, text, variables, name) == new
    assert schema.by_library == 1


@pytest.mark.parametrize(
    ("text", "variables", "name"),
    [
        (PAGE, {"n": "many"}, None),
        (PAGE, {"n": 200, "other": "\0"}, None),
        ("query T($t: ID!) { job(id: $t) { id } }", {"t": "\0"}, None),
        ("query T($t: ID!) { job(id: $t) { id } }", None, None),
        ("{ nothing }", None, None),
        (TWO, None, None),
        (
            "query P($n: Int) { jobs(first: $n) { nodes { record { jobs(first: $n) { nodes { id } } } } } }",
            {"n": 200},
            None,
        ),
    ],
)
async def test_a_kept_document_is_refused_as_a_new_one(
    shared: Services, text: str, variables: dict[str, Any] | None, name: str | None
) -> None:
    schema = Counted()
    new = await ask(schema, shared, text, variables, name)
    assert new[2] or variables == {"n": 200, "other": "\0"}
    assert await ask(schema, shared, text, variables, name) == new
    assert issubclass(new[0], PreExecutionError) or variables is None or "n" in variables


@pytest.mark.parametrize(
    ("text", "name", "refusal"),
    [
        (TWO, "C", CannotGetOperationTypeError),
        ("subscription { jobEvents { at } }", None, InvalidOperationTypeError),
    ],
)
async def test_what_cannot_be_asked_is_refused_each_time(
    shared: Services, text: str, name: str | None, refusal: type[Exception]
) -> None:
    schema = Counted()
    for _ in range(2):
        with pytest.raises(refusal):
            await ask(schema, shared, text, None, name)


async def test_a_mutation_of_a_kept_document_is_done_each_time(shared: Services) -> None:
    schema = Counted()
    text = 'mutation { pausePipeline(reason: "tests") { paused } }'
    answers = [await ask(schema, shared, text) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0][2] == []
