"""Every field of GraphQL, as every role and as another organization.

The fields come from the schema itself; a new one fails until it is declared in tests/service/access/declared.py.
"""

import pytest
from arq.connections import ArqRedis
from graphql import GraphQLArgument, GraphQLField, GraphQLID, GraphQLInt, GraphQLList, GraphQLString

from models.db.statements import query
from resolvers.context import Role
from schema.root import ApiSchema
from tests.service.access.declared import FIELDS
from tests.service.access.graphql_checks import fields_of, interference, wrongly_answered
from tests.service.access.organizations import shared_services
from tests.support.graphql_client import SCHEMA

pytestmark = pytest.mark.usefixtures("db")


def test_every_field_is_declared_with_the_role_that_it_needs() -> None:
    assert fields_of(SCHEMA) == FIELDS.keys()


def test_whoever_may_only_read_changes_nothing() -> None:
    assert {name for name, role in FIELDS.items() if name.startswith("Mutation.") and role is Role.VIEWER} == set()


async def test_each_role_is_let_in_where_it_is_declared(redis: ArqRedis) -> None:
    shared = shared_services(redis)
    await shared.events.start()
    assert await wrongly_answered(SCHEMA, shared, FIELDS) == []
    await shared.events.stop()


async def test_another_organization_is_neither_seen_nor_changed(redis: ArqRedis) -> None:
    assert await interference(SCHEMA, shared_services(redis)) == {}


@pytest.mark.either_store
async def test_a_mutation_without_a_role_is_found(redis: ArqRedis) -> None:
    planted = ApiSchema()
    mutations = planted._schema.mutation_type
    assert mutations is not None
    mutations.fields["planted"] = GraphQLField(GraphQLInt, resolve=lambda *_: 1)
    assert fields_of(planted) - FIELDS.keys() == {"Mutation.planted"}
    found = await wrongly_answered(planted, shared_services(redis), FIELDS | {"Mutation.planted": Role.ADMIN})
    assert {(field, role) for field, role, _ in found} >= {("Mutation.planted", role) for role in (None, Role.MANAGER)}


@pytest.mark.either_store
async def test_fields_that_look_beyond_the_organization_are_found(redis: ArqRedis) -> None:
    async def all_records(*_: object) -> list[str]:
        return [row["external_id"] for row in await query("SELECT external_id FROM record ORDER BY id")]

    async def any_job(*_: object, id: str = "") -> str | None:
        found = await query("SELECT status FROM job WHERE id = ?", [id])
        return str(found[0]["status"]) if found else None

    async def change_any(*_: object, id: str = "") -> int:
        await query("UPDATE job SET attempts = attempts + 1 WHERE id = ? RETURNING attempts", [id])
        return 1

    planted = ApiSchema()
    queries, mutations = planted._schema.query_type, planted._schema.mutation_type
    assert queries is not None
    assert mutations is not None
    by_id = {"id": GraphQLArgument(GraphQLID)}
    queries.fields["plantedList"] = GraphQLField(GraphQLList(GraphQLString), resolve=all_records)
    queries.fields["plantedJob"] = GraphQLField(GraphQLString, by_id, resolve=any_job)
    mutations.fields["plantedChange"] = GraphQLField(GraphQLInt, by_id, resolve=change_any)
    found = await interference(planted, shared_services(redis), only="planted")
    assert found.keys() == {"Query.plantedList", "Query.plantedJob", "Mutation.plantedChange"}
