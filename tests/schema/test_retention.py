"""What may be forgotten is shown to admins, and what would go by other days."""

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")

DOCUMENT = """query R($decisions: Int, $jobs: Int) { retention(decisionDays: $decisions, jobDays: $jobs) {
    kind keepDays goes oldest newest note } }"""


async def test_an_admin_sees_every_kind(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    await send(context(shared), "account", "A", domain="acme.com")
    await work(shared)
    found = (await Operations(shared)(DOCUMENT))["retention"]
    assert {one["kind"]: one["keepDays"] for one in found} == {
        "DECISIONS": 60,
        **dict.fromkeys(("JOBS", "STEPS", "ANSWERS", "VALUES", "CONFLICTS", "LEDGER", "AUDIT")),
    }
    assert all(one["note"] and one["goes"] == 0 and one["oldest"] is None for one in found)


async def test_nobody_else_does_and_days_are_checked(redis: ArqRedis) -> None:
    shared = services(redis)
    assert await Operations(shared, role=Role.MANAGER).code(DOCUMENT) == "FORBIDDEN"
    assert await Operations(shared).code(DOCUMENT, jobs=29) == "BAD_REQUEST"
    assert await Operations(shared).code(DOCUMENT, decisions=0) == "BAD_REQUEST"
