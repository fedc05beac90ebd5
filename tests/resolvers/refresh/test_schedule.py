"""The scheduled refresh takes the stalest first, within its budget, and nobody twice."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus, JobTrigger
from enrichment.learn.half_life import YEAR_DAYS
from enrichment.learn.refresh import RefreshCandidate, choose
from models.db.columns import to_micros
from models.db.statements import execute, query
from models.db.transaction import unit_of_work
from models.job import Job
from models.job.transitions import claim, requeue_lost
from models.refresh.due import Due, halved, longest_ago, stalest
from models.refresh.state import organizations_to_refresh
from providers.api import ProviderError
from resolvers.context import Context, Role, Services
from resolvers.credit.api import get_credits, grant_credits
from resolvers.credit.verify import check_ledger
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.record.api import upsert_records
from resolvers.refresh.freshness import half_lives_of, renew_half_lives
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.support.graphql_client import Operations
from workers.upkeep.refresh import refresh

pytestmark = pytest.mark.usefixtures("db")

DAY = timedelta(days=1).total_seconds()


def known(records: int) -> dict[str, dict[str, Any]]:
    return {f"acme{n}.com": {"city": "Oakland"} for n in range(records)}


async def enriched(ctx: Context, records: int, *, first: int = 0) -> None:
    """Accounts A0, A1, … that enrichment has given a city just now."""
    numbers = range(first, first + records)
    inputs = [{"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"acme{n}.com"}} for n in numbers]
    for start in range(0, records, 1000):
        await upsert_records(ctx, inputs[start : start + 1000])
    await work(ctx.services)


async def seen_before(clock: Clock, ages: dict[str, float]) -> None:
    """Make it so that the values of these accounts were seen, and the accounts enriched, so many days ago."""
    for external_id, days in ages.items():
        moment = to_micros(clock() - timedelta(days=days))
        record = "(SELECT id FROM record WHERE external_id = ?)"
        sql = f"UPDATE field_value SET observed_at = ?, written_at = ? WHERE record_id = {record}"
        await execute(sql, [moment, moment, external_id])
        await execute("UPDATE record SET last_enriched_at = ? WHERE external_id = ?", [moment, external_id])
    await execute("UPDATE job SET created_at = created_at - ?", [10 * 365 * 86_400_000_000])


async def refreshed(trigger: JobTrigger = JobTrigger.SCHEDULED_REFRESH) -> list[str]:
    """The external ids of the records refreshed so far, in the order in which they were started."""
    return [
        job.record.external_id for job in await Job.filter(trigger=trigger).order_by("id").prefetch_related("record")
    ]


async def a_day(shared: Services) -> int:
    """Sweep and work until nothing more is started. How many were."""
    total = 0
    while started := await refresh({"services": shared}):
        total += started
        await work(shared)
    return total


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
        assert [(one.key, one.credits) for one in usage.by_trigger] == [("scheduled_refresh", 100)]
        clock.ahead_seconds += DAY

    assert {job.status for job in await Job.filter(trigger=JobTrigger.SCHEDULED_REFRESH)} == {JobStatus.COMPLETED}
    assert (await check_ledger("acme")).faults == []


async def test_the_budget_holds_when_two_sweeps_and_many_jobs_race(redis: ArqRedis) -> None:
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
    assert (job.status, job.attempts, job.credits_used) == (JobStatus.COMPLETED, 2, 1)


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


async def test_a_viewer_sees_the_day_and_who_comes_next(redis: ArqRedis) -> None:
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
    assert [one["record"]["externalId"] for one in shown["next"]] == ["A2", "A1"]
    for one in shown["next"]:
        assert one["staleness"] == pytest.approx(0.9 * (1 - one["record"]["freshness"]), abs=0.001)
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
    one, two = (StandIn(id=name, price=3, knows=known(1)) for name in ("one", "two"))
    shared = services(redis, one, two, now=clock)
    ctx = context(shared)
    await enriched(ctx, 1)
    one.knows = {}
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


async def test_answers_that_are_kept_are_not_read_again_as_a_refresh(redis: ArqRedis) -> None:
    clock, paid = Clock(), StandIn(id="paid", price=1, keeps_days=90, knows=known(1))
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await enriched(ctx, 1)
    await configure(ctx, triggers={"refreshAfterDays": 30})
    clock.ahead_seconds += 40 * DAY
    assert await a_day(shared) == 0
    clock.ahead_seconds += 60 * DAY
    assert await a_day(shared) == 1
    assert len(paid.asked) == 2


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
        for told in world.values():
            for name, days in true_days.items():
                if draw.random() > 0.5 ** (30 / days):
                    changes[name] += 1
                    told[name] = values[name][(values[name].index(told[name]) + 1) % 4]
        clock.ahead_seconds += 30 * DAY
        assert await refresh({"services": shared}) == 60
        await work(shared)
    clock.ahead_seconds += DAY
    await refresh({"services": shared})

    fitted = await half_lives_of("acme")
    for name, days in true_days.items():
        one = fitted[EntityType.ACCOUNT, name]
        assert one.low_days < days < one.high_days, name
        assert one.changes == pytest.approx(changes[name], rel=0.05)
        assert one.high_days / one.low_days < 4
    assert fitted[EntityType.ACCOUNT, "domain"].changes == 0


def test_what_fits_is_chosen_in_order_and_what_does_not_keeps_its_place() -> None:
    def record(name: str, **questions: int) -> RefreshCandidate:
        return RefreshCandidate(name, EntityType.LEAD, dict(questions.items()))

    candidates = [record("a", x=3), record("b", x=3, y=5), record("c", z=9), record("d", z=9, x=3), record("e")]

    def chosen(room: int | None, at_most: int = 9, record_limit: int | None = None) -> list[tuple[str, int]]:
        found = choose(candidates, room=room, at_most=at_most, record_limit=record_limit)
        return [(one.candidate.record_id, one.most) for one in found]

    assert chosen(None) == [("a", 3), ("b", 5), ("c", 9), ("d", 0), ("e", 0)]  # a question is paid for once
    assert chosen(10) == [("a", 3), ("b", 5), ("e", 0)]
    assert chosen(2) == [("e", 0)]
    assert chosen(12, record_limit=4) == [("a", 3), ("b", 4), ("c", 4), ("d", 0), ("e", 0)]
    assert chosen(None, at_most=2) == [("a", 3), ("b", 5)]


@pytest.mark.usefixtures("db")
async def test_of_very_many_those_enriched_longest_ago_are_ranked(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows=known(6)), now=clock)
    await enriched(context(shared), 6)
    await seen_before(clock, {"A0": 90, "A1": 80, "A2": 70, "A3": 70, "A4": 60, "A5": 10})
    moment = clock() - timedelta(days=30)
    due = Due("acme", moment, moment, tuple(EntityType))
    for most, wanted in ((100, 5), (1, 2), (2, 3), (3, 4), (4, 5)):
        narrowed = await longest_ago(due, most)
        rows = await stalest(narrowed, "", "~", now=moment, limit=9, prices={}, min_freshness=None)
        assert len(rows) == wanted, most


async def test_the_database_halves_as_exactly_as_it_ranks() -> None:
    for times in (0.0, 0.25, 0.999_999, 1.0, 2.5, 17.3, 59.9, 60.0):
        [row] = await query(f"SELECT {halved('times')} AS halved FROM (SELECT {times!r} AS times) AS given")
        assert float(row["halved"]) == pytest.approx(0.5**times, rel=1e-6)
