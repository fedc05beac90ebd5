"""The scheduled refresh takes the stalest first, within its budget, and nobody twice.

One file, because the tests share one clock and one plan.
"""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus, JobTrigger
from enrichment.learn.half_life import YEAR_DAYS
from models.db.statements import execute
from models.db.transaction import unit_of_work
from models.job import Job
from models.job.transitions import claim, requeue_lost
from models.refresh.state import organizations_to_refresh
from providers.api import ProviderError
from resolvers.context import Role
from resolvers.credit.api import get_credits, grant_credits
from resolvers.credit.verify import check_ledger
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.refresh.freshness import half_lives_of, renew_half_lives
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.support.graphql_client import Operations
from tests.support.refreshes import DAY, a_day, enriched, known, refreshed, seen_before
from workers.upkeep.refresh import refresh

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.either_store
async def test_exactly_the_stalest_are_refreshed_within_the_budget_day_by_day(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(id="paid", price=1, knows=known(1000)), now=clock)
    ctx = context(shared)
    await grant_credits(ctx, amount=10_000, note=None, idempotency_key="k")
    await enriched(ctx, 1000)
    await configure(ctx, triggers={"refreshAfterDays": 30}, refresh={"creditBudget": 100})
    clock.ahead_seconds += 500 * DAY
    ages = list(range(100, 1100))
    random.Random(3).shuffle(ages)  # noqa: S311 -- a repeatable order
    await seen_before(clock, {f"A{n}": age for n, age in enumerate(ages)})
    stalest = [external_id for _, external_id in sorted(((age, f"A{n}") for n, age in enumerate(ages)), reverse=True)]

    for day in range(1, 4):
        start = clock()
        assert await a_day(shared) == 100
        assert await refreshed() == stalest[: 100 * day]
        usage = await get_credits(ctx, start, clock())
        assert [(used.key, used.credits) for used in usage.by_trigger] == [("scheduled_refresh", 100)]
        clock.ahead_seconds += DAY

    assert {job.status for job in await Job.filter(trigger=JobTrigger.SCHEDULED_REFRESH)} == {JobStatus.COMPLETED}
    assert (await check_ledger("acme")).faults == []


async def test_the_budget_holds_when_two_runs_and_many_jobs_race(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(id="paid", price=3, knows=known(60)), now=clock)
    ctx = context(shared)
    await enriched(ctx, 60)
    await configure(ctx, triggers={"refreshAfterDays": 30}, refresh={"creditBudget": 50})
    clock.ahead_seconds += 100 * DAY
    await asyncio.gather(*(refresh({"services": shared}) for _ in range(4)))
    start = clock() - timedelta(hours=1)
    await work(shared)
    await asyncio.gather(*(a_day(shared) for _ in range(3)))
    assert (await get_credits(ctx, start)).used == 48
    assert len(await refreshed()) == len(set(await refreshed())) == 16
    assert (await check_ledger("acme")).faults == []


async def test_what_a_refresh_did_not_cost_lets_the_next_ones_start(redis: ArqRedis) -> None:
    clock, paid = Clock(), StandIn(id="paid", price=2, knows=known(50))
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await enriched(ctx, 50)
    await configure(ctx, triggers={"refreshAfterDays": 30}, refresh={"creditBudget": 20})
    clock.ahead_seconds += 100 * DAY
    paid.knows = known(5)  # the others are not known any more, and a miss costs nothing
    assert await refresh({"services": shared}) == 10
    await work(shared)
    assert await a_day(shared) == 40
    assert (await get_credits(ctx, clock() - timedelta(hours=1))).used <= 10


async def test_a_record_is_refreshed_once_whatever_came_of_it(redis: ArqRedis) -> None:
    clock = Clock()
    standin = StandIn(knows=known(2))
    shared = services(redis, standin, now=clock)
    ctx = context(shared)
    await enriched(ctx, 2)
    await configure(ctx, triggers={"refreshAfterDays": 1}, maxAttempts=1)
    clock.ahead_seconds += 100 * DAY
    standin.fails = [ProviderError("unavailable", "down", retryable=False)]
    assert await a_day(shared) == 2  # one fails, the other verifies what is there
    clock.ahead_seconds += DAY / 2
    assert await a_day(shared) == 0
    clock.ahead_seconds += DAY
    assert await a_day(shared) == 2


async def test_a_refresh_whose_worker_died_is_not_started_again(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(id="paid", price=1, knows=known(3)), now=clock)
    ctx = context(shared)
    await enriched(ctx, 3)
    await configure(ctx, triggers={"refreshAfterDays": 30}, refresh={"creditBudget": 1})
    clock.ahead_seconds += 100 * DAY
    assert await refresh({"services": shared}) == 1
    assert len(await claim("acme", clock(), 10)) == 1
    assert await refresh({"services": shared}) == 0
    clock.ahead_seconds += 60
    assert len(await unit_of_work(requeue_lost)(clock())) == 1
    assert await a_day(shared) == 0
    await work(shared)
    assert await a_day(shared) == 0
    [job] = await Job.filter(trigger=JobTrigger.SCHEDULED_REFRESH)
    assert (job.status, job.attempts, job.credits_used) == (JobStatus.COMPLETED, 1, 1)


async def test_a_source_that_has_nothing_newer_does_not_keep_others_from_their_refresh(redis: ArqRedis) -> None:
    """The first ten were seen years ago by a source that has not looked again since."""
    clock, free = Clock(), StandIn(id="free", knows=known(20))
    shared = services(redis, free, now=clock)
    ctx = context(shared)
    free.observed_at = clock() - timedelta(days=3000)
    await enriched(ctx, 10)
    free.observed_at = None
    await enriched(ctx, 10, first=10)
    old, new = {f"A{n}" for n in range(10)}, {f"A{n}" for n in range(10, 20)}
    await configure(ctx, triggers={"refreshAfterDays": 1}, refresh={"maxPerDay": 10}, cooldownHours=0)
    clock.ahead_seconds += 40 * DAY
    free.observed_at = clock() - timedelta(days=3040)
    assert await a_day(shared) == 10
    assert set(await refreshed()) == old
    clock.ahead_seconds += 2 * DAY
    assert await a_day(shared) == 10
    assert set((await refreshed())[10:]) == new


async def test_fresh_records_are_left_alone_where_the_config_says_so(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows=known(4)), now=clock)
    ctx = context(shared)
    await enriched(ctx, 4)
    await send(ctx, "account", "empty", domain="nobody.com")  # of which enrichment holds nothing
    await work(shared)
    await configure(ctx, triggers={"refreshAfterDays": 30}, refresh={"minFreshness": 0.5})
    clock.ahead_seconds += 3000 * DAY
    await renew_half_lives("acme", clock())
    half = (await half_lives_of("acme"))[EntityType.ACCOUNT, "city"].days
    await seen_before(clock, {"A0": half + 2, "A1": half - 2, "A2": 1.5 * half, "A3": 40})
    assert await a_day(shared) == 2
    assert await refreshed() == ["A2", "A0"]
    await configure(ctx, refresh={"minFreshness": None})
    assert await a_day(shared) == 3
    assert (await refreshed())[2:] == ["A1", "A3", "empty"]


async def test_a_viewer_sees_the_day_and_which_records_are_next(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(id="paid", price=1, knows=known(4)), now=clock)
    ctx = context(shared)
    await enriched(ctx, 4)
    document = """{ refresh { creditBudget creditsSpent recordsStarted recordsPlanned plannedAt
        next(first: 2) { staleness record { externalId freshness } } } }"""
    view = Operations(shared, role=Role.VIEWER)
    nothing = {"creditBudget": None, "creditsSpent": 0, "recordsStarted": 0, "recordsPlanned": 0}
    assert (await view(document))["refresh"] == {**nothing, "plannedAt": None, "next": []}
    await configure(ctx, triggers={"refreshAfterDays": 30}, refresh={"creditBudget": 1})
    clock.ahead_seconds += 1000 * DAY
    await seen_before(clock, {f"A{n}": 100 * (n + 1) for n in range(4)})
    await a_day(shared)
    shown = (await view(document))["refresh"]
    assert [planned["record"]["externalId"] for planned in shown["next"]] == ["A2", "A1"]
    for planned in shown["next"]:
        assert planned["staleness"] == pytest.approx(0.9 * (1 - planned["record"]["freshness"]), abs=0.001)
    assert shown["plannedAt"] is not None
    wanted = {"creditBudget": 1, "creditsSpent": 1, "recordsStarted": 1, "recordsPlanned": 3}
    assert {name: shown[name] for name in wanted} == wanted
    assert (await Operations(shared, org="other")(document))["refresh"] == {**nothing, "plannedAt": None, "next": []}


async def test_no_more_records_a_day_than_the_config_says(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows=known(7)), now=clock)
    ctx = context(shared)
    await enriched(ctx, 7)
    await configure(ctx, triggers={"refreshAfterDays": 30}, refresh={"maxPerDay": 3})
    for started in (0, 3, 3, 1, 0):
        assert await a_day(shared) == started
        clock.ahead_seconds += (50 if not started else 1) * DAY


async def test_paused_organizations_and_types_that_are_off_wait(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows=known(1)), now=clock)
    ctx = context(shared)
    await enriched(ctx, 1)
    clock.ahead_seconds += 100 * DAY
    assert await refresh({"services": shared}) == 0  # nobody asked for refreshes
    await configure(ctx, triggers={"refreshAfterDays": 30})
    await pause_pipeline(ctx)
    assert await refresh({"services": shared}) == 0
    await resume_pipeline(ctx)
    await configure(ctx, entityTypes={"account": False})
    assert await refresh({"services": shared}) == 0
    await configure(ctx, entityTypes={"account": True}, enabled=False)
    assert await refresh({"services": shared}) == 0
    await configure(ctx, enabled=True, cooldownHours=101 * 24)
    assert await refresh({"services": shared}) == 0
    await configure(ctx, cooldownHours=24)
    assert await refresh({"services": shared}) == 1


async def test_credits_count_where_types_cost_differently(redis: ArqRedis) -> None:
    clock = Clock()
    people = StandIn(id="people", price=10, gives={EntityType.CONTACT: frozenset({"city"})})
    people.knows = {"ann": {"city": "Oakland"}}
    firms = StandIn(id="firms", price=1, knows=known(1), gives={EntityType.ACCOUNT: frozenset({"city"})})
    shared = services(redis, people, firms, now=clock)
    ctx = context(shared)
    await send(ctx, "contact", "C", lastName="Ann")
    await enriched(ctx, 1)
    clock.ahead_seconds += 400 * DAY
    await seen_before(clock, {"C": 3000, "A0": 1000})
    await configure(ctx, triggers={"refreshAfterDays": 30})
    await refresh({"services": shared})
    assert await refreshed() == ["C", "A0"]  # without a budget the stalest is first
    await execute("DELETE FROM job WHERE trigger_kind = 'scheduled_refresh'")
    await configure(ctx, refresh={"creditBudget": 10})
    await refresh({"services": shared})
    assert await refreshed() == ["A0"]  # a tenth of the price for more than a tenth of the staleness


async def test_a_record_that_costs_more_than_a_day_has_gets_what_the_day_has(redis: ArqRedis) -> None:
    clock = Clock()
    first, second = (StandIn(id=name, price=3, knows=known(1)) for name in ("first", "second"))
    shared = services(redis, first, second, now=clock)
    ctx = context(shared)
    await enriched(ctx, 1)
    first.knows = {}
    await configure(ctx, triggers={"refreshAfterDays": 30}, refresh={"creditBudget": 4})
    clock.ahead_seconds += 100 * DAY
    assert await a_day(shared) == 1
    assert (await get_credits(ctx, clock() - timedelta(hours=1))).used == 3


async def test_refreshes_leave_off_where_the_organizations_credits_end(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(id="paid", price=1, knows=known(30)), now=clock)
    ctx = context(shared)
    await enriched(ctx, 30)
    await configure(ctx, triggers={"refreshAfterDays": 30}, refresh={"creditBudget": 25}, credits={"dailyLimit": 10})
    clock.ahead_seconds += 100 * DAY
    assert await a_day(shared) == 10
    clock.ahead_seconds += DAY
    await configure(ctx, credits={"dailyLimit": None})
    assert await a_day(shared) == 20
    assert await Job.filter(short_of_credits=True).count() == 0
    assert {job.status for job in await Job.filter(trigger=JobTrigger.SCHEDULED_REFRESH)} == {JobStatus.COMPLETED}


async def test_answers_that_are_young_enough_are_not_read_again_as_a_refresh(redis: ArqRedis) -> None:
    clock, paid = Clock(), StandIn(id="paid", price=1, keeps_days=90, knows=known(1))
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await enriched(ctx, 1)
    await configure(ctx, triggers={"refreshAfterDays": 30})
    clock.ahead_seconds += 20 * DAY
    await send(ctx, "account", "A-also", domain="acme0.com")
    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT, ("A-also",)), force=True)
    await work(shared)
    clock.ahead_seconds += 20 * DAY
    assert await a_day(shared) == 0
    assert len(paid.asked) == 2
    clock.ahead_seconds += 20 * DAY
    assert await a_day(shared) == 2
    assert len(paid.asked) == 3


async def test_each_organization_has_its_own_budget_and_the_one_served_longest_ago_is_first(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(id="paid", price=1, knows=known(20)), now=clock)
    for org in ("big", "small"):
        ctx = context(shared, org=org)
        await enriched(ctx, 20 if org == "big" else 2)
        await configure(ctx, triggers={"refreshAfterDays": 30}, refresh={"creditBudget": 5})
    clock.ahead_seconds += 100 * DAY
    await execute("UPDATE organization SET config = ? WHERE id = 'big'", ['{"triggers": {"refreshAfterDays": "x"}}'])
    assert await refresh({"services": shared}) == 2  # what is wrong with one is no trouble to the other
    await configure_again("big")
    served = [organization.id for organization in await organizations_to_refresh()]
    assert served.index("big") < served.index("small")
    assert await refresh({"services": shared}) == 5
    assert {job.organization_id for job in await Job.filter(trigger=JobTrigger.SCHEDULED_REFRESH)} == {"big", "small"}


async def configure_again(org: str) -> None:
    """Put the last good configuration back, as an operator would."""
    await execute(
        "UPDATE organization SET config = (SELECT config FROM config_change WHERE organization_id = ?"
        " ORDER BY version DESC LIMIT 1) WHERE id = ?",
        [org, org],
    )


async def test_a_changed_configuration_counts_at_once(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(id="paid", price=1, knows=known(20)), now=clock)
    ctx = context(shared)
    await enriched(ctx, 20)
    await configure(ctx, triggers={"refreshAfterDays": 200}, refresh={"creditBudget": 3})
    clock.ahead_seconds += 100 * DAY
    assert await a_day(shared) == 0
    for change, more in (
        ({"triggers": {"refreshAfterDays": 30}}, 3),
        ({"refresh": {"creditBudget": 5}}, 2),
        ({"refresh": {"creditBudget": 1}}, 0),
        ({"refresh": {"creditBudget": None}}, 15),
    ):
        await configure(ctx, **change)
        assert await a_day(shared) == more


@pytest.mark.either_store
async def test_the_half_lives_of_years_of_refreshes_hold_the_true_ones(redis: ArqRedis) -> None:
    """Cities, phones and head-counts of 60 companies change at known rates, and are looked up every 30 days."""
    clock = Clock()
    true_days = {"city": 5 * YEAR_DAYS, "phone": 1.5 * YEAR_DAYS, "numberOfEmployees": 200.0}
    draw = random.Random(11)  # noqa: S311 -- a repeatable simulation
    values: dict[str, list[Any]] = {
        "city": ["Oakland", "Berlin", "Paris", "Madrid"],
        "phone": [f"+1650253000{n}" for n in range(4)],
        "numberOfEmployees": [10, 100, 1000, 10_000],
    }
    world = {f"acme{n}.com": {name: some[0] for name, some in values.items()} for n in range(60)}
    shared = services(redis, StandIn(knows=world), now=clock)
    ctx = context(shared)
    await configure(ctx, triggers={"refreshAfterDays": 29})
    await enriched(ctx, 60)
    changes = dict.fromkeys(true_days, 0)
    for _ in range(36):
        for answer in world.values():
            for name, days in true_days.items():
                if draw.random() > 0.5 ** (30 / days):
                    changes[name] += 1
                    answer[name] = values[name][(values[name].index(answer[name]) + 1) % 4]
        clock.ahead_seconds += 30 * DAY
        assert await refresh({"services": shared}) == 60
        await work(shared)
    clock.ahead_seconds += DAY
    await refresh({"services": shared})

    fitted = await half_lives_of("acme")
    for name, days in true_days.items():
        half_life = fitted[EntityType.ACCOUNT, name]
        assert half_life.low_days < days < half_life.high_days, name
        assert half_life.changes == pytest.approx(changes[name], rel=0.05)
        assert half_life.high_days / half_life.low_days < 4
    assert fitted[EntityType.ACCOUNT, "domain"].changes == 0
