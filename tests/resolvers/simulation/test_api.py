"""The time machine: a past period under other rules, with the answers given then and no provider asked."""

import pytest
from arq.connections import ArqRedis

from enrichment.replay.diff import DifferenceKind
from models.conflict.queries import ConflictFilter, open_at
from models.db.statements import query
from resolvers.conflict.api import list_conflicts, reopen_conflict, resolve_conflict
from resolvers.conflict.choice import KEEP, Resolution
from resolvers.context import Context
from resolvers.errors import BadRequest, ValidationFailed
from resolvers.paging import PageArgs
from resolvers.simulation.api import Simulation, simulate_config
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")


def _kinds(simulation: Simulation) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for difference in simulation.differences:
        found.setdefault(difference.field, set()).add(difference.kind.value)
    return found


def _costs(simulation: Simulation) -> dict[str, tuple[int, int, int, int]]:
    return {one.provider: (one.actual, one.simulated, one.unknown, one.unknown_most) for one in simulation.credits}


async def _past(redis: ArqRedis) -> tuple[Context, StandIn, StandIn]:
    """An account whose city is in question and whose phone a paid source filled."""
    free = StandIn("free", knows={"acme.com": {"city": "Oakland"}})
    paid = StandIn("paid", knows={"acme.com": {"phone": "+16502530000", "city": "Fremont"}}, price=2, keeps_days=30)
    shared = services(redis, free, paid)
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    await work(shared)
    return ctx, free, paid


async def test_under_the_same_rules_nothing_differs(redis: ArqRedis) -> None:
    ctx, *sources = await _past(redis)
    asked = [list(source.asked) for source in sources]
    rows = {name: await query(f"SELECT COUNT(*) AS n FROM {name}") for name in ("job", "field_value", "credit_entry")}

    same = await simulate_config(ctx, {})

    assert same.differences == []
    assert _costs(same) == {"free": (0, 0, 0, 0), "paid": (2, 2, 0, 0)}
    assert same.replayed.actual == same.replayed.simulated
    assert (same.replayed.jobs, same.replayed.actual.conflicts_raised) == (1, 1)
    assert [list(source.asked) for source in sources] == asked
    assert rows == {name: await query(f"SELECT COUNT(*) AS n FROM {name}") for name in rows}


async def test_another_policy_writes_what_was_asked_about(redis: ArqRedis) -> None:
    ctx, *_ = await _past(redis)
    other = await simulate_config(ctx, {"fieldPolicies": {"account": {"fields": {"city": "overwrite"}}}})
    assert _kinds(other)["city"] == {"written", "conflict_not_raised"}
    [written] = [one for one in other.differences if one.kind is DifferenceKind.WRITTEN]
    assert written.simulated is not None
    assert written.simulated.value == "Oakland"
    assert other.external_ids == {written.snapshot.record_id: "A-1"}


async def test_a_switched_off_provider_would_have_cost_and_brought_nothing(redis: ArqRedis) -> None:
    ctx, *_ = await _past(redis)
    other = await simulate_config(ctx, {"providers": [{"id": "free"}, {"id": "paid", "enabled": False}]})
    assert _kinds(other)["phone"] == {"not_written"}
    assert _costs(other)["paid"] == (2, 0, 0, 0)


async def test_what_nobody_ever_asked_is_counted_and_not_guessed(redis: ArqRedis) -> None:
    free = StandIn("free", knows={"acme.com": {"phone": "+16502530001"}})
    paid = StandIn("paid", price=3, keeps_days=30, knows={"acme.com": {"phone": "+16502530000"}})
    shared = services(redis, free, paid)
    ctx = context(shared)
    await configure(ctx, providers=[{"id": "free"}, {"id": "paid", "enabled": False}])
    await send(ctx, "account", "A-1", domain="acme.com")
    await work(shared)

    other = await simulate_config(ctx, {"providers": [{"id": "paid"}, {"id": "free"}]})

    assert _costs(other)["paid"] == (0, 0, 1, 3)
    assert paid.asked == []
    assert not any(one.certain for one in other.differences)


async def test_an_answer_kept_from_another_time_is_used(redis: ArqRedis) -> None:
    clock = Clock()
    paid = StandIn("paid", price=3, keeps_days=365, knows={"acme.com": {"phone": "+16502530000"}})
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A-0", domain="acme.com")
    await work(shared)
    await configure(ctx, providers=[{"id": "paid", "enabled": False}])
    clock.ahead_seconds += 3600
    since = shared.now()
    await send(ctx, "account", "A-1", domain="acme.com")
    await work(shared)

    other = await simulate_config(ctx, {"providers": [{"id": "paid"}]}, since)

    assert _kinds(other) == {"phone": {"written"}}
    assert _costs(other)["paid"] == (0, 0, 0, 0)


async def test_reviews_and_edits_in_between_stay_what_they_were(redis: ArqRedis) -> None:
    ctx, *_ = await _past(redis)
    [conflict] = (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items
    await resolve_conflict(ctx, conflict.id, None)
    await send(ctx, "account", "A-1", domain="acme.com", city="Hayward")
    await work(ctx.services)
    assert (await simulate_config(ctx, {})).differences == []


async def test_a_question_was_not_open_between_a_decision_and_its_taking_back(redis: ArqRedis) -> None:
    clock = Clock()
    source = StandIn("free", knows={"acme.com": {"description": "Makes anvils"}})
    shared = services(redis, source, now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com", description="Makes skates")
    await work(shared)
    [conflict] = (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP))
    moments = [shared.now()]
    clock.ahead_seconds += 60
    moments.append(shared.now())
    clock.ahead_seconds += 60
    await reopen_conflict(ctx, conflict.id)
    clock.ahead_seconds += 60
    moments = [conflict.created_at, *moments, shared.now()]
    found = [await open_at("acme", {conflict.record_id: moment}) for moment in moments]
    assert [[name for _, name in names] for names in found] == [[], [], [], ["description"]]
    clock.ahead_seconds += 60
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP))
    assert [await open_at("acme", {conflict.record_id: moment}) for moment in moments] == found


async def test_a_period_limits_what_is_replayed(redis: ArqRedis) -> None:
    clock = Clock()
    free = StandIn("free", knows={"acme.com": {"city": "Oakland"}, "beta.com": {"city": "Reno"}})
    shared = services(redis, free, now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com")
    await work(shared)
    clock.ahead_seconds += 3600
    between = shared.now()
    await send(ctx, "account", "B-1", domain="beta.com")
    await work(shared)
    never = {"fieldPolicies": {"account": {"default": "never"}}}
    early, late = await simulate_config(ctx, never, None, between), await simulate_config(ctx, never, between)
    assert [set(one.external_ids.values()) for one in (early, late)] == [{"A-1"}, {"B-1"}]
    assert (await simulate_config(context(shared, org="other"), never)).replayed.jobs == 0
    with pytest.raises(BadRequest, match="from must be before to"):
        await simulate_config(ctx, {}, between, between)


async def test_a_configuration_that_cannot_be_is_refused_with_every_fault(redis: ArqRedis) -> None:
    ctx, *_ = await _past(redis)
    with pytest.raises(ValidationFailed) as refused:
        await simulate_config(ctx, {"minConfidence": 3, "providers": [{"id": "nobody"}]})
    assert {fault.path for fault in refused.value.faults} >= {"minConfidence"}


SIMULATE = """{ simulateConfig(
  input: {fieldPolicies: [{entityType: ACCOUNT, fields: [{field: "city", policy: OVERWRITE}]}]}
) {
  jobs differenceCount nextFrom credits { provider actual simulated unknown unknownMost }
  actual { valuesWritten conflictsRaised credits } simulated { valuesWritten conflictsRaised credits }
  differences(first: 1) { externalId field kind why certain actual { reason } simulated { reason value } } } }"""


async def test_the_interface_shows_it(redis: ArqRedis) -> None:
    ctx, *_ = await _past(redis)
    shown = (await Operations(ctx.services)(SIMULATE))["simulateConfig"]
    assert (shown["jobs"], shown["differenceCount"], shown["nextFrom"]) == (1, 2, None)
    assert shown["credits"][1] == {"provider": "paid", "actual": 2, "simulated": 2, "unknown": 0, "unknownMost": 0}
    assert shown["simulated"]["valuesWritten"] == shown["actual"]["valuesWritten"] + 1
    [difference] = shown["differences"]
    assert (difference["externalId"], difference["field"]) == ("A-1", "city")
