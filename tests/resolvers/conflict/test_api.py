"""A person decides only what needs a person, once, and the decision holds.

One file, because the tests share one conflict and the ways to decide it.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, ResolutionAction, Strategy
from models.conflict.queries import ConflictFilter, oldest_conflict_ids, oldest_conflicts
from models.conflict.table import Conflict
from models.record import FieldValue, Record
from resolvers.conflict.api import (
    get_conflict,
    list_conflicts,
    resolve_conflict,
    resolve_conflicts,
    resolve_matching,
    try_resolution,
)
from resolvers.conflict.choice import Resolution
from resolvers.context import Context, Role, Services
from resolvers.errors import BadRequest, ConflictAlreadyResolved, CountChanged, Forbidden, NotFound, ValidationFailed
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.paging import PageArgs
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.support.statements import counted_statements

pytestmark = pytest.mark.usefixtures("db")

ACCEPT = ResolutionAction.ACCEPT_CANDIDATE
KEEP = ResolutionAction.KEEP_CURRENT
CUSTOM = ResolutionAction.CUSTOM_VALUE


def city_provider(city: str = "Berlin", confidence: float = 0.9, name: str = "standin") -> StandIn:
    return StandIn(id=name, knows={"acme.com": {"city": (city, confidence)}})


async def raised(shared: Services) -> Conflict:
    """A conflict about the city: the CRM says Hamburg, the provider Berlin."""
    await send(context(shared), "account", "A1", domain="acme.com", city="Hamburg")
    await work(shared)
    return await Conflict.get(status=ConflictStatus.OPEN)


async def force(shared: Services) -> None:
    await enrich_records(context(shared), RecordSelection(EntityType.ACCOUNT), force=True)
    await work(shared)


async def city() -> Any:
    return (await Record.get()).fields.get("city")


async def test_a_differing_crm_value_raises_one_conflict_with_its_candidates(redis: ArqRedis) -> None:
    shared = services(redis, city_provider())
    conflict = await raised(shared)
    assert (conflict.field, conflict.unit, conflict.reason) == ("address", "address", ConflictReason.EXISTING_DIFFERS)
    assert conflict.current is not None
    assert (conflict.current["value"], conflict.current["source"]) == ({"city": "Hamburg"}, "crm")
    candidates = [(candidate["value"], candidate["provider"]) for candidate in conflict.candidates]
    assert candidates == [({"city": "Berlin"}, "standin")]
    assert conflict.recommended_id == conflict.candidates[0]["id"]
    assert await city() == "Hamburg"

    await force(shared)

    assert await Conflict.all().count() == 1


async def test_values_that_mean_the_same_are_no_conflict(redis: ArqRedis) -> None:
    knows = {"acme.com": {"name": "ACME, Inc", "country": "USA", "numberOfEmployees": 120, "city": "St. Louis"}}
    shared = services(redis, StandIn(knows=knows))
    await send(
        context(shared), "account", "A1", domain="acme.com", name="Acme", country="United States",
        numberOfEmployees="51-200", city="Saint Louis",
    )  # fmt: skip
    await work(shared)
    assert await Conflict.all().count() == 0


async def test_accepting_writes_the_value_and_keeps_it_against_providers(redis: ArqRedis) -> None:
    standin = city_provider()
    shared = services(redis, standin)
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"fields": {"city": "review"}}})
    conflict = await raised(shared)

    resolved = await resolve_conflict(ctx, conflict.id, None)

    assert resolved.status is ConflictStatus.RESOLVED
    assert resolved.resolution is not None
    assert (resolved.resolution["action"], resolved.resolution["resolvedBy"]) == ("accept_candidate", "ann")
    value = await FieldValue.get(field="city", replaced_at__isnull=True)
    assert (value.value, value.source, value.actor) == ("Berlin", "reviewer", "ann")
    await configure(ctx, fieldPolicies={"account": {"fields": {"city": "overwrite"}}})
    standin.knows = {"acme.com": {"city": "Munich"}}
    await force(shared)
    assert await city() == "Berlin"
    assert (await Conflict.get(status=ConflictStatus.OPEN)).candidates[0]["value"] == {"city": "Munich"}


async def test_a_rejected_value_is_not_asked_twice_unless_a_second_source_agrees(redis: ArqRedis) -> None:
    standin = city_provider()
    second = StandIn(id="second")
    shared = services(redis, standin, second)
    ctx = context(shared)
    await configure(ctx, strategy="consensus")
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP))
    assert await city() == "Hamburg"

    await force(shared)
    assert await Conflict.filter(status=ConflictStatus.OPEN).count() == 0

    second.knows = {"acme.com": {"city": "Berlin"}}
    await force(shared)
    again = await Conflict.get(status=ConflictStatus.OPEN)
    assert sorted(candidate["provider"] for candidate in again.candidates) == ["second", "standin"]


async def test_a_custom_value_is_checked_as_that_field(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"website": "https://acme.de"}}))
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com", website="acme.com")
    await work(shared)
    conflict = await Conflict.get()

    for bad in ("not a site", "n/a", None, 5, {"a": 1}):
        with pytest.raises(ValidationFailed) as refused:
            await resolve_conflict(ctx, conflict.id, Resolution(CUSTOM, value=bad))
        assert refused.value.faults[0].path == "value"
    with pytest.raises(ValidationFailed):
        await resolve_conflict(ctx, conflict.id, Resolution(CUSTOM))
    with pytest.raises(ValidationFailed):
        await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT, candidate_id=conflict.id))

    await resolve_conflict(ctx, conflict.id, Resolution(CUSTOM, value="HTTP://WWW.ACME.FR/", note="asked them"))
    assert (await Record.get()).fields["website"] == "https://acme.fr"


async def test_a_second_resolution_is_refused_and_shows_the_first(redis: ArqRedis) -> None:
    shared = services(redis, city_provider())
    ctx, other = context(shared), context(shared, user="bob")
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP, note="ours is right"))

    with pytest.raises(ConflictAlreadyResolved) as refused:
        await resolve_conflict(other, conflict.id, None)
    assert refused.value.details["resolution"]["resolvedBy"] == "ann"
    assert refused.value.details["state"] == "resolved"
    repeated = await resolve_conflict(ctx, conflict.id, Resolution(KEEP, note="ours is right"))
    assert repeated.status is ConflictStatus.RESOLVED


async def test_of_two_reviewers_at_once_one_wins_and_the_other_is_refused(redis: ArqRedis) -> None:
    shared = services(redis, city_provider())
    conflict = await raised(shared)

    async def resolve(ctx: Context, resolution: Resolution) -> str:
        try:
            await resolve_conflict(ctx, conflict.id, resolution)
        except ConflictAlreadyResolved:
            return "refused"
        return "won"

    ends = await asyncio.gather(
        resolve(context(shared, user="ann"), Resolution(KEEP)), resolve(context(shared, user="bob"), Resolution(ACCEPT))
    )
    assert sorted(ends) == ["refused", "won"]


async def test_a_changed_record_supersedes_the_question(redis: ArqRedis) -> None:
    shared = services(redis, city_provider())
    ctx = context(shared)
    conflict = await raised(shared)
    await send(ctx, "account", "A1", city="Bremen")
    assert (await get_conflict(ctx, conflict.id)).status is ConflictStatus.SUPERSEDED
    with pytest.raises(ConflictAlreadyResolved) as refused:
        await resolve_conflict(ctx, conflict.id, None)
    assert refused.value.details["state"] == "superseded"


async def test_a_value_below_the_minimum_is_a_conflict_only_where_it_would_overwrite(redis: ArqRedis) -> None:
    shared = services(redis, city_provider(confidence=0.5))
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com", city="Hamburg")
    await work(shared)
    assert await Conflict.all().count() == 0
    await configure(ctx, fieldPolicies={"account": {"default": "overwrite"}})
    await force(shared)
    conflict = await Conflict.get()
    assert (conflict.reason, conflict.recommended_id) == (ConflictReason.LOW_CONFIDENCE, None)
    await resolve_conflict(ctx, conflict.id, None)
    assert await city() == "Hamburg"


@pytest.mark.parametrize("strategy", Strategy)
async def test_providers_that_disagree_about_an_empty_field_raise_a_conflict(
    redis: ArqRedis, strategy: Strategy
) -> None:
    # The waterfall asks the second one, too, for the many fields that the first does not know.
    shared = services(redis, city_provider("Berlin", 0.8, "one"), city_provider("Munich", 0.75, "two"))
    ctx = context(shared)
    await configure(ctx, strategy=strategy.value)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    conflict = await Conflict.get()
    assert (conflict.reason, conflict.current is None) == (ConflictReason.PROVIDERS_DISAGREE, True)
    assert [candidate["value"]["city"] for candidate in conflict.candidates] == ["Berlin", "Munich"]
    assert await city() is None
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP))
    assert await city() is None


async def test_many_are_resolved_at_once_each_with_its_outcome(redis: ArqRedis) -> None:
    shared = services(redis, city_provider())
    ctx = context(shared)
    conflict = await raised(shared)
    unknown = "00000000-0000-7000-8000-000000000000"
    ends = await resolve_conflicts(ctx, [conflict.id, unknown, "nonsense", conflict.id], Resolution(KEEP))
    assert [type(end.error) for end in ends.outcomes] == [type(None), NotFound, BadRequest, type(None)]


async def test_who_may_see_and_resolve(redis: ArqRedis) -> None:
    shared = services(redis, city_provider())
    conflict = await raised(shared)
    with pytest.raises(NotFound):
        await resolve_conflict(context(shared, org="other"), conflict.id, None)
    with pytest.raises(Forbidden):
        await resolve_conflict(context(shared, role=Role.VIEWER), conflict.id, None)
    page = await list_conflicts(context(shared, org="other"), ConflictFilter(), PageArgs())
    assert page.items == []


async def test_conflicts_are_found_by_what_they_are_about(redis: ArqRedis) -> None:
    shared = services(redis, city_provider())
    ctx = context(shared)
    conflict = await raised(shared)
    before = datetime(2020, 1, 1, tzinfo=UTC)
    fits = [
        ConflictFilter(field="city", provider="standin", external_id="A1", entity_types=(EntityType.ACCOUNT,)),
        ConflictFilter(job_id=conflict.job_id, record_id=conflict.record_id, created_after=before),
        ConflictFilter(reason=(ConflictReason.EXISTING_DIFFERS,), status=(ConflictStatus.OPEN,)),
    ]
    misses = [
        ConflictFilter(field="name"), ConflictFilter(provider="stand"), ConflictFilter(created_before=before),
        ConflictFilter(status=(ConflictStatus.RESOLVED,)), ConflictFilter(entity_types=(EntityType.LEAD,)),
    ]  # fmt: skip
    assert [len((await list_conflicts(ctx, wanted, PageArgs())).items) for wanted in fits] == [1, 1, 1]
    assert [len((await list_conflicts(ctx, wanted, PageArgs())).items) for wanted in misses] == [0] * 5


async def many(shared: Services, count: int) -> Context:
    """So many open conflicts about the city."""
    ctx = context(shared)
    for number in range(count):
        await send(ctx, "account", f"A{number}", domain="acme.com", city="Hamburg")
    await work(shared)
    return ctx


async def test_many_are_read_in_pieces_between_which_others_have_their_turn(redis: ArqRedis) -> None:
    await many(services(redis, city_provider()), 5)
    for most, sizes in ((5, [2, 2, 1]), (4, [2, 2]), (3, [2, 1]), (9, [2, 2, 1])):
        pieces = [piece async for piece in oldest_conflicts("acme", ConflictFilter(), most, at_once=2)]
        assert [len(piece) for piece in pieces] == sizes
        ids = [conflict.id for piece in pieces for conflict in piece]
        assert ids == sorted(set(ids))


async def test_many_are_decided_by_filter_after_a_look_at_what_would_happen(redis: ArqRedis) -> None:
    ctx = await many(services(redis, city_provider()), 5)
    wanted = ConflictFilter(field="city")
    tried = await try_resolution(ctx, wanted, None)
    assert (tried.count, tried.by_action[ACCEPT], tried.by_field, tried.refused) == (5, 5, {"address": 5}, 0)
    tried = await try_resolution(ctx, wanted, Resolution(CUSTOM, value="N/A"))
    assert (tried.count, tried.refused) == (5, 5)
    assert await Conflict.filter(status=ConflictStatus.OPEN).count() == 5

    resolved, remaining = await resolve_matching(ctx, wanted, None, expected_count=5)

    assert [outcome.conflict.status for outcome in resolved.outcomes if outcome.conflict] == [
        ConflictStatus.RESOLVED
    ] * 5
    assert (remaining, {record.fields["city"] for record in await Record.all()}) == (0, {"Berlin"})


async def test_a_filter_that_lets_through_other_than_was_seen_decides_nothing(redis: ArqRedis) -> None:
    ctx = await many(services(redis, city_provider()), 2)
    with pytest.raises(CountChanged) as refused:
        await resolve_matching(ctx, ConflictFilter(), None, expected_count=3)
    assert refused.value.details == {"count": 2}
    assert await Conflict.filter(status=ConflictStatus.OPEN).count() == 2
    with pytest.raises(ValidationFailed, match="only open"):
        await resolve_matching(ctx, ConflictFilter(status=(ConflictStatus.RESOLVED,)), None)
    resolved, remaining = await resolve_matching(context(ctx.services, org="other"), ConflictFilter(), None)
    assert (resolved.outcomes, remaining) == ([], 0)


@pytest.mark.parametrize("seen", [2, 0])
async def test_a_conflict_raised_behind_the_count_is_not_decided(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch, seen: int
) -> None:
    ctx = await many(services(redis, city_provider()), seen)
    before = sorted(conflict.id for conflict in await Conflict.all())

    with counted_statements(monkeypatch) as statements:

        async def raise_another() -> None:
            statements.after = None
            await send(ctx, "account", "later", domain="acme.com", city="Hamburg")
            await work(ctx.services)

        statements.after = raise_another
        resolved, remaining = await resolve_matching(ctx, ConflictFilter(), Resolution(KEEP), expected_count=seen)

    assert ([outcome.id for outcome in resolved.outcomes], remaining) == (before, 1)


async def test_those_to_decide_are_named_by_one_statement(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    await many(services(redis, city_provider()), 3)
    ids = sorted(conflict.id for conflict in await Conflict.all())
    with counted_statements(monkeypatch) as statements:
        assert await oldest_conflict_ids("acme", ConflictFilter(), 2) == ids[:2]
        assert await oldest_conflict_ids("acme", ConflictFilter(), 9) == ids
        assert await oldest_conflict_ids("other", ConflictFilter(), 9) == []
    assert statements.rows == [2, 3, 0]


async def test_two_reviewers_at_once_each_decide_some_and_none_twice(redis: ArqRedis) -> None:
    shared = services(redis, city_provider())
    ctx = await many(shared, 6)
    other = context(shared, user="bob")
    both = await asyncio.gather(
        resolve_matching(ctx, ConflictFilter(), Resolution(KEEP)), resolve_matching(other, ConflictFilter(), None)
    )
    won = [[outcome.id for outcome in one.outcomes if outcome.error is None] for one, _ in both]
    assert sorted(won[0] + won[1]) == sorted(conflict.id for conflict in await Conflict.all())
    lost = [outcome.error for one, _ in both for outcome in one.outcomes if outcome.error is not None]
    assert all(isinstance(error, ConflictAlreadyResolved) for error in lost)
    assert all(conflict.resolution is not None for conflict in await Conflict.all())


async def test_a_conflict_ages_until_it_is_settled(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, city_provider(), now=clock)
    conflict = await raised(shared)
    clock.ahead_seconds += 7200
    assert 7200 <= (await get_conflict(context(shared), conflict.id)).age_seconds(shared.now()) < 7260
    await resolve_conflict(context(shared), conflict.id, None)
    clock.ahead_seconds += 7200
    assert 7200 <= (await get_conflict(context(shared), conflict.id)).age_seconds(shared.now()) < 7260
