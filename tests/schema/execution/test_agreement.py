"""What plans complete is what graphql-core completes: for documents drawn from the whole schema, on stored data."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from arq.connections import ArqRedis
from hypothesis import settings
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.context import Caller, Role, Services
from schema.base.context import GraphQLContext
from schema.execution.plans import Plans
from schema.root import ApiSchema
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import SCHEMA
from tests.support.selections import Selections

pytestmark = pytest.mark.usefixtures("db")

PLAIN = ApiSchema()
PLAIN.execution_context_class = StrawberryGraphQLCoreExecutionContext
ROOTS = ("jobs", "records", "conflicts", "audit", "providers", "config", "credits", "freshness")
HOT = {
    "jobs": """{ jobs { nodes { id entityType trigger status priority createdAt finishedAt error { code }
        record { id externalId fields lastEnrichedAt } steps { provider outcome fieldsFound askedAt error { code } }
        fieldOutcomes { field reason confidence } fieldsVerified } pageInfo { hasNextPage endCursor } } }""",
    "edges": "{ jobs { edges { cursor node { id status record { version } } } } }",
    "records": "{ records { nodes { id entityType externalId fields completeness updatedAt } } }",
    "conflicts": """{ conflicts { nodes { id field reason status createdAt resolvedAt candidates { id value provider }
        current { value source confidence } recommended { id } recommendation record { externalId } } } }""",
    "audit": "{ audit { nodes { number at actor action subject details hash } } }",
    "ledger": "{ credits { entries { nodes { id kind amount jobId trigger createdAt } } } }",
}


@pytest.fixture
async def shared(redis: ArqRedis) -> Services:
    """Two accounts that have been enriched, a conflict, a job that failed to match and one that waits."""
    known = {
        "acme.com": {"industry": "Software", "city": "Berlin", "country": "France", "website": "acme.com"},
        "bit.com": {"industry": "Banking"},
    }
    made = services(redis, StandIn(knows=known, price=2))
    ctx = context(made)
    await send(ctx, "account", "A1", name="Acme", domain="acme.com", country="Germany", shoeSize=9)
    await send(ctx, "account", "A2", name="Bit", domain="bit.com")
    await send(ctx, "account", "A3", name="Nobody", domain="nobody.com", country="Atlantis")
    await work(made)
    await send(ctx, "lead", "L1", lastName="Waits", email="x@acme.com")
    moment = datetime.now(UTC)
    made.now = lambda: moment
    return made


async def answer(schema: ApiSchema, shared: Services, text: str) -> tuple[str, list[Any]]:
    """The data as it is encoded, and what the errors say and where."""
    ctx = GraphQLContext(shared, Caller("acme", "ann", Role.ADMIN))
    result = await schema.execute(text, None, ctx)
    return json.dumps(result.data), [(error.message, error.path) for error in result.errors or ()]


def plans_of(text: str) -> Plans:
    return SCHEMA.documents.read(SCHEMA._schema, text).plans


@pytest.mark.parametrize("text", HOT.values(), ids=HOT)
async def test_a_page_of_a_hot_list_is_completed_as_a_whole(shared: Services, text: str) -> None:
    plans = plans_of(text)
    plans.taken = plans.refused = 0
    assert await answer(SCHEMA, shared, text) == await answer(PLAIN, shared, text)
    assert (plans.taken, plans.refused) == (1, 0)


async def test_any_document_is_answered_as_graphql_core_answers_it(shared: Services) -> None:
    taken = refused = 0
    for seed in range(4 * settings().max_examples):
        text = Selections(SCHEMA._schema, seed).document(*ROOTS)
        assert await answer(SCHEMA, shared, text) == await answer(PLAIN, shared, text), text
        plans = plans_of(text)
        taken, refused = taken + plans.taken, refused + plans.refused
    assert taken > 40
    assert refused == 0
