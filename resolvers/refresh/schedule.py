"""The scheduled refresh: records whose values are likely to have changed, the stalest first, within a budget.

Once a day (UTC) an organization's due records are ranked and the stalest are planned. From the plan as many are
started as the day's credits surely reach: each is counted with the most that it may cost until its job has ended,
and what it did not cost then lets the next ones start. The budget is also the jobs' own (`credit_budget`), so that
it holds whatever becomes of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import nsmallest

from enrichment.credits import day_of
from enrichment.enums import EntityType
from models.credit.account import save_accounts
from models.credit.budget import NewBudget, budget_most, set_most
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.record.queries import last_of_next
from models.refresh.due import Due, StaleRecord, longest_ago, stalest
from models.refresh.plan import PlannedRefresh, next_planned, replace_plan
from models.refresh.state import RefreshStateRow, find_state, lock_state, save_day
from resolvers.credit.account import lock_account
from resolvers.events.publisher import announce
from resolvers.queue_wakeup import wake_workers
from resolvers.refresh.run import STARTED_AT_ONCE, RefreshRun
from resolvers.refresh.start import candidates_of, start_candidates

PLANNED_AT_ONCE = 5000
REPLANNED_AFTER = timedelta(hours=1)  # once a plan is used up
_READ_AT_ONCE = 500
_RECORDS_AT_ONCE = 2000
_MOST_RANKED = 100_000  # of each type


async def start_refreshes(run: RefreshRun) -> int:
    """Start a refresh for the stalest records that are due, as far as the day's budget reaches. Returns how many."""
    due = run.due()
    if due is None:
        return 0
    prices = {entity_type: run.price(entity_type) for entity_type in due.entity_types}
    state = await _begin_day(run)
    funds = await run.funds() if any(prices.values()) else None
    if run.left_today(state) <= 0 or (all(prices.values()) and await run.room(state, funds) == 0):
        return 0
    if await _is_outdated(run, due, state):
        await _plan(run, due, prices)
    started: list[str] = []
    for _ in range(STARTED_AT_ONCE // _READ_AT_ONCE):
        planned = await next_planned(due, _READ_AT_ONCE)
        candidates = await candidates_of(run, planned)
        jobs = await start_candidates(run, candidates, funds)
        started += jobs
        if len(jobs) < len(candidates) or not planned:
            break
    if started:
        await announce(run.services.redis, run.organization_id, jobs=started)
        await wake_workers(run.services.redis, len(started))
    return len(started)


async def _is_outdated(run: RefreshRun, due: Due, state: RefreshStateRow) -> bool:
    """Whether there is no plan of this day and configuration, or none that has anything left."""
    if state.planned_at is None or state.planned_at < run.midnight or state.planned_for != run.version:
        return True
    return state.planned_at <= run.now - REPLANNED_AFTER and not await next_planned(due, 1)


async def _begin_day(run: RefreshRun) -> RefreshStateRow:
    """The state of the day, with a budget of its own where the configuration sets one."""
    most = run.config.refresh.credit_budget
    state = await find_state(run.organization_id)
    if state is None or state.day != day_of(run.now):
        return await _save_day(run, most)
    if most is not None and most != await budget_most(run.organization_id, state.budget_id):
        return await _save_day(run, most)
    return state


@unit_of_work
async def _save_day(tx: Transaction, run: RefreshRun, most: int | None) -> RefreshStateRow:
    state = await lock_state(tx, run.organization_id, run.now)
    if state.day != day_of(run.now):
        state = replace(state, day=day_of(run.now), budget_id=None, started=0)
    if most is not None:
        budget = NewBudget(state.budget_id or new_id(), run.organization_id, most, None, run.now)
        # The account's lock covers its budgets.
        account = await lock_account(tx, run.organization_id, run.now, run.services.monthly_credit_grant)
        await save_accounts(tx, [account])
        await set_most(tx, budget)
        state = replace(state, budget_id=budget.id)
    await save_day(tx, state)
    return state


async def _plan(run: RefreshRun, due: Due, prices: Mapping[EntityType, int]) -> None:
    """Rank the due records, page by page so that nobody waits long for the database, and plan the stalest.

    Of more than 100,000 of a type those are ranked that were enriched longest ago.
    """
    rule = run.config.refresh
    due = await longest_ago(due, _MOST_RANKED)
    ranked: list[StaleRecord] = []
    after = ""
    while (last := await last_of_next(run.organization_id, after, _RECORDS_AT_ONCE)) is not None:
        found = await stalest(
            due,
            after,
            last,
            now=run.now,
            limit=PLANNED_AT_ONCE,
            prices={} if rule.credit_budget is None else prices,
            min_freshness=rule.min_freshness,
        )
        ranked = nsmallest(PLANNED_AT_ONCE, [*ranked, *found], key=_rank)
        after = last
    planned = [
        PlannedRefresh(run.organization_id, record.id, position, record.staleness)
        for position, record in enumerate(ranked)
    ]
    await _save_plan(run, planned)


def _rank(record: StaleRecord) -> tuple[float, datetime, str]:
    return -record.staleness, record.last_enriched_at, record.id


@unit_of_work
async def _save_plan(tx: Transaction, run: RefreshRun, planned: Sequence[PlannedRefresh]) -> None:
    await lock_state(tx, run.organization_id, run.now)
    await replace_plan(tx, run.organization_id, planned, run.version, run.now)
