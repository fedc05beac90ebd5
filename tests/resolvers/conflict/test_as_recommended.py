"""Without a decision of one's own the recommendation is followed, and the answer says what it was and why."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import ConflictStatus, Recommendation
from models.conflict.queries import ConflictFilter
from models.conflict.table import Conflict
from models.record import FieldValue, Record
from resolvers.conflict.api import resolve_conflict, resolve_conflicts, resolve_matching
from resolvers.conflict.choice import KEEP, Resolution
from resolvers.conflict.trust import trust_of
from resolvers.context import Services
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import Operations
from tests.support.rest_client import Rest

pytestmark = pytest.mark.usefixtures("db")

NEITHER = "neither value is likelier to be right (52 % against 48 %)"
SAYS_SO = f"{NEITHER}; the current value was kept"


async def raised(shared: Services, recommendation: Recommendation, because: str = NEITHER) -> Conflict:
    """The CRM says Hamburg, the provider Berlin; the recommendation is as given."""
    await send(context(shared), "account", "A1", domain="acme.com", city="Hamburg")
    await work(shared)
    conflict = await Conflict.get(status=ConflictStatus.OPEN)
    recommended = conflict.candidates[0]["id"] if recommendation is Recommendation.ACCEPT else None
    await Conflict.all().update(recommended_id=recommended, recommendation=recommendation, recommended_because=because)
    return conflict


def standin() -> StandIn:
    return StandIn(knows={"acme.com": {"city": "Berlin"}})


async def city() -> tuple[Any, str]:
    value = await FieldValue.get(field="city", replaced_at=None)
    assert value.value == (await Record.get()).fields["city"]
    return value.value, value.source


@pytest.mark.parametrize(
    ("recommendation", "action", "says", "held", "judged"),
    [
        (Recommendation.ACCEPT, "accept_candidate", NEITHER, ("Berlin", "reviewer"), (1, 0)),
        (Recommendation.KEEP, "keep_current", NEITHER, ("Hamburg", "reviewer"), (0, 1)),
        (Recommendation.NONE, "keep_current", SAYS_SO, ("Hamburg", "crm"), (0, 0)),
    ],
)
async def test_the_recommendation_is_followed_and_named(
    redis: ArqRedis,
    recommendation: Recommendation,
    action: str,
    says: str,
    held: tuple[str, str],
    judged: tuple[int, int],
) -> None:
    shared = services(redis, standin())
    conflict = await raised(shared, recommendation)
    resolution = (await resolve_conflict(context(shared), conflict.id, None)).resolution
    assert resolution is not None
    assert (resolution["action"], resolution["because"], resolution["resolvedBy"]) == (action, says, "ann")
    assert await city() == held
    trust = (await trust_of(["acme"]))["acme"].by_source.values()
    assert (sum(one.accepted for one in trust), sum(one.rejected for one in trust)) == judged


async def test_a_decision_of_ones_own_is_told_from_the_recommendation(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    conflict = await raised(shared, Recommendation.NONE)
    resolution = (await resolve_conflict(context(shared), conflict.id, Resolution(KEEP))).resolution
    assert resolution is not None
    assert resolution["because"] is None
    assert await city() == ("Hamburg", "reviewer")


async def test_rest_and_graphql_and_a_decision_on_many_say_that_neither_is_likelier(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    for way in range(4):
        conflict = await raised(shared, Recommendation.NONE)
        if way == 0:
            answer = await Rest(shared)("POST", f"/conflicts/{conflict.id}/resolve")
            because = answer.json()["resolution"]["because"]
        elif way == 1:
            data = await Operations(shared)(
                "mutation ($id: ID!) { resolveConflict(id: $id) { resolution { action because } } }", id=conflict.id
            )
            assert data["resolveConflict"]["resolution"]["action"] == "KEEP_CURRENT"
            because = data["resolveConflict"]["resolution"]["because"]
        elif way == 2:
            [outcome] = (await resolve_conflicts(context(shared), [conflict.id], None)).outcomes
            assert outcome.conflict is not None
            because = (outcome.conflict.resolution or {})["because"]
        else:
            [outcome] = (await resolve_matching(context(shared), ConflictFilter(), None))[0].outcomes
            assert outcome.conflict is not None
            because = (outcome.conflict.resolution or {})["because"]
        assert because == SAYS_SO
        assert await city() == ("Hamburg", "crm")
        await Record.all().delete()
