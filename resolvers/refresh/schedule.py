"""The scheduled refresh: records whose values are likely to have changed, the stalest first, within a budget.

Once a day (UTC) an organization's due records are ranked and the stalest are planned. From the plan as many are
started as the day's credits surely reach: each is counted with the most that it may cost until its job has ended,
and what it did not cost then lets the next ones start. The budget is also the jobs' own (`credit_budget`), so that
it holds whatever becomes of them.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from typing import Any

from enrichment.config import Config
from enrichment.credits import day_of
from enrichment.enums import EntityType, FieldPolicy, JobTrigger
from enrichment.learn.refresh import ChosenRefresh, RefreshCandidate, choose
from models import refresh as plan
from models.answer.cache import answered_keys
from models.credit.account import save_account
from models.db.columns import new_id, to_micros
from models.db.statements import load
from models.db.transaction import Transaction, unit_of_work
from models.half_life import next_page
from models.job.transitions import NewJob, create
from models.record.value import current_values
from resolvers.context import Services
from resolvers.cost.direct_calls import DirectCall, questions_about
from resolvers.credit.account import account_of, lock_account, remaining_of
from resolvers.events.publisher import announce
from resolvers.job.new_job import new_job
from resolvers.queue_wakeup import wake_workers
from resolvers.suppression.check import suppressed_records

STARTED_AT_ONCE = 1000
PLANNED_AT_ONCE = 5000
REPLANNED_AFTER = timedelta(hours=1)  # once a plan is used up
_LOOKED_AT = 500
_RECORDS_AT_ONCE = 2000
_MOST_RANKED = 100_000  # of each type


@dataclass(frozen=True, slots=True)
class Turn:
    """One organization's refresh at one moment. `version` is its config's."""

    services: Services
    organization_id: str
    config: Config
    version: int
    now: datetime

    @property
    def midnight(self) -> datetime:
        return self.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    def due(self) -> plan.Due | None:
        """Which records are due now; None when none can be."""
        days = self.config.triggers.refresh_after_days
        kinds = tuple(kind for kind in EntityType if self.config.entity_types.allows(kind))
        if not self.config.enabled or days is None or not kinds:
            return None
        # Within the cooldown a job would be skipped.
        age = max(timedelta(days=days), timedelta(hours=self.config.cooldown_hours))
        return plan.Due(self.organization_id, to_micros(self.now - age), to_micros(self.midnight), kinds)

    def left_today(self, state: Mapping[str, Any]) -> int:
        """How many records may still be started on this day."""
        most = self.config.refresh.max_per_day
        return STARTED_AT_ONCE if most is None else most - int(state["started"])

    def price(self, entity_type: EntityType) -> int:
        """The most credits that a record of this type may cost, as far as the config alone tells."""
        policies = self.config.field_policies.of(entity_type)
        total = 0
        for rule in self.config.providers:
            provider = self.services.registry.get(rule.id)
            if rule.enabled and provider is not None:
                source = provider.info.source(entity_type)
                given = {name for name in source.gives if policies.rule(name).policy is not FieldPolicy.NEVER}
                total += source.most(given) if given else 0
        limit = self.config.credits.per_record_max
        return total if limit is None else min(total, limit)


async def start_refreshes(turn: Turn) -> int:
    """Start a refresh for the stalest records that are due, as far as the day's budget reaches. Returns how many."""
    due = turn.due()
    if due is None:
        return 0
    prices = {kind: turn.price(kind) for kind in due.entity_types}
    state = await _begin_day(turn)
    funds = await _funds(turn) if any(prices.values()) else None
    if turn.left_today(state) <= 0 or (all(prices.values()) and await _room(turn, state, funds) == 0):
        return 0
    if await _is_outdated(turn, due, state):
        await _plan(turn, due, prices)
    started: list[str] = []
    for _ in range(STARTED_AT_ONCE // _LOOKED_AT):
        rows = await plan.next_planned(due, _LOOKED_AT)
        candidates = await _candidates(turn, rows)
        jobs = await _start(turn, candidates, funds)
        started += jobs
        if len(jobs) < len(candidates) or not rows:
            break
    if started:
        await announce(turn.services.redis, turn.organization_id, jobs=started)
        await wake_workers(turn.services.redis, len(started))
    return len(started)


async def _is_outdated(turn: Turn, due: plan.Due, state: Mapping[str, Any]) -> bool:
    """Whether there is no plan of this day and config, or none that has anything left."""
    planned_at = state["planned_at"]
    if planned_at is None or planned_at < to_micros(turn.midnight) or state["planned_for"] != turn.version:
        return True
    return planned_at <= to_micros(turn.now - REPLANNED_AFTER) and not await plan.next_planned(due, 1)


async def _begin_day(turn: Turn) -> dict[str, Any]:
    """The state of the day, with a budget of its own where the config sets one."""
    most, day, moment = turn.config.refresh.credit_budget, day_of(turn.now), to_micros(turn.now)
    state = await plan.state_of(turn.organization_id)
    if state is not None and state["day"] == day and (most is None or state["budget_most"] == most):
        return state

    async def body(tx: Transaction) -> dict[str, Any]:
        locked = await plan.lock_state(tx, turn.organization_id, moment)
        if locked["day"] != day:
            locked |= {"day": day, "budget_id": None, "started": 0}
        if most is not None:
            locked["budget_id"] = locked["budget_id"] or new_id()
            # The account's lock covers its budgets.
            account = await lock_account(tx, turn.organization_id, turn.now, turn.services.monthly_credit_grant)
            await save_account(tx, account)
            await plan.set_budget(tx, turn.organization_id, locked["budget_id"], most, moment)
        await plan.save_day(tx, locked)
        return locked

    return await unit_of_work(body)()


async def _funds(turn: Turn) -> int:
    """Credits that the organization may still spend, whatever for."""
    account = await account_of(turn.organization_id, turn.now, turn.services.monthly_credit_grant)
    return remaining_of(account, turn.config)


async def _room(
    turn: Turn, state: Mapping[str, Any], funds: int | None, *, using: Transaction | None = None
) -> int | None:
    """Credits that further refreshes may cost for sure; None: there is no limit."""
    rooms = [] if funds is None else [funds]
    budget = turn.config.refresh.credit_budget
    if budget is not None:
        midnight = to_micros(turn.midnight)
        rooms.append(budget - await plan.spent(turn.organization_id, state["budget_id"], midnight, using=using))
    if not rooms:
        return None
    return max(min(rooms) - await plan.under_way(turn.organization_id, using=using), 0)


async def _plan(turn: Turn, due: plan.Due, prices: Mapping[EntityType, int]) -> None:
    """Rank the due records, page by page so that nobody waits long for the database, and plan the stalest.

    Of more than 100,000 of a type those are ranked that were enriched longest ago.
    """
    rule = turn.config.refresh
    due = await plan.longest_ago(due, _MOST_RANKED)
    ranked: list[dict[str, Any]] = []
    after = ""
    while (last := await next_page(turn.organization_id, after, _RECORDS_AT_ONCE)) is not None:
        found = await plan.stalest(
            due,
            after,
            last,
            now=to_micros(turn.now),
            limit=PLANNED_AT_ONCE,
            prices={} if rule.credit_budget is None else prices,
            min_freshness=rule.min_freshness,
        )
        ranked = nsmallest(PLANNED_AT_ONCE, [*ranked, *found], key=_order)
        after = last
    planned = [(row["id"], row["staleness"]) for row in ranked]

    async def body(tx: Transaction) -> None:
        await plan.lock_state(tx, turn.organization_id, to_micros(turn.now))
        await plan.replace_plan(tx, turn.organization_id, planned, turn.version, to_micros(turn.now))

    await unit_of_work(body)()


def _order(row: Mapping[str, Any]) -> tuple[float, int, str]:
    return -row["staleness"], row["last_enriched_at"], row["id"]


async def _candidates(turn: Turn, rows: Sequence[Mapping[str, Any]]) -> list[RefreshCandidate]:
    """Those of the planned records that are still due and that anybody could say something new about.

    The others leave the plan. A suppressed record is one of them: its job asks nobody, and says so.
    """
    fields = {row["id"]: load(row["fields"]) for row in rows}
    told = [(row["id"], EntityType(row["entity_type"]), fields[row["id"]]) for row in rows]
    barred = await suppressed_records(turn.services, turn.organization_id, told)
    provenance = await current_values(fields)
    questions = {
        record_id: questions_about(
            turn.services, turn.config, turn.organization_id, kind, values, provenance[record_id], refresh=True
        )
        for record_id, kind, values in told
        if record_id not in barred
    }
    kept = await _kept(turn, [one for planned in questions.values() for one in planned])
    candidates: list[RefreshCandidate] = []
    dropped: list[str] = []
    for row in rows:
        record_id = row["id"]
        planned = questions.get(record_id, [])
        new = [one for one in planned if (one.provider.info.id, one.key) not in kept]
        if row["due"] and (new or record_id in barred):
            costs = _costs(record_id, new) if any(one.key for one in planned) else {}
            candidates.append(RefreshCandidate(record_id, EntityType(row["entity_type"]), costs))
        else:
            dropped.append(record_id)
    await plan.drop_planned(turn.organization_id, dropped)
    return candidates


def _costs(record_id: str, questions: Sequence[DirectCall]) -> dict[Hashable, int]:
    return {(one.provider.info.id, one.key or record_id): one.most for one in questions if one.most}


async def _kept(turn: Turn, questions: Sequence[DirectCall]) -> set[tuple[str, str]]:
    """The questions whose answer is kept: provider and key."""
    keys: dict[str, set[str]] = {}
    for question in questions:
        if question.key is not None:
            keys.setdefault(question.provider.info.id, set()).add(question.key)
    return {
        (provider_id, key)
        for provider_id, some in keys.items()
        for key in await answered_keys(turn.organization_id, provider_id, some, turn.now)
    }


async def _start(turn: Turn, candidates: Sequence[RefreshCandidate], funds: int | None) -> list[str]:
    """Start the candidates that the budget reaches. Returns the ids of the jobs."""
    if not candidates:
        return []
    budget = turn.config.refresh.credit_budget
    record_limits = [limit for limit in (turn.config.credits.per_record_max, budget) if limit is not None]

    async def body(tx: Transaction) -> list[str]:
        state = await plan.lock_state(tx, turn.organization_id, to_micros(turn.now))
        if state["day"] != day_of(turn.now):
            return []  # another sweep has begun the next day
        free = await plan.still_planned(tx, turn.organization_id, [one.record_id for one in candidates])
        chosen = choose(
            [one for one in candidates if one.record_id in free],
            room=await _room(turn, state, funds, using=tx),
            at_most=turn.left_today(state),
            record_limit=min(record_limits, default=None),
        )
        jobs = {
            one.candidate.record_id: _job(turn, one, state["budget_id"] if budget is not None else None)
            for one in chosen
        }
        added = await create(tx, list(jobs.values()))
        begun = [one for one in chosen if jobs[one.candidate.record_id].id in added]
        await plan.note_started(
            tx,
            turn.organization_id,
            [
                {"record_id": one.candidate.record_id, "job_id": jobs[one.candidate.record_id].id, "most": one.most}
                for one in begun
            ],
        )
        return [jobs[one.candidate.record_id].id for one in begun]

    return await unit_of_work(body)()


def _job(turn: Turn, one: ChosenRefresh, budget_id: str | None) -> NewJob:
    return new_job(
        turn.organization_id,
        one.candidate.record_id,
        one.candidate.entity_type,
        JobTrigger.SCHEDULED_REFRESH,
        turn.config,
        turn.now,
        budget_id=budget_id,
    )
