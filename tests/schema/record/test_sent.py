"""Records in variables are checked at once where they surely pass, and else by the library: the answer is the same."""

from typing import Any

import pytest
from arq.connections import ArqRedis
from graphql import parse

from models.db.columns import new_id
from resolvers.context import Caller, Role
from schema.base.context import GraphQLContext
from schema.record.sent import SentRecords, with_records_checked
from tests.support.factories import StandIn, services
from tests.support.graphql_client import SCHEMA

UPSERT = """mutation Send($records: [RecordInput!]!) { upsertRecords(records: $records) {
    created changed unchanged refused
    results { index outcome folded lateFields record { externalId fields } job { status trigger record { externalId } }
        refusedFields { field value reason } error { code message errors { path message } } } } }"""
ACME = {"entityType": "ACCOUNT", "externalId": "A1", "fields": {"name": "Acme", "foundedYear": "in spring", "x": [1]}}
DEEP: Any = "x"
for _ in range(13):
    DEEP = {"a": DEEP}
PLAIN: list[list[Any]] = [
    [],
    [ACME, {**ACME, "externalId": 7, "observedAt": "2026-01-01", "observedAtByField": {"name": "2026-01-02"}}],
    [{**ACME, "externalId": ""}, {**ACME, "observedAtByField": 5}, {**ACME, "fields": {"": 1}}],
    [{**ACME, "observedAt": None, "fields": {"deep": DEEP}}],
]
ODD: list[Any] = [
    [{**ACME, "entityType": "account"}],
    [{**ACME, "externalId": True}],
    [{**ACME, "externalId": 1.0}],
    [{**ACME, "fields": None}],
    [{**ACME, "fields": "text"}],
    [{**ACME, "extra": 1}],
    [{**ACME, "observedAt": "yesterday"}],
    [{**ACME, "observedAt": 5}],
    [{**ACME, "observedAt": "20261120T100000Z"}],
    [{"entityType": "LEAD", "externalId": "1"}],
    [ACME, None],
    ["text"],
    ACME,
    None,
    "text",
]


def checked(records: Any) -> Any:
    found = with_records_checked(parse(UPSERT), "Send", {"records": records, "other": 1})
    assert found is not None and found["other"] == 1
    return found["records"]


@pytest.mark.parametrize("records", PLAIN)
def test_records_that_surely_pass_are_handed_over_as_they_came(records: list[Any]) -> None:
    handed_over = checked(records)["fields"]
    assert isinstance(handed_over, SentRecords) and handed_over == records


@pytest.mark.parametrize("records", ODD)
def test_whatever_is_unusual_is_left_to_the_library(records: Any) -> None:
    assert checked(records) is records


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("records", [*PLAIN, *ODD])
async def test_both_ways_answer_the_same(redis: ArqRedis, records: Any) -> None:
    shared = services(redis, StandIn())
    await SCHEMA.execute(UPSERT, {"records": []}, GraphQLContext(shared, Caller("any", "ann", Role.ADMIN)))

    async def answer(organization: str, text: str) -> Any:
        context = GraphQLContext(shared, Caller(organization, "ann", Role.ADMIN))
        result = await SCHEMA.execute(text, {"records": records}, context)
        return result.data, [(error.message, error.path, error.extensions) for error in result.errors or ()]

    assert SCHEMA.documents.kept(UPSERT) is not None
    assert await answer("one", f"{UPSERT} # {new_id()}") == await answer("two", UPSERT)
