"""Each kind of rule, changed: what would have been written, asked and paid, told without asking anyone.

One file, because every kind of rule is changed against the same past.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import ConflictStatus, EntityType, ResolutionAction
from enrichment.replay.diff import DifferenceKind
from models.conflict.table import Conflict
from models.db.statements import query
from resolvers.config import get_config
from resolvers.conflict.api import resolve_conflict
from resolvers.conflict.choice import Resolution
from resolvers.context import Context, Role
from resolvers.errors import Forbidden, RateLimited
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.simulation import api as simulation
from resolvers.simulation.api import Simulation, simulate_config
from resolvers.suppression.api import Values, suppress
from tests.support.factories import Clock, StandIn, configure, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

ACCOUNT = RecordSelection(EntityType.ACCOUNT)


async def _enriched(ctx: Context, external_id: str = "A1", **fields: Any) -> None:
    await send(ctx, "account", external_id, **fields)
    await work(ctx.services)


def _told(simulation: Simulation) -> list[tuple[str, str, str]]:
    return [(one.kind.value, one.field, one.why) for one in simulation.differences]


def _policy(policy: str, **rules: Any) -> dict[str, Any]:
    return {"fieldPolicies": {"account": {"default": policy, "fields": rules}}}


async def test_overwriting_would_have_written_what_went_to_a_person(redis: ArqRedis) -> None:
    standin = StandIn(knows={"acme.com": {"city": "Oslo", "industry": "Software"}})
    ctx = context(services(redis, standin))
    await _enriched(ctx, domain="acme.com", city="Bergen")
    before = await query("SELECT id FROM field_value")

    simulated = await simulate_config(ctx, _policy("overwrite"))
    assert _told(simulated) == [("written", "city", "written"), ("conflict_not_raised", "city", "written")]
    written = simulated.differences[0]
    assert written.simulated is not None
    assert (written.simulated.value, written.simulated.source, written.certain) == ("Oslo", "standin", True)
    assert (simulated.replayed.actual.conflicts_raised, simulated.replayed.simulated.conflicts_raised) == (1, 0)
    assert (simulated.replayed.actual.values_written, simulated.replayed.simulated.values_written) == (1, 2)
    assert standin.asked == ["acme.com"]
    assert await query("SELECT id FROM field_value") == before
    assert (await get_config(ctx)).version == 1


async def test_a_higher_minimum_would_have_written_less(redis: ArqRedis) -> None:
    standin = StandIn(knows={"acme.com": {"city": ("Oslo", 0.7), "industry": ("Software", 0.95)}})
    ctx = context(services(redis, standin))
    await _enriched(ctx, domain="acme.com")
    simulated = await simulate_config(ctx, {"minConfidence": 0.9})
    assert _told(simulated) == [("not_written", "city", "below_threshold")]


async def test_another_order_writes_the_other_providers_value(redis: ArqRedis) -> None:
    first = StandIn("first", {"acme.com": {"city": ("Oslo", 0.8)}}, price=1, keeps_days=30)
    second = StandIn("second", {"acme.com": {"city": ("Bergen", 0.8), "industry": "Software"}}, price=1, keeps_days=30)
    ctx = context(services(redis, first, second))
    await configure(ctx, **_policy("tracked"))
    await _enriched(ctx, domain="acme.com")

    simulated = await simulate_config(ctx, {"providers": [{"id": "second"}, {"id": "first"}]})
    assert [(one.kind, one.field) for one in simulated.differences] == [(DifferenceKind.WRITTEN_DIFFERENTLY, "city")]
    assert simulated.differences[0].simulated is not None
    assert simulated.differences[0].simulated.value == "Bergen"
    assert {one.provider: (one.actual, one.simulated) for one in simulated.credits} == {
        "first": (1, 1),
        "second": (1, 1),
    }
    only = await simulate_config(ctx, {"providers": [{"id": "second"}]})
    assert {one.provider: (one.actual, one.simulated) for one in only.credits} == {"first": (1, 0), "second": (1, 1)}


async def test_consensus_raises_what_the_waterfall_settled(redis: ArqRedis) -> None:
    first = StandIn("first", {"acme.com": {"city": ("Oslo", 0.8)}})
    second = StandIn("second", {"acme.com": {"city": ("Bergen", 0.8), "industry": "Software"}})
    ctx = context(services(redis, first, second))
    await configure(ctx, **_policy("tracked"))
    await _enriched(ctx, domain="acme.com")
    simulated = await simulate_config(ctx, {"strategy": "consensus"})
    assert ("conflict_raised", "city", "conflict") in _told(simulated)
    assert ("not_written", "city", "conflict") in _told(simulated)


async def test_what_nobody_was_ever_asked_stays_unknown_and_is_counted(redis: ArqRedis) -> None:
    known = StandIn("known", {"acme.com": {"city": ("Oslo", 0.7)}})
    other = StandIn("other", {"acme.com": {"city": "Bergen"}}, price=3, keeps_days=30)
    ctx = context(services(redis, known, other))
    await configure(ctx, providers=[{"id": "known"}, {"id": "other", "enabled": False}])
    await _enriched(ctx, domain="acme.com")
    await _enriched(ctx, "A2", domain="beta.com")

    simulated = await simulate_config(ctx, {"providers": [{"id": "other"}, {"id": "known"}], "minConfidence": 0.9})
    credits = {one.provider: one for one in simulated.credits}["other"]
    assert (credits.unknown, credits.unknown_most, credits.actual, credits.simulated) == (2, 6, 0, 0)
    assert _told(simulated) == [("not_written", "city", "below_threshold")]
    assert not simulated.differences[0].certain
    assert other.asked == []


async def test_an_answer_that_is_kept_is_known_and_costs_nothing_more(redis: ArqRedis) -> None:
    known = StandIn("known", {"acme.com": {"city": ("Oslo", 0.7)}})
    other = StandIn("other", {"acme.com": {"industry": "Software"}}, price=3, keeps_days=30)
    clock = Clock()
    ctx = context(services(redis, known, other, now=clock))
    await _enriched(ctx, domain="acme.com")
    clock.ahead_seconds += 3600
    since = clock()
    await configure(ctx, providers=[{"id": "known"}, {"id": "other", "enabled": False}])
    await _enriched(ctx, "A2", domain="acme.com")

    simulated = await simulate_config(ctx, {"providers": [{"id": "known"}, {"id": "other"}]}, since)
    assert _told(simulated) == [("written", "industry", "written")]
    assert [(one.simulated, one.unknown) for one in simulated.credits] == [(0, 0), (0, 0)]
    assert other.asked == ["acme.com"]


async def test_whoever_asks_first_pays(redis: ArqRedis) -> None:
    paid = StandIn("paid", {"acme": {"industry": "Software", "companyDomain": "acme.com"}}, price=2, keeps_days=30)
    ctx = context(services(redis, paid))
    await _enriched(ctx, name="acme")
    await send(ctx, "lead", "L1", lastName="acme")
    await work(ctx.services)
    assert paid.asked == ["acme"]

    leads_only = await simulate_config(ctx, {"entityTypes": {"account": False}})
    assert [(one.actual, one.simulated) for one in leads_only.credits] == [(2, 2)]
    neither = await simulate_config(ctx, {"enabled": False})
    assert [(one.actual, one.simulated) for one in neither.credits] == [(2, 0)]
    assert (neither.replayed.actual.jobs_run, neither.replayed.simulated.jobs_run) == (2, 0)
    assert {one.why for one in neither.differences} == {"not_started"}


async def test_a_limit_for_each_record_leaves_later_providers_out(redis: ArqRedis) -> None:
    first = StandIn("first", {"acme.com": {"city": "Oslo"}}, price=2, keeps_days=30)
    second = StandIn("second", {"acme.com": {"industry": "Software"}}, price=2, keeps_days=30)
    ctx = context(services(redis, first, second))
    await _enriched(ctx, domain="acme.com")
    simulated = await simulate_config(ctx, {"credits": {"perRecordMax": 3}})
    assert _told(simulated) == [("not_written", "industry", "no_data")]
    assert [(one.provider, one.simulated) for one in simulated.credits] == [("first", 2), ("second", 0)]


async def test_a_job_sees_what_the_simulated_ones_before_it_wrote(redis: ArqRedis) -> None:
    clock = Clock()
    standin = StandIn(knows={"acme.com": {"city": ("Oslo", 0.7)}})
    ctx = context(services(redis, standin, now=clock))
    await _enriched(ctx, domain="acme.com")
    clock.ahead_seconds += 48 * 3600
    standin.knows = {"acme.com": {"city": ("Bergen", 0.95)}}
    await enrich_records(ctx, ACCOUNT)
    await work(ctx.services)

    # The first value would not have been written, so that the second finds the field empty.
    higher = await simulate_config(ctx, {"minConfidence": 0.9, **_policy("fill_empty")})
    assert _told(higher) == [("not_written", "city", "below_threshold")]
    # The first would have been written, and stays.
    filled = await simulate_config(ctx, _policy("fill_empty"))
    assert _told(filled) == [("not_written", "city", "protected")]


async def test_what_people_did_meanwhile_is_laid_over(redis: ArqRedis) -> None:
    clock = Clock()
    standin = StandIn(knows={"acme.com": {"city": "Oslo", "phone": "+442079460818"}})
    ctx = context(services(redis, standin, now=clock))
    await _enriched(ctx, domain="acme.com", city="Bergen", phone="+442079460000")
    for conflict in await Conflict.filter(status=ConflictStatus.OPEN, field="city"):
        await resolve_conflict(ctx, conflict.id, Resolution(ResolutionAction.KEEP_CURRENT))
    clock.ahead_seconds += 48 * 3600
    await enrich_records(ctx, ACCOUNT)
    await work(ctx.services)

    simulated = await simulate_config(ctx, _policy("overwrite"))
    # Both would have been overwritten at first. The reviewer then kept the city, which holds against overwriting.
    assert [(one.kind.value, one.field) for one in simulated.differences] == [
        ("written", "phone"),
        ("conflict_not_raised", "phone"),
        ("written", "city"),
        ("conflict_not_raised", "city"),
    ]


async def test_a_shorter_cooldown_would_have_run_jobs_that_were_skipped(redis: ArqRedis) -> None:
    clock = Clock()
    standin = StandIn(knows={"acme.com": {"city": "Oslo"}})
    ctx = context(services(redis, standin, now=clock))
    await _enriched(ctx, domain="acme.com")
    clock.ahead_seconds += 3600
    await _enriched(ctx, domain="acme.com", city="Bergen")

    shorter = await simulate_config(ctx, {"cooldownHours": 0})
    assert (shorter.replayed.actual.jobs_run, shorter.replayed.simulated.jobs_run) == (1, 2)
    assert _told(shorter) == [("conflict_raised", "city", "conflict")]


async def test_a_longer_cooldown_and_a_trigger_that_is_off_leave_jobs_out(redis: ArqRedis) -> None:
    clock = Clock()
    standin = StandIn(knows={"acme.com": {"city": "Oslo"}})
    ctx = context(services(redis, standin, now=clock))
    await _enriched(ctx, domain="acme.com")
    clock.ahead_seconds += 30 * 3600
    await _enriched(ctx, domain="acme.com", city="Bergen")
    assert await Conflict.all().count() == 1
    longer = await simulate_config(ctx, {"cooldownHours": 100})
    assert _told(longer) == [("conflict_not_raised", "city", "cooldown")]
    no_updates = await simulate_config(ctx, {"triggers": {"onUpdate": False}})
    assert _told(no_updates) == [("conflict_not_raised", "city", "not_started")]
    assert no_updates.not_replayed == []
    no_creation = await simulate_config(ctx, {"triggers": {"onCreate": False}})
    assert _told(no_creation) == [("not_written", "city", "not_started")]


async def test_nobody_is_asked_about_whom_the_organization_suppressed_then(redis: ArqRedis) -> None:
    clock = Clock()
    standin = StandIn(knows={"acme.com": {"city": "Oslo"}})
    ctx = context(services(redis, standin, now=clock))
    await suppress(ctx, Values(domains=["acme.com"]))
    await _enriched(ctx, domain="acme.com")
    await _enriched(ctx, "A2", domain="beta.com")
    simulated = await simulate_config(ctx, {"cooldownHours": 0, **_policy("overwrite")})
    assert (simulated.differences, simulated.replayed.simulated.jobs_run) == ([], 1)
    assert [one.unknown for one in simulated.credits] == [0]


async def test_what_the_past_cannot_tell_is_named(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await configure(ctx, triggers={"onUpdate": False, "refreshAfterDays": 60})
    await _enriched(ctx, domain="acme.com")
    simulated = await simulate_config(
        ctx,
        {
            "triggers": {"onUpdate": True, "refreshAfterDays": 30, "onCreate": False},
            "credits": {"dailyLimit": 5, "perRecordMax": 3},
            "providers": [{"id": "standin", "dailyLimit": 5}],
        },
    )
    assert [line.split(":")[0] for line in simulated.not_replayed] == [
        "triggers.onUpdate",
        "triggers.refreshAfterDays",
        "credits.dailyLimit",
        "providers.standin.dailyLimit",
    ]
    assert (await simulate_config(ctx, {})).not_replayed == []


async def test_only_the_period_and_the_organization_are_replayed(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows={"acme.com": {"city": "Oslo"}}), now=clock)
    ctx = context(shared)
    await _enriched(ctx, domain="acme.com")
    clock.ahead_seconds += 3600
    middle = clock()
    await _enriched(ctx, "A2", domain="acme.com")
    await _enriched(context(shared, org="other"), "A3", domain="acme.com")

    never = _policy("never")
    assert len((await simulate_config(ctx, never)).differences) == 2
    assert [
        one.snapshot.decided_at < middle for one in (await simulate_config(ctx, never, None, middle)).differences
    ] == [True]
    later = await simulate_config(ctx, never, middle)
    assert list(later.external_ids.values()) == ["A2"]
    assert (
        await simulate_config(ctx, never, middle - timedelta(days=9), middle - timedelta(days=8))
    ).replayed.jobs == 0


async def test_a_long_period_is_replayed_in_parts_and_other_roles_are_refused(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = context(services(redis, StandIn()))
    with pytest.raises(Forbidden):
        await simulate_config(context(ctx.services, role=Role.VIEWER), {})
    for n in range(4):
        await _enriched(ctx, f"A{n}", domain=f"acme{n}.com")
    monkeypatch.setattr(simulation, "MOST_REPLAYED", 3)
    first = await simulate_config(ctx, {})
    assert first.replayed.jobs == 3
    assert first.next_from is not None
    rest = await simulate_config(ctx, {}, first.next_from)
    assert (rest.replayed.jobs, rest.next_from) == (1, None)


async def test_one_replay_at_a_time_for_each_organization(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    await _enriched(context(shared), domain="acme.com")
    first = asyncio.create_task(simulate_config(context(shared), {}))
    while "acme" not in simulation._busy:  # noqa: ASYNC110 -- until it has begun
        await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await simulate_config(context(shared), {})
    assert (await simulate_config(context(shared, org="other"), {})).replayed.jobs == 0
    assert (await first).replayed.jobs == 1
    assert (await simulate_config(context(shared), {})).replayed.jobs == 1
